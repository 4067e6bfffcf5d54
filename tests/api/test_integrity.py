"""What master data lack, before the order and at its release: the same list."""

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.api.company import PASSWORD, Company, line, material, operation
from tests.api.test_master_data import counted, post
from tests.api.words import create, do

PATH = "/validation/work-order-data-integrity"
DEFECTS = {
    # A frame of a bracket without a bill of material, a plate without a route, an obsolete paint; no station welds.
    "materials": [
        material("FRAME", "finished", "pcs"), material("BRACKET", "semiFinished", "pcs"),
        material("PLATE", "semiFinished", "pcs"), {**material("PAINT", "raw", "kg"), "isActive": False},
    ],
    "billsOfMaterial": [
        {"product": "FRAME", "version": "1", "baseQuantity": "1", "lines": [
            line(1, "BRACKET", "4", "pcs", "WELD"), line(2, "PLATE", "1", "pcs", "WELD"),
            line(3, "PAINT", "0.2", "kg", "WELD")]},
        {"product": "PLATE", "version": "1", "baseQuantity": "1", "lines": [line(1, "STEEL", "2", "kg", "CUT")]},
    ],
    "routes": [{"product": "FRAME", "version": "1", "operations": [
        operation("WELD", 10, "WELD", [], countsPieces=True, isOutput=True)]}],
}  # fmt: skip
FOUR = {
    ("NO_BOM", "BRACKET"), ("NO_ROUTE", "PLATE"), ("NO_WORKSTATION", "FRAME/WELD"), ("OBSOLETE_PART", "PAINT"),
}  # fmt: skip


async def findings(company: Company, **query: Any) -> list[dict[str, Any]]:
    """The findings about a line or an order."""
    answer = await (await company.desk("pia")).get(PATH, **query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["checked"] == 1
    found: list[dict[str, Any]] = answer.json()["findings"]
    assert all(own["remedy"] and own["whoCanFix"] and own["entity"] for own in found)
    return found


def keys(found: list[dict[str, Any]], name: str) -> set[tuple[str, str]]:
    """Code and object of findings or blockers."""
    return {(own["code"], own[name]) for own in found}


@pytest.mark.accepts("A4")
@pytest.mark.usefixtures("working")
async def test_four_defects_are_four_findings_and_stop_the_release(company: Company) -> None:
    await post(company, DEFECTS)
    plan = await company.plan("PL-FRAME", product="FRAME", quantity="3")
    found = await findings(company, planId=plan["id"])
    assert (len(found), keys(found, "object")) == (4, FOUR)
    assert {own["planLine"] for own in found} == {"PL-FRAME"}
    desk = await company.desk("pia")
    made = (await desk.post(f"/mes/orders/from-plan/{plan['id']}")).json()
    for query in ({"orderId": made["id"]}, {"planId": plan["id"]}):
        again = await findings(company, **query)
        assert [own["orderState"] for own in again] == ["draft"] * 4
        assert keys(again, "object") == FOUR
    await do(company, "pia", f"/mes/orders/{made['id']}/submit")
    await do(company, "sam", f"/mes/orders/{made['id']}/approve", signed=PASSWORD)
    release = await (await company.desk("sam")).command(f"/mes/orders/{made['id']}/release")
    assert release.status_code == 409
    assert keys(release.json()["blockers"], "id") == FOUR
    same = ("code", "entity", "found", "whoCanFix")
    by_code = {own["code"]: own for own in found}
    for blocker in release.json()["blockers"]:
        assert {name: blocker[name] for name in same} == {name: by_code[blocker["code"]][name] for name in same}
        assert blocker["required"] == by_code[blocker["code"]]["remedy"]
    report = (await desk.get(PATH, limit=200)).json()["findings"]
    assert keys([own for own in report if own["orderNumber"] == made["number"]], "object") == FOUR
    from_order = await desk.post(f"/mes/work-orders/from-order/{made['id']}")
    assert (from_order.status_code, from_order.json()["code"]) == (409, "NO_WORKSTATION")
    assert [own["id"] for own in from_order.json()["blockers"]] == ["FRAME/WELD"]
    await do(company, "pia", f"/mes/orders/{made['id']}/cancel", reason="cannot be made")
    report = (await desk.get(PATH, limit=200)).json()["findings"]
    assert made["number"] not in {own["orderNumber"] for own in report}


@pytest.mark.accepts("A4")
async def test_lots_that_the_plan_names_need_no_bill_of_material(company: Company) -> None:
    await post(company, DEFECTS)
    lots = {"BRACKET": ["B-1"], "PLATE": ["P-1"]}
    plan = await company.plan("PL-FRAME-LOTS", product="FRAME", quantity="3", fixedLots=lots)
    found = keys(await findings(company, planId=plan["id"]), "object")
    assert found == FOUR - {("NO_BOM", "BRACKET"), ("NO_ROUTE", "PLATE")}


@pytest.mark.accepts("A4")
@pytest.mark.usefixtures("working")
async def test_the_report_goes_over_everything_with_as_many_statements(
    company: Company, app: Any, engine: Engine
) -> None:
    await post(company, DEFECTS)
    desk = await company.desk("pia")
    for number in range(12):
        product = ("FRAME", "CART", "TAB")[number % 3]
        await company.plan(f"PL-ALL-{number:02}", product=product, policy=("gmp", "plain")[number % 2])
    await create(company, product="CART", policy="plain", quantity="1")
    with counted(app.state.services.engine) as few:
        first = (await desk.get(PATH, limit=1)).json()
    with counted(app.state.services.engine) as many:
        report = (await desk.get(PATH, limit=200)).json()
    assert report["next"] is None
    assert abs(len(many) - len(few)) <= 1  # the session, now and then
    assert len(many) <= 10
    pages, after = list(first["findings"]), first["next"]
    while after:
        page = (await desk.get(PATH, limit=3, after=after)).json()
        pages, after = pages + page["findings"], page["next"]
    assert pages == report["findings"]
    assert {own["planLine"] for own in pages if own["planLine"].startswith("PL-ALL")} == {
        f"PL-ALL-{number:02}" for number in range(0, 12, 3)
    }
    plain = [own for own in pages if own["planLine"] == "PL-ALL-03"]
    assert keys(plain, "object") == FOUR - {("NO_BOM", "BRACKET")}


async def test_what_is_not_there_is_404(company: Company) -> None:
    desk = await company.desk("pia")
    for name in ("planId", "orderId"):
        assert (await desk.get(PATH, **{name: str(uuid.uuid4())})).status_code == 404
