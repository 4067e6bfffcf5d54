"""Equipment over the API: registered, made ready by different people, occupied by a batch, and its label and log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from db.machine_states import Change, store
from domain.machine_states import StateProfile
from tests.api.company import Company, policy
from tests.api.words import at_stage, do, receive

NEXT_YEAR = (datetime.now(UTC) + timedelta(days=365)).isoformat()
GATED = "gated"


@pytest.fixture(scope="module")
async def bench(company: Company) -> str:
    """The bench in its room, registered by pat; the operations MIX and PRESS are done at it."""
    await (await company.desk("pat")).post(
        "/master-data/import",
        {"policies": [policy(GATED, certification=False, productionRelease=False, startGate=True)]},
    )
    await do(company, "pat", "/equipment-classes", code="BENCH", name="Bench", cleanHoldSeconds=7200)
    await do(company, "pat", "/equipment", code="ROOM-1", name="Room 1", kind="room", equipmentClass="BENCH",
             calibrated=False)  # fmt: skip
    await do(company, "pat", "/equipment", code="BENCH-1", name="Bench 1", equipmentClass="BENCH", line="A",
             workstation="BENCH", room="ROOM-1")  # fmt: skip
    return "BENCH-1"


async def refused(company: Company, who: str, path: str, **body: Any) -> dict[str, Any]:
    answer = await (await company.desk(who)).command(path, **body)
    assert answer.status_code == 409, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def clean(company: Company, code: str, level: str = "full") -> None:
    await do(company, "olu", f"/equipment/{code}/clean", level=level)
    await do(company, "rae", f"/equipment/{code}/verify-cleaning", accept=True)


async def make_ready(company: Company, code: str) -> None:
    await do(company, "max", f"/equipment/{code}/qualify")
    await do(company, "max", "/equipment/ROOM-1/qualify")
    await do(company, "meg", f"/equipment/{code}/calibrate", certificate="C-1", dueAt=NEXT_YEAR,
             foundWithinTolerance=True)  # fmt: skip
    await do(company, "rae", f"/equipment/{code}/review-calibration", accept=True)
    await clean(company, code)
    await clean(company, "ROOM-1")


@pytest.mark.accepts("EQ-01", "EQ-05", "B4")
@pytest.mark.usefixtures("working")
async def test_an_operation_starts_when_everything_is_ready_and_the_label_follows(company: Company, bench: str) -> None:
    await receive(company, "API-EQ", "100")
    _, work_order = await at_stage(company, "ready", policy=GATED)
    path = f"/mes/work-orders/{work_order}/operations/MIX"
    wanted = {
        ("EQUIPMENT_NOT_QUALIFIED", bench), ("CALIBRATION_EXPIRED", bench), ("NOT_CLEAN", bench),
        ("EQUIPMENT_NOT_QUALIFIED", "ROOM-1"), ("NOT_CLEAN", "ROOM-1"),
    }  # fmt: skip
    ready = (await (await company.desk("olu")).get(f"{path}/readiness")).json()
    assert (ready["startGate"], ready["ready"], ready["person"]) == (True, False, "olu")
    assert {(b["code"], b["id"]) for b in ready["blockers"]} == wanted
    no = await refused(company, "olu", f"{path}/start")
    assert {(b["code"], b["id"]) for b in no["blockers"]} == wanted

    await make_ready(company, bench)
    ready = (await (await company.desk("sam")).get(f"{path}/readiness", person="olu")).json()
    assert (ready["ready"], ready["blockers"]) == (True, [])
    shown = (await (await company.desk("aud")).get(f"/equipment/{bench}")).json()
    assert shown["label"]["status"] == "clean"
    assert shown["label"]["cleanUntil"] == shown["cleanUntil"] is not None

    await do(company, "olu", f"{path}/start")
    shown = (await (await company.desk("aud")).get(f"/equipment/{bench}")).json()
    batch = shown["batch"]
    assert (shown["label"]["status"], shown["label"]["product"], shown["label"]["batch"]) == ("inUse", "TAB", batch)
    room = (await (await company.desk("aud")).get("/equipment/ROOM-1")).json()
    assert (room["batch"], room["occupiedSince"]) == (batch, shown["occupiedSince"])
    _, other = await at_stage(company, "ready", policy=GATED)
    no = await refused(company, "olu", f"/mes/work-orders/{other}/operations/MIX/start")
    assert [b["code"] for b in no["blockers"]] == ["EQUIPMENT_IN_USE", "ROOM_OCCUPIED"]
    assert all(batch in b["found"] for b in no["blockers"])

    await do(company, "olu", f"{path}/complete")
    entries = (await (await company.desk("aud")).get(f"/equipment/{bench}/log")).json()["entries"]
    assert [entry["activity"] for entry in entries] == ["idle", "calibrate", "idle", "clean", "idle", "use", "idle"]
    use = entries[-2]
    assert (use["productName"], use["batch"], use["operation"], use["person"]) == ("Tab", batch, "MIX", "olu")
    assert use["to"] == entries[-1]["from"]
    rows = (await (await company.desk("aud")).get("/equipment", kind="equipment", room="ROOM-1")).json()
    assert [row["code"] for row in rows["equipment"]] == [bench]


@pytest.mark.usefixtures("working")
async def test_without_a_gate_readiness_asks_only_the_order(company: Company, bench: str) -> None:
    await receive(company, "API-EQ2", "100")
    _, work_order = await at_stage(company, "ready")
    path = f"/mes/work-orders/{work_order}/operations"
    first = (await (await company.desk("olu")).get(f"{path}/MIX/readiness")).json()
    assert (first["startGate"], first["ready"]) == (False, True)
    second = (await (await company.desk("olu")).get(f"{path}/PRESS/readiness")).json()
    assert [b["code"] for b in second["blockers"]] == ["SEQUENCE"]
    assert (await (await company.desk("olu")).get(f"{path}/NONE/readiness")).status_code == 404


@pytest.mark.accepts("EB-06")
async def test_a_clearance_and_a_training_are_papers_of_two_people(company: Company, bench: str) -> None:
    await do(company, "pat", "/equipment", code="ROOM-2", name="Room 2", kind="room", equipmentClass="BENCH",
             calibrated=False)  # fmt: skip
    form = {"room": "ROOM-2", "product": "TAB", "batch": "B-9", "operation": "MIX"}
    items = [{"item": "empty", "passed": True, "remark": "looked twice"}]
    number = (await do(company, "olu", "/line-clearances", **{**form, "batch": "B-10"}, items=items))["number"]
    no = await refused(company, "olu", f"/line-clearances/{number}/check", accept=True)
    assert [b["code"] for b in no["blockers"]] == ["SEPARATION_OF_DUTIES"]
    await do(company, "sam", f"/line-clearances/{number}/check", accept=True)
    (paper,) = (await (await company.desk("aud")).get("/line-clearances", batch="B-10")).json()["lineClearances"]
    assert (paper["performedBy"], paper["checkedBy"], paper["accepted"]) == ("olu", "sam", True)
    assert paper["items"] == items
    missing = await refused(company, "olu", "/line-clearances", **{**form, "room": "NOWHERE"}, items=items)
    assert missing["code"] == "UNKNOWN_ROOM"

    asked = {"person": "olu", "qualification": "granulation", "validUntil": NEXT_YEAR}
    await do(company, "rae", "/training-records", **asked)
    assert (await refused(company, "rae", "/training-records", **{**asked, "person": "rae"}))["code"] == (
        "SEPARATION_OF_DUTIES"
    )
    records = (await (await company.desk("aud")).get("/training-records", person="olu")).json()["trainingRecords"]
    assert [record["registeredBy"] for record in records] == ["rae"]


async def test_a_command_has_one_effect_and_a_refusal_one_audit_row(
    company: Company, bench: str, engine: Engine
) -> None:
    await do(company, "pat", "/equipment", code="SCALE", name="Scale", equipmentClass="BENCH", workstation="BENCH",
             room="ROOM-1")  # fmt: skip
    first = await do(company, "olu", "/equipment/SCALE/clean", level="full", commandId="clean/scale/1")
    again = await do(company, "olu", "/equipment/SCALE/clean", level="full", commandId="clean/scale/1")
    assert first == again
    other = await refused(company, "olu", "/equipment/SCALE/clean", level="minor", commandId="clean/scale/1")
    assert other["code"] == "COMMAND_ID_REUSED"
    no = await refused(company, "olu", "/equipment/SCALE/verify-cleaning", accept=False)
    assert [b["code"] for b in no["blockers"]] == ["SEPARATION_OF_DUTIES", "REASON_REQUIRED"]
    with engine.connect() as connection:
        query = text("SELECT action FROM audit_row WHERE entity = 'equipment/SCALE' ORDER BY seq")
        actions = list(connection.execute(query).scalars())
    assert actions == ["equipment.registered", "equipment.startCleaning", "command.refused"]
    assert (await (await company.desk("olu")).command("/equipment/NONE/clean", level="full")).status_code == 404


@pytest.mark.accepts("EQ-09")
async def test_what_a_machine_said_is_shown_with_what_is_wrong_with_it(
    company: Company, bench: str, engine: Engine
) -> None:
    at, said = datetime.now(UTC), [4, 3, 6, 11, 99]
    rows = [
        Change("J", n + 1, at + timedelta(seconds=n - 9), number, StateProfile.OPC_30050)
        for n, number in enumerate(said)
    ]
    with engine.begin() as connection:
        store(connection, "BENCH", "WO/PRESS", rows)
    desk = await company.desk("olu")
    shown = (await desk.get(f"/equipment/{bench}/machine-states")).json()
    assert [(own["number"], own["state"], own["finding"]) for own in shown["changes"]] == [
        (99, None, "unknownState"), (11, "held", "impossibleJump"), (6, "execute", None), (3, "starting", None),
        (4, "idle", None),
    ]  # fmt: skip
    flagged = (await desk.get(f"/equipment/{bench}/machine-states", flagged=True, limit=1)).json()["changes"]
    assert [own["sequence"] for own in flagged] == [5]
    room = (await desk.get("/equipment/ROOM-1/machine-states")).json()
    assert (room["workstation"], room["changes"]) == ("", [])
    assert (await desk.get("/equipment/NONE/machine-states")).status_code == 404
