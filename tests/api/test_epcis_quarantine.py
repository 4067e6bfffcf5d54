"""What was put aside of other systems' events is tried again when what was against it is mended, or discarded by the
person responsible (C4, AT-12)."""

import asyncio
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


async def send(company: Company, content: bytes, *, preview: bool = False) -> dict[str, Any]:
    """A document of which nothing is put aside."""
    desk = await company.desk("wil")
    headers = {**desk.headers, "content-type": "application/json"}
    asked = {"source": "the other plant", "preview": str(preview).lower()}
    sent = await company.client.post(f"{PREFIX}/epcis/capture", content=content, headers=headers, params=asked)
    found: dict[str, Any] = ok(sent)
    return found


async def put_aside(company: Company, sha256: str) -> dict[int | None, dict[str, Any]]:
    found = ok(await (await company.desk("rae")).get("/epcis/quarantine"))["quarantined"]
    return {own["position"]: own for own in found if own["document"] == sha256}


async def again(company: Company, number: int, who: str = "rae", **more: Any) -> httpx.Response:
    return await (await company.desk(who)).command(f"/epcis/quarantine/{number}/retry", **{"reason": "named", **more})


async def discard(company: Company, number: int, who: str = "rae", **more: Any) -> httpx.Response:
    body = {"reason": "of a test system", **more}
    return await (await company.desk(who)).command(f"/epcis/quarantine/{number}/discard", **body)


@pytest.fixture(scope="module")
async def renamed(settings: Settings) -> AsyncIterator[Company]:
    """The same system, started again with a name of its own."""
    app: FastAPI = create_app(replace(settings, site="EAST"), task_queue="epcis-renamed")
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://renamed", timeout=30)
    async with app.router.lifespan_context(app), http:
        yield Company(http)


def written(engine: Engine) -> list[int]:
    """Rows of what a decision could write."""
    tables = ("epcis_event", "epcis_item", "epcis_rejection", "epcis_retry", "epcis_discard")
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
    assert [one - other for one, other in zip(after, before, strict=True)] == [1, 2, 0, 1, 0]
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


async def test_what_is_discarded_has_no_effect_now_or_later(company: Company, renamed: Company, engine: Engine) -> None:
    event_of_a_test = told(DEFAULT_SITE, "7")
    sent = await capture(company, event_of_a_test, told("FAR", "7"))
    own = (await put_aside(company, sent["sha256"]))[0]
    assert (own["state"], own["decidedBy"], own["reason"]) == ("quarantined", None, None)
    before = written(engine)
    gone = [await discard(company, own["number"], commandId="epcis-gone-1") for _ in range(2)]
    assert ok(gone[0]) == ok(gone[1]) == {"number": own["number"], "state": "discarded", "eventId": own["eventId"]}
    after = written(engine)
    assert [one - other for one, other in zip(after, before, strict=True)] == [0, 0, 0, 0, 1]
    for refused in (await discard(company, own["number"]), await again(renamed, own["number"])):
        (no,) = refused.json()["blockers"]
        assert (refused.status_code, no["code"], no["found"]) == (409, "INVALID_TRANSITION", "it was discarded")
    shown = (await put_aside(company, sent["sha256"]))[0]
    assert (shown["state"], shown["isSettled"], shown["decidedBy"], shown["reason"]) == (
        "discarded", True, "rae", "of a test system",
    )  # fmt: skip
    assert shown["content"] == own["content"]

    # The same document again, where nothing would be against the event: what was decided stays decided.
    body = json.dumps(document([event_of_a_test, told("FAR", "7")], AT)).encode()
    for preview in (True, False):
        answer = await send(renamed, body, preview=preview)
        told_of = (answer["accepted"], answer["known"], answer["discarded"], answer["quarantined"])
        assert told_of == (0, 1, 1, []), preview
    assert written(engine) == after
    # In another document it is another telling.
    sent = await capture(company, event_of_a_test, told(DEFAULT_SITE, "7b"))
    assert sent["quarantined"][0]["eventId"] == own["eventId"]

    with engine.connect() as connection:
        query = text("SELECT actor, reason, old->>'state', new->>'eventId' FROM audit_row WHERE action = :action")
        rows = connection.execute(query, {"action": "epcis.discarded"}).all()
    assert [tuple(row) for row in rows] == [("rae", "of a test system", "quarantined", own["eventId"])]


async def test_a_document_that_is_none_is_discarded_as_a_whole(company: Company, engine: Engine) -> None:
    nothing = await capture(company, content=b"\xfe{}")
    whole = (await put_aside(company, nothing["sha256"]))[None]
    assert ok(await discard(company, whole["number"], "max"))["eventId"] is None
    before = written(engine)
    answer = await send(company, b"\xfe{}")
    assert (answer["discarded"], answer["quarantined"], answer["duplicate"]) == (1, [], True)
    assert written(engine) == before


async def test_what_was_taken_meanwhile_is_not_discarded(company: Company, renamed: Company, engine: Engine) -> None:
    sent = await capture(company, told(DEFAULT_SITE, "8"), told("FAR", "8") | {"bizStep": "baking"})
    aside = await put_aside(company, sent["sha256"])
    retried, wrong = aside[0], aside[1]
    ok(await again(renamed, retried["number"]))
    await send(company, json.dumps(document([told("FAR", "8")], AT)).encode())
    before = written(engine)
    for one in (retried, wrong):
        refused = await discard(company, one["number"])
        (no,) = refused.json()["blockers"]
        assert (refused.status_code, no["code"], no["id"]) == (409, "INVALID_TRANSITION", str(one["number"]))
        assert no["found"] == "it was taken: in another try, or a right one has come"
    assert written(engine) == before
    # What contradicts an event that stands is not settled by it: that is for a person.
    other = told("FAR", "8") | {"eventTime": "2026-11-21T00:00:00Z"}
    sent = await capture(company, other)
    (no,) = sent["quarantined"][0]["blockers"]
    assert no["code"] == "CONTRADICTION"
    against = (await put_aside(company, sent["sha256"]))[0]
    assert ok(await discard(company, against["number"]))["state"] == "discarded"
    assert codes(await discard(company, 10**12)) == ["UNKNOWN_MESSAGE"]


async def test_a_retry_and_a_discard_at_once_have_one_winner(
    company: Company, renamed: Company, engine: Engine
) -> None:
    sent = await capture(company, *(told(DEFAULT_SITE, f"9-{number}") for number in range(4)))
    numbers = [own["number"] for own in (await put_aside(company, sent["sha256"])).values()]
    before = written(engine)
    for number in numbers:
        both = await asyncio.gather(again(renamed, number), discard(company, number, "max"))
        assert sorted(own.status_code for own in both) == [200, 409]
    assert sum(written(engine)[3:]) - sum(before[3:]) == len(numbers)


async def test_discarding_takes_quality_and_a_reason(company: Company) -> None:
    sent = await capture(company, told(DEFAULT_SITE, "10"))
    own = (await put_aside(company, sent["sha256"]))[0]
    for who in ("wil", "olu", "pia", "aud"):
        assert (await discard(company, own["number"], who)).status_code == 403
    assert (await discard(company, own["number"], reason=None)).status_code == 422
    assert (await put_aside(company, sent["sha256"]))[0]["state"] == "quarantined"
