"""Lots that a plan line chooses: where the policy has ceremony, with a reason."""

import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.records import codes, ok

CHOSEN = {"API": ["API-7"]}


async def planned(company: Company, policy: str, **more: Any) -> tuple[str, httpx.Response]:
    """A plan line under a policy."""
    reference = f"PL-{uuid.uuid4().hex[:8]}"
    line = {"reference": reference, "product": "TAB", "quantity": "10", "unit": "pcs", "policy": policy,
            "plant": "demo", **more}  # fmt: skip
    return reference, await (await company.desk("pia")).post("/mes/plan-lines", [line])


@pytest.mark.accepts("MT-02")
async def test_a_policy_with_signatures_asks_why_other_lots_are_taken(company: Company, engine: Engine) -> None:
    reference, refused = await planned(company, "gmp", fixedLots=CHOSEN)
    assert codes(refused) == ["FEFO_OVERRIDE_REASON"]
    (blocker,) = refused.json()["blockers"]
    assert (blocker["id"], blocker["whoCanFix"]) == ("line 1, fixedLotsReason", "planner")
    assert "policy gmp asks for it" in blocker["required"]
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM plan_line WHERE reference = :of")
        assert connection.execute(query, {"of": reference}).scalar_one() == 0
    reference, taken = await planned(company, "gmp", fixedLots=CHOSEN, fixedLotsReason="the customer wants this lot")
    line = ok(await (await company.desk("pia")).get(f"/mes/plan-lines/{taken.json()[0]['id']}"))
    assert (line["fixedLots"], line["fixedLotsReason"]) == (CHOSEN, "the customer wants this lot")
    with engine.connect() as connection:
        told = text("SELECT reason, new FROM audit_row WHERE entity = :of")
        (row,) = connection.execute(told, {"of": f"plan-line/{reference}"}).all()
    assert (row.reason, row.new["fixedLots"]) == ("the customer wants this lot", CHOSEN)


async def test_no_reason_is_asked_for_where_nothing_is_chosen_or_nothing_is_signed(company: Company) -> None:
    for policy, more in (("gmp", {}), ("plain", {"fixedLots": CHOSEN}), ("gmp", {"fixedLots": {}})):
        _, answer = await planned(company, policy, **more)
        assert answer.status_code == 200, (policy, answer.text)
    assert (await planned(company, "gmp", fixedLots=CHOSEN, fixedLotsReason="no"))[1].status_code == 422


async def test_a_file_names_the_line_that_lacks_the_reason(company: Company) -> None:
    rows = ["reference,product,quantity,unit,policy,plant,fixedLots,fixedLotsReason"]
    for number, why in enumerate(("the customer wants it", ""), 1):
        rows.append(f'PL-F{uuid.uuid4().hex[:6]}-{number},TAB,10,pcs,gmp,demo,"{{""API"": [""API-7""]}}",{why}')
    desk = await company.desk("pia")
    headers = desk.headers | {"content-type": "text/csv"}
    answer = await desk.client.post("/api/v1/mes/plan-lines/import", content="\n".join(rows), headers=headers)
    assert answer.status_code == 422
    (row,) = answer.json()["rows"]
    assert (row["line"], row["column"], row["code"]) == (3, "fixedLotsReason", "FEFO_OVERRIDE_REASON")
