"""The warehouse under test, on the application's login, with helpers that read the ledger behind its back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, text, update

from adapters.in_the_record import utc_now
from adapters.inventory.port import MaterialNeed
from adapters.inventory.postgres import PostgresInventory
from db.tables import AuditRow, Lot, Reservation, StockBalance, StockMove, core
from domain.states import LotStatus
from tests.db.database import Database, make_material, unique

BALANCES, LOTS, MOVES, RESERVATIONS = core(StockBalance), core(Lot), core(StockMove), core(Reservation)


@dataclass
class Warehouse:
    """An inventory, and a plant around it that gives it lots and uses them up."""

    inventory: PostgresInventory
    engine: Engine

    def material(self) -> str:
        with self.engine.begin() as connection:
            return make_material(connection, unique("M"))

    def stock(
        self, material: str, quantity: str, *, expires_in: int | None = None, status: str = "released", lot: str = ""
    ) -> str:
        """A received lot; unless it is to stay in receiving, it lies in raw stock, in this status."""
        lot = lot or unique("L")
        expires_on = None if expires_in is None else utc_now().date() + timedelta(days=expires_in)
        self.inventory.receive(
            lot, material, Decimal(quantity), "kg", expires_on=expires_on, key=unique("k"), actor="keeper"
        )
        if status != LotStatus.QUARANTINE:
            self.accept(lot, status)
        return lot

    def accept(self, lot: str, status: str = "released") -> None:
        """What quality does on acceptance, in two statements."""
        with self.engine.begin() as connection:
            connection.execute(update(LOTS).where(LOTS.c.number == lot).values(status=status))
            connection.execute(
                update(BALANCES).where(BALANCES.c.lot == lot, BALANCES.c.place == "RECEIVING").values(place="RAW")
            )
            self._move(connection, lot, "RECEIVING", "RAW", quantity_at(connection, lot, "RAW"), None)

    def set_status(self, lot: str, status: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(LOTS).where(LOTS.c.number == lot).values(status=status))

    def expire(self, lot: str, on: date) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(LOTS).where(LOTS.c.number == lot).values(expires_on=on))

    def consume(self, work_order: str, lot: str, quantity: Decimal) -> None:
        """What the projector does when an operation uses material up."""
        with self.engine.begin() as connection:
            condition = (BALANCES.c.lot == lot) & (BALANCES.c.place == "LINE")
            connection.execute(update(BALANCES).where(condition).values(on_hand=BALANCES.c.on_hand - quantity))
            self._move(connection, lot, "LINE", "PROCESS", quantity, work_order)

    def produce(self, work_order: str, lot: str, material: str, quantity: Decimal) -> None:
        """What the projector does when output is reported."""
        with self.engine.begin() as connection:
            row = {
                "number": lot, "material": material, "unit": "kg", "status": "quarantine", "origin": "produced",
                "work_order": work_order, "created_at": utc_now(),
            }  # fmt: skip
            connection.execute(insert(LOTS).values(row))
            connection.execute(insert(BALANCES).values(lot=lot, place="LINE", on_hand=quantity, reserved=0))
            self._move(connection, lot, "PROCESS", "LINE", quantity, work_order)

    def _move(
        self, connection: Connection, lot: str, source: str, target: str, quantity: Decimal, work_order: str | None
    ) -> None:
        row = {
            "key": unique("move"), "lot": lot, "from_place": source, "to_place": target, "quantity": quantity,
            "unit": "kg", "kind": "test", "work_order": work_order, "actor": "test", "moved_at": utc_now(),
        }  # fmt: skip
        connection.execute(insert(MOVES).values(row))

    def balances(self, *lots: str) -> dict[tuple[str, str], tuple[Decimal | int, Decimal | int]]:
        """(lot, place) → (on hand, reserved), where there is something."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(BALANCES).where(BALANCES.c.lot.in_(lots), BALANCES.c.on_hand > 0))
            return {(row.lot, row.place): (row.on_hand, row.reserved) for row in rows}

    def reserved(self, work_order: str) -> Decimal:
        with self.engine.connect() as connection:
            condition = (RESERVATIONS.c.work_order == work_order) & (RESERVATIONS.c.state == "reserved")
            return Decimal(
                connection.execute(
                    select(func.coalesce(func.sum(RESERVATIONS.c.quantity), 0)).where(condition)
                ).scalar_one()
            )

    def audited(self, entity: str) -> list[str]:
        """The actions that the audit trail tells of an entity, oldest first."""
        rows = core(AuditRow)
        with self.engine.connect() as connection:
            return list(
                connection.execute(select(rows.c.action).where(rows.c.entity == entity).order_by(rows.c.seq)).scalars()
            )

    def counts(self) -> dict[str, int]:
        """Rows of every table that the warehouse writes, to show that something left no trace."""
        tables = ("stock_move", "stock_balance", "reservation", "inventory_request", "lot", "audit_row")
        with self.engine.connect() as connection:
            return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def quantity_at(connection: Connection, lot: str, place: str) -> Decimal:
    """What of a lot is on hand at a place."""
    statement = select(BALANCES.c.on_hand).where(BALANCES.c.lot == lot, BALANCES.c.place == place)
    return Decimal(connection.execute(statement).scalar_one())


def need(material: str, quantity: str, line: int = 10, *lots: str) -> MaterialNeed:
    """One line of a pick list, in kg."""
    return MaterialNeed(line=line, material=material, quantity=Decimal(quantity), unit="kg", fixed_lots=lots)


@pytest.fixture(scope="session")
def warehouse(database: Database) -> Warehouse:
    """The warehouse on the application's login."""
    return Warehouse(PostgresInventory(database.app), database.app)


WRONG_SUMS = text(
    """
    SELECT lot, place, sum(quantity) AS quantity FROM (
        SELECT lot, to_place AS place, quantity FROM stock_move
        UNION ALL SELECT lot, from_place, -quantity FROM stock_move
        UNION ALL SELECT lot, place, -on_hand FROM stock_balance
    ) AS entries JOIN place ON place.code = place AND zone <> 'outside'
    GROUP BY lot, place HAVING sum(quantity) <> 0
    UNION ALL
    SELECT lot, place, sum(quantity) FROM (
        SELECT lot, place, quantity FROM reservation WHERE state = 'reserved'
        UNION ALL SELECT lot, place, -reserved FROM stock_balance
    ) AS reservations GROUP BY lot, place HAVING sum(quantity) <> 0
    UNION ALL
    SELECT lot, place, on_hand FROM stock_balance WHERE on_hand < 0 OR reserved < 0 OR reserved > on_hand
    """
)
"""What must never be: balances that the moves do not make up, reservations that the balances do not know."""


@pytest.fixture(autouse=True)
def _sums(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test that has used the warehouse the sum of a lot's states is its quantity (MT-04)."""
    yield
    if "warehouse" in request.fixturenames:
        warehouse: Warehouse = request.getfixturevalue("warehouse")
        with warehouse.engine.connect() as connection:
            assert connection.execute(WRONG_SUMS).all() == []
