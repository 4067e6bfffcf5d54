"""What every implementation of `Quality` has to do, and what ours does with received lots."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import insert, select, text

from adapters.inventory.postgres import PostgresInventory
from adapters.quality.port import Quality
from adapters.quality.postgres import PostgresQuality
from db.session import engine_for
from db.tables import Deviation, InspectionPlan, InspectionRow, Lot, StateTransition, core
from domain.base import uuid_for
from domain.commands import Measurement
from domain.errors import AdapterRefused, AdapterUnreachable
from domain.specification import Characteristic
from tests.db.database import Database, make_material, unique

WATER = Characteristic(name="water", unit="%", low=Decimal("0.5"), high=Decimal("2.0"), required=True)


class Laboratory:
    """A quality system with a warehouse beside it."""

    def __init__(self, database: Database) -> None:
        self.engine = database.app
        self.quality, self.inventory = PostgresQuality(database.app), PostgresInventory(database.app)

    def received(self, quantity: str = "10") -> tuple[str, str]:
        """A new lot of a new material with an inspection plan; gives lot and material."""
        lot, material = unique("L"), unique("M")
        with self.engine.begin() as connection:
            make_material(connection, material)
            plan = {"material": material, "name": "water", "position": 1, "unit": "%", "low": "0.5", "high": "2.0"}
            connection.execute(insert(core(InspectionPlan)).values(**plan, is_required=True))
        self.deliver(lot, material, quantity)
        return lot, material

    def deliver(self, lot: str, material: str, quantity: str) -> None:
        self.inventory.receive(lot, material, Decimal(quantity), "kg", key=unique("k"), actor="keeper")

    def inspect(self, lot: str, material: str, value: str | None = None) -> str:
        """A new inspection, with a result if one is given; gives its number."""
        number = self.quality.request_inspection(lot, material, None, None, key=unique("k"), actor="keeper").number
        if value is not None:
            self.quality.enter_results(number, water(value), key=unique("k"), actor="ana")
        return number

    def decide(self, number: str, accept: bool, actor: str = "ben") -> str:
        return self.quality.decide(number, accept, key=unique("k"), actor=actor, reason="all results seen").lot_status

    def stock(self, lot: str) -> dict[str, int]:
        with self.engine.connect() as connection:
            query = "SELECT place, on_hand FROM stock_balance WHERE lot = :lot AND on_hand > 0"
            return {row.place: int(row.on_hand) for row in connection.execute(text(query), {"lot": lot})}

    def status(self, lot: str) -> str:
        with self.engine.connect() as connection:
            return str(connection.execute(select(core(Lot).c.status).where(core(Lot).c.number == lot)).scalar_one())

    def deviations(self, lot: str) -> list[tuple[str, str, str]]:
        table = core(Deviation)
        with self.engine.connect() as connection:
            rows = connection.execute(select(table).where(table.c.lot == lot).order_by(table.c.number))
            return [(row.code, row.detail, row.state) for row in rows]

    def life(self, entity: str, number: str) -> list[str]:
        table = core(StateTransition)
        with self.engine.connect() as connection:
            condition = (table.c.entity == entity) & (table.c.entity_id == number)
            return list(connection.execute(select(table.c.event).where(condition).order_by(table.c.id)).scalars())

    def counts(self) -> list[int]:
        tables = ("inspection", "inspection_result", "deviation", "state_transition", "stock_move", "audit_row",
                  "command_outcome")  # fmt: skip
        with self.engine.connect() as connection:
            return [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables]


def water(value: str, name: str = "water", unit: str = "%") -> list[Measurement]:
    """One result."""
    return [Measurement(name=name, text=value, unit=unit)]


def refusal(call: Callable[[], object]) -> AdapterRefused:
    """The refusal that a call comes to."""
    with pytest.raises(AdapterRefused) as caught:
        call()
    return caught.value


@pytest.fixture(scope="session")
def laboratory(database: Database) -> Laboratory:
    """The quality system on the application's login."""
    return Laboratory(database)


def test_it_is_a_quality(database: Database) -> None:
    port: Quality = PostgresQuality(database.app)
    assert all(callable(getattr(port, name)) for name in vars(Quality) if not name.startswith("_"))


def test_the_same_key_twice_and_eight_at_once(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    keys = [unique("k") for _ in range(4)]
    quality = laboratory.quality

    def at_once(call: Callable[[], object]) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = [future.result() for future in [pool.submit(call) for _ in range(8)]]
        assert all(answer == answers[0] for answer in answers)

    at_once(lambda: quality.request_inspection(lot, material, None, None, key=keys[0], actor="keeper"))
    number = f"{lot}-I1"
    at_once(lambda: quality.enter_results(number, water("1.50"), key=keys[1], actor="ana"))
    at_once(lambda: quality.decide(number, True, key=keys[2], actor="ben"))
    at_once(lambda: quality.open_deviation("LABEL", "torn", lot, None, key=keys[3], actor="ana"))
    assert laboratory.stock(lot) == {"RAW": 10}
    assert laboratory.life("inspection", number) == ["request", "enterResults", "accept"]
    assert laboratory.life("lot", lot) == ["release"]
    assert laboratory.deviations(lot) == [("LABEL", "torn", "open")]
    assert (quality.find(keys[3]) or {})["number"] == f"{lot}-QD1"
    assert quality.find(unique("k")) is None


def test_other_content_under_a_used_key_is_refused(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    key, quality = unique("k"), laboratory.quality
    quality.request_inspection(lot, material, None, None, key=key, actor="keeper")
    assert refusal(lambda: quality.cancel_inspection(f"{lot}-I1", key=key, actor="x")).code == "KEY_REUSED"
    assert (
        refusal(lambda: quality.request_inspection(lot, material, None, [WATER], key=key, actor="x")).code
        == "KEY_REUSED"
    )


def test_a_no_leaves_no_trace(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    number, key, quality = laboratory.inspect(lot, material), unique("k"), laboratory.quality
    before = laboratory.counts()

    def enter(values: list[Measurement]) -> list[str]:
        refused = refusal(lambda: quality.enter_results(number, values, key=key, actor="ana"))
        return [refused.code, *(blocker.code for blocker in refused.blockers)]

    assert enter([]) == ["RESULTS_REFUSED", "RESULT_MISSING"]
    assert enter(water("1", name="ash")) == ["RESULTS_REFUSED", "UNKNOWN_PARAMETER", "RESULT_MISSING"]
    assert enter(water("1", unit="mg")) == ["RESULTS_REFUSED", "WRONG_UNIT"]
    assert enter(water("1e3")) == ["RESULTS_REFUSED", "NOT_A_NUMBER"]
    assert enter([*water("1"), *water("2")]) == ["RESULTS_REFUSED", "DUPLICATE_RESULT"]
    decided = refusal(lambda: quality.decide(number, True, key=key, actor="ben"))
    assert (decided.code, decided.blockers[0].found) == ("INVALID_TRANSITION", "created")
    assert refusal(lambda: quality.decide("nope", True, key=key, actor="b")).code == "UNKNOWN_INSPECTION"
    assert (
        refusal(lambda: quality.request_inspection("nope", material, None, None, key=key, actor="b")).code
        == "UNKNOWN_LOT"
    )
    assert (
        refusal(lambda: quality.request_inspection(lot, "nope", None, None, key=key, actor="b")).code == "LOT_MISMATCH"
    )
    assert refusal(lambda: quality.open_deviation("X", "y", None, None, key=key, actor="b")).code == "SUBJECT_MISSING"
    assert laboratory.counts() == before


def test_an_outage_is_unreachable() -> None:
    nowhere = engine_for("postgresql://mes_app@127.0.0.1:1/none")
    with pytest.raises(AdapterUnreachable):
        PostgresQuality(nowhere).cancel_inspection("x", key="k", actor="ann")
    nowhere.dispose()


def test_cancelling_is_harmless(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    number, quality = laboratory.inspect(lot, material), laboratory.quality
    answers = [quality.cancel_inspection(number, key=unique("k"), actor="x").state for _ in range(2)]
    assert answers == ["cancelled", "cancelled"]
    assert laboratory.life("inspection", number) == ["request", "cancel"]
    assert quality.cancel_inspection("nope", key=unique("k"), actor="x").state is None
    decided = laboratory.inspect(lot, material, "1.0")
    laboratory.decide(decided, True)
    assert quality.cancel_inspection(decided, key=unique("k"), actor="x").state == "accepted"


def test_the_second_person_is_another_person(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    number = laboratory.inspect(lot, material, "0.5")
    refused = refusal(lambda: laboratory.decide(number, True, actor="ana"))
    assert (refused.code, refused.blockers[0].code) == ("SEPARATION_OF_DUTIES", "SEPARATION_OF_DUTIES")
    assert (laboratory.status(lot), laboratory.stock(lot)) == ("quarantine", {"RECEIVING": 10})
    assert laboratory.decide(number, True) == "released"
    assert (laboratory.status(lot), laboratory.stock(lot)) == ("released", {"RAW": 10})


def test_out_of_specification_can_only_be_rejected(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    number = laboratory.inspect(lot, material, "2.01")
    assert laboratory.deviations(lot) == [("OUT_OF_SPECIFICATION", "water 2.01 %", "open")]
    refused = refusal(lambda: laboratory.decide(number, True))
    assert (refused.code, refused.blockers[0].found) == ("INVALID_TRANSITION", "outOfSpecification")
    assert laboratory.decide(number, False) == "rejected"
    assert (laboratory.status(lot), laboratory.stock(lot)) == ("rejected", {"REJECTED": 10})
    assert [state for _, _, state in laboratory.deviations(lot)] == ["closed"]


def test_results_that_disagree_open_a_deviation_and_stay(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    laboratory.decide(laboratory.inspect(lot, material, "1.20"), True)
    laboratory.deliver(lot, material, "5")
    laboratory.inspect(lot, material, "1.2")
    assert laboratory.deviations(lot) == []
    third = laboratory.inspect(lot, material, "1.21")
    ((code, detail, _),) = laboratory.deviations(lot)
    assert code == "RESULTS_DISAGREE"
    assert detail == f"water: 1.20 in {lot}-I1, 1.21 in {lot}-I3; water: 1.2 in {lot}-I2, 1.21 in {lot}-I3"
    # A released lot stays released, and its new delivery joins the old one.
    assert laboratory.decide(third, True) == "released"
    assert laboratory.stock(lot) == {"RAW": 15}
    assert laboratory.life("lot", lot) == ["release"]


def test_a_released_lot_whose_next_delivery_fails_is_stopped(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    laboratory.decide(laboratory.inspect(lot, material, "1"), True)
    laboratory.deliver(lot, material, "5")
    assert laboratory.decide(laboratory.inspect(lot, material, "9"), False) == "rejected"
    assert laboratory.life("lot", lot) == ["release", "hold", "reject"]
    assert laboratory.stock(lot) == {"REJECTED": 15}


def test_an_inspection_of_an_order_is_the_orders(laboratory: Laboratory) -> None:
    lot, work_order, quality = unique("OUT"), unique("WO"), laboratory.quality
    ticket = quality.request_inspection(lot, "TAB", work_order, [WATER], key=unique("k"), actor="system")
    assert ticket.characteristics == (WATER,)
    for call in (
        lambda: quality.enter_results(ticket.number, water("1"), key=unique("k"), actor="ana"),
        lambda: quality.decide(ticket.number, True, key=unique("k"), actor="ben"),
    ):
        refused = refusal(call)
        assert refused.code == "OWNED_BY_ORDER"
        assert f"/mes/work-orders/{uuid_for('work-order', work_order)}/inspection" in refused.blockers[0].required
    assert quality.cancel_inspection(ticket.number, key=unique("k"), actor="system").state == "cancelled"
    table = core(InspectionRow)
    with laboratory.engine.connect() as connection:
        row = connection.execute(select(table).where(table.c.number == ticket.number)).one()
    assert (row.lot, row.work_order, row.uuid) == (lot, work_order, uuid_for("inspection", ticket.number))
