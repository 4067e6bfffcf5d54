"""The words of a production line: a room, a station and its press, made ready by people for one batch after another.

olu and ole clean and clear, meg and mel calibrate, max qualifies, mia repairs, rae trains.
"""

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from adapters.equipment_register.port import ClearanceForm
from adapters.equipment_register.postgres import PostgresEquipmentRegister
from db import tables as t
from db.register import By, Left, free_all
from domain import equipment_acts as acts
from domain.base import uuid_for
from domain.equipment import CleaningLevel, EquipmentClass, Item, ItemKind
from domain.equipment_gate import ClearanceItem, StartNeed
from domain.errors import Blocker
from domain.specification import OperationSpecification, OrderSpecification

PEOPLE = ("olu", "ole", "meg", "mel", "max", "mia", "rae", "sam")
GRANULATION = "granulation"
CHECKS = ("no material of the previous batch", "labels removed")
_keys = itertools.count(1)


def key() -> str:
    """A command id that nobody else uses."""
    return f"line/{uuid.uuid4().hex[:8]}/{next(_keys)}"


class Clock:
    """The server's time, as far as the register asks it."""

    def __init__(self) -> None:
        self.moment: datetime | None = None

    def __call__(self) -> datetime:
        """The moment that a test has set, else the real one."""
        return self.moment or datetime.now(UTC)

    def stand_at(self, moment: datetime) -> None:
        """Stand still there."""
        self.moment = moment

    def pass_by(self, **time: float) -> None:
        """Let time pass."""
        self.moment = self() + timedelta(**time)


class Line:
    """One room with one station and one press in it. A new one is not qualified, not calibrated and dirty."""

    def __init__(self, engine: Engine, clock: Clock | None = None, **of: int) -> None:
        name = uuid.uuid4().hex[:8]
        self.engine, self.clock = engine, clock or Clock()
        self.register = PostgresEquipmentRegister(engine, now=self.clock)
        self.room, self.station, self.press, self.of = f"R-{name}", f"S-{name}", f"E-{name}", f"C-{name}"
        hire(engine)
        with engine.begin() as connection:
            row = {"code": self.station, "uuid": uuid_for("workstation", self.station), "name": "Press", "line": "",
                   "is_active": True, "equipment": "manual"}  # fmt: skip
            connection.execute(insert(t.core(t.Workstation)).values(row))
        self.register.define_class(EquipmentClass(code=self.of, name="Press", **of), key=key(), actor="pat")
        room = Item(code=self.room, name="Room", kind=ItemKind.ROOM, equipment_class=self.of)
        self.register.register(room, calibrated=False, key=key(), actor="pat")
        press = Item(
            code=self.press, name="Press", equipment_class=self.of, workstation=self.station, room=self.room, line="A"
        )
        self.register.register(press, calibrated=True, key=key(), actor="pat")

    def do(self, what: acts.Act, by: str, code: str = "", reason: str | None = None) -> Any:
        """Somebody does something to the press, or to the room when its code is given."""
        return self.register.act(code or self.press, what, key=key(), actor=by, reason=reason)

    def qualified(self, code: str = "") -> "Line":
        """By max."""
        self.do(acts.Qualify(), "max", code)
        return self

    def calibrated(self, due_at: datetime | None = None) -> "Line":
        """By meg, reviewed by mel; due in 30 days if nothing else is said."""
        due = due_at or self.clock() + timedelta(days=30)
        calibration = acts.PerformCalibration(certificate="CERT-1", due_at=due, found_within_tolerance=True)
        self.do(calibration, "meg")
        self.do(acts.ReviewCalibration(accept=True), "mel")
        return self

    def cleaned(self, code: str = "", level: CleaningLevel = CleaningLevel.FULL) -> "Line":
        """By olu, verified by ole."""
        self.do(acts.StartCleaning(level=level), "olu", code)
        self.do(acts.VerifyCleaning(accept=True), "ole", code)
        return self

    def ready(self) -> "Line":
        """Room and press qualified, calibrated, clean."""
        return self.qualified().qualified(self.room).calibrated().cleaned().cleaned(self.room)

    def cleared(self, batch: str, operation: str, *failed: str, checked: bool = True, room: str = "") -> str:
        """A line clearance by olu, checked by ole; gives its number."""
        items = tuple(ClearanceItem(item=item, passed=item not in failed) for item in CHECKS)
        form = ClearanceForm(room=room or self.room, product="TAB", batch=batch, operation=operation, items=items)
        number = self.register.record_clearance(form, key=key(), actor="olu").number
        if checked:
            accept, reason = not failed, "something was left behind" if failed else None
            self.register.check_clearance(number, accept, key=key(), actor="ole", reason=reason)
        return number

    def trained(self, person: str = "olu", until: datetime | None = None) -> "Line":
        """By rae; for a year if nothing else is said."""
        until = until or self.clock() + timedelta(days=365)
        self.register.register_training(person, GRANULATION, until, key=key(), actor="rae")
        return self

    def need(self, batch: str, product: str = "TAB", operation: str = "PRESS", **more: Any) -> StartNeed:
        """What an operation of that batch needs here."""
        return StartNeed(
            work_order=f"WO-{batch}", operation=operation, workstation=self.station, product=product, batch=batch,
            person="olu", **more,
        )  # fmt: skip

    def occupied(self, batch: str, operation: str = "PRESS") -> "Line":
        """That batch is on it, for olu."""
        self.register.occupy(self.need(batch, operation=operation), key=key(), actor="olu")
        return self

    def freed(self, batch: str, operation: str = "PRESS", at: datetime | None = None) -> "Line":
        """The batch has left it: now, or as decided a little earlier on a machine whose clock is late."""
        with self.engine.begin() as connection:
            free_all(connection, [Left(f"WO-{batch}", operation, By("free", "olu", at or self.clock()))])
        return self

    def item(self, code: str = "") -> Item:
        """The press, or the room, as the register has it."""
        with self.engine.connect() as connection:
            row = connection.execute(
                select(t.core(t.EquipmentItem)).where(t.core(t.EquipmentItem).c.code == (code or self.press))
            ).one()
        return Item(**{name: value for name, value in row._mapping.items() if name != "uuid"})

    def log(self, code: str = "") -> list[Any]:
        """The log of the press, or of the room."""
        query = text("SELECT * FROM equipment_log_entry WHERE equipment = :code ORDER BY sequence")
        with self.engine.connect() as connection:
            return list(connection.execute(query, {"code": code or self.press}))

    def blockers(self, need: StartNeed) -> list[Blocker]:
        """What is in the way now."""
        return self.register.check(need)


def hire(engine: Engine) -> None:
    """People have accounts; those who have one already keep it."""
    rows = [
        {"id": name, "full_name": name.title(), "password_hash": "-", "roles": [], "is_active": True,
         "is_person": True, "failed_attempts": 0, "created_at": datetime.now(UTC)}
        for name in PEOPLE
    ]  # fmt: skip
    with engine.begin() as connection:
        connection.execute(upsert(t.core(t.UserAccount)).values(rows).on_conflict_do_nothing())


def on_line(specification: OrderSpecification, line: Line, *operations: str, **more: Any) -> OrderSpecification:
    """The order, with those operations at the line; `more` are fields of theirs (room, clearance, training, …)."""

    def moved(operation: OperationSpecification) -> OperationSpecification:
        if operation.code not in operations:
            return operation
        return operation.model_copy(update={"workstation": line.station, **more})

    work_orders = tuple(
        own.model_copy(update={"operations": tuple(moved(operation) for operation in own.operations)})
        for own in specification.work_orders
    )
    return specification.model_copy(update={"work_orders": work_orders})
