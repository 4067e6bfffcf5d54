"""What was put aside of other systems' events is tried again when what was against it is mended (C4, AT-12)."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

import wiring
from api.app import create_app
from domain.epcis import lot_class
from domain.epcis_events import Amount, Happening, Site, document, event
from settings import DEFAULT_SITE, Settings
from system.addresses import Addresses
from tests.api.company import PREFIX, Company
from tests.api.records import codes, ok

pytestmark = pytest.mark.accepts("C4", "AT-12")
AT = datetime(2026, 11, 20, tzinfo=UTC)


def told(site: str, number: str) -> dict[str, Any]:
    """A transformation at a site that calls itself so."""
    ore, made = lot_class(site, "ORE", None, f"ORE-{number}"), lot_class(site, "API", None, f"API-{number}")
    happening = Happening(
        "transform", number, AT, f"{site}-P", [Amount(ore, Decimal(9), "kg")], [Amount(made, Decimal(8), "kg")],
        transformation=f"urn:millwright:transformation:{site}:{number}:L",
    )  # fmt: skip
    return event(happening, Site(site, None, ZoneInfo("UTC")))


async def capture(company: Company, *events: Any, content: bytes | None = None) -> dict[str, Any]:
    desk = await company.desk("wil")
    body = json.dumps(document(list(events), AT)).encode() if content is None else content
    headers = {**desk.headers, "content-type": "application/json"}
    sent = await company.client.post(
        f"{PREFIX}/epcis/capture", content=body, headers=headers, params={"source": "the other plant"}
    )
    assert sent.status_code == 202, sent.text
    found: dict[str, Any] = sent.json()
    return found


async def put_aside(company: Company, sha256: str) -> dict[int | None, dict[str, Any]]:
    found = ok(await (await company.desk("rae")).get("/epcis/quarantine"))["quarantined"]
    return {own["position"]: own for own in found if own["document"] == sha256}


async def again(company: Company, number: int, who: str = "rae", **more: Any) -> httpx.Response:
    return await (await company.desk(who)).command(f"/epcis/quarantine/{number}/retry", **{"reason": "named", **more})


@pytest.fixture(scope="module")
async def renamed(settings: Settings) -> AsyncIterator[Company]:
    """The same system, started again with a name of its own."""
    app: FastAPI = create_app(replace(settings, site="EAST"), task_queue="epcis-renamed")
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://renamed", timeout=30)
    async with app.router.lifespan_context(app), http:
        yield Company(http)


def written(engine: Engine) -> list[int]:
    """Rows of what a retry could write."""
    tables = ("epcis_event", "epcis_item", "epcis_rejection", "epcis_retry")
    with engine.connect() as connection:
        return [connection.execute(text(f"SELECT count(*) FROM {own}")).scalar_one() for own in tables]


async def test_two_systems_of_the_first_name_are_told_what_to_set_and_one_that_was_named_takes_the_event(
    company: Company, renamed: Company, engine: Engine
) -> None:
    sent = await capture(company, told(DEFAULT_SITE, "1"))
    (no,) = sent["quarantined"][0]["blockers"]
    assert (no["code"], no["found"], no["whoCanFix"]) == ("OWN_EVENT", f"an event of {DEFAULT_SITE}", "administrator")
    assert "Set MES_SITE" in no["required"]
    assert "still has the name that every new system has" in no["required"]
    own = (await put_aside(company, sent["sha256"]))[0]
    before = written(engine)
    assert codes(await again(company, own["number"])) == ["OWN_EVENT"]
    assert written(engine) == before, "what is still against it changes nothing"
    assert not (await put_aside(company, sent["sha256"]))[0]["isSettled"]

    taken = [await again(renamed, own["number"], commandId="epcis-again-1") for _ in range(2)]
    assert ok(taken[0]) == ok(taken[1])
    answer = taken[0].json()
    assert (answer["number"], answer["state"], answer["eventIds"]) == (own["number"], "accepted", [own["eventId"]])
    after = written(engine)
    assert [one - other for one, other in zip(after, before, strict=True)] == [1, 2, 0, 1]
    assert codes(await again(renamed, own["number"])) == ["INVALID_TRANSITION"]
    assert written(engine) == after
    assert (await put_aside(renamed, sent["sha256"]))[0]["isSettled"]
    listed = ok(await (await renamed.desk("rae")).get("/epcis/imported-events"))["events"]
    assert [one["sourceSite"] for one in listed if one["document"] == sent["sha256"]] == [DEFAULT_SITE]
    with engine.connect() as connection:
        query = text("SELECT actor, reason, old->>'rejection', new->>'site' FROM audit_row WHERE action = :action")
        rows = connection.execute(query, {"action": "epcis.retried"}).all()
    assert [tuple(row) for row in rows] == [("rae", "named", str(own["number"]), "EAST")]


async def test_a_system_that_has_a_name_says_whose_events_it_takes(renamed: Company) -> None:
    (no,) = (await capture(renamed, told("EAST", "2")))["quarantined"][0]["blockers"]
    assert no["code"] == "OWN_EVENT"
    assert "If another system has the same name, set MES_SITE of one of the two" in no["required"]


async def test_what_cannot_be_mended_here_stays_aside(company: Company, engine: Engine) -> None:
    bad = told("FAR", "3") | {"bizStep": "baking"}
    sent = await capture(company, bad, content=None)
    one = (await put_aside(company, sent["sha256"]))[0]
    nothing = await capture(company, content=b"\xff{}")
    whole = (await put_aside(company, nothing["sha256"]))[None]
    ended = await capture(company, content=json.dumps(document([told("FAR", "4")], AT)).encode() + b"\x00")
    cut = (await put_aside(company, ended["sha256"]))[None]
    before = written(engine)
    assert codes(await again(company, one["number"])) == ["SCHEMA"]
    assert codes(await again(company, whole["number"])) == ["NOT_JSON"]
    assert codes(await again(company, cut["number"])) == ["NOT_JSON"], "what is kept is not what came"
    assert codes(await again(company, 10**12)) == ["UNKNOWN_MESSAGE"]
    assert written(engine) == before


async def test_it_takes_a_person_who_may_and_a_reason(company: Company, renamed: Company) -> None:
    sent = await capture(company, told(DEFAULT_SITE, "5"))
    own = (await put_aside(company, sent["sha256"]))[0]
    for who in ("olu", "pia", "aud"):
        assert (await again(renamed, own["number"], who)).status_code == 403
    assert (await again(renamed, own["number"], reason=None)).status_code == 422
    assert ok(await again(renamed, own["number"], "wil"))["state"] == "accepted"


async def test_a_start_without_a_name_says_so_when_other_systems_are_connected(
    company: Company,
    settings: Settings,
    servers: Addresses,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await capture(company, told(DEFAULT_SITE, "6"))
    said = []
    for site in (DEFAULT_SITE, "EAST"):
        caplog.clear()
        app: FastAPI = create_app(replace(settings, site=site), task_queue="epcis-named")
        with caplog.at_level(logging.WARNING, logger="api"):
            async with app.router.lifespan_context(app):
                http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://named", timeout=30)
                async with http:
                    await (await Company(http).desk("wil")).get("/epcis/documents")
        said.append(sum("MES_SITE is not set" in own.getMessage() for own in caplog.records))
    assert said == [1, 0]
    here = replace(servers, database_url=settings.database_url)
    for site, is_said in (("", True), (DEFAULT_SITE, True), ("EAST", False)):
        monkeypatch.setenv("MES_SITE", site)
        assert wiring.has_no_name(here) is is_said, "what mes up says"
