"""Plants a history into the record, by the rows that the warehouse and the projection write: lots, moves, links."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from db import tables as t
from db.projection.batch import Batch
from domain.base import uuid_for

START = datetime(2026, 3, 2, tzinfo=UTC)
_keys = itertools.count(1)


def day(number: float) -> datetime:
    """Midnight (UTC) at the beginning of a day of the history."""
    return START + timedelta(days=number)


class History:
    """One plant's history. Every name gets `prefix`, so that several can stand in one record."""

    def __init__(self, connection: Connection, prefix: str, actor: str = "olu") -> None:
        self.connection, self.prefix, self.actor = connection, prefix, actor
        self.order = f"{prefix}PO"
        self._batch = Batch()

    def material(self, code: str, unit: str = "kg", kind: str = "semiFinished") -> None:
        """A material."""
        code = self.prefix + code
        self._write(t.Material, code=code, uuid=uuid_for("material", code), name=code, kind=kind, unit=unit)

    def open_order(self, product: str) -> None:
        """The production order of all work orders."""
        self._write(
            t.ProductionOrder, number=self.order, uuid=uuid_for("production-order", self.order), plan_line=self.order,
            plant="P", product=self.prefix + product, quantity=1, unit="kg", policy="plain", state="inProgress",
            created_by="pia", created_at=START, revision=1,
        )  # fmt: skip

    def receive(self, lot: str, material: str, quantity: int, at: float, *, actor: str = "", unit: str = "kg") -> None:
        """A delivery that is accepted at once."""
        self._lot(lot, material, at, unit, "received", None)
        self.move(lot, "SUPPLIER", "RECEIVING", quantity, "receipt", None, at, actor, unit)
        self.move(lot, "RECEIVING", "RAW", quantity, "accepted", None, at, actor, unit)

    def make(
        self, lot: str, material: str, quantity: int, at: float, *inputs: tuple[str, int], unit: str = "kg",
        operation: str = "10", linked: bool = True,
    ) -> None:  # fmt: skip
        """A work order, `W` and the lot's name: issue and consume inputs, produce the lot, put it away."""
        number = f"{self.prefix}W{lot}"
        self._write(
            t.WorkOrder, number=number, uuid=uuid_for("work-order", number), order_number=self.order,
            material=self.prefix + material, quantity=quantity, unit=unit, state="completed",
            output_lot=self.prefix + lot,
        )  # fmt: skip
        self._lot(lot, material, at, unit, "produced", number)
        for source, amount in inputs:
            self.consume(source, lot, amount, at, operation=operation, linked=linked)
        self.move(lot, "PROCESS", "LINE", quantity, "produce", lot, at, unit=unit)
        self.move(lot, "LINE", "RAW", quantity, "putAway", lot, at, unit=unit)

    def consume(
        self, source: str, target: str, quantity: int, at: float, *, by: str = "", operation: str = "10",
        linked: bool = True,
    ) -> None:  # fmt: skip
        """Issue some of a lot to the work order `by` (of the target, if not given), and consume it into the target."""
        self.move(source, "RAW", "LINE", quantity, "issue", by or target, at)
        self.move(source, "LINE", "PROCESS", quantity, "consume", by or target, at)
        if linked:
            self.link(source, target, quantity, by or target, operation, at)

    def issue_and_return(self, source: str, target: str, quantity: int, at: float) -> None:
        """What was issued and not consumed goes back: no genealogy."""
        self.move(source, "RAW", "LINE", quantity, "issue", target, at)
        self.move(source, "LINE", "RAW", quantity, "return", target, at)

    def give_back(self, source: str, target: str, quantity: int, at: float) -> None:
        """What was booked as consumed comes back out of the process."""
        self.move(source, "PROCESS", "LINE", quantity, "return", target, at)
        self.link(source, target, -quantity, target, "10", at)
        self.move(source, "LINE", "RAW", quantity, "return", target, at)

    def operation(
        self, lot: str, code: str, station: str, person: str | None, start: float | None, end: float | None
    ) -> None:
        """An operation of the work order of a lot; without a start it never ran."""
        self._write(
            t.OperationRow, work_order=f"{self.prefix}W{lot}", code=code, sequence=10, name=code, workstation=station,
            state="completed" if end is not None else "running", good=0, scrap=0, review_board=0, started_by=person,
            started_at=None if start is None else day(start), ended_at=None if end is None else day(end),
        )  # fmt: skip

    def report(self, lot: str, operation: str, station: str, persons: tuple[str, str | None], **times: float) -> None:
        """A production report by (operator, worker); times are started, ended and reported."""
        at = {f"{name}_at": day(moment) for name, moment in times.items()}
        self._write(
            t.ProductionReport, number=self._key(), work_order=f"{self.prefix}W{lot}", operation=operation, good=1,
            scrap=0, review_board=0, unit="kg", is_rework=False, report_type="normal", source="manual",
            workstation=station, operator=persons[0], worker=persons[1], over_by=0,
            **{"started_at": None, "ended_at": None} | at,
        )  # fmt: skip

    def value(self, lot: str, operation: str, name: str, text: str, person: str, at: float) -> None:
        """A value that was recorded; a text that is no number has no value."""
        number = text if text.replace(".", "").isdigit() else None
        self._write(
            t.ParameterValue, work_order=f"{self.prefix}W{lot}", operation=operation, name=name, text=text,
            value=number, unit="mg", within_limits=True, recorded_by=person, recorded_at=day(at),
        )  # fmt: skip

    def run(self, lot: str, operation: str, station: str, start: float, end: float | None) -> None:
        """A job on a machine."""
        self._write(
            t.EquipmentRun, job=self._key(), workstation=station, work_order=f"{self.prefix}W{lot}",
            operation=operation, batch=self.prefix + lot, state="ended", started_at=day(start),
            ended_at=None if end is None else day(end),
        )  # fmt: skip

    def flush(self) -> None:
        """Write everything; the balances' CHECKs refuse a history in which something is used that is not there."""
        self._batch.flush(self.connection)
        self._batch = Batch()

    def _key(self) -> str:
        return f"{self.prefix}{next(_keys)}"

    def _write(self, model: type[Any], **values: Any) -> None:
        self.connection.execute(insert(t.core(model)).values(**values))

    def _lot(self, lot: str, material: str, at: float, unit: str, origin: str, work_order: str | None) -> None:
        self._write(
            t.Lot, number=self.prefix + lot, material=self.prefix + material, unit=unit, status="released",
            origin=origin, work_order=work_order, created_at=day(at),
        )  # fmt: skip

    def link(self, source: str, target: str, quantity: int, by: str, operation: str, at: float) -> None:
        """One lot link; `by` is the lot of the work order."""
        self._batch.insert(
            t.core(t.LotLink), key=self._key(), input_lot=self.prefix + source, output_lot=self.prefix + target,
            quantity=quantity, unit="kg", work_order=f"{self.prefix}W{by}", operation=operation, linked_at=day(at),
        )  # fmt: skip

    def move(
        self, lot: str, source: str, target: str, quantity: int, kind: str, order: str | None, at: float,
        actor: str = "", unit: str = "kg",
    ) -> None:  # fmt: skip
        """One stock move; `order` is the lot of a work order."""
        self._batch.move(
            key=self._key(), lot=self.prefix + lot, from_place=source, to_place=target, quantity=quantity, unit=unit,
            kind=kind, work_order=order and f"{self.prefix}W{order}", actor=actor or self.actor, moved_at=day(at),
        )  # fmt: skip
