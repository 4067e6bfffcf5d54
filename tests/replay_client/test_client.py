"""How the replay talks to the API: one effect per step, whatever the network does."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from replay import client as module
from replay.client import NotTaken, Plant, command_id
from replay.people import KEEPER, SUPERVISOR, Person

Handler = Callable[[httpx.Request], httpx.Response]
LOGIN = "/api/v1/auth/login"


class Server:
    """An API whose answers are told, one after the other, for each path."""

    def __init__(self, answers: dict[str, list[httpx.Response | Exception]]) -> None:
        self.answers, self.logins, self.seen = answers, 0, []  # type: ignore[var-annotated]
        self.is_away_for = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        path = request.url.path
        if path == LOGIN and self.is_away_for:
            self.is_away_for -= 1
            return httpx.Response(503, json={"code": "RECORD_UNAVAILABLE"})
        if path == LOGIN:
            self.logins += 1
            return httpx.Response(200, json={"token": f"token-{self.logins}"})
        content: Any = json.loads(request.content) if request.content else None
        self.seen.append((path, request.headers["Authorization"], content))
        answer = self.answers[path.removeprefix("/api/v1")].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def plant_of(server: Server, people: dict[str, Person]) -> Plant:
    return Plant(lambda: httpx.AsyncClient(transport=httpx.MockTransport(server), base_url="http://mes"), people)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)


def ok(**body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


async def test_the_same_step_has_the_same_id_and_another_step_another(people: dict[str, Person]) -> None:
    assert command_id("TAB-00001", "submit") == command_id("TAB-00001", "submit")
    assert command_id("TAB-00001", "submit") != command_id("TAB-00001", "close")
    assert len(command_id("TAB-00001", "submit")) <= 80


async def test_a_verdict_that_comes_late_is_waited_for(people: dict[str, Person]) -> None:
    command = command_id("O", "release")
    server = Server(
        {
            "/mes/orders/1/release": [httpx.Response(202, json={"commandId": command})],
            f"/commands/{command}": [httpx.Response(404, json={}), ok(accepted=True, revision=7)],
        }
    )
    async with plant_of(server, people) as plant:
        answer = await plant.command(SUPERVISOR, "/mes/orders/1/release", {}, key=("O", "release"))
    assert answer["revision"] == 7


async def test_a_late_refusal_is_a_refusal(people: dict[str, Person]) -> None:
    command = command_id("O", "release")
    blocker = {"code": "NO_BOM", "entity": "material", "id": "X", "found": "none", "required": "one"}
    server = Server(
        {
            "/mes/orders/1/release": [httpx.Response(202, json={})],
            f"/commands/{command}": [ok(accepted=False, blockers=[blocker])],
        }
    )
    async with plant_of(server, people) as plant:
        with pytest.raises(NotTaken) as refused:
            await plant.command(SUPERVISOR, "/mes/orders/1/release", {}, key=("O", "release"))
    assert refused.value.code == "NO_BOM"
    assert "none, needed one" in refused.value.detail


async def test_a_lost_answer_and_a_restart_are_sent_through_with_the_same_id(people: dict[str, Person]) -> None:
    server = Server({"/x": [httpx.ReadError("gone"), httpx.Response(503, json={}), ok(accepted=True)]})
    async with plant_of(server, people) as plant:
        await plant.command(KEEPER, "/x", {}, key=("O", "x"))
    assert {content["commandId"] for _, _, content in server.seen} == {command_id("O", "x")}
    assert len(server.seen) == 3


async def test_a_login_meets_an_outage_like_everything_else(people: dict[str, Person]) -> None:
    server = Server({"/x": [ok(accepted=True)]})
    server.is_away_for = 2
    async with plant_of(server, people) as plant:
        await plant.command(KEEPER, "/x", {}, key=("O", 1))
    assert (server.logins, len(server.seen)) == (1, 1)


async def test_a_session_that_ended_is_opened_again(people: dict[str, Person]) -> None:
    ended = httpx.Response(401, json={"code": "NOT_AUTHENTICATED"})
    server = Server({"/x": [ended, ok(accepted=True), ok(accepted=True)]})
    async with plant_of(server, people) as plant:
        await plant.command(KEEPER, "/x", {}, key=("O", 1))
        await plant.command(KEEPER, "/x", {}, key=("O", 2))
    assert server.logins == 2
    assert [token for _, token, _ in server.seen] == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]


async def test_a_signature_is_given_by_who_acts(people: dict[str, Person]) -> None:
    server = Server({"/x": [ok(accepted=True)]})
    async with plant_of(server, people) as plant:
        await plant.command(KEEPER, "/x", {}, key=("O", 1), signed=True)
    (_, _, content) = server.seen[0]
    assert content["signature"] == {"userId": KEEPER, "password": people[KEEPER].password}
    assert people[KEEPER].password not in repr(people[KEEPER])


async def test_a_refusal_that_is_no_problem_document_is_still_one(people: dict[str, Person]) -> None:
    server = Server({"/x": [httpx.Response(413, text="too much")]})
    async with plant_of(server, people) as plant:
        with pytest.raises(NotTaken) as refused:
            await plant.post(KEEPER, "/x", {})
    assert (refused.value.status, refused.value.code) == (413, "HTTP_413")
