"""Orders are made by the version of the master batch record that counts at that moment, and keep a copy of it."""

import copy
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from db.queries.master_batch_records import content_hash
from tests.api.company import Company, operation
from tests.api.records import TAB, TEXTS, approved, draft, effective, move, ok, said, simple, with_policy
from tests.api.test_integrity import findings
from tests.api.test_master_data import counted, post, specification
from tests.api.words import at_stage, create, do, receive

POLICY = "by-record"


async def gaps(company: Company, product: str = "TAB", policy: str = POLICY) -> list[dict[str, Any]]:
    """What an order of the product would be refused for now."""
    plan = await company.plan(f"PL-{uuid.uuid4().hex[:8]}", product=product, policy=policy, quantity="3")
    return await findings(company, planId=plan["id"])


@pytest.mark.accepts("MD-01", "PO-01")
@pytest.mark.usefixtures("working")
async def test_without_a_version_that_counts_nothing_is_released(company: Company) -> None:
    await with_policy(company)
    (gap,) = await gaps(company)
    assert (gap["code"], gap["object"], gap["found"]) == ("RECIPE_NOT_EFFECTIVE", "TAB", "no master batch record")
    await draft(company, "0")
    assert [(own["object"], own["found"]) for own in await gaps(company)] == [
        ("TAB/0", "version 0 is draft, effective date none")
    ]
    made = await create(company, policy=POLICY)
    await do(company, "pia", f"/mes/orders/{made['id']}/submit")
    await do(company, "sam", f"/mes/orders/{made['id']}/approve")
    refused = await (await company.desk("sam")).command(f"/mes/orders/{made['id']}/release")
    assert refused.status_code == 409
    assert [(own["code"], own["id"], own["found"]) for own in refused.json()["blockers"]] == [
        ("RECIPE_NOT_EFFECTIVE", "TAB/0", "version 0 is draft, effective date none")
    ]
    record = await approved(company, "1")
    day = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    ok(await move(company, "max", record, "make-effective", effectiveFrom=day))
    assert [own["found"] for own in await gaps(company)] == [f"version 1 is effective, effective date {day}"]
    ok(await move(company, "max", record, "withdraw", reason="not on that day"))
    assert [own["found"] for own in await gaps(company)] == [f"version 1 is withdrawn, effective date {day}"]
    assert await gaps(company, policy="swift") == []
    await effective(company, "2")
    assert await gaps(company) == []
    # The order keeps what it was made with.
    again = await (await company.desk("sam")).command(f"/mes/orders/{made['id']}/release")
    assert again.json()["blockers"][0]["code"] == "RECIPE_NOT_EFFECTIVE"


@pytest.mark.accepts("MD-01", "B5", "B6")
@pytest.mark.usefixtures("working")
async def test_a_running_batch_keeps_its_copy_when_a_new_version_counts(company: Company) -> None:
    await with_policy(company)
    first = await effective(company, "run-1")
    _, work_order = await at_stage(company, "released", policy=POLICY)
    desk = await company.desk("olu")
    path = f"/mes/work-orders/{work_order}"

    async def told(code: str = "MIX", at: str = path, **query: str) -> dict[str, Any]:
        return ok(await desk.get(f"{at}/operations/{code}/instructions", **query))

    before = await told()
    assert before["record"] == {"product": "TAB", "version": "run-1", "contentHash": first["contentHash"]}
    assert (before["language"], before["instructions"]) == ("en", [{"number": 10, "text": TEXTS["en"], "pictures": []}])
    assert (await told(language="zh"))["instructions"] == [{"number": 10, "text": TEXTS["zh"], "pictures": []}]
    (weight,) = (await told("PRESS"))["expectedValues"]
    assert (weight["low"], weight["warningLow"], weight["target"], weight["secondCheck"]) == ("108", "110", "113", True)
    changed = copy.deepcopy(TAB)
    changed["operations"][0]["instructions"][0]["text"] = {"en": "Do it otherwise.", "zh": "换一种做法。"}
    second = await effective(company, "run-2", changed)
    assert await told() == before
    assert ok(await desk.get(path))["record"]["version"] == "run-1"
    fresh = (await create(company, policy=POLICY))["workOrders"][0]["id"]
    after = await told(at=f"/mes/work-orders/{fresh}")
    assert after["record"]["contentHash"] == second["contentHash"]
    assert after["instructions"][0]["text"] == "Do it otherwise."
    assert (await desk.get(f"{path}/operations/FLY/instructions")).status_code == 404
    assert (await desk.get(f"{path}/operations/MIX/instructions", language="tlh")).status_code == 422


@pytest.mark.accepts("MD-01")
@pytest.mark.usefixtures("working")
async def test_every_confirmation_keeps_the_version_it_was_made_by(company: Company, engine: Engine) -> None:
    await with_policy(company)
    await receive(company, "API-BY-RECORD", "100")
    verified = copy.deepcopy(TAB)
    verified["operations"][0] |= {"verified": True}
    await effective(company, "old", verified)
    _, work_order = await at_stage(company, "running", policy=POLICY)
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await effective(company, "new", verified)
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "ole", f"{path}/MIX/verify")
    await do(company, "olu", f"{path}/PRESS/start")
    values = [{"name": "weight", "text": "113", "unit": "mg"}]
    await do(company, "olu", f"{path}/PRESS/parameters", values=values)
    await do(company, "ole", f"{path}/PRESS/parameters/check", numbers=["V1"])
    await do(company, "olu", f"{path}/PRESS/parameters/V1/correct", text="112", reason="misread the scale")
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "990", "scrap": "10", "scrapReason": "dust"}
    await do(company, "olu", "/mes/production-reports/report", **report)
    fresh = await create(company, policy=POLICY)
    tables = ("operation", "operation_verification", "parameter_value", "parameter_check", "production_report")
    with engine.connect() as connection:
        for table in tables:
            of_work_order = "JOIN work_order w ON w.number = work_order WHERE w.uuid = :id"
            statement = text(f"SELECT {table}.record_version FROM {table} {of_work_order}")
            found = list(connection.execute(statement, {"id": work_order}).scalars())
            assert (len(found) > 0, set(found)) == (True, {"old"}), table
        statement = text("SELECT record_version FROM work_order WHERE uuid = :id")
        assert connection.execute(statement, {"id": fresh["workOrders"][0]["id"]}).scalar_one() == "new"


@pytest.mark.accepts("MD-01")
async def test_sub_assemblies_are_made_by_their_own_records(company: Company, engine: Engine) -> None:
    await with_policy(company)
    cart: dict[str, Any] = {"product": "CART", "quantity": "10", "policy": POLICY}
    await effective(company, "1", simple("CUT", "CUT2", "FIT"), "CART")
    rod = await effective(company, "1", simple("CUT"), "ROD")
    made = await specification(company, engine, **cart)
    assert [(gap.code, gap.id) for gap in made.gaps] == [("RECIPE_NOT_EFFECTIVE", "AXLE")]
    heavy = simple("FIT") | {"materials": [{"line": 1, "material": "ROD", "weighingTolerancePercent": "2"}]}
    await effective(company, "7", heavy, "AXLE")
    made = await specification(company, engine, **cart)
    assert made.gaps == ()
    found = {own.material: own for own in made.work_orders}
    assert {code: own.record.version for code, own in found.items() if own.record} == {
        "CART": "1", "AXLE": "7", "ROD": "1",
    }  # fmt: skip
    assert found["ROD"].record is not None
    assert found["ROD"].record.content_hash == rod["contentHash"]
    # 20 axles need 30 rods, loss included: 2 % of that.
    assert str(found["AXLE"].materials[0].weighing_tolerance) == "0.6"
    assert found["CART"].balance_limit_percent == 3
    assert [own.equipment_class for own in found["CART"].operations] == ["mixer"] * 3
    with counted(engine) as small:
        await specification(company, engine, product="ROD", policy=POLICY)
    with counted(engine) as large:
        await specification(company, engine, **cart)
    assert len(small) == len(large) == 10  # one more than without records
    bare = await specification(company, engine, product="CART", quantity="10")
    assert all(own.record is None and own.operations[0].instructions == () for own in bare.work_orders)


@pytest.mark.accepts("MD-01")
async def test_a_record_of_another_route_than_the_one_that_counts_stops_the_release(
    company: Company, engine: Engine
) -> None:
    await with_policy(company)
    await effective(company, "r-1", simple("CUT"), "ROD")
    steps = [operation("CUT", 10, "CUT", []), operation("PACK", 20, "FIT", ["CUT"], countsPieces=True, isOutput=True)]
    await post(company, {"routes": [{"product": "ROD", "version": "2", "operations": steps}]})
    (gap,) = (await specification(company, engine, product="ROD", policy=POLICY)).gaps
    assert (gap.code, gap.id) == ("RECIPE_MISMATCH", "ROD/r-1")
    assert "route 1" in gap.found
    assert "route 2" in gap.required
    await effective(company, "r-2", {**simple("CUT", "PACK"), "routeVersion": "2"}, "ROD")
    assert (await specification(company, engine, product="ROD", policy=POLICY)).gaps == ()


@pytest.mark.accepts("ES-04")
async def test_a_version_that_was_altered_behind_its_signatures_makes_nothing(company: Company, engine: Engine) -> None:
    await with_policy(company)
    record = await effective(company, "forged", TAB | {"operations": [said("MIX"), said("PRESS")]})
    with engine.begin() as connection:
        forge = (
            "UPDATE master_batch_record SET body = jsonb_set(body, '{balanceLimitPercent}', '\"90\"') WHERE id = :id"
        )
        connection.execute(text(forge), {"id": record["id"]})
    (gap,) = await gaps(company)
    assert (gap["code"], gap["object"]) == ("SIGNATURE_MISMATCH", "TAB/forged")
    shown = ok(await (await company.desk("aud")).get(f"/master-batch-records/{record['id']}"))
    assert shown["isIntact"] is False
    # Who hashes the altered content anew still lacks the two signatures under it.
    why = ("CC-forged", "as agreed with production")
    digest = content_hash("TAB", "forged", *why, shown["content"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE master_batch_record SET content_hash = :hash WHERE id = :id"),
                           {"hash": digest, "id": record["id"]})  # fmt: skip
    assert [own["code"] for own in await gaps(company)] == ["SIGNATURE_MISMATCH"]
