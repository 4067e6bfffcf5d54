"""What every implementation of `EquipmentRegister` has to do: the gate, by its real rows."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from adapters.equipment_register.port import EquipmentRegister
from adapters.equipment_register.postgres import PostgresEquipmentRegister
from db.session import engine_for
from domain import equipment_acts as acts
from domain.equipment import CleaningLevel, Item
from domain.errors import AdapterRefused, AdapterUnreachable
from tests.db.database import Database, make_lots, make_material, unique
from tests.line import CHECKS, GRANULATION, Clock, Line, key

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def refusal(call: Callable[[], object]) -> AdapterRefused:
    with pytest.raises(AdapterRefused) as caught:
        call()
    return caught.value


def codes(line: Line, batch: str, **more: object) -> list[str]:
    return [blocker.code for blocker in line.blockers(line.need(batch, **more))]  # type: ignore[arg-type]


@pytest.fixture
def line(database: Database) -> Line:
    """A line as it was built: nothing is ready."""
    return Line(database.app)


def test_the_implementation_is_one_of_the_port(database: Database) -> None:
    register: EquipmentRegister = PostgresEquipmentRegister(database.app)
    assert register.find("never asked") is None


@pytest.mark.accepts("EQ-01")
@pytest.mark.parametrize("failing", [set(c) for n in range(5) for c in itertools.combinations("qclo", n)], ids=sorted)
def test_every_axis_that_fails_is_named_and_no_other(line: Line, failing: set[str]) -> None:
    line.qualified(line.room).cleaned(line.room)
    if "q" not in failing:
        line.qualified()
    if "c" not in failing:
        line.calibrated()
    if "l" not in failing:
        line.cleaned()
    if "o" in failing:
        line.do(acts.ReportFault(), "olu", reason="the turret is stuck")
    expected = {"q": "EQUIPMENT_NOT_QUALIFIED", "c": "CALIBRATION_EXPIRED", "l": "NOT_CLEAN", "o": "DOWN"}
    batch = unique("B")
    if not failing:
        assert line.register.occupy(line.need(batch), key=key(), actor="olu").equipment == (line.press, line.room)
        return
    refused = refusal(lambda: line.register.occupy(line.need(batch), key=key(), actor="olu"))
    assert refused.code == "START_REFUSED"
    assert {b.code for b in refused.blockers} == {expected[axis] for axis in failing}
    assert {b.id for b in refused.blockers} == {line.press}
    assert line.item().batch is line.item(line.room).batch is None


@pytest.mark.accepts("EQ-02")
def test_a_calibration_ends_at_its_due_instant(database: Database) -> None:
    line = Line(database.app, Clock())
    line.clock.stand_at(NOON - timedelta(days=1))
    line.qualified().qualified(line.room).calibrated(NOON).cleaned().cleaned(line.room)
    line.clock.stand_at(NOON - timedelta(microseconds=1))
    assert codes(line, "B-1") == []
    line.clock.stand_at(NOON)
    (blocker,) = line.blockers(line.need("B-1"))
    assert (blocker.code, blocker.id) == ("CALIBRATION_EXPIRED", line.press)
    assert "2026-12-01T12:00:00Z" in blocker.found
    assert "CERT-1" in blocker.found
    line.calibrated(NOON + timedelta(days=30))
    assert codes(line, "B-1") == []


@pytest.mark.accepts("EQ-02")
def test_an_instrument_that_was_found_wrong_opens_a_deviation_and_is_not_used(line: Line, database: Database) -> None:
    line.ready()
    wrong = acts.PerformCalibration(certificate="CERT-2", due_at=line.clock(), found_within_tolerance=False)
    (number,) = line.do(wrong, "meg").deviations
    assert codes(line, "B-1") == ["CALIBRATION_EXPIRED"]
    with database.app.connect() as connection:
        query = text("SELECT code, detail FROM deviation WHERE number = :n")
        row = connection.execute(query, {"n": number}).one()
    assert row.code == "OUT_OF_TOLERANCE"
    assert "CERT-1" in row.detail


def test_nobody_is_his_own_second_person(line: Line) -> None:
    line.do(acts.StartCleaning(level=CleaningLevel.FULL), "olu")
    refused = refusal(lambda: line.do(acts.VerifyCleaning(accept=True), "olu"))
    assert [b.code for b in refused.blockers] == ["SEPARATION_OF_DUTIES"]
    due = line.clock() + timedelta(days=1)
    line.do(acts.PerformCalibration(certificate="X", due_at=due, found_within_tolerance=True), "meg")
    refused = refusal(lambda: line.do(acts.ReviewCalibration(accept=False), "meg"))
    assert [b.code for b in refused.blockers] == ["SEPARATION_OF_DUTIES", "REASON_REQUIRED"]
    refused = refusal(lambda: line.register.register_training("rae", "x", due, key=key(), actor="rae"))
    assert [b.code for b in refused.blockers] == ["SEPARATION_OF_DUTIES"]
    number = line.cleared("B-1", "PRESS", checked=False)
    refused = refusal(lambda: line.register.check_clearance(number, True, key=key(), actor="olu"))
    assert [b.code for b in refused.blockers] == ["SEPARATION_OF_DUTIES"]


def test_a_room_is_cleaned_with_what_stands_in_it(line: Line, database: Database) -> None:
    """One piece of work of two people; what does not fit refuses all of it, and nothing is changed."""
    line.do(acts.StartCleaning(level=CleaningLevel.FULL, with_equipment=True), "olu", line.room)
    assert [line.item(code).cleaning for code in (line.room, line.press)] == ["cleaning", "cleaning"]
    refused = refusal(lambda: line.do(acts.VerifyCleaning(accept=True, with_equipment=True), "olu", line.room))
    assert [(b.code, b.id) for b in refused.blockers] == [
        ("SEPARATION_OF_DUTIES", line.press), ("SEPARATION_OF_DUTIES", line.room),
    ]  # fmt: skip
    again = refusal(
        lambda: line.do(acts.StartCleaning(level=CleaningLevel.FULL, with_equipment=True), "ole", line.room)
    )
    assert {(b.code, b.id) for b in again.blockers} == {
        ("INVALID_TRANSITION", line.press), ("INVALID_TRANSITION", line.room),
    }  # fmt: skip
    line.do(acts.VerifyCleaning(accept=True), "ole")
    line.do(acts.VerifyCleaning(accept=True, with_equipment=True), "ole", line.room)  # the press is clean already
    assert [line.item(code).cleaning for code in (line.room, line.press)] == ["clean", "clean"]
    with database.app.connect() as connection:
        query = text("SELECT action FROM audit_row WHERE entity IN (:room, :press) AND actor = 'ole' ORDER BY seq")
        names = {"room": f"room/{line.room}", "press": f"equipment/{line.press}"}
        actions = list(connection.execute(query, names).scalars())
    assert actions == ["equipment.verifyCleaning", "room.verifyCleaning"]


@pytest.mark.accepts("PO-08")
def test_of_two_batches_on_one_line_exactly_one_wins(line: Line) -> None:
    line.ready()

    def start(batch: str) -> str | AdapterRefused:
        try:
            return line.register.occupy(line.need(batch), key=key(), actor="olu").equipment[0]
        except AdapterRefused as refused:
            return refused

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(start, [f"B-{number}" for number in range(8)]))
    lost = [answer for answer in answers if isinstance(answer, AdapterRefused)]
    assert len(lost) == 7
    winner = line.item().batch
    for refused in lost:
        room, press = sorted(refused.blockers, key=lambda blocker: blocker.code, reverse=True)
        assert (room.code, press.code) == ("ROOM_OCCUPIED", "EQUIPMENT_IN_USE")
        assert f"batch {winner} (TAB) since 20" in room.found
    assert [entry.activity for entry in line.log()].count("use") == 1


def test_the_same_key_occupies_once_and_another_request_under_it_is_refused(line: Line) -> None:
    line.ready()
    command = key()
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(lambda _: line.register.occupy(line.need("B-1"), key=command, actor="olu"), range(4)))
    assert len(answers) == 1
    assert [entry.activity for entry in line.log()].count("use") == 1
    assert line.register.find(command) == {"equipment": [line.press, line.room]}
    assert refusal(lambda: line.register.occupy(line.need("B-2"), key=command, actor="olu")).code == "KEY_REUSED"


def test_a_refusal_leaves_no_trace(line: Line, database: Database) -> None:
    def counts() -> list[int]:
        tables = ("audit_row", "command_outcome", "state_transition", "equipment_log_entry", "deviation")
        with database.app.connect() as connection:
            return [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables]

    before = counts()
    refusal(lambda: line.register.occupy(line.need("B-1"), key=key(), actor="olu"))
    refusal(lambda: line.do(acts.VerifyCleaning(accept=True), "ole"))
    refusal(lambda: line.do(acts.Qualify(), "max", code="nothing"))
    assert counts() == before


def test_an_outage_is_unreachable() -> None:
    engine = engine_for("postgresql://nobody@127.0.0.1:1/none")
    register = PostgresEquipmentRegister(engine)
    with pytest.raises(AdapterUnreachable):
        register.find("x")
    engine.dispose()


@pytest.mark.accepts("EB-06")
def test_a_line_is_cleared_after_the_previous_batch_by_two_people(database: Database) -> None:
    line = Line(database.app, Clock(), clearance_valid_seconds=3600)
    line.clock.stand_at(NOON)
    line.ready()
    other = Line(database.app, line.clock)

    def found(batch: str = "B-2") -> list[tuple[str, str, str]]:
        return [(b.code, b.id, b.found) for b in line.blockers(line.need(batch, clearance=CHECKS))]

    missing = f"missing: {', '.join(CHECKS)}"
    assert found() == [("CLEARANCE_MISSING", line.room, f"no clearance; no earlier batch; {missing}")]
    line.cleared("B-2", "PRESS", room=other.room)
    assert found()[0][2].startswith(f"a clearance of {other.room}; ")
    failed = line.cleared("B-2", "PRESS", CHECKS[1])
    assert found()[0][2] == f"{failed} was not accepted; no earlier batch; missing: {CHECKS[1]}"
    line.clock.pass_by(seconds=1)
    unchecked = line.cleared("B-2", "PRESS", checked=False)
    assert found()[0][2] == f"{unchecked} is not checked; no earlier batch; missing: nothing"
    line.clock.pass_by(seconds=1)
    good = line.cleared("B-2", "PRESS")
    assert found() == []
    line.clock.pass_by(seconds=3600)
    assert found()[0][2].startswith(f"{good} was valid until 2026-12-01T13:00:02Z")


@pytest.mark.accepts("EB-06")
def test_a_clearance_with_a_failed_item_is_not_accepted(line: Line) -> None:
    number = line.cleared("B-1", "PRESS", CHECKS[0], CHECKS[1], checked=False)
    refused = refusal(lambda: line.register.check_clearance(number, True, key=key(), actor="ole"))
    assert [(b.code, b.found) for b in refused.blockers] == [("CLEARANCE_ITEM_FAILED", ", ".join(CHECKS))]
    line.register.check_clearance(number, False, key=key(), actor="ole", reason="labels were left")
    again = refusal(lambda: line.register.check_clearance(number, True, key=key(), actor="ole"))
    assert {b.code for b in again.blockers} == {"ALREADY_CHECKED", "CLEARANCE_ITEM_FAILED"}


@pytest.mark.accepts("AC-09")
def test_training_ends_and_is_renewed(database: Database) -> None:
    line = Line(database.app, Clock())
    line.clock.stand_at(NOON - timedelta(days=1))
    line.qualified().qualified(line.room).calibrated().cleaned().cleaned(line.room)
    need = line.need("B-1", training=GRANULATION).model_copy(update={"person": "sam"})
    (blocker,) = line.blockers(need)
    assert (blocker.code, blocker.id, blocker.found) == ("TRAINING_MISSING", "sam", "granulation: no record")
    line.trained("sam", NOON)
    assert line.blockers(need) == []
    line.clock.stand_at(NOON)
    (blocker,) = line.blockers(need)
    assert (blocker.id, blocker.found) == ("sam", "granulation: expired 2026-12-01T12:00:00Z")
    line.trained("sam")
    assert line.blockers(need) == []


def test_a_lot_that_was_stopped_after_it_was_issued_is_named(line: Line, database: Database) -> None:
    line.ready()
    good, held, material = unique("L"), unique("L"), unique("M")
    with database.app.begin() as connection:
        make_material(connection, material)
        make_lots(connection, material, {good: "released", held: "onHold"})
    (blocker,) = line.blockers(line.need("B-1", lots=(good, held)))
    assert (blocker.code, blocker.id, blocker.found) == ("LOT_NOT_RELEASED", held, "onHold")


def test_a_station_without_equipment_or_in_another_room_is_refused(line: Line) -> None:
    line.ready()
    assert codes(line, "B-1", equipment_class="balance", room="R-9") == ["EQUIPMENT_NOT_REGISTERED", "WRONG_ROOM"]
    assert codes(line, "B-1", equipment_class=line.of, room=line.room) == []
    line.do(acts.Retire(), "max", reason="worn out")
    assert codes(line, "B-1") == ["EQUIPMENT_NOT_REGISTERED"]


def test_a_reservation_keeps_others_out(line: Line) -> None:
    line.ready().do(acts.Reserve(batch="B-1"), "sam")
    assert codes(line, "B-1") == []
    assert codes(line, "B-2") == ["EQUIPMENT_RESERVED"]
    line.do(acts.CancelReservation(), "sam")
    assert codes(line, "B-2") == []


@pytest.mark.accepts("EQ-06")
def test_after_a_major_repair_it_is_qualified_again_before_use(line: Line) -> None:
    line.ready().do(acts.ReportFault(), "olu", reason="bearing broken")
    assert codes(line, "B-1") == ["DOWN"]
    refused = refusal(lambda: line.do(acts.ReturnToService(major=True), "mia", reason="bearing replaced"))
    assert [b.code for b in refused.blockers] == ["MAINTENANCE_ORDER_OPEN", "INVALID_TRANSITION"]
    order = f"{line.press}-M1"
    line.do(acts.StartMaintenance(order=order), "mia")
    line.do(acts.DemandRequalification(order=order), "mia")
    back = acts.ReturnToService(major=False, order=order)
    refused = refusal(lambda: line.do(back, "rae", reason="bearing replaced"))
    assert [b.code for b in refused.blockers] == ["EQUIPMENT_NOT_QUALIFIED"]
    line.qualified()
    line.do(back, "rae", reason="bearing replaced")
    assert codes(line, "B-1") == []
    assert line.item().maintenance_order is None
    assert [entry.activity for entry in line.log()][-3:] == ["fault", "maintain", "idle"]


@pytest.mark.accepts("EQ-08")
def test_every_batch_since_the_last_good_calibration_is_in_doubt(line: Line, database: Database) -> None:
    """Two calibrations, three batches: the first was over before the good one, the other two were measured after it."""
    clock = line.clock
    clock.stand_at(NOON)
    line.ready()
    for batch, is_calibrated_after in (("B-1", True), ("B-2", False), ("B-3", False)):
        clock.pass_by(hours=1)
        line.occupied(batch)
        clock.pass_by(hours=1)
        line.freed(batch)
        if is_calibrated_after:
            clock.pass_by(hours=1)
            line.calibrated()
        clock.pass_by(hours=1)
        line.cleaned().cleaned(line.room)
    clock.pass_by(hours=1)
    wrong = acts.PerformCalibration(certificate="CERT-2", due_at=clock() + timedelta(days=9),
                                    found_within_tolerance=False)  # fmt: skip
    answer = line.do(wrong, "meg")
    assert answer.batches == ("B-2", "B-3")
    (number,) = answer.deviations
    with database.app.connect() as connection:
        query = text("SELECT code, equipment, state, detail FROM deviation WHERE number = :n")
        row = connection.execute(query, {"n": number}).one()
    assert (row.code, row.equipment, row.state) == ("OUT_OF_TOLERANCE", line.press, "open")
    assert row.detail.endswith("batches since then: B-2, B-3")


def test_what_is_registered_has_to_fit(line: Line) -> None:
    item = Item(code=line.press, name="x", equipment_class="none", workstation="nowhere", room="no room")
    refused = refusal(lambda: line.register.register(item, calibrated=True, key=key(), actor="pat"))
    assert [b.code for b in refused.blockers] == ["ITEM_KNOWN", "UNKNOWN_CLASS", "UNKNOWN_ROOM", "UNKNOWN_WORKSTATION"]
