"""Who gets in, and who may do what: the matrix is made from the application's routes and the commands' roles."""

import asyncio
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api import permissions
from api.gate import OPEN
from domain import commands as c
from domain import maintenance_commands as mc
from tests.api.access_matrix import COMMANDS, DIRECT, FOR_EVERYBODY, NEED_A_REPORT, REPLACES, R, denial_of
from tests.api.audit_routes import CALLED_IN
from tests.api.company import PASSWORD, PEOPLE, PREFIX, Company
from tests.api.words import create, do, until


def endpoints(app: FastAPI) -> list[tuple[str, str]]:
    """(method, path without prefix) of every route under the prefix."""
    return [
        (method.upper(), path.removeprefix(PREFIX))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    ]


OF_THINGS = frozenset({
    "order_id", "work_order_id", "pick_list_id", "plan_id", "product_id", "put_away_id", "record_id", "other_id",
    "key_id", "request_id", "signature_id", "deviation_id", "capa_id", "maintenance_id",
    "display_id", "change_id", "view_id", "schedule_id", "report_id",
})  # fmt: skip
"""Names in addresses that stand for a uuid."""
CODES = frozenset({
    "code", "number", "user_id", "lot", "prefix", "capability", "operation", "batch_no", "serial_no", "command_id",
    "inspection", "rework", "recovery", "over_report", "exception", "hold", "container", "change",
    "shipment", "recall", "message_id", "kind", "proposal",
})  # fmt: skip
OTHERS = {"digest": "0" * 64, "sha256": "0" * 64, "alarm_id": "987654321"}


def filled(path: str, **ids: str) -> str:
    """A path with something for each name."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in ids:
            return ids[name]
        if name in OF_THINGS:
            return str(uuid.uuid4())
        return "FIT" if name in CODES else OTHERS[name]

    return re.sub(r"\{(\w+)\}", value, path)


@pytest.mark.accepts("AC-01")
async def test_nobody_gets_in_without_a_session(app: FastAPI, company: Company, engine: Engine) -> None:
    with engine.connect() as connection:
        before = connection.execute(text("SELECT count(*) FROM audit_row")).scalar_one()
    for method, path in endpoints(app):
        if PREFIX + path in OPEN:
            continue
        for headers in ({}, {"Authorization": "Bearer not-a-token"}, {"Authorization": "Basic eDp5"}):
            answer = await company.client.request(method, PREFIX + filled(path), headers=headers, content=b"{not json")
            assert (answer.status_code, answer.json()["code"]) == (401, "NOT_AUTHENTICATED"), (method, path)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_row")).scalar_one() == before


def test_the_matrix_is_complete(app: FastAPI) -> None:
    mutating = {path for method, path in endpoints(app) if method != "GET"}
    assert mutating == COMMANDS.keys() | DIRECT.keys() | FOR_EVERYBODY
    assert {command for command, _ in COMMANDS.values()} == set(c.COMMANDS) - {c.OpenDeviation} | set(mc.LED_COMMANDS)
    assert {path: kind for path, (kind, _) in COMMANDS.items()} == permissions.COMMAND_ROUTES
    for path, (roles, _) in DIRECT.items():
        method = "PUT" if path in REPLACES else "POST"
        assert set(permissions.roles_of(method, path)) == set(roles), path
    for path in FOR_EVERYBODY:
        assert permissions.action_of("POST", path) in (permissions.OWN, permissions.OPEN)


def test_every_write_is_called_where_its_changes_are_watched() -> None:
    """AT-01: a new route is named in `audit_routes.py`, and its module shows that the trail tells what it changes."""
    writes = {f"POST {path}" for path in permissions.COMMAND_ROUTES} | {
        route for route in permissions.DIRECT_ROUTES if not route.startswith("GET ")
    }
    named = [route for routes in CALLED_IN.values() for route in routes]
    assert sorted(named) == sorted(writes)


@pytest.mark.accepts("AC-07")
def test_an_administrator_has_no_rights_on_production_data() -> None:
    assert [kind.kind_name() for kind in (*c.COMMANDS, *mc.LED_COMMANDS) if R.ADMINISTRATOR in kind.roles] == []
    direct = {action for action, roles in permissions.DIRECT.items() if R.ADMINISTRATOR in roles}
    assert direct == permissions.ADMINISTRATION


@pytest.mark.accepts("AC-02", "AC-07")
@pytest.mark.usefixtures("working")
async def test_every_write_is_refused_to_every_role_that_may_not(company: Company, engine: Engine) -> None:
    line = await company.plan("PL-MATRIX", product="CART", policy="plain", quantity="1")
    made = (await (await company.desk("pia")).post(f"/mes/orders/from-plan/{line['id']}")).json()
    await do(company, "pia", f"/mes/orders/{made['id']}/submit")
    await do(company, "sam", f"/mes/orders/{made['id']}/release")
    rod = made["workOrders"][-1]["id"]
    await do(company, "sam", f"/mes/work-orders/{rod}/dispatch")
    found = await until(company, made["id"], lambda o: o["workOrders"][-1]["pickList"])
    ids = {
        "order_id": made["id"], "work_order_id": rod, "pick_list_id": found["workOrders"][-1]["pickList"]["id"],
        "plan_id": line["id"], **_cases(engine),
    }  # fmt: skip
    rules = {path: (command.roles, body) for path, (command, body) in COMMANDS.items()} | DIRECT
    denied = 0
    for path, (roles, body) in rules.items():
        for user, (role,) in PEOPLE.items():
            if role in roles or path in NEED_A_REPORT:
                continue
            sent = [] if body is None else {"commandId": f"m/{uuid.uuid4()}", "workOrderId": rod, **body}
            if body is None:
                sent = [
                    {"reference": "x", "product": "TAB", "quantity": 1, "unit": "pcs", "policy": "gmp", "plant": "p"}
                ]
            desk = await company.desk(user)
            send: Any = desk.put if path in REPLACES else desk.post
            answer = await send(filled(path, **ids), sent)
            assert (answer.status_code, answer.json()["code"]) == (403, denial_of(path)), (path, user, answer.text)
            assert user in answer.json()["detail"]
            assert all(name in answer.json()["blockers"][0]["whoCanFix"] for name in roles)
            denied += 1
    with engine.connect() as connection:
        counted = connection.execute(text("SELECT count(*) FROM audit_row WHERE action = 'auth.denied'")).scalar_one()
    assert counted == denied


def _cases(engine: Engine) -> dict[str, str]:
    """A deviation and a corrective action, to be refused about."""
    made = {f"{kind}_id": uuid.uuid4() for kind in ("deviation", "capa", "maintenance")}
    statement = text(
        "INSERT INTO quality_case (number, uuid, kind, state, is_over, opened_by, opened_at, revision, body) "
        "VALUES (:number, :uuid, :kind, 'open', true, 'olu', now(), 1, '{}')"
    )
    with engine.begin() as connection:
        for name, identity in made.items():
            kind = name.removesuffix("_id")
            connection.execute(statement, {"number": f"matrix-{kind}", "uuid": identity, "kind": kind})
    return {name: str(identity) for name, identity in made.items()}


async def test_what_does_not_exist_is_404_before_403(company: Company) -> None:
    answer = await (await company.desk("ada")).command(f"/mes/orders/{uuid.uuid4()}/submit")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.accepts("AC-08")
async def test_an_idle_session_ends(company: Company, app: FastAPI, engine: Engine) -> None:
    desk = await company.login("dan")
    assert (await desk.get("/auth/me")).json()["roles"] == ["dataAnalyst"]
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE user_session SET last_seen_at = last_seen_at - :idle WHERE user_id = 'dan'"),
            {"idle": timedelta(minutes=16)},
        )
    app.state.services.sessions.forget()
    answer = await desk.get("/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "SESSION_EXPIRED")


async def test_after_logout_the_token_is_worth_nothing(company: Company) -> None:
    desk = await company.login("dan")
    assert (await desk.post("/auth/logout")).status_code == 204
    assert (await desk.get("/auth/me")).json()["code"] == "SESSION_EXPIRED"


@pytest.mark.accepts("AC-05")
async def test_five_failures_lock_the_account_and_an_administrator_opens_it(company: Company, engine: Engine) -> None:
    async def attempt(password: str) -> str:
        body = {"userId": "mia", "password": password}
        answer = await company.client.post(f"{PREFIX}/auth/login", json=body)
        assert password not in answer.text
        return str(answer.json().get("code", "ok"))

    codes = [await attempt("wrong-password-2") for _ in range(5)]
    assert codes == ["LOGIN_FAILED"] * 5
    assert await attempt(PASSWORD) == "ACCOUNT_LOCKED"
    with engine.connect() as connection:
        alarms = connection.execute(text("SELECT count(*) FROM alarm WHERE code = 'ACCOUNT_LOCKED'")).scalar_one()
        audited = connection.execute(text("SELECT count(*) FROM audit_row WHERE action = 'login.failed'")).scalar_one()
    assert (alarms, audited) == (1, 5)
    await (await company.desk("ada")).post("/users/mia/unlock", {"reason": "phoned in"})
    assert await attempt(PASSWORD) == "ok"


async def test_attempts_at_once_do_not_get_around_the_lock(company: Company, engine: Engine) -> None:
    body = {"userId": "meg", "password": "wrong-password-3"}
    await asyncio.gather(*(company.client.post(f"{PREFIX}/auth/login", json=body) for _ in range(20)))
    with engine.connect() as connection:
        row = connection.execute(text("SELECT failed_attempts, locked_at FROM user_account WHERE id = 'meg'")).one()
    assert row.locked_at is not None
    assert row.failed_attempts <= 5 + 4


@pytest.mark.accepts("AC-04", "AC-06", "AC-07")
async def test_accounts(company: Company, engine: Engine) -> None:
    ada = await company.desk("ada")
    new = {"id": "new", "fullName": "New Person", "password": PASSWORD, "roles": ["operator"], "reason": "first day"}
    assert (await ada.post("/users", new)).status_code == 201
    again = await ada.post("/users", new)
    assert (again.status_code, again.json()["code"]) == (409, "USER_ID_RESERVED")
    both = await ada.post("/users", {**new, "id": "both", "roles": ["administrator", "operator"]})
    assert both.json()["code"] == "SEPARATION_OF_DUTIES"
    short = await ada.post("/users", {**new, "id": "short", "password": "short"})
    assert short.json()["code"] == "PASSWORD_TOO_SHORT"
    assert (await ada.post("/users", {**new, "id": "x", "reason": "no"})).status_code == 422
    with engine.connect() as connection:
        hashes = connection.execute(text("SELECT password_hash FROM user_account WHERE id IN ('new', 'pia')")).scalars()
        found = list(hashes)
    assert all(value.startswith("$argon2id$") for value in found)
    assert len(set(found)) == 2
    desk = await company.login("new")
    assert (await ada.post("/users/new/disable", {"reason": "has left"})).status_code == 200
    await asyncio.sleep(5.1)
    assert (await desk.get("/auth/me")).status_code == 401


@pytest.mark.accepts("ES-06")
@pytest.mark.usefixtures("working")
async def test_a_machine_never_signs(company: Company, engine: Engine) -> None:
    order = (await create(company))["id"]
    with engine.begin() as connection:
        # Nobody can make such an account; this is what would happen if somebody had.
        roles = text("UPDATE user_account SET roles = '[\"supervisor\"]' WHERE id = 'erp'")
        connection.execute(roles)
    desk = await company.login("erp")
    answer = await desk.command(f"/mes/orders/{order}/approve", signed=PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (403, "SIGNER_NOT_A_PERSON")


@pytest.mark.accepts("ES-08")
async def test_the_password_is_nowhere_in_the_record(company: Company, engine: Engine) -> None:
    await company.login("quinn")
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        for table in tables:
            query = f'SELECT count(*) FROM "{table}" AS r WHERE r::text LIKE :canary'
            assert connection.execute(text(query), {"canary": f"%{PASSWORD}%"}).scalar_one() == 0, table
