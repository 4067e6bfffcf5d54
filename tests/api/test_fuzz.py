"""Every operation of the OpenAPI document is asked with what Schemathesis makes of it, right and wrong.

Each by somebody who may, half of the time about an order that runs. Whatever is sent: no 5xx, every "no" is a problem
document, and every answer is one that the document announces. The examples are the same in every run.
"""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.errors import MEDIA_TYPE
from tests.api.company import PASSWORD, PEOPLE, PREFIX, Company, Desk
from tests.api.test_access import COMMANDS, DIRECT
from tests.api.test_problems import FIELDS
from tests.api.words import at_stage, receive

AnyCase = Case[Any]
AnyOperation = APIOperation[Any, Any, Any, Any]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
READERS = {"/users": "ada"}
EXAMPLES = 8
# Documents of master data are large: making one takes as long as fifty others.
FEW = {"/master-data/import": 2}
LAST = ("hold", "reject", "close", "cancel")
"""What ends an order comes after everything else was asked about it."""


class Fuzz:
    """Sends what was made up, in the loop of the application, and keeps what came of it."""

    def __init__(self, company: Company, loop: asyncio.AbstractEventLoop, ids: dict[str, str]) -> None:
        self.company, self.loop, self.ids = company, loop, ids
        self.statuses: Counter[int] = Counter()
        self.asked: Counter[str] = Counter()

    def ask(self, case: AnyCase) -> None:
        """Send one case and judge the answer. Called in another thread than the loop's."""
        # A long poll may wait for half a minute, as it was asked to.
        if "waitSeconds" in case.query and not isinstance(case.query["waitSeconds"], str | list | dict | None):
            case.query["waitSeconds"] = min(case.query["waitSeconds"], 0.01)
        answer = asyncio.run_coroutine_threadsafe(self._send(case), self.loop).result(60)
        self.statuses[answer.status_code] += 1
        self.asked[case.operation.label] += 1
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            document = answer.json()
            assert answer.headers["content-type"] == MEDIA_TYPE
            assert document.keys() >= FIELDS
            assert document["code"] not in ("NOT_AUTHORISED", "NOT_AUTHENTICATED", "SESSION_EXPIRED")
            assert "Traceback" not in answer.text

    async def _send(self, case: AnyCase) -> httpx.Response:
        desk = await self._desk(case.operation.path.removeprefix(PREFIX))
        made = requests.Request(**case.as_transport_kwargs(base_url="http://mes")).prepare()
        body = made.body if isinstance(made.body, bytes | str) else None
        headers = {name: str(value) for name, value in made.headers.items()} | desk.headers
        return await self.company.client.request(made.method or "", made.url or "", headers=headers, content=body)

    async def _desk(self, path: str) -> Desk:
        if path == "/auth/logout":
            return await self.company.login("dan")
        if path in COMMANDS:
            roles: tuple[str, ...] = COMMANDS[path][0].roles
        else:
            roles = DIRECT.get(path, ((), None))[0]
        may = [user for user, (role,) in PEOPLE.items() if role in roles]
        return await self.company.desk(may[0] if may else READERS.get(path, "aud"))


def about_real_things(operation: AnyOperation, ids: dict[str, str]) -> dict[str, str]:
    """The names in the operation's path that something real has."""
    return {name: value for name, value in ids.items() if f"{{{name}}}" in operation.path}


def fuzz_operation(fuzz: Fuzz, operation: AnyOperation) -> list[str]:
    """Examples of one operation: its failures in words."""
    path = operation.path.removeprefix(PREFIX)
    real = about_real_things(operation, fuzz.ids)
    failures = []
    for mode, known in (
        (GenerationMode.POSITIVE, real), (GenerationMode.POSITIVE, {}), (GenerationMode.NEGATIVE, real),
    ):  # fmt: skip
        strategy: st.SearchStrategy[AnyCase] = operation.as_strategy(mode, path_parameters=known or None)

        @hypothesis_settings(
            max_examples=FEW.get(path, EXAMPLES), derandomize=True, database=None, deadline=None,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(strategy)
        def run(case: AnyCase) -> None:
            fuzz.ask(case)

        try:
            run()
        except Unsatisfiable:  # there is no wrong way to ask for something that takes no parameters
            assert mode == GenerationMode.NEGATIVE
        except BaseException as error:
            failures.append(f"{operation.label} {mode.name}: {type(error).__name__} {error}"[:1500])
    return failures


@pytest.mark.accepts("A23")
@pytest.mark.timeout(240)
@pytest.mark.usefixtures("working")
async def test_whatever_is_sent_the_answer_is_one_of_those_that_are_promised(app: FastAPI, company: Company) -> None:
    await receive(company, "API-FUZZ", "100")
    order, work_order = await at_stage(company, "running")
    found = (await (await company.desk("wil")).get(f"/mes/work-orders/{work_order}")).json()
    line = await company.plan("PL-FUZZ", policy="swift")
    new = {"id": "fuzzy", "fullName": "Fuzzy", "password": PASSWORD, "roles": ["operator"], "reason": "to be fuzzed"}
    assert (await (await company.desk("ada")).post("/users", new)).status_code == 201
    ids = {
        "order_id": order, "work_order_id": work_order, "pick_list_id": found["pickList"]["id"], "plan_id": line["id"],
        "code": "MIX", "lot": "API-FUZZ", "batch_no": "API-FUZZ", "serial_no": "API-FUZZ", "product_id": "TAB",
        "user_id": "fuzzy", "prefix": "T", "capability": "MIX",
    }  # fmt: skip
    schema = schemathesis.openapi.from_dict(app.openapi())
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    operations.sort(key=lambda operation: operation.path.endswith(LAST))
    fuzz = Fuzz(company, asyncio.get_running_loop(), ids)

    def everything() -> list[str]:
        return [failure for operation in operations for failure in fuzz_operation(fuzz, operation)]

    failures = await asyncio.to_thread(everything)
    assert failures == [], "\n\n".join(failures)
    assert fuzz.asked.keys() == {operation.label for operation in operations}
    assert {200, 404, 409, 422} <= fuzz.statuses.keys(), fuzz.statuses
