"""What people do with master batch records in the API's tests."""

from typing import Any

import httpx

from tests.api.company import PASSWORD, Company, policy
from tests.api.test_master_data import post

PATH = "/master-batch-records"
BY_RECORD = policy("by-record", certification=False, productionRelease=False, masterBatchRecord=True)
MORNING = "Check the balance."
TEXTS = {"en": MORNING, "zh": "核对天平。"}


def said(operation: str, **more: Any) -> dict[str, Any]:
    """What a record says about an operation."""
    return {
        "operation": operation, "instructions": [{"number": 10, "text": TEXTS}], "equipmentClass": "mixer",
        "yieldLowPercent": "90", "yieldHighPercent": "101", **more,
    }  # fmt: skip


WEIGHT = {"name": "weight", "unit": "mg", "target": "113", "warningLow": "110", "warningHigh": "116",
          "secondCheck": True}  # fmt: skip
TAB: dict[str, Any] = {
    "billOfMaterialVersion": "1",
    "routeVersion": "1",
    "operations": [said("MIX", room="R-1"), said("PRESS", expectedValues=[WEIGHT])],
    "materials": [{"line": 1, "material": "API", "weighingTolerancePercent": "0.5"}],
    "balanceLimitPercent": "3",
}


def simple(*operations: str) -> dict[str, Any]:
    """A record for a product of the cart."""
    return TAB | {"operations": [said(code) for code in operations], "materials": []}


async def draft(
    company: Company, version: str, content: Any = TAB, product: str = "TAB", **more: Any
) -> httpx.Response:
    """Pat writes a version."""
    why = {"changeControl": f"CC-{version}", "reasonForChange": "as agreed with production"}
    body = {"product": product, "version": version, "content": content, **why, **more}
    return await (await company.desk("pat")).command(PATH, **body)


async def move(company: Company, who: str, record: dict[str, Any], step: str, **body: Any) -> httpx.Response:
    """A step of a version."""
    return await (await company.desk(who)).command(f"{PATH}/{record['id']}/{step}", **body)


async def signed(company: Company, who: str, record: dict[str, Any], **body: Any) -> httpx.Response:
    """Somebody signs a version as they have read it."""
    body = {"contentHash": record["contentHash"], "signed": PASSWORD, **body}
    return await move(company, who, record, "approve", **body)


async def shown(company: Company, record: dict[str, Any]) -> dict[str, Any]:
    """A version as it stands."""
    answer = await (await company.desk("olu")).get(f"{PATH}/{record['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ok(answer: httpx.Response) -> dict[str, Any]:
    """An answer that is no refusal."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def codes(answer: httpx.Response, status: int = 409) -> list[str]:
    """What a refusal is for."""
    assert answer.status_code == status, answer.text
    return [blocker["code"] for blocker in answer.json()["blockers"]]


async def approved(company: Company, version: str, content: Any = TAB, product: str = "TAB") -> dict[str, Any]:
    """A version with both signatures."""
    record = ok(await draft(company, version, content, product))
    ok(await move(company, "pat", record, "submit"))
    ok(await signed(company, "sam", record))
    return ok(await signed(company, "max", record))


async def effective(company: Company, version: str, content: Any = TAB, product: str = "TAB") -> dict[str, Any]:
    """A version that orders are made by from now on."""
    record = await approved(company, version, content, product)
    return ok(await move(company, "max", record, "make-effective"))


async def with_policy(company: Company) -> None:
    """The plant asks for master batch records where a plan line names the policy by-record."""
    await post(company, {"policies": [BY_RECORD]})
