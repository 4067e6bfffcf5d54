"""A shared terminal: the next person takes it over by badge and PIN, for what a PIN is good for and nothing more."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api import pins
from api.app import create_app
from settings import Settings
from tests.api.company import PASSWORD, PREFIX, Company, Desk
from tests.api.signing import audited, submitted, with_second_factor
from tests.api.test_accounts import hired

PIN = "483920"


async def with_pin(company: Company, name: str, *roles: str, pin: str = PIN) -> Desk:
    """A new colleague who has chosen a PIN, at a desk of their own."""
    await hired(company, name, *(roles or ("operator",)))
    desk = await company.login(name)
    assert (await desk.post("/auth/pin", {"password": PASSWORD, "pin": pin})).status_code == 204
    return desk


async def taking(company: Company, terminal: Desk, badge: str, pin: str = PIN) -> httpx.Response:
    """Badge and PIN at a terminal."""
    body = {"badge": badge, "pin": pin}
    answer = await company.client.post(f"{PREFIX}/auth/take-over", json=body, headers=terminal.headers)
    assert pin not in answer.text
    return answer


async def code_of(company: Company, terminal: Desk, badge: str, pin: str = PIN) -> tuple[int, str]:
    answer = await taking(company, terminal, badge, pin)
    return answer.status_code, str(answer.json().get("code", ""))


async def test_the_next_person_takes_a_terminal_over_and_every_act_is_theirs(company: Company, engine: Engine) -> None:
    await with_pin(company, "nora")
    terminal = await company.login("olu")
    taken = await taking(company, terminal, "person/nora")
    assert taken.status_code == 200, taken.text
    nora = Desk(company.client, "nora", taken.json()["token"])
    assert (await nora.get("/auth/me")).json()["userId"] == "nora"
    assert (await terminal.get("/auth/me")).status_code == 401
    row = audited(engine, "terminal.taken")[-1]
    assert (row.actor, row.entity, row.new) == ("nora", "user/nora", {"terminalOf": "olu"})
    assert audited(engine, "logout")[-1].actor == "olu"
    # and the one before takes it back, by the number of a card
    ada = await company.desk("ada")
    given = await ada.post("/users/olu/badge", {"badge": "0047110815", "reason": "a new card"})
    assert given.json() == {"id": "olu", "badge": "0047110815"}
    olu = await company.login("olu")
    assert (await olu.post("/auth/pin", {"password": PASSWORD, "pin": "9051"})).status_code == 204
    back = await taking(company, nora, "0047110815", "9051")
    assert back.json()["userId"] == "olu"
    scanned = await olu.get("/scan", code="0047110815")
    assert (scanned.json()["kind"], scanned.json()["id"]) == ("person", "olu")
    # a PIN does not make the day longer than the password did
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT user_id, by_pin, expires_at FROM user_session WHERE by_pin ORDER BY created_at DESC LIMIT 2")
        ).all()
    assert [row.user_id for row in rows] == ["olu", "nora"]
    assert len({row.expires_at for row in rows}) == 1


async def test_a_pin_opens_no_terminal_that_no_password_has_opened(company: Company, engine: Engine) -> None:
    await with_pin(company, "otto")
    stranger = Desk(company.client, "otto", "not-a-token")
    assert await code_of(company, stranger, "otto") == (401, "TERMINAL_NOT_OPEN")
    terminal = await company.login("ole")
    with engine.begin() as connection:
        over = "UPDATE user_session SET expires_at = expires_at - :hours WHERE user_id = 'ole' AND ended_at IS NULL"
        connection.execute(text(over), {"hours": timedelta(hours=13)})
    assert await code_of(company, terminal, "otto") == (401, "TERMINAL_NOT_OPEN")
    # whoever logs out, closes the terminal; an account that is shut out does not hold one open
    terminal = await company.login("ole")
    await terminal.post("/auth/logout")
    assert await code_of(company, terminal, "otto") == (401, "TERMINAL_NOT_OPEN")
    await hired(company, "leaver", "operator")
    terminal = await company.login("leaver")
    await (await company.desk("ada")).post("/users/leaver/disable", {"reason": "has left"})
    assert await code_of(company, terminal, "otto") == (401, "TERMINAL_NOT_OPEN")
    # a password that was changed ends what was open or locked, for everybody
    await hired(company, "robbed", "operator")
    terminal = await company.login("robbed")
    body = {"userId": "robbed", "password": PASSWORD, "newPassword": "another-Word-4711"}
    assert (await company.client.post(f"{PREFIX}/auth/password", json=body)).status_code == 204
    assert await code_of(company, terminal, "otto") == (401, "TERMINAL_NOT_OPEN")


@pytest.mark.accepts("AC-08")
async def test_a_terminal_that_stood_idle_can_be_taken_over(company: Company, engine: Engine) -> None:
    await with_pin(company, "ida")
    terminal = await company.login("wil")
    with engine.begin() as connection:
        connection.execute(text("UPDATE user_session SET last_seen_at = last_seen_at - interval '2 hours'"
                                " WHERE user_id = 'wil'"))  # fmt: skip
    company.client._transport.app.state.services.sessions.forget()  # type: ignore[attr-defined]
    assert (await terminal.get("/auth/me")).json()["code"] == "SESSION_EXPIRED"
    assert await code_of(company, terminal, "ida") == (200, "")


async def test_the_fifth_wrong_pin_locks_it_and_the_password_stays_good(company: Company, engine: Engine) -> None:
    desk = await with_pin(company, "vera")
    terminal = await company.login("olu")
    said = [await code_of(company, terminal, "vera", wrong) for wrong in ("1357", "2468", "8642", "7531", "9999")]
    assert said == [(401, "PIN_FAILED")] * 5
    assert await code_of(company, terminal, "vera") == (403, "PIN_LOCKED")  # the right one
    assert (await terminal.get("/auth/me")).json()["userId"] == "olu"  # and nothing else has changed
    assert audited(engine, "pin.locked")[-1].entity == "user/vera"
    assert [row.new for row in audited(engine, "pin.failed") if row.entity == "user/vera"] == [
        {"pinFailedAttempts": number} for number in range(1, 6)
    ]
    with engine.connect() as connection:
        alarms = connection.execute(text("SELECT detail FROM alarm WHERE code = 'PIN_LOCKED'")).scalars().all()
    assert any(detail.startswith("vera:") for detail in alarms)
    again = await company.login("vera")
    assert (await again.post("/auth/pin", {"password": PASSWORD, "pin": "2580"})).status_code == 204
    assert await code_of(company, terminal, "vera", "2580") == (200, "")
    assert (await desk.get("/auth/me")).status_code == 200


async def test_many_guesses_at_once_are_counted_one_by_one(company: Company, engine: Engine) -> None:
    await with_pin(company, "gus")
    terminal = await company.login("olu")
    said = await asyncio.gather(*(code_of(company, terminal, "gus", f"10{number:02}") for number in range(9)))
    assert sorted(said) == [(401, "PIN_FAILED")] * 5 + [(403, "PIN_LOCKED")] * 4
    with engine.connect() as connection:
        found = connection.execute(text("SELECT pin_failed_attempts FROM user_account WHERE id = 'gus'")).scalar_one()
    assert found == 5


async def test_an_administrator_takes_a_forgotten_pin_away_but_never_learns_it(
    company: Company, engine: Engine
) -> None:
    await with_pin(company, "zoe")
    ada, olu = await company.desk("ada"), await company.login("olu")
    for _ in range(5):
        await code_of(company, olu, "zoe", "1357")
    shown = next(user for user in (await ada.get("/users")).json() if user["id"] == "zoe")
    assert (shown["hasPin"], shown["isPinLocked"], shown["badge"]) == (True, True, None)
    assert (await ada.post("/users/zoe/reset-pin", {"reason": "no"})).status_code == 422
    assert (await olu.post("/users/zoe/reset-pin", {"reason": "forgot it"})).json()["code"] == "NOT_AUTHORISED"
    assert (await ada.post("/users/zoe/reset-pin", {"reason": "forgot it"})).status_code == 200
    row = audited(engine, "pin.reset")[-1]
    assert (row.actor, row.reason, row.new["pinLockedAt"]) == ("ada", "forgot it", None)
    assert row.old["pinLockedAt"]
    assert await code_of(company, olu, "zoe") == (401, "PIN_FAILED")
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT pin_hash FROM user_account WHERE pin_hash IS NOT NULL")).scalars()
        assert all(found.startswith("$argon2id$") for found in stored)
        leaks = connection.execute(text(f"SELECT count(*) FROM audit_row a WHERE a::text LIKE '%{PIN}%'")).scalar_one()
    assert leaks == 0


@pytest.mark.usefixtures("working")
async def test_a_pin_signs_nothing(company: Company) -> None:
    await with_pin(company, "sven", "supervisor")
    taken = await taking(company, await company.login("olu"), "sven")
    sven = Desk(company.client, "sven", taken.json()["token"])
    order = await submitted(company)
    path = f"/mes/orders/{order}/approve"
    assert (await sven.command(path)).json()["code"] == "REAUTH_REQUIRED"
    assert (await sven.command(path, signed=PIN)).json()["code"] == "SIGNATURE_FAILED"
    # also where the second signing of a session asks for the password alone: the first one asks for both
    easy = await submitted(company, policy="easy")
    alone = {"commandId": "pin/1", "signature": {"password": PASSWORD}}
    assert (await sven.post(f"/mes/orders/{easy}/approve", alone)).json()["code"] == "REAUTH_REQUIRED"
    assert (await sven.command(path, signed=PASSWORD)).status_code == 200
    # neither another PIN nor a second factor nor another password is had by a PIN
    assert (await sven.post("/auth/pin", {"password": PIN, "pin": "7391"})).json()["code"] == "SIGNATURE_FAILED"
    body = {"userId": "sven", "password": PIN, "newPassword": "another-Word-4711"}
    assert (await sven.client.post(f"{PREFIX}/auth/password", json=body)).status_code == 401


async def test_what_everybody_tries_first_is_no_pin_and_administrators_have_none(company: Company) -> None:
    await hired(company, "paula", "operator")
    desk = await company.login("paula")

    async def choose(pin: Any, password: str = PASSWORD) -> tuple[int, str]:
        answer = await desk.post("/auth/pin", {"password": password, "pin": pin})
        return answer.status_code, "" if answer.status_code == 204 else answer.json()["code"]

    for simple in ("1111", "000000", "1234", "4321", "7890", "98765"):
        assert await choose(simple) == (409, "PIN_TOO_SIMPLE"), simple
    for wrong in ("123", "123456789", "12a4", "", "１２４７"):
        assert await choose(wrong) == (409, "PIN_WRONG_SHAPE"), wrong
    assert await choose("1470", "wrong-password") == (403, "SIGNATURE_FAILED")
    assert await choose("1470") == (204, "")
    assert await choose(None) == (204, "")
    terminal = await company.login("olu")
    assert await code_of(company, terminal, "paula", "1470") == (401, "PIN_FAILED")
    ada = await company.desk("ada")
    refused = await ada.post("/auth/pin", {"password": PASSWORD, "pin": "1470"})
    assert refused.json()["code"] == "PIN_NOT_ALLOWED"


def test_digits_in_a_row_are_simple_and_others_are_not() -> None:
    assert [pin for pin in ("0123", "9012", "3210", "2109", "1212", "2580", "1122") if pins.is_simple(pin)] == [
        "0123", "9012", "3210", "2109",
    ]  # fmt: skip


async def test_a_badge_belongs_to_one_person_and_a_machine_has_none(company: Company) -> None:
    ada = await company.desk("ada")

    async def give(user: str, badge: str | None) -> tuple[int, str]:
        answer = await ada.post(f"/users/{user}/badge", {"badge": badge, "reason": "a new card"})
        return answer.status_code, answer.json().get("code", "")

    assert await give("wil", "card-77") == (200, "")
    assert await give("wes", "card-77") == (409, "BADGE_TAKEN")
    assert await give("wes", "wil") == (409, "BADGE_TAKEN")  # the id of a person is a badge, too
    assert await give("erp", "card-78") == (409, "ACCOUNT_KIND")
    assert await give("nobody", "card-78") == (404, "NOT_FOUND")
    assert await give("wil", None) == (200, "")
    assert await give("wes", "card-77") == (200, "")


async def test_who_guesses_badges_has_to_wait_and_learns_nothing(company: Company) -> None:
    terminal = await company.login("dan")
    said = {await code_of(company, terminal, f"badge-{number}", "1470") for number in range(5)}
    assert said == {(401, "PIN_FAILED")}  # as for a wrong PIN, and for somebody without one
    assert await code_of(company, terminal, "pia", "1470") == (401, "PIN_FAILED")
    codes = [(await code_of(company, terminal, "badge-0", "1470"))[1] for _ in range(10)]
    assert codes[-1] == "TOO_MANY_ATTEMPTS"


async def test_what_keeps_from_logging_in_keeps_from_taking_over(
    company: Company, settings: Settings, task_queue: str, engine: Engine
) -> None:
    telephone = await with_second_factor(await with_pin(company, "tess"))
    assert telephone.code()
    terminal = await company.login("olu")
    app: FastAPI = create_app(replace(settings, login_second_factor=True, password_days=30), task_queue=task_queue)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mes") as client,
    ):
        strict = Company(client)
        assert await code_of(strict, terminal, "tess") == (403, "SECOND_FACTOR_REQUIRED")
        await with_pin(company, "aged")
        with engine.begin() as connection:
            older = "UPDATE user_account SET created_at = created_at - interval '31 days' WHERE id = 'aged'"
            connection.execute(text(older))
        assert await code_of(strict, terminal, "aged") == (403, "PASSWORD_EXPIRED")
    with engine.begin() as connection:
        connection.execute(text("UPDATE user_account SET locked_at = now() WHERE id = 'aged'"))
    assert await code_of(company, terminal, "aged") == (403, "ACCOUNT_LOCKED")
    assert (await terminal.get("/auth/me")).json()["userId"] == "olu"
