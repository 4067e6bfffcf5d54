"""Every role × every route × every state of an order: what the API answers is what the table of permissions says.

The policy asks for a signature under every command, and none is given: who may is asked for it (REAUTH_REQUIRED), who
may not is refused for the role (NOT_AUTHORISED), and nothing changes in between.
"""

import asyncio
import uuid
from collections import Counter
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api import permissions
from api.permissions import COMMAND_ROUTES, DIRECT_ROUTES, OPEN, action_of, roles_of
from api.roles import Role
from db.queries import plan_lines
from domain.commands import COMMANDS as KINDS
from domain.maintenance_commands import LED_COMMANDS
from tests.api.access_matrix import COMMANDS, DIRECT, NEED_A_REPORT, denial_of
from tests.api.company import PASSWORD, PEOPLE, Company, Desk, policy
from tests.api.test_access import endpoints, filled
from tests.api.words import STAGES, at_stage, create, do, go_on_to, receive

pytestmark = [pytest.mark.usefixtures("working"), pytest.mark.accepts("AC-02", "B20")]
ONE_OF_EACH = {role: user for user, (role,) in reversed(PEOPLE.items())}
OF_CASES = [path for path, (kind, _) in COMMANDS.items() if kind in LED_COMMANDS]
OF_ORDERS = [path for path in COMMANDS if path not in OF_CASES and path not in NEED_A_REPORT]
STATES = (*STAGES, "held", "cancelled")
EVERYTHING_SIGNED = policy(
    "sealed", approvals=1, certification=False, productionRelease=False,
    signatures={kind.kind_name(): "performed" for kind in (*KINDS, *LED_COMMANDS)}, deviationProcess=True,
)  # fmt: skip


class SigningDesk(Desk):
    """A terminal whose user signs every command unless told not to."""

    async def command(self, path: str, *, signed: str | None = PASSWORD, **body: Any) -> Any:
        return await super().command(path, signed=signed, **body)


class SigningCompany(Company):
    """People who sign whatever they do."""

    async def login(self, user: str, password: str = PASSWORD) -> Desk:
        desk = await super().login(user, password)
        return SigningDesk(desk.client, desk.user, desk.token)


@pytest.fixture(scope="module")
async def signing(company: Company) -> SigningCompany:
    imported = await (await company.desk("pat")).post("/master-data/import", {"policies": [EVERYTHING_SIGNED]})
    assert imported.status_code == 200, imported.text
    await receive(company, "API-MATRIX", "1000")
    return SigningCompany(company.client)


def test_every_route_stands_in_the_table(app: FastAPI) -> None:
    known = {f"{method} {path}" for method, path in endpoints(app)}
    assert {action_of(method, path) for method, path in endpoints(app)}
    assert {f"POST {path}" for path in COMMAND_ROUTES} | DIRECT_ROUTES.keys() <= known
    assert set(permissions.DIRECT) <= set(DIRECT_ROUTES.values())
    assert set(ONE_OF_EACH) == set(Role)


async def ask(company: Company, path: str, role: Role, ids: dict[str, str]) -> str:
    """One role asks for one command on one order: the answer is what the table says."""
    sent = {"commandId": f"x/{uuid.uuid4()}", "workOrderId": ids["work_order_id"], **COMMANDS[path][1]}
    answer = await (await company.desk(ONE_OF_EACH[role])).post(filled(path, **ids), sent)
    is_allowed = role in roles_of("POST", path)
    expected = ("REAUTH_REQUIRED", "SIGNER_NOT_A_PERSON") if is_allowed else (denial_of(path),)
    assert (answer.status_code, answer.json()["code"] in expected) == (403, True), (path, role, answer.text)
    return "may" if is_allowed else "may not"


async def compare(company: Company, ids: dict[str, str]) -> Counter[str]:
    """Roles × commands on one order. All roles ask at once: one after the other takes three times as long."""
    counted: Counter[str] = Counter()
    for path in OF_ORDERS:
        counted.update(await asyncio.gather(*(ask(company, path, role, ids) for role in Role)))
    return counted


@pytest.mark.timeout(400)
async def test_in_every_state_of_an_order_each_role_may_what_the_table_says(
    company: Company, signing: SigningCompany, engine: Engine
) -> None:
    # A pick list is needed by some of the routes before the order has one: another order lends it.
    _, lender = await at_stage(signing, "dispatched", policy="sealed")
    lent = (await (await company.desk("sam")).get(f"/mes/work-orders/{lender}")).json()["pickList"]["id"]
    order, work_order = await at_stage(signing, "draft", policy="sealed")
    other, other_work_order = await at_stage(signing, "released", policy="sealed")
    pairs = {"held": (other, other_work_order), "cancelled": (other, other_work_order)}
    for state in STATES:
        about, its_work_order = pairs.get(state, (order, work_order))
        if state in pairs:
            command = "hold" if state == "held" else "cancel"
            await do(signing, "sam", f"/mes/orders/{about}/{command}", reason="the test wants it")
        elif state != "draft":
            await go_on_to(signing, state, order, work_order)
        before = _revision(engine, about)
        ids = {"order_id": about, "work_order_id": its_work_order, "pick_list_id": lent}
        counted = await compare(company, ids)
        assert counted.total() == len(OF_ORDERS) * len(Role), state
        assert _revision(engine, about) == before


async def test_each_role_may_what_the_table_says_with_a_quality_case(
    company: Company, signing: SigningCompany, engine: Engine
) -> None:
    with engine.begin() as connection:  # modules have a database each, but share one engine: numbers of their own
        plan_lines.counted(connection, "capa", 500)
    opened = await (await company.desk("mia")).post(
        "/quality/deviations", {"commandId": "matrix/deviation", "lot": "API-MATRIX", "code": "X", "detail": "y"}
    )
    planned = await (await company.desk("mia")).post(
        "/quality/capas", {"commandId": "matrix/capa", "source": "audit", "action": "clean"}
    )
    assert (opened.status_code, planned.status_code) == (200, 200), (opened.text, planned.text)
    await do(company, "pat", "/equipment-classes", code="FAN", name="Fan")
    await do(company, "pat", "/equipment", code="FAN-1", name="Fan 1", equipmentClass="FAN")
    asked = await do(company, "mia", "/equipment/FAN-1/request-maintenance", reason="it whistles")
    ids = {
        "deviation_id": opened.json()["id"], "capa_id": planned.json()["id"],
        "maintenance_id": asked["maintenanceOrderId"],
    }  # fmt: skip
    assert len(OF_CASES) == len(LED_COMMANDS)
    for path in OF_CASES:
        for role, user in ONE_OF_EACH.items():
            sent = {"commandId": f"x/{uuid.uuid4()}", **COMMANDS[path][1]}
            answer = await (await company.desk(user)).post(filled(path, **ids), sent)
            is_allowed = role in roles_of("POST", path)
            expected = "REAUTH_REQUIRED" if is_allowed else "NOT_AUTHORISED"
            assert (answer.status_code, answer.json()["code"]) == (403, expected), (path, role, answer.text)


def _revision(engine: Engine, order: str) -> int:
    with engine.connect() as connection:
        statement = text("SELECT revision FROM production_order WHERE uuid = :id")
        return int(connection.execute(statement, {"id": order}).scalar_one())


async def test_each_role_may_call_the_routes_that_no_order_judges_as_the_table_says(
    company: Company, app: FastAPI
) -> None:
    made = await create(company)
    ids = {"order_id": made["id"], "work_order_id": made["workOrders"][0]["id"]}
    line = {"reference": "x", "product": "TAB", "quantity": 1, "unit": "pcs", "policy": "gmp", "plant": "p"}
    asked = 0
    for method, path in endpoints(app):
        if (method == "POST" and path not in DIRECT) or action_of(method, path) == OPEN:
            continue
        if path in ("/users/{user_id}/disable", "/openapi.json"):
            continue
        for role, user in ONE_OF_EACH.items():
            body = None if method == "GET" else DIRECT[path][1]
            sent = [line] if method == "POST" and body is None else body
            # Objects that there are not, where the role is looked at first: nothing changes.
            address = filled(path, **ids, user_id="nobody", number="none", lot="none")
            if isinstance(sent, dict):
                sent = {"commandId": f"d/{uuid.uuid4()}", **sent, "id": "aud"} if path == "/users" else {
                    "commandId": f"d/{uuid.uuid4()}", **sent}  # fmt: skip
            answer = await company.client.request(
                method, "/api/v1" + address, json=sent, headers=(await company.desk(user)).headers
            )
            if path in ("/mes/orders/from-plan/{plan_id}", "/mes/plan-lines/{plan_id}/split"):
                continue  # 404 comes first; their roles are in `test_access`
            is_denied = answer.status_code == 403 and answer.json()["code"] == "NOT_AUTHORISED"
            assert is_denied == (role not in roles_of(method, path)), (method, path, role, answer.text)
            asked += 1
    assert asked > 900
