"""What the tests of signatures do at a terminal."""

import base64
import itertools
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
from sqlalchemy import Engine, text

from api.clock import now
from api.one_time_codes import hotp, step_at
from tests.api.company import PASSWORD, Company, Desk
from tests.api.words import create, do

_ids = itertools.count(1)
TYPING = timedelta(seconds=10)
"""As long as somebody has from the look at the telephone to the answer of the server."""


async def submitted(company: Company, policy: str = "gmp", **plan: Any) -> str:
    """A submitted order's id."""
    order: str = (await create(company, policy=policy, **plan))["id"]
    await do(company, "pia", f"/mes/orders/{order}/submit")
    return order


async def show(desk: Desk, command: str, entity: str, **more: Any) -> httpx.Response:
    """Begin a ceremony."""
    body = {"command": command, "entityId": entity, "commandId": f"signing/{next(_ids)}", **more}
    return await desk.post("/signatures/requests", body)


async def shown(desk: Desk, command: str, entity: str, **more: Any) -> dict[str, Any]:
    """A ceremony that began."""
    answer = await show(desk, command, entity, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def approve(
    desk: Desk, order: str, made: dict[str, Any], password: str = PASSWORD, **more: Any
) -> httpx.Response:
    """Approve what a ceremony has shown."""
    ceremony = {"requestId": made["id"], "contentHash": made["contentHash"], **more}
    body = {"commandId": made["commandId"]}
    return await desk.command(f"/mes/orders/{order}/approve", signed=password, ceremony=ceremony, **body)


def audited(engine: Engine, action: str) -> list[Any]:
    """The audit rows of an action, oldest first."""
    with engine.connect() as connection:
        statement = text("SELECT * FROM audit_row WHERE action = :action ORDER BY seq")
        return list(connection.execute(statement, {"action": action}))


def states(engine: Engine, request: str) -> list[str]:
    """What a ceremony went through."""
    with engine.connect() as connection:
        statement = text("SELECT to_state FROM state_transition WHERE entity_id = :id ORDER BY id")
        return list(connection.execute(statement, {"id": request}).scalars())


async def verdict(company: Company, identity: str) -> dict[str, Any]:
    """What the verification of a signature says."""
    answer = await (await company.desk("aud")).get(f"/signatures/{identity}/verification")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def tampered(owner_url: str, *statements: str) -> None:
    """What somebody with all rights does to the record: past its triggers."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


class Authenticator:
    """Somebody's telephone: every code is one that was not shown before."""

    def __init__(self, address: str) -> None:
        secret = parse_qs(urlsplit(address).query)["secret"][0]
        self.secret = base64.b32decode(secret)
        self._last = 0

    def code(self) -> str:
        """The oldest code that counts until it is typed; of a later step when that one's was used."""
        step = max(step_at(now() + TYPING) - 1, self._last + 1)
        while step > step_at(now()) + 1:
            time.sleep(0.5)
        self._last = step
        return hotp(self.secret, step)


async def with_second_factor(desk: Desk, password: str = PASSWORD) -> Authenticator:
    """Somebody enrols a second factor."""
    made = await desk.post("/auth/second-factor", {"password": password})
    assert made.status_code == 201, made.text
    telephone = Authenticator(made.json()["uri"])
    assert (await desk.post("/auth/second-factor/confirm", {"code": telephone.code()})).status_code == 204
    return telephone
