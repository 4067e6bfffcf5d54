"""A PLM's bill of material and route become a change that people publish; orders that are there keep theirs."""

import copy
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import MASTER_DATA, Company
from tests.api.planning_words import audited
from tests.api.records import codes, ok
from tests.api.test_configuration import PATH, done, step
from tests.api.test_inbound import quarantine, reasons, send
from tests.api.words import at_stage
from tests.api.words import create as order_for

pytestmark = [pytest.mark.usefixtures("working"), pytest.mark.accepts("D7", "MD-01", "MD-03")]
KIND, CHANGE = "plm-product-definition", "configuration-change"
(BOM,) = (own for own in MASTER_DATA["billsOfMaterial"] if own["product"] == "TAB")
(ROUTE,) = (own for own in MASTER_DATA["routes"] if own["product"] == "TAB")


@pytest.fixture(scope="module", autouse=True)
async def _registered(company: Company) -> None:
    ada = await company.desk("ada")
    ok(await ada.command("/integration/systems", account="erp", name="PLM", kinds=[KIND]))


def bill(version: str, *lines: dict[str, Any]) -> dict[str, Any]:
    """A bill of material with its lines changed one by one."""
    made = [copy.deepcopy(BOM["lines"][0]) | {"line": place} | own for place, own in enumerate(lines or ({},), start=1)]
    return {"version": version, "baseQuantity": "1000", "lines": made}


def route(version: str, **more: Any) -> dict[str, Any]:
    """The route with another first operation."""
    operations = copy.deepcopy(ROUTE["operations"])
    operations[0] |= more
    return {"version": version, "operations": operations}


def definition(number: str, **parts: Any) -> dict[str, Any]:
    """What the PLM sends."""
    return {"changeOrder": number, "reasonForChange": "the granulate is too wet", "product": "TAB", **parts}


def written(engine: Engine) -> list[int]:
    """Rows of what a change could write."""
    tables = ("configuration_change", "bill_of_material", "bill_of_material_line", "route", "route_operation")
    with engine.connect() as connection:
        return [connection.execute(text(f"SELECT count(*) FROM {own}")).scalar_one() for own in tables]


async def counts(company: Company) -> tuple[str, str]:
    """The versions of bill of material and route that count."""
    desk = await company.desk("pat")
    tab = next(own for own in ok(await desk.get("/master-data/materials", prefix="TAB"))["materials"])
    made = ok(await desk.get(f"/product/{tab['id']}/bom"))
    way = ok(await desk.get(f"/process/routes/by-product/{tab['id']}"))
    return made["version"], way["version"]


async def published(company: Company, change: dict[str, Any]) -> None:
    """Analysed, approved by signature, tested, published."""
    await done(company, "rae", change, "analyse", reason="orders from now on")
    await done(company, "max", change, "approve")
    await done(company, "rae", change, "test", passed=True, reason="a dummy order has the new lines")
    await done(company, "max", change, "publish")


async def asked(company: Company, **parts: Any) -> Any:
    """What Pat asks for by hand."""
    why = {"changeControl": "CC-1", "reasonForChange": "less is enough"}
    desk = await company.desk("pat")
    return await desk.command(PATH, kind="productDefinition", subject="TAB", content=parts, **why)


async def shown(company: Company, identity: str) -> dict[str, Any]:
    """The change as it stands."""
    return ok(await (await company.desk("max")).get(f"{PATH}/{identity}"))


async def test_a_change_of_the_plm_counts_when_people_have_published_it(company: Company, engine: Engine) -> None:
    order, _ = await at_stage(company, "released")
    message = definition("CO-1", billOfMaterial=bill("2", {"quantity": "4"}), route=route("2", recipe={"speed": "12"}))
    first, again = [await send(company, "erp", KIND, message, "pd-1") for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()["duplicate"]) == (200, 200, True), first.text
    effect = first.json()["effect"]
    assert effect == again.json()["effect"]
    assert (effect["state"], effect["versions"]) == ("requested", {"billOfMaterial": "2", "route": "2"})
    change = await shown(company, effect["configurationChange"])
    assert (change["kind"], change["subject"], change["authors"]) == ("productDefinition", "TAB", ["erp"])
    assert (change["changeControl"], change["reasonForChange"]) == ("CO-1", "the granulate is too wet")
    places = {own["path"]: (own["before"], own["after"]) for own in change["differences"]}
    assert places == {
        "billOfMaterial.version": ("1", "2"), "billOfMaterial.lines[MIX].quantity": ("5", "4"),
        "route.version": ("1", "2"), "route.operations[Mix].recipe": (None, {"speed": "12"}),
    }  # fmt: skip

    machine = await (await company.desk("erp")).command(f"{PATH}/{change['id']}/analyse", reason="by myself")
    assert (machine.status_code, machine.json()["code"]) == (403, "NOT_AUTHORISED"), "a machine makes nothing effective"
    assert codes(await step(company, "max", change, "publish")) == ["INVALID_TRANSITION"]
    assert await counts(company) == ("1", "1")
    await published(company, change)
    assert await counts(company) == ("2", "2")

    kept = ok(await (await company.desk("sam")).get(f"/mes/orders/{order}"))
    assert kept["state"] == "released"
    later = await order_for(company, policy="swift")
    with engine.connect() as connection:
        query = text(
            "SELECT one.body #>> '{specification,billOfMaterialVersion}', one.body #>> '{specification,routeVersion}' "
            "FROM order_fact f JOIN production_order o ON o.number = f.order_number AND f.revision = 1 "
            "CROSS JOIN LATERAL (SELECT f.body #> '{events,0}' AS body) one WHERE o.uuid = :id"
        )
        found = [tuple(connection.execute(query, {"id": own}).one()) for own in (order, later["id"])]
    assert found == [("1", "1"), ("2", "2")]
    for action in ("bill-of-material.created", "route.created"):
        (entry,) = audited(engine, action, f"{action.partition('.')[0]}/TAB/2")
        assert (entry.actor, entry.reason) == ("max", "the granulate is too wet")
    impacts = ok(await (await company.desk("pia")).get("/master-data-impacts"))["impacts"]
    assert {(own["kind"], own["version"]) for own in impacts} >= {("bill-of-material", "2"), ("route", "2")}


async def test_what_cannot_be_made_is_put_aside_with_everything_that_is_wrong(company: Company, engine: Engine) -> None:
    before = written(engine)
    lines = ({"material": "GHOST"}, {"operation": "DRY"}, {"unit": "g"})
    wrong = definition("CO-2", billOfMaterial=bill("9", *lines), route=route("9", capability="FLY"))
    found = await send(company, "erp", KIND, wrong)
    assert sorted(reasons(found)) == ["NO_WORKSTATION", "UNIT_MISMATCH", "UNKNOWN_MATERIAL", "UNKNOWN_OPERATION"]
    assert {(own["code"], own["id"]) for own in found.json()["blockers"]} >= {
        ("UNKNOWN_MATERIAL", "GHOST"), ("UNKNOWN_OPERATION", "TAB/2"), ("NO_WORKSTATION", "TAB/MIX"),
    }  # fmt: skip
    loop = definition("CO-3", billOfMaterial=bill("9", {"material": "TAB", "unit": "pcs"}))
    assert reasons(await send(company, "erp", KIND, loop)) == ["BOM_LOOP"]
    orphan = definition(
        "CO-4", route={"version": "9", "operations": [route("9")["operations"][1] | {"predecessors": []}]}
    )
    assert reasons(await send(company, "erp", KIND, orphan)) == ["UNKNOWN_OPERATION"], "the bill of material needs MIX"
    gap = definition("CO-5", route=route("9", predecessors=["GHOST"], isOutput=True))
    assert reasons(await send(company, "erp", KIND, gap)) == ["UNKNOWN_PREDECESSOR"]
    ghost = definition("CO-6", billOfMaterial=bill("9")) | {"product": "GHOST"}
    assert sorted(reasons(await send(company, "erp", KIND, ghost))) == ["UNKNOWN_MATERIAL", "UNKNOWN_OPERATION"]
    assert reasons(await send(company, "erp", KIND, definition("CO-7"))) == ["SCHEMA"]
    assert reasons(await send(company, "erp", KIND, definition("CO-8", billOfMaterial={}))) == ["SCHEMA"] * 3
    assert reasons(await send(company, "erp", KIND, definition("CO-9", colour="blue"))) == ["SCHEMA"]
    there = definition("CO-10", billOfMaterial=bill("1", {"quantity": "3"}))
    assert reasons(await send(company, "erp", KIND, there)) == ["VERSION_EXISTS"]
    assert written(engine) == before, "what is put aside changes nothing"
    assert {own["kind"] for own in await quarantine(company)} == {KIND}


async def test_what_a_person_asks_for_by_hand_goes_the_same_way(company: Company, engine: Engine) -> None:
    now = await counts(company)
    nothing = codes(await asked(company))
    assert nothing == ["VERSION_EXISTS"]
    same = codes(await asked(company, billOfMaterial=bill(now[0], {"quantity": "3"})))
    assert same == ["VERSION_LOCKED"]
    typo = await asked(company, billOfMaterials=bill("3"))
    assert (typo.status_code, typo.json()["code"]) == (422, "INVALID_REQUEST")
    first = ok(await asked(company, billOfMaterial=bill("3", {"quantity": "3"})))
    second = ok(await asked(company, route=route("3", name="Mix long")))
    await published(company, first)
    assert await counts(company) == ("3", now[1]), "the route stays"
    assert codes(await step(company, "rae", second, "analyse", reason="too late")) == ["CHANGE_STALE"]
    third = ok(await asked(company, route=route("3", name="Mix long")))
    await done(company, "rae", third, "analyse", reason="orders from now on")
    bench = next(own for own in MASTER_DATA["workstations"] if own["code"] == "BENCH")
    pat = await company.desk("pat")
    ok(await pat.post("/master-data/import", {"workstations": [bench | {"capabilities": ["FIT", "PRESS"]}]}))
    before = written(engine)
    assert codes(await step(company, "max", third, "approve")) == ["NO_WORKSTATION"], "what was right is wrong now"
    assert written(engine) == before
    ok(await pat.post("/master-data/import", {"workstations": [bench]}))
    await done(company, "max", third, "approve")
    await done(company, "rae", third, "test", passed=True, reason="a dummy order")
    await done(company, "max", third, "publish")
    assert await counts(company) == ("3", "3")


async def test_a_draft_that_was_imported_becomes_effective_as_it_stands(company: Company, engine: Engine) -> None:
    pat, (_, way) = await company.desk("pat"), await counts(company)
    drafted = bill("draft-1", {"quantity": "6"})
    imported = {"product": "TAB", "state": "draft", **drafted}
    ok(await pat.post("/master-data/import", {"billsOfMaterial": [imported]}))
    assert codes(await asked(company, billOfMaterial=bill("draft-1", {"quantity": "7"}))) == ["VERSION_LOCKED"]
    change = ok(await asked(company, billOfMaterial=drafted))
    before = written(engine)
    await published(company, change)
    assert written(engine) == before, "no second version"
    assert await counts(company) == ("draft-1", way)
    (entry,) = audited(engine, "bill-of-material.changed", "bill-of-material/TAB/draft-1")
    assert (entry.old["state"], entry.new["state"], entry.actor) == ("draft", "effective", "max")
