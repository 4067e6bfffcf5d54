"""From an order to its work orders, each with its operations at the least-loaded stations, lots and pick list."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import Company, line, material, operation, policy
from tests.api.test_master_data import post
from tests.api.words import create, do, until

pytestmark = pytest.mark.usefixtures("working")
WATER = [{"name": "water", "unit": "%", "low": "0", "high": "1", "required": True}]


def chain(capability: str) -> list[dict[str, Any]]:
    """Four operations, one after the other."""
    codes = ("ONE", "TWO", "THREE", "FOUR")
    return [
        operation(code, 10 * number, capability, list(codes[number - 2 : number - 1]),
                  countsPieces=number == 4, isOutput=number == 4)
        for number, code in enumerate(codes, 1)
    ]  # fmt: skip


WORKSHOP: dict[str, Any] = {
    "materials": [
        material("TUBE", "raw", "kg"), material("FOOT", "semiFinished", "pcs"), material("LEG", "semiFinished", "pcs"),
        material("TABLE", "finished", "pcs"), material("PEG", "finished", "pcs"),
    ],
    "workstations": [
        {"code": code, "name": code, "capabilities": [capability]}
        for code, capability in (("J-1", "JOIN"), ("J-2", "JOIN"), ("T-1", "TURN"), ("T-2", "TURN"))
    ],
    "billsOfMaterial": [
        {"product": product, "version": "1", "baseQuantity": "1", "lines": [line(1, part, quantity, unit, "TWO", loss)]}
        for product, part, quantity, unit, loss in (
            ("TABLE", "LEG", "4", "pcs", "5"), ("LEG", "FOOT", "1", "pcs", "0"), ("FOOT", "TUBE", "0.5", "kg", "10"))
    ],
    "routes": [
        *({"product": product, "version": "1", "operations": chain("JOIN")} for product in ("TABLE", "LEG", "FOOT")),
        {"product": "PEG", "version": "1", "operations": [
            operation("TURN", 10, "TURN", [], countsPieces=True, isOutput=True)]},
    ],
    "inspectionPlans": [{"material": "TUBE", "characteristics": WATER}],
    "policies": [
        policy("flow", approvals=0, certification=False, productionRelease=False, pickListApproval=False,
               issueAutomatically=True, putAwayByPerson=False, putAwayPlace="FINISHED"),
    ],
}  # fmt: skip


async def receive(company: Company, lot: str, of: str, quantity: str, *, accept: bool = True) -> None:
    """A lot of a material with the plan WATER; without the decision it is held by quality."""
    answer = await do(company, "wil", "/wms/receipts", lot=lot, material=of, quantity=quantity, unit="kg")
    if accept:
        path = f"/quality/inspections/{answer['inspection']['number']}"
        await do(company, "ana", f"{path}/results", values=[{"name": "water", "text": "0.50", "unit": "%"}])
        await do(company, "ben", f"{path}/decision", accept=True)


async def from_order(company: Company, order: str, user: str = "pia") -> list[dict[str, Any]]:
    """The work orders of an order."""
    answer = await (await company.desk(user)).post(f"/mes/work-orders/from-order/{order}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def release(company: Company, order: str) -> None:
    """Submit and release; the policy asks for no approval."""
    await do(company, "pia", f"/mes/orders/{order}/submit")
    await do(company, "sam", f"/mes/orders/{order}/release")


@pytest.mark.accepts("A7")
async def test_each_made_level_is_a_work_order_with_its_operations(company: Company) -> None:
    await post(company, WORKSHOP)
    made = await create(company, product="TABLE", quantity="10", policy="flow", batchNumber="T-LOT")
    table, leg, foot = await from_order(company, made["id"])
    assert await from_order(company, made["id"], "sam") == [table, leg, foot]
    quantities = [(own["material"], own["quantity"], own["unit"]) for own in (table, leg, foot)]
    assert quantities == [("TABLE", "10", "pcs"), ("LEG", "42", "pcs"), ("FOOT", "42", "pcs")]
    assert [own["feeds"] for own in (table, leg, foot)] == [None, table["number"], leg["number"]]
    assert [own["outputLot"] for own in (table, leg, foot)] == ["T-LOT", "T-LOT-02", "T-LOT-03"]
    needs = [
        (need["material"], need["quantity"], need["fixedLots"])
        for own in (table, leg, foot)
        for need in own["materials"]
    ]
    assert needs == [("LEG", "42", ["T-LOT-02"]), ("FOOT", "42", ["T-LOT-03"]), ("TUBE", "23.1", [])]
    for own in (table, leg, foot):
        assert [(step["sequence"], step["code"]) for step in own["operations"]] == [
            (10, "ONE"), (20, "TWO"), (30, "THREE"), (40, "FOUR"),
        ]  # fmt: skip
        assert [step["predecessors"] for step in own["operations"]] == [[], ["ONE"], ["TWO"], ["THREE"]]
        assert {step["quantity"] for step in own["operations"]} == {own["quantity"]}
        assert [step["workstation"] for step in own["operations"]] == ["J-1", "J-2", "J-1", "J-2"]


@pytest.mark.accepts("A7")
async def test_the_least_loaded_station_is_taken(company: Company) -> None:
    await post(company, WORKSHOP)

    async def pegs() -> tuple[str, str]:
        made = await create(company, product="PEG", quantity="5", policy="flow")
        (work_order,) = await from_order(company, made["id"])
        return made["id"], work_order["operations"][0]["workstation"]

    orders = [await pegs() for _ in range(4)]
    assert [station for _, station in orders] == ["T-1", "T-2", "T-1", "T-2"]
    for order, station in orders:
        if station == "T-2":
            await do(company, "pia", f"/mes/orders/{order}/cancel", reason="not wanted now")
            await until(company, order, lambda found: found["state"] == "cancelled")
    assert [(await pegs())[1] for _ in range(3)] == ["T-2", "T-2", "T-1"]
    broken = {"code": "T-1", "name": "T-1", "capabilities": ["TURN"], "isActive": False}
    await post(company, {"workstations": [broken]})
    assert [(await pegs())[1] for _ in range(2)] == ["T-2", "T-2"]
    await post(company, {"workstations": [broken, broken | {"code": "T-2", "name": "T-2"}]})
    made = await create(company, product="PEG", quantity="5", policy="flow")
    answer = await (await company.desk("pia")).post(f"/mes/work-orders/from-order/{made['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "NO_WORKSTATION")
    assert [blocker["id"] for blocker in answer.json()["blockers"]] == ["PEG/TURN"]
    await post(company, {"workstations": WORKSHOP["workstations"]})


@pytest.mark.accepts("A7", "A8")
async def test_sub_assemblies_feed_the_next_by_their_lots(company: Company) -> None:
    await post(company, WORKSHOP)
    await receive(company, "TUBE-1", "TUBE", "2.4")
    order = (await create(company, product="TABLE", quantity="1", policy="flow", batchNumber="T-FED"))["id"]
    await release(company, order)
    work_orders = await from_order(company, order)
    for own in work_orders:  # the table first: it waits for its legs, and they for their feet
        await do(company, "sam", f"/mes/work-orders/{own['id']}/dispatch")
    for place, own in reversed(list(enumerate(work_orders))):
        found = await until(company, order, lambda o, place=place: o["workOrders"][place]["state"] == "ready")
        above = [other["state"] for other in found["workOrders"][:place]]
        assert above == ["dispatched"] * place
        await _make(company, own)
    found = await until(company, order, lambda o: o["state"] == "completed")
    assert [own["inputLots"] for own in found["workOrders"]] == [
        [{"lot": "T-FED-02", "quantity": "4.2", "unit": "pcs", "nonconforming": False}],
        [{"lot": "T-FED-03", "quantity": "4.2", "unit": "pcs", "nonconforming": False}],
        [{"lot": "TUBE-1", "quantity": "2.31", "unit": "kg", "nonconforming": False}],
    ]  # fmt: skip
    trace = (await (await company.desk("sam")).get("/mes/traceabilities/lots/T-FED", direction="backward")).json()
    assert {(edge["from"], edge["to"]) for edge in trace["edges"]} == {
        ("TUBE-1", "T-FED-03"), ("T-FED-03", "T-FED-02"), ("T-FED-02", "T-FED"),
    }  # fmt: skip


async def _make(company: Company, own: dict[str, Any]) -> None:
    path = f"/mes/work-orders/{own['id']}"
    await do(company, "olu", f"{path}/start-execution")
    for step in own["operations"]:
        await do(company, "olu", f"{path}/operations/{step['code']}/start")
        if step is own["operations"][-1]:
            report = {"workOrderId": own["id"], "operation": step["code"], "good": own["quantity"]}
            await do(company, "olu", "/mes/production-reports/report", **report, labourSeconds=1)
        await do(company, "olu", f"{path}/operations/{step['code']}/complete")


def pick_lists(engine: Engine, work_order: str) -> int:
    """How many pick lists the record has for a work order."""
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM pick_list WHERE work_order = :number")
        return int(connection.execute(query, {"number": work_order}).scalar_one())


@pytest.mark.accepts("A8")
async def test_dispatched_twice_there_is_one_pick_list(company: Company, engine: Engine) -> None:
    await post(company, WORKSHOP)
    await receive(company, "TUBE-PICK", "TUBE", "50")
    made = await create(company, product="FOOT", quantity="30", policy="plain")
    await release(company, made["id"])
    (foot,) = await from_order(company, made["id"])
    sam = await company.desk("sam")
    path = f"/mes/work-orders/{foot['id']}/dispatch"
    ids = ["once", "once", "once", "other", "another"]
    answers = await asyncio.gather(*(sam.command(path, commandId=f"dispatch/{name}") for name in ids))
    accepted = [answer for answer in answers if answer.status_code == 200]
    assert len({answer.json()["commandId"] for answer in accepted}) == 1
    refused = [answer.json() for answer in answers if answer.status_code != 200]
    assert {(body["status"], body["code"]) for body in refused} == {(409, "INVALID_TRANSITION")}
    again = await sam.command(path, commandId=accepted[0].json()["commandId"])
    assert (again.status_code, again.text) == (200, accepted[0].text)
    found = await until(
        company, made["id"], lambda o: (o["workOrders"][0]["pickList"] or {}).get("state") == "allocated"
    )
    own = found["workOrders"][0]
    assert (own["state"], pick_lists(engine, foot["number"])) == ("dispatched", 1)
    picked = sum(Decimal(taken["quantity"]) for taken in own["pickList"]["lines"])
    assert picked == Decimal("16.5") == 30 * Decimal("0.5") * Decimal("1.10")


SHELF: dict[str, Any] = {
    "materials": [
        *(material(f"M-{name}", "raw", "kg") for name in ("SHORT", "HELD", "EXPIRED", "FULL", "NONE")),
        material("SOUP", "finished", "kg"),
    ],
    "billsOfMaterial": [{"product": "SOUP", "version": "1", "baseQuantity": "1", "lines": [
        line(number, f"M-{name}", "1", "kg", "MIX", loss) for number, name, loss in (
            (1, "SHORT", "10"), (2, "HELD", "0"), (3, "EXPIRED", "0"), (4, "FULL", "0"), (5, "NONE", "0"))]}],
    "routes": [{"product": "SOUP", "version": "1", "operations": [
        operation("MIX", 10, "MIX", [], countsPieces=True, isOutput=True)]}],
    "inspectionPlans": [
        {"material": f"M-{name}", "characteristics": WATER} for name in ("SHORT", "HELD", "EXPIRED", "FULL")
    ],
}  # fmt: skip


@pytest.mark.accepts("A9")
async def test_a_pick_list_is_held_against_the_warehouse(company: Company, engine: Engine) -> None:
    await post(company, SHELF)
    for lot, of, quantity in (
        ("L-SHORT", "M-SHORT", "4.000"), ("L-HELD-1", "M-HELD", "3"), ("L-EXPIRED", "M-EXPIRED", "20"),
        ("L-FULL", "M-FULL", "10.000"),
    ):  # fmt: skip
        await receive(company, lot, of, quantity)
    await receive(company, "L-HELD-2", "M-HELD", "9", accept=False)
    with engine.begin() as connection:  # time passes
        connection.execute(text("UPDATE lot SET expires_on = CURRENT_DATE - 1 WHERE number = 'L-EXPIRED'"))
    made = await create(company, product="SOUP", unit="kg", quantity="10", policy="plain")
    await release(company, made["id"])
    (soup,) = await from_order(company, made["id"])
    await do(company, "sam", f"/mes/work-orders/{soup['id']}/dispatch")
    found = await until(company, made["id"], lambda o: (o["workOrders"][0]["pickList"] or {}).get("state") == "short")
    path = f"/wms/outbound-orders/{found['workOrders'][0]['pickList']['id']}/inventory-validation"
    report = (await (await company.desk("wil")).get(path)).json()
    assert report["covered"] is False
    names = ("required", "available", "held", "expired", "reservedElsewhere", "short")
    shown = {own["material"]: [Decimal(own[name]) for name in names] for own in report["lines"]}
    assert shown == {
        "M-SHORT": [11, 4, 0, 0, 0, 7], "M-HELD": [10, 3, 9, 0, 0, 7], "M-EXPIRED": [10, 0, 0, 20, 0, 10],
        "M-FULL": [10, 10, 0, 0, 0, 0], "M-NONE": [10, 0, 0, 0, 0, 10],
    }  # fmt: skip
    short = {own["material"]: Decimal(own["available"]) for own in found["workOrders"][0]["pickList"]["short"]}
    assert short == {"M-SHORT": 4, "M-HELD": 3, "M-EXPIRED": 0, "M-NONE": 0}


@pytest.mark.accepts("A9")
async def test_just_enough_is_covered(company: Company) -> None:
    await post(company, WORKSHOP)
    made = await create(company, product="FOOT", quantity="10", policy="plain", fixedLots={"TUBE": ["TUBE-EXACT"]})
    await receive(company, "TUBE-EXACT", "TUBE", "5.5000")
    await release(company, made["id"])
    (foot,) = await from_order(company, made["id"])
    await do(company, "sam", f"/mes/work-orders/{foot['id']}/dispatch")
    found = await until(
        company, made["id"], lambda o: (o["workOrders"][0]["pickList"] or {}).get("state") == "allocated"
    )
    path = f"/wms/outbound-orders/{found['workOrders'][0]['pickList']['id']}/inventory-validation"
    report = (await (await company.desk("wil")).get(path)).json()
    assert (report["covered"], Decimal(report["lines"][0]["short"])) == (True, Decimal(0))
    pick = path.removesuffix("/inventory-validation")
    await do(company, "wil", f"{pick}/approve")
    await do(company, "wil", f"{pick}/execute")
    report = (await (await company.desk("wil")).get(path)).json()
    assert (report["state"], report["covered"], Decimal(report["lines"][0]["short"])) == ("issued", True, Decimal(0))
