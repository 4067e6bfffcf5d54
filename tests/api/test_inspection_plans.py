"""Receipts and reports make inspections from the plan, and what an inspection asks for is frozen in it (QL-01)."""

from typing import Any

import pytest

from tests.api.company import MASTER_DATA, Company
from tests.api.test_master_data import post
from tests.api.words import at_stage, do, go_on_to, receive, until

(WATER,) = MASTER_DATA["inspectionPlans"][0]["characteristics"]
(DISSOLUTION,) = MASTER_DATA["inspectionPlans"][1]["characteristics"]
KARL_FISCHER = WATER | {"method": "Karl Fischer", "sampleSize": "3 × 1 g"}
STRICTER = KARL_FISCHER | {"high": "0.4", "sampleSize": "5 × 1 g"}


async def planned(company: Company, material: str, *characteristics: dict[str, Any]) -> None:
    """The plan of a material from now on."""
    await post(company, {"inspectionPlans": [{"material": material, "characteristics": list(characteristics)}]})


async def inspection(company: Company, lot: str) -> dict[str, Any]:
    """The only inspection of a lot."""
    (found,) = (await (await company.desk("ana")).get("/quality/inspections", lot=lot)).json()["inspections"]
    return dict(found)


def asked(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What an inspection asks for: name, limits, method, sample, version of the plan."""
    names = ("name", "low", "high", "unit", "method", "sampleSize", "planVersion")
    return [tuple(one[name] for name in names) for one in found["characteristics"]]


@pytest.mark.accepts("QL-01")
async def test_a_receipt_is_inspected_by_the_plan_of_its_day(company: Company) -> None:
    await planned(company, "API", KARL_FISCHER)
    receipt = {"material": "API", "quantity": "10", "unit": "kg"}
    await do(company, "wil", "/wms/receipts", lot="FROZEN-1", **receipt)
    before = await inspection(company, "FROZEN-1")
    assert asked(before) == [("water", "0", "1", "%", "Karl Fischer", "3 × 1 g", 2)]
    assert (before["state"], before["lot"], before["material"]) == ("created", "FROZEN-1", "API")

    await planned(company, "API", STRICTER)
    await planned(company, "API", STRICTER)  # says nothing new
    assert await inspection(company, "FROZEN-1") == before
    await do(company, "wil", "/wms/receipts", lot="FROZEN-2", **receipt)
    assert asked(await inspection(company, "FROZEN-2")) == [("water", "0", "0.4", "%", "Karl Fischer", "5 × 1 g", 3)]

    # 0.5 % is judged by what each inspection asks for, not by the plan of today.
    value = [{"name": "water", "text": "0.5", "unit": "%"}]
    for lot, state in (("FROZEN-1", "resultsEntered"), ("FROZEN-2", "outOfSpecification")):
        await do(
            company, "ana", f"/quality/inspections/{(await inspection(company, lot))['number']}/results", values=value
        )
        assert (await inspection(company, lot))["state"] == state


@pytest.mark.accepts("QL-01")
@pytest.mark.usefixtures("working")
async def test_the_report_of_the_last_operation_makes_the_inspection_that_the_order_was_made_with(
    company: Company,
) -> None:
    await planned(company, "API", WATER)
    await planned(company, "TAB", DISSOLUTION | {"method": "USP <711>", "sampleSize": "6 tablets"})
    await receive(company, "API-PLAN", "50")
    order, work_order = await at_stage(company, "running")
    await planned(company, "TAB", DISSOLUTION | {"low": "85", "method": "USP <711>", "sampleSize": "12 tablets"})
    await go_on_to(company, "inspecting", order, work_order)
    shown = (await until(company, order, lambda o: o["workOrders"][0]["inspection"]))["workOrders"][0]
    found = await inspection(company, shown["outputLot"])
    assert asked(found) == [("dissolution", "74", "102", "%", "USP <711>", "6 tablets", 2)]
    values = [{"name": "dissolution", "text": "80", "unit": "%"}]
    await do(company, "ana", f"/mes/work-orders/{work_order}/inspection/results", values=values)
    assert (await inspection(company, shown["outputLot"]))["state"] == "resultsEntered"
