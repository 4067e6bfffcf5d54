"""Passwords, one-time codes and tokens are nowhere: not in histories, logs, tables or answers (ES-08)."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from temporalio.client import Client

from tests.api.company import PASSWORD, PREFIX, Company
from tests.api.signing import with_second_factor
from tests.api.words import STAGES, create, go_on_to, receive
from workflows.policies import workflow_id

pytestmark = pytest.mark.usefixtures("working")
WRONG = "canary-Wrong-Heron-42"
KEY_POLICY = {
    "code": "canary", "version": 1, "approvals": 1, "certification": False, "productionRelease": False,
    "signatures": {"approveOrder": "approved", "releaseOrder": "approved", "startOperation": "performed",
                   "completeOperation": "performed", "decideInspection": "reviewed", "closeOrder": "approved"},
    "secondSignatures": {"decideInspection": "verified"}, "secondFactor": ["approved"],
}  # fmt: skip


class Heard(logging.Handler):
    """Everything that is logged, with its stack traces."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter("%(name)s %(message)s").format(record))


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler, root = Heard(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


class Told(Company):
    """People whose answers are kept, and whose every signed command carries what it needs."""

    def __init__(self, company: Company) -> None:
        super().__init__(company.client)
        self.answers: list[str] = []
        self.tokens: list[str] = []
        self.codes: list[str] = []
        self.telephones: dict[str, Any] = {}

    async def login(self, user: str, password: str = PASSWORD) -> Any:
        desk = await super().login(user, password)
        self.tokens.append(desk.token)
        send, told = desk.post, self

        async def post(path: str, body: Any = None) -> Any:
            if user in told.telephones and body is not None and path.endswith(("/approve", "/release", "/close")):
                told.codes.append(told.telephones[user].code())
                body["signature"] = {"userId": user, "password": PASSWORD, "code": told.codes[-1]}
            elif (body is not None and "/operations/" in path) or path.endswith("/decision"):
                body["signature"] = {"userId": user, "password": PASSWORD}
            if path.endswith("inspection/decision"):
                body["second"] = {"userId": "max", "password": PASSWORD}
            answer = await send(path, body)
            told.answers.append(answer.text)
            return answer

        desk.post = post  # type: ignore[method-assign]
        return desk


def canaries(told: Told) -> list[re.Pattern[str]]:
    """What must be nowhere. A code is six digits: they are looked for where they stand alone."""
    words = [PASSWORD, WRONG, *told.tokens]
    found = [re.compile(re.escape(word)) for word in words]
    return found + [re.compile(rf"(?<![0-9A-Za-z.]){code}(?![0-9A-Za-z])") for code in told.codes]


@pytest.mark.timeout(300)
@pytest.mark.accepts("ES-08", "C8")
async def test_after_a_whole_signed_order_no_secret_is_anywhere(
    company: Company, engine: Engine, client: Client, heard: Heard
) -> None:
    assert (await (await company.desk("pat")).post("/master-data/import", {"policies": [KEY_POLICY]})).is_success
    await receive(company, "API-CANARY", "100")
    told = Told(company)
    told.telephones["sam"] = await with_second_factor(await told.login("sam"))
    made = await create(told, policy="canary")
    order, work_order = made["id"], made["workOrders"][0]["id"]
    refused: list[dict[str, Any]] = [
        {"userId": "sam", "password": WRONG}, {"userId": "sam", "password": WRONG, "code": "000001"},
        {"userId": "pia", "password": PASSWORD}, {"password": PASSWORD}, {"userId": 7, "password": [WRONG]},
    ]  # fmt: skip
    for body in refused:
        sent = {"commandId": "canary/refused", "signature": body, "second": body}
        answer = await company.client.post(
            f"{PREFIX}/mes/orders/{order}/approve", json=sent, headers=(await told.desk("sam")).headers
        )
        assert answer.status_code >= 400
        told.answers.append(answer.text)
    broken = await company.client.post(f"{PREFIX}/auth/login", json={"userId": "sam", "password": WRONG, "code": WRONG})
    told.answers.append(broken.text)
    for stage in STAGES[1:]:
        await go_on_to(told, stage, order, work_order)
    detail = (await (await told.desk("aud")).get(f"/mes/orders/{order}")).json()
    assert len(detail["signatures"]) == 9
    assert len(told.codes) >= 3

    handle = client.get_workflow_handle(workflow_id(made["number"]))
    history = json.dumps((await handle.fetch_history()).to_json_dict())
    payloads = [event.SerializeToString().decode("latin-1") for event in (await handle.fetch_history()).events]
    places = {"history": [history, *payloads], "log": heard.lines, "answers": told.answers}
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        for table in tables:
            rows = connection.execute(text(f'SELECT r::text FROM "{table}" AS r')).scalars()
            places[table] = list(rows)
    assert len(heard.lines) > 10
    assert len(payloads) > 20
    for canary in canaries(told):
        hits = [place for place, found in places.items() if any(canary.search(line) for line in found)]
        assert hits == [], (canary.pattern[:8], hits)
