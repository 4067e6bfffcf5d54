"""Every page of the console for every role: nobody gets an error of ours, nobody without a session gets in."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.ui.console import AREAS
from api.ui.door import COOKIE, OPEN
from tests.api.company import PASSWORD, PEOPLE, Company
from tests.api.words import at_stage, create

pytestmark = pytest.mark.usefixtures("working")
OF_EACH_ROLE = {role: user for user, roles in reversed(PEOPLE.items()) for role in roles if role != "integration"}
"""A person of each role: two of one role would be shown the same."""
HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy")


def pages() -> list[str]:
    """The addresses of all pages."""
    routes = [route for area in AREAS for route in area.router.routes if isinstance(route, APIRoute)]
    found = [route.path for route in routes if "GET" in (route.methods or ())]
    assert len(found) > 5
    return sorted(found)


def filled(path: str) -> str:
    """The address of something that is not there."""
    parts = [str(uuid.UUID(int=7)) if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


@asynccontextmanager
async def logged_in(address: str, user: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser."""
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        answer = await client.post("/ui/login", data={"user_id": user, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        assert COOKIE in client.cookies
        yield client


@pytest.fixture
async def stranger(served: tuple[FastAPI, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a session."""
    async with httpx.AsyncClient(base_url=served[1], timeout=30) as client:
        yield client


@pytest.mark.parametrize("user", OF_EACH_ROLE.values(), ids=OF_EACH_ROLE)
async def test_every_page_answers_every_role_in_words(user: str, served: tuple[FastAPI, str], company: Company) -> None:
    _, address = served
    async with logged_in(address, user) as browser:
        for path in pages():
            answer = await browser.get(filled(path))
            assert answer.status_code < 500, (path, answer.text[-600:])
            if answer.status_code != 303:
                assert all(name in answer.headers for name in HEADERS), path
            if answer.status_code == 200 and "html" in answer.headers.get("content-type", ""):
                assert "unsafe-inline" not in answer.headers["content-security-policy"]
                assert " style=" not in answer.text, path
                assert "<script>" not in answer.text, path


@pytest.mark.accepts("AC-01")
async def test_without_a_session_every_page_leads_to_the_log_in(
    served: tuple[FastAPI, str], company: Company, stranger: httpx.AsyncClient
) -> None:
    for path in pages():
        if path.startswith(OPEN):
            continue
        answer = await stranger.get(filled(path))
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/ui/login?next="), path
        fragment = await stranger.get(filled(path), headers={"x-fragment": "1"})
        assert (fragment.status_code, fragment.text) == (401, ""), path
    refused = await stranger.post("/ui/do/mes/orders/x/submit", data={"commandId": "1"})
    assert refused.status_code == 401


async def test_a_machine_has_no_console(company: Company, stranger: httpx.AsyncClient) -> None:
    answer = await stranger.post("/ui/login", data={"user_id": "erp", "password": PASSWORD})
    assert answer.status_code == 403
    assert COOKIE not in stranger.cookies


async def test_nobody_is_led_to_another_site_after_the_log_in(company: Company, stranger: httpx.AsyncClient) -> None:
    for elsewhere in ("https://example.org/", "//example.org/", "/ui/\\example.org", "javascript:alert(1)"):
        data = {"user_id": "olu", "password": PASSWORD, "next": elsewhere}
        answer = await stranger.post("/ui/login", data=data)
        assert answer.headers["location"] == "/ui/", elsewhere


async def test_a_page_that_refreshes_itself_does_not_keep_a_session_alive(
    served: tuple[FastAPI, str], company: Company
) -> None:
    app, address = served
    sessions = app.state.services.sessions
    async with logged_in(address, "olu") as browser:
        sessions.forget()
        touched: list[bool] = []
        find = sessions.find

        def watched(token: str, *, touch: bool = True) -> object:
            touched.append(touch)
            return find(token, touch=touch)

        sessions.find = watched
        try:
            await browser.get("/ui/board", headers={"x-fragment": "1", "x-refresh": "1"})
            sessions.forget()
            await browser.get("/ui/board")
        finally:
            sessions.find = find
    assert touched == [False, True]


NOT_FOUND = (
    ("/ui/reviews/PO-NONE-01", "work order", "工单", "/ui/reviews"),
    ("/ui/tasks/PO-NONE-01/MIX", "work order", "工单", "/ui/tasks"),
    ("/ui/picks/PO-NONE-01", "work order", "工单", "/ui/picks"),
    ("/ui/put-away/PO-NONE-01", "work order", "工单", "/ui/put-away"),
    ("/ui/inspections/NONE-I1", "inspection", "检验", "/ui/inspections"),
    ("/ui/exceptions/NONE-D1", "deviation", "偏差", "/ui/exceptions"),
    ("/ui/plan/NONE", "plan line", "计划行", "/ui/plan"),
    ("/ui/master/records/NONE", "master batch record", "主批生产记录", "/ui/master"),
    ("/ui/master/materials/NONE", "material", "物料", "/ui/master"),
    ("/ui/equipment/NONE", "equipment", "设备", "/ui/equipment"),
    ("/ui/maintenance/NONE", "maintenance order", "维护工单", "/ui/maintenance"),
    ("/ui/holds/NONE-H1", "hold", "冻结", "/ui/holds"),
    ("/ui/recalls/NONE", "recall", "召回", "/ui/recalls"),
    ("/ui/interfaces/incoming/NONE", "message", "消息", "/ui/interfaces"),
    (f"/ui/exceptions/{uuid.UUID(int=7)}", "deviation", "偏差", "/ui/exceptions"),
    (f"/ui/orders/{uuid.UUID(int=7)}", "production order", "生产订单", "/ui/orders"),
)
"""Address → what it names, in both languages, and the list where one can look."""


@pytest.mark.parametrize(("path", "entity", "word", "listed"), NOT_FOUND, ids=[one[0] for one in NOT_FOUND])
async def test_what_is_not_there_is_named_with_where_to_look(
    path: str, entity: str, word: str, listed: str, served: tuple[FastAPI, str], company: Company
) -> None:
    named = next(part for part in path.split("/")[3:] if "NONE" in part or "-0" in part)
    async with logged_in(served[1], "max") as browser:
        for language, said in (("en", f"There is no {entity} {named}"), ("zh", word)):
            browser.cookies.set("mes_language", language)
            answer = await browser.get(path)
            shown = answer.text.partition('<main id="main"')[2].partition("</main>")[0]
            assert answer.status_code == 404, (path, answer.text[-400:])
            assert said in shown, shown
            assert named in shown
            assert f'href="{listed}"' in shown
            assert f"/ui/scan?code={named}" in shown
            assert "Traceback" not in answer.text


async def test_a_batch_without_a_score_is_said_on_the_page(served: tuple[FastAPI, str], company: Company) -> None:
    async with logged_in(served[1], "pat") as browser:
        browser.cookies.set("mes_language", "en")
        answer = await browser.get("/ui/risk?lot=NO-SUCH-LOT")
    assert answer.status_code == 200
    assert "NO-SUCH-LOT" in answer.text


async def test_people_who_see_the_same_share_a_part_and_nothing_of_their_own(
    served: tuple[FastAPI, str], company: Company
) -> None:
    app, address = served
    await at_stage(company, "submitted")
    await asyncio.wait_for(app.state.changes.listening.wait(), 30)
    part = {"x-fragment": "1", "x-refresh": "1"}
    async with logged_in(address, "sam") as sam, logged_in(address, "sue") as sue:
        own = (await sam.get("/ui/board", headers=part)).text
        again = (await sam.get("/ui/board", headers=part)).text
        theirs = (await sue.get("/ui/board", headers=part)).text
    token, ids = (
        re.compile(r'name="form_token" value="([^"]+)"'),
        re.compile(r'name="commandId" value="([0-9a-f]{32})"'),
    )
    assert "\x00" not in own + theirs
    assert len(set(token.findall(own))) == 1
    assert set(token.findall(own)).isdisjoint(token.findall(theirs))
    assert len(set(ids.findall(own))) == len(ids.findall(own)) > 0
    assert set(ids.findall(own)).isdisjoint(ids.findall(again) + ids.findall(theirs))
    order = await create(company)
    async with logged_in(address, "pia") as pia:
        for _ in range(100):
            if order["number"] in (await pia.get("/ui/board", headers=part)).text:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the kept part outlives the change")
