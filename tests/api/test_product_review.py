"""The product quality review over the API: a year's batches within the caller's plants (QL-13)."""

import pytest

from api.clock import now
from tests.api.company import Company
from tests.api.records import ok
from tests.api.words import at_stage, receive

pytestmark = pytest.mark.usefixtures("working")
PATH = "/quality/product-quality-review"


@pytest.mark.accepts("QL-13")
async def test_the_batches_of_a_year_with_yields_and_capability(company: Company) -> None:
    await receive(company, "API-REVIEW", "900")
    for _ in range(2):
        await at_stage(company, "completed")
    desk = await company.desk("max")
    found = ok(await desk.get(PATH, product="TAB", year=now().year))
    assert [own["yieldPercent"] for own in found["batches"]] == ["99", "99"]
    assert found["yields"]["count"] == 2
    names = [(own["operation"], own["name"], own["count"], own["cpk"]) for own in found["parameters"]]
    assert names == [("", "dissolution", 2, None), ("PRESS", "weight", 2, None)], "no spread, no index"
    assert ok(await desk.get(PATH, product="TAB", year=2001))["batches"] == []
    assert ok(await desk.get(PATH, product="NOTHING", year=now().year))["batches"] == []
    for wrong in ({"product": "TAB"}, {"product": "TAB", "year": "soon"}, {"year": 2026}):
        assert (await desk.get(PATH, **wrong)).status_code == 422
