"""Recovery, rework of a batch, evidence of results and the quality review on the pages that people see."""

from typing import Any

import pytest
from fastapi import FastAPI

from tests.api.company import PASSWORD, Company, material
from tests.api.recovering import BY_THE_BOOK, rejected, running
from tests.api.test_master_data import post
from tests.api.test_recoveries import _plant as _plant
from tests.api.words import do
from tests.ui.test_pages import logged_in
from wording.texts import Words

pytestmark = [pytest.mark.usefixtures("working"), pytest.mark.timeout(900)]


async def shown(address: str, user: str, path: str) -> str:
    """The page as somebody gets it, in Chinese."""
    async with logged_in(address, user) as browser:
        answer = await browser.get(path, headers={"accept-language": "zh"}, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.text[-600:])
        return answer.text


@pytest.mark.accepts("QL-11")
async def test_quality_sees_what_waits_and_decides_on_the_page(company: Company, served: tuple[FastAPI, str]) -> None:
    _, address = served
    words = (Words("zh"), Words("en"))
    lot = await rejected(company, "PEARL")
    _, path = await running(company, "PEARL")
    page = f"/ui/inspections/{path.rpartition('/')[2]}"
    asked: dict[str, Any] = {"operation": "TURN", "lot": lot, "quantity": "40", "reason": "assay too low"}

    def has(text: str, key: str) -> bool:
        return any(own(key) in text for own in words)

    assert has(await shown(address, "olu", page), "command.requestRecovery")
    number = (await do(company, "olu", f"{path}/recoveries", **asked))["result"]["recovery"]
    for_max = await shown(address, "max", page)
    assert has(for_max, "command.approveRecovery")
    assert has(for_max, "recovery.assessment")
    assert number in await shown(address, "max", "/ui/inspections")
    await do(company, "max", f"{path}/recoveries/{number}/approve", signed=PASSWORD, **BY_THE_BOOK)
    assert has(await shown(address, "olu", page), "command.introduceRecovery")

    card = f"/ui/lots/{lot}"
    assert has(await shown(address, "ana", card), "act.proposeBatchRework")
    own = await do(company, "ana", f"/quality/lots/{lot}/propose-rework", operation="TURN", reason="only scratched")
    assert has(await shown(address, "max", card), "act.approveBatchRework")
    await do(
        company, "max", f"/quality/lots/{lot}/approve-rework", signed=PASSWORD, rework=own["rework"], **BY_THE_BOOK
    )
    assert own["rework"] in await shown(address, "pia", card)
    review = await shown(address, "max", "/ui/product-review?product=PEARL")
    assert lot in review
    assert "assay" in review


@pytest.mark.accepts("QL-03")
async def test_the_form_asks_for_what_the_plan_asks_for(company: Company, served: tuple[FastAPI, str]) -> None:
    _, address = served
    await post(company, {"materials": [material("RESIN", "raw", "kg")]})
    asked = ["instrument", "method", "reagents", "releaseRecord"]
    water = {"name": "water", "unit": "%", "low": "0", "high": "1", "required": True, "method": "KF", "evidence": asked}
    await post(company, {"inspectionPlans": [{"material": "RESIN", "characteristics": [water]}]})
    receipt = {"lot": "RESIN-1", "material": "RESIN", "quantity": "5", "unit": "kg"}
    number = (await do(company, "wil", "/wms/receipts", **receipt))["inspection"]["number"]
    form = await shown(address, "ana", f"/ui/inspections/{number}")
    for name in ("values.0.instrument", "values.0.method", "values.0.methodVersion", "values.0.reagents:list"):
        assert f'name="{name}"' in form, name
