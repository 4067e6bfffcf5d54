"""Accounts over their lives: passwords, roles, idle sessions, keys of machines, failed logins from one place."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api.app import create_app
from settings import Settings, SettingWrong, from_environment
from tests.api.company import PASSWORD, PREFIX, Company, Desk
from tests.api.signing import audited, with_second_factor
from tests.api.words import create

PLACES = {"DATABASE_URL": "postgresql://x", "TEMPORAL_ADDRESS": "x:1"}


async def hired(company: Company, name: str, *roles: str) -> None:
    new = {"id": name, "fullName": name.title(), "password": PASSWORD, "roles": roles, "reason": "a new colleague"}
    answer = await (await company.desk("ada")).post("/users", new)
    assert answer.status_code == 201, answer.text


async def change(company: Company, name: str, old: str, new: str) -> tuple[int, str]:
    body = {"userId": name, "password": old, "newPassword": new}
    answer = await company.client.post(f"{PREFIX}/auth/password", json=body)
    assert new not in answer.text
    return answer.status_code, "" if answer.status_code == 204 else answer.json()["code"]


async def as_code(company: Company, name: str, password: str, **more: Any) -> str:
    body = {"userId": name, "password": password, **more}
    answer = await company.client.post(f"{PREFIX}/auth/login", json=body)
    return str(answer.json().get("code", "ok"))


@pytest.mark.accepts("AC-06")
async def test_the_last_five_passwords_are_not_taken_again(company: Company, engine: Engine) -> None:
    await hired(company, "paul", "operator")
    desk = await company.login("paul")
    words = [PASSWORD, *(f"another-password-{number}" for number in range(5))]
    assert await change(company, "paul", "wrong-password", words[1]) == (401, "LOGIN_FAILED")
    assert await change(company, "paul", PASSWORD, "tooLittle!") == (409, "PASSWORD_TOO_SHORT")
    for old, new in itertools.pairwise(words):
        assert await change(company, "paul", old, old) == (409, "PASSWORD_USED_BEFORE")
        assert await change(company, "paul", old, new) == (204, "")
    assert (await desk.get("/auth/me")).status_code == 401
    for used in words[1:]:
        assert await change(company, "paul", words[-1], used) == (409, "PASSWORD_USED_BEFORE")
    assert await change(company, "paul", words[-1], words[0]) == (204, "")
    assert await as_code(company, "paul", words[0]) == "ok"
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT password_hash FROM password_history WHERE user_id = 'paul'")).scalars()
        # What a guess costs: the least that OWASP recommends for Argon2id (19 MiB, twice).
        assert all(found.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for found in kept)
    assert len(audited(engine, "password.changed")) == 6


@pytest.mark.accepts("AC-06", "AC-07")
async def test_a_password_that_an_administrator_chose_is_good_for_one_change(company: Company) -> None:
    await hired(company, "rita", "operator")
    ada = await company.desk("ada")
    body = {"password": "chosen-by-ada-1", "reason": "forgot the old one"}
    assert (await ada.post("/users/rita/reset-password", body)).status_code == 200
    assert await as_code(company, "rita", PASSWORD) == "LOGIN_FAILED"
    assert await as_code(company, "rita", "chosen-by-ada-1") == "PASSWORD_EXPIRED"
    assert await change(company, "rita", "chosen-by-ada-1", "her-own-password-1") == (204, "")
    assert await as_code(company, "rita", "her-own-password-1") == "ok"


@pytest.fixture
async def strict(settings: Settings, task_queue: str, company: Company) -> AsyncIterator[Company]:
    """The same plant behind an API with short idle times, ageing passwords and a second factor at the log-in."""
    changed = replace(settings, idle_minutes=2, password_days=30, login_second_factor=True)
    app: FastAPI = create_app(changed, task_queue=task_queue)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mes") as client,
    ):
        yield Company(client)


@pytest.mark.accepts("AC-06")
async def test_a_password_ages_where_the_plant_wants_it(company: Company, strict: Company, engine: Engine) -> None:
    await hired(company, "olga", "operator")
    assert await as_code(strict, "olga", PASSWORD) == "ok"
    with engine.begin() as connection:
        older = "UPDATE user_account SET created_at = created_at - interval '31 days' WHERE id = 'olga'"
        connection.execute(text(older))
    assert await as_code(strict, "olga", PASSWORD) == "PASSWORD_EXPIRED"
    assert await as_code(company, "olga", PASSWORD) == "ok"
    assert await change(strict, "olga", PASSWORD, "fresh-password-1") == (204, "")
    assert await as_code(strict, "olga", "fresh-password-1") == "ok"


@pytest.mark.accepts("AC-08", "C8")
async def test_the_idle_time_is_a_setting(company: Company, strict: Company, engine: Engine) -> None:
    desk = await strict.login("dan")
    assert (await desk.get("/auth/me")).json()["idleSeconds"] == 120
    relaxed = Desk(company.client, "dan", desk.token)
    assert (await relaxed.get("/auth/me")).json()["idleSeconds"] == 900
    with engine.begin() as connection:
        idle = text("UPDATE user_session SET last_seen_at = last_seen_at - :idle WHERE user_id = 'dan'")
        connection.execute(idle, {"idle": timedelta(minutes=3)})
    again = Desk(strict.client, "dan", desk.token)
    strict.client._transport.app.state.services.sessions.forget()  # type: ignore[attr-defined]
    answer = await again.get("/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "SESSION_EXPIRED")


@pytest.mark.accepts("C8")
async def test_who_has_a_second_factor_needs_it_to_log_in_where_the_plant_wants_it(
    company: Company, strict: Company
) -> None:
    await hired(company, "tina", "operator")
    telephone = await with_second_factor(await company.login("tina"))
    assert await as_code(company, "tina", PASSWORD) == "ok"
    assert await as_code(strict, "tina", PASSWORD) == "SECOND_FACTOR_REQUIRED"
    assert await as_code(strict, "tina", PASSWORD, code="000000") == "LOGIN_FAILED"
    code = telephone.code()
    assert await as_code(strict, "tina", PASSWORD, code=code) == "ok"
    assert await as_code(strict, "tina", PASSWORD, code=code) == "LOGIN_FAILED"


@pytest.mark.accepts("AC-07")
async def test_roles_are_granted_by_somebody_else_with_a_reason_and_audited(company: Company, engine: Engine) -> None:
    await hired(company, "gil", "operator")
    ada = await company.desk("ada")

    async def grant(user: str, *roles: str, reason: str = "a new job") -> tuple[int, str]:
        answer = await ada.post(f"/users/{user}/roles", {"roles": roles, "reason": reason})
        return answer.status_code, answer.json().get("code", "")

    assert await grant("gil", "supervisor", reason="no") == (422, "INVALID_REQUEST")
    assert await grant("ada", "supervisor") == (409, "SEPARATION_OF_DUTIES")
    assert await grant("gil", "administrator", "operator") == (409, "SEPARATION_OF_DUTIES")
    assert await grant("gil", "supervisor", "qualityManager") == (409, "SEPARATION_OF_DUTIES")
    assert await grant("gil", "integration") == (409, "ACCOUNT_KIND")
    assert await grant("erp", "operator") == (409, "ACCOUNT_KIND")
    assert await grant("nobody", "operator") == (404, "NOT_FOUND")
    assert await grant("gil", "supervisor") == (200, "")
    row = audited(engine, "user.roles")[-1]
    assert (row.actor, row.entity, row.reason) == ("ada", "user/gil", "a new job")
    assert (row.old, row.new) == ({"roles": ["operator"]}, {"roles": ["supervisor"]})
    assert (await (await company.login("gil")).get("/auth/me")).json()["roles"] == ["supervisor"]


@pytest.mark.accepts("ES-06")
@pytest.mark.usefixtures("working")
async def test_a_machine_comes_with_a_key_that_is_for_some_routes_and_signs_nothing(
    company: Company, engine: Engine
) -> None:
    ada = await company.desk("ada")
    body = {"name": "ERP of plant 1", "routes": ["* /mes/plan-lines", "GET /mes/orders"], "reason": "interface 7"}
    assert (await ada.post("/users/olu/api-keys", body)).json()["code"] == "ACCOUNT_KIND"
    made = (await ada.post("/users/erp/api-keys", body)).json()
    machine = Desk(company.client, "erp", made["key"])
    assert (await machine.get("/mes/plan-lines")).status_code == 200
    order = (await create(company))["id"]
    assert (await machine.get(f"/mes/orders/{order}")).status_code == 200
    for path in ("/wms/stock", "/mes/orders-of-others"):
        outside = await machine.get(path)
        assert (outside.status_code, outside.json()["code"]) == (403, "OUT_OF_SCOPE"), path
    posted = await machine.command(f"/mes/orders/{order}/submit")
    assert posted.json()["code"] == "OUT_OF_SCOPE"
    everything = (await ada.post("/users/erp/api-keys", {"name": "all", "reason": "interface 8"})).json()
    with engine.begin() as connection:
        connection.execute(text("UPDATE user_account SET roles = '[\"supervisor\"]' WHERE id = 'erp'"))
    free = Desk(company.client, "erp", everything["key"])
    signed = await free.command(f"/mes/orders/{order}/approve", signed=PASSWORD)
    assert signed.json()["code"] == "SIGNER_NOT_A_PERSON"
    with engine.begin() as connection:
        connection.execute(text("UPDATE user_account SET roles = '[\"integration\"]' WHERE id = 'erp'"))
        stored = connection.execute(text("SELECT count(*) FROM api_key k WHERE k::text LIKE :key"),
                                    {"key": f"%{made['key']}%"}).scalar_one()  # fmt: skip
    assert stored == 0
    listed = (await ada.get("/users/erp/api-keys")).json()["apiKeys"]
    assert [key["name"] for key in listed] == ["ERP of plant 1", "all"]
    assert made["key"] not in str(listed)
    gone = await ada.post(f"/users/erp/api-keys/{made['id']}/revoke", {"reason": "leaked into a log"})
    assert gone.status_code == 200
    assert (await machine.get("/mes/plan-lines")).status_code == 401
    none = await ada.post(f"/users/erp/api-keys/{uuid.uuid4()}/revoke", {"reason": "leaked into a log"})
    assert none.status_code == 404
    assert [row.reason for row in audited(engine, "apiKey.created")] == ["interface 7", "interface 8"]


async def test_many_good_logins_of_one_account_at_once_are_no_guesses(strict: Company) -> None:
    assert await asyncio.gather(*(as_code(strict, "wes", PASSWORD) for _ in range(30))) == ["ok"] * 30


async def test_a_guesser_has_to_wait(strict: Company) -> None:
    codes = [await as_code(strict, "no-such-user", "guess-number-one") for _ in range(11)]
    assert codes == ["LOGIN_FAILED"] * 10 + ["TOO_MANY_ATTEMPTS"]
    body = {"userId": "no-such-user", "password": "guess-number-two"}
    answer = await strict.client.post(f"{PREFIX}/auth/login", json=body)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert await as_code(strict, "pia", PASSWORD) == "ok"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MES_TIME_ZONE", "Mars/Olympus"), ("MES_IDLE_MINUTES", "0"), ("MES_PASSWORD_DAYS", "-1"),
        ("MES_SECRET_KEY", "short"), ("MES_SECRET_KEY_FILE", "/does/not/exist"), ("MES_SIGNATURE_SECONDS", "x"),
        ("MES_SITE", " EAST"), ("MES_SITE_GLN", "0614141007777"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_meant_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingWrong, match=name) as wrong:
        from_environment(PLACES | {name: value})
    assert name != "MES_SECRET_KEY" or value not in str(wrong.value).replace("a short key", "")
