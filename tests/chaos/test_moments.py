"""What is told differently later is found; and what is no one moment is not compared. Each by a change that is planted.

An order is looked at while it moves, then somebody with the owner's login changes the record.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final, LiteralString

import httpx
import psycopg
import pytest
import pytest_asyncio
from fastapi import FastAPI

from chaos.check import Finding
from chaos.clients import API, Clients
from chaos.moments import LEAST, Look, Looks, Readers, differences, moment_of, told_again
from chaos.told import Told
from tests.api.company import PASSWORD, Company
from tests.api.conftest import app, called, company, database, settings, staffed, task_queue, working
from tests.api.holding import held, until_hold
from tests.api.words import approved, create, do, receive, until
from tests.conftest import Database

__all__ = ["app", "called", "company", "database", "settings", "staffed", "task_queue", "working"]
pytestmark = pytest.mark.usefixtures("working")
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
SILENCE = "seen by the record; now nothing is told of it"


@pytest_asyncio.fixture(loop_scope="session")
async def clients(app: FastAPI) -> AsyncIterator[Clients]:
    """Clients of the API in this process; one of them is sam."""
    clients = Clients("http://mes", Told(), seed=1, mischief=False, transport=httpx.ASGITransport(app=app))
    async with clients.client() as client:
        await client.post(f"{API}/auth/login", json={"userId": "sam", "password": PASSWORD})
    yield clients
    await clients.close()


def readers_of(clients: Clients) -> Readers:
    return Readers(clients, seed=1, wanted=LEAST, expected=1, who="sam")


FORGE: Final[LiteralString] = (
    "UPDATE order_fact SET body = replace(body::text, '\"sam\"', '\"ben\"')::jsonb "
    "WHERE order_number = %s AND body ->> 'commandKind' = 'approveOrder'"
)


def forge(url: str, number: str) -> None:
    """Somebody with the owner's login changes who has approved."""
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE order_fact DISABLE TRIGGER USER")
        assert connection.execute(FORGE, (number,)).rowcount == 1
        connection.execute("ALTER TABLE order_fact ENABLE TRIGGER USER")


async def looked_at(company: Company, readers: Readers, lot: str) -> str:
    """A released order that uses a lot, looked at after each step both ways; its id."""
    await receive(company, lot, "10")
    order = str((await create(company, fixedLots={"API": [lot]}))["id"])

    async def look() -> None:
        for is_query in (False, True):
            await readers.look(order, is_query=is_query)

    await look()
    await approved(company, order)
    await look()
    (work_order,) = [
        own["id"] for own in (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["workOrders"]
    ]
    await do(company, "sam", f"/mes/work-orders/{work_order}/dispatch")
    await until(company, order, lambda own: (own["workOrders"][0]["pickList"] or {}).get("state") == "allocated")
    await look()
    return order


@pytest.mark.accepts("E3")
async def test_what_is_told_differently_later_is_found(company: Company, clients: Clients, database: Database) -> None:
    readers = readers_of(clients)
    await looked_at(company, readers, "API-MOMENT")
    taken = list(readers.looks.taken)
    assert [look.is_query for look in taken] == [False, True] * 3
    await readers.ask_again(lambda: database.owner_url)
    assert readers.looks.findings == []
    assert len(readers.looks.compared) == 6

    again = readers_of(clients)
    again.looks.taken = taken
    number, revision = taken[2].number, taken[2].revision
    await asyncio.to_thread(forge, database.owner_url, number)
    await again.ask_again(lambda: database.owner_url)
    told = [(finding.kind, finding.detail) for finding in again.looks.findings]
    assert ("retold", "by the record: /approvals/0: seen 'sam', now 'ben'") in told
    assert ("retold", "by its process: /approvals/0: seen 'sam', now 'ben'") in told
    assert any(finding.where.endswith(f"revision {revision}") for finding in again.looks.findings)
    assert not any(finding.where.endswith(f"revision {taken[0].revision}") for finding in again.looks.findings)


@pytest.mark.accepts("E3", "QL-12")
async def test_a_lot_that_is_stopped_later_was_not_nonconforming_then(
    company: Company, clients: Clients, database: Database
) -> None:
    """`?at=` marks lots by what they were at that time, not by what they are now."""
    readers = readers_of(clients)
    order = await looked_at(company, readers, "API-LATER")
    live = readers.looks.taken[-2]
    (line, *_) = live.document["workOrders"][0]["pickList"]["lines"]
    assert (line["lot"], line["nonconforming"]) == ("API-LATER", False)
    await until_hold(company, await held(company, "API-LATER"), "held")
    now = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()
    assert now["workOrders"][0]["pickList"]["lines"][0]["nonconforming"]
    await readers.ask_again(lambda: database.owner_url)
    assert readers.looks.findings == []
    assert live in readers.looks.compared


async def test_what_is_not_one_moment_is_not_compared(company: Company, clients: Clients, database: Database) -> None:
    readers = readers_of(clients)
    await looked_at(company, readers, "API-UNCLEAR")
    approved_look, last = readers.looks.taken[2], readers.looks.taken[4]
    await asyncio.to_thread(assert_unclear, database.owner_url, approved_look, last)


def assert_unclear(url: str, before: Look, last: Look) -> None:
    with psycopg.connect(url) as connection:
        clear, moment = moment_of(connection, before), moment_of(connection, last)
        assert clear is not None
        assert moment is not None
        connection.execute("ALTER TABLE order_fact DISABLE TRIGGER USER")
        # A later fact that says that it is older: a command that had come in before.
        older = {"number": last.number, "revision": before.revision + 1, "at": clear}
        connection.execute(
            "UPDATE order_fact SET at = %(at)s WHERE order_number = %(number)s AND revision = %(revision)s", older
        )
        assert moment_of(connection, before) is None
        connection.rollback()
        # A lot of the order that changed between its last fact and the look.
        step = {"lot": "API-UNCLEAR", "at": moment + (last.answered_at - moment) / 2}
        connection.execute(
            "INSERT INTO state_transition (entity, entity_id, event, from_state, to_state, actor, at) "
            "VALUES ('lot', %(lot)s, 'hold', 'released', 'onHold', 'rae', %(at)s)", step,
        )  # fmt: skip
        assert moment_of(connection, last) is None
        late = Look(last.document, moment - timedelta(microseconds=1), is_query=False)
        assert moment_of(connection, late) == moment
        unknown = Look(last.document | {"revision": 999}, last.answered_at, is_query=False)
        assert moment_of(connection, unknown) is None
        connection.rollback()
        assert moment_of(connection, last) == moment


def test_differences_name_the_place_and_both_values() -> None:
    live = {"a": [{"b": 1, "c": 2}], "only": 1, "list": [1]}
    then = {"a": [{"b": 1, "c": 3}], "list": [1, 2], "new": None}
    assert list(differences(live, then)) == [
        "/a/0/c: seen 2, now 3", "/list: seen [1], now [1, 2]", "/only: seen 1, now None",
    ]  # fmt: skip
    assert list(differences(live, then, frozenset({"c", "list", "only"}))) == []


def test_an_order_that_nobody_knows_any_more_is_found() -> None:
    look = Look({"id": "x", "number": "PO-1", "revision": 3}, NOON, is_query=False)
    (finding,) = told_again(look, NOON, None)
    assert finding == Finding("retold", f"order PO-1 at {NOON.isoformat()}, revision 3", SILENCE)


def test_a_run_that_saw_too_little_has_not_passed() -> None:
    look = Look({"number": "PO-1"}, NOON, is_query=False)
    assert not Looks(wanted=60, compared=[look] * (LEAST - 1)).enough()
    assert Looks(wanted=60, compared=[look] * LEAST).enough()
    assert Looks(wanted=1, compared=[look]).enough()
