"""Every operation of the OpenAPI document is asked with what Schemathesis makes of it, right and wrong.

Each by somebody who may, half of the time about an order that runs. Whatever is sent: no 5xx, every "no" is a problem
document, and every answer is one that the document announces. The examples are the same in every run.
"""

import asyncio
import itertools
from collections import Counter
from contextlib import nullcontext
from datetime import timedelta
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
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.errors import MEDIA_TYPE, Problem
from domain.base import uuid_for
from tests.api.access_matrix import COMMANDS, DIRECT
from tests.api.company import PASSWORD, PEOPLE, PREFIX, Company, Desk
from tests.api.records import draft, ok
from tests.api.test_problems import FIELDS
from tests.api.words import at_stage, receive

AnyCase = Case[Any]
AnyOperation = APIOperation[Any, Any, Any, Any]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
READERS = {"/users": "ada", "/master-batch-records/pictures/{digest}": "pat"}
# To make up a document of master data takes as long as fifty other things, a list of values as long as five.
FEW = {
    "/master-data/import": 2,
    **{f"/master-batch-records{path}": 2 for path in ("", "/import", "/import-batchml", "/{record_id}")},
    **{path: 3 for path in (*COMMANDS, *DIRECT) if path.endswith(("/results", "/parameters", "/return"))},
}
LAST = ("/cancel", "/close", "/reject", "/hold")
"""What ends an order comes after everything else was asked about it."""
OPTIONAL = ("commandId", "place", "lot", "material", "product", "operation", "orderId", "workOrderId")
"""What may be made up although something real is known: one of them at a time."""


class Fuzz:
    """Sends what was made up, in the loop of the application, and keeps what came of it."""

    def __init__(self, company: Company, things: list[dict[str, str]]) -> None:
        self.company, self.things, self.loop = company, things, asyncio.get_running_loop()
        self.answers: Counter[tuple[str, int]] = Counter()
        self._ids = itertools.count(1)

    def about(self, case: AnyCase, thing: dict[str, str], without: set[str]) -> None:
        """Let the case speak of real things, by a command that was not sent before."""
        case.path_parameters |= {name: thing[name] for name in case.path_parameters.keys() & thing.keys()}
        for body in case.body if isinstance(case.body, list) else [case.body]:
            if isinstance(body, dict):
                known = thing | {"commandId": f"fuzz/{next(self._ids)}"}
                body |= {name: known[name] for name in (body.keys() & known.keys()) - without}

    def ask(self, case: AnyCase) -> None:
        """Send one case and judge the answer. Called in another thread than the loop's."""
        # A long poll may wait for half a minute, as it was asked to.
        if isinstance(case.query.get("waitSeconds"), int | float):
            case.query["waitSeconds"] = min(case.query["waitSeconds"], 0.01)
        answer = asyncio.run_coroutine_threadsafe(self._send(case), self.loop).result(60)
        self.answers[case.operation.label, answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            document = answer.json()
            assert answer.headers["content-type"] == MEDIA_TYPE
            assert document.keys() >= FIELDS
            assert document["code"] not in ("NOT_AUTHORISED", "NOT_AUTHENTICATED", "SESSION_EXPIRED")

    async def _send(self, case: AnyCase) -> httpx.Response:
        desk = await self._desk(case.operation.path.removeprefix(PREFIX))
        made = requests.Request(**case.as_transport_kwargs(base_url="http://mes")).prepare()
        body = made.body if isinstance(made.body, bytes | str) else None
        headers = {name: str(value) for name, value in made.headers.items()} | desk.headers
        return await self.company.client.request(made.method or "", made.url or "", headers=headers, content=body)

    async def _desk(self, path: str) -> Desk:
        if path == "/auth/logout":
            return await self.company.login("dan")
        if path.startswith("/auth/") or path.startswith("/signatures"):
            return await self.company.desk("quinn")
        if path in COMMANDS:
            roles: tuple[str, ...] = COMMANDS[path][0].roles
        else:
            roles = DIRECT.get(path, ((), None))[0]
        may = [user for user, (role,) in PEOPLE.items() if role in roles]
        return await self.company.desk(may[0] if may else READERS.get(path, "aud"))


def fuzz_operation(fuzz: Fuzz, operation: AnyOperation) -> list[str]:
    """Examples of one operation: its failures in words."""
    path = operation.path.removeprefix(PREFIX)
    failures = []
    for mode, count in ((GenerationMode.POSITIVE, 5), (GenerationMode.NEGATIVE, 2)):

        @hypothesis_settings(
            max_examples=min(count, min(count, FEW.get(path, count))), derandomize=True, database=None, deadline=None,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(
            operation.as_strategy(mode),
            st.sampled_from([None, *fuzz.things] if mode == GenerationMode.POSITIVE else [None]),
            st.sets(st.sampled_from(OPTIONAL), max_size=1),
        )
        def run(case: AnyCase, thing: dict[str, str] | None, without: set[str]) -> None:
            if thing is not None:
                fuzz.about(case, thing, without)
            fuzz.ask(case)

        try:
            run()
        except Unsatisfiable:  # there is no wrong way to ask for something that takes no parameters
            assert mode == GenerationMode.NEGATIVE
        except BaseException as error:
            failures.append(f"{operation.label} {mode.name}: {type(error).__name__} {error}"[:1500])
    return failures


async def things(company: Company) -> list[dict[str, str]]:
    """Orders at several stages with all that belongs to them, by the names that the document gives to it."""
    await receive(company, "API-FUZZ", "100")
    new = {"id": "fuzzy", "fullName": "Fuzzy", "password": PASSWORD, "roles": ["operator"], "reason": "to be fuzzed"}
    assert (await (await company.desk("ada")).post("/users", new)).status_code == 201
    records = [ok(await draft(company, version))["id"] for version in ("fuzz-1", "fuzz-2")]
    found = []
    for stage in ("running", "dispatched", "inspecting", "draft"):
        order, work_order = await at_stage(company, stage)
        detail = (await (await company.desk("wil")).get(f"/mes/work-orders/{work_order}")).json()
        line = await company.plan(f"PL-FUZZ-{stage}", policy="swift")
        names = {
            "order_id": order, "orderId": order, "work_order_id": work_order, "workOrderId": work_order,
            "plan_id": line["id"], "code": "MIX", "operation": "PRESS", "lot": "API-FUZZ", "batch_no": "API-FUZZ",
            "serial_no": "API-FUZZ", "user_id": "fuzzy", "prefix": "T", "capability": "MIX", "material": "API",
            "record_id": records[0], "other_id": records[1],
            "product": "TAB", "place": "QUARANTINE", "policy": "swift", "product_id": str(uuid_for("material", "TAB")),
        }  # fmt: skip
        pick_list = (detail["pickList"] or {}).get("id")
        found.append(names | ({"pick_list_id": pick_list} if pick_list else {}))
    return found


def operations_of(app: FastAPI) -> list[AnyOperation]:
    """Every operation of the document; what ends an order comes last."""
    schema = schemathesis.openapi.from_dict(app.openapi())
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(found) == sum(len(methods) for methods in app.openapi()["paths"].values())
    return sorted(found, key=lambda operation: [operation.path.endswith(word) for word in LAST])


@pytest.mark.accepts("A23")
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("working")
async def test_whatever_is_sent_the_answer_is_one_of_those_that_are_promised(app: FastAPI, company: Company) -> None:
    operations = operations_of(app)
    fuzz = Fuzz(company, await things(company))

    def everything() -> list[str]:
        return [failure for operation in operations for failure in fuzz_operation(fuzz, operation)]

    failures = await asyncio.to_thread(everything)
    assert failures == [], "\n\n".join(failures)
    assert {label for label, _ in fuzz.answers} == {operation.label for operation in operations}
    accepted = {label for label, status in fuzz.answers if status < 300}
    # That nothing but refusals came back would prove little.
    assert len(accepted) > 40, sorted({operation.label for operation in operations} - accepted)


@pytest.mark.accepts("A23")
def test_every_operation_is_described_with_its_refusals(app: FastAPI) -> None:
    for operation in operations_of(app):
        document = app.openapi()["paths"][operation.path][operation.method.lower()]
        assert document.get("description"), operation.label
        assert document["responses"]["4XX"]["content"].keys() == {MEDIA_TYPE}, operation.label


@pytest.mark.usefixtures("company")
async def test_an_error_of_the_software_would_be_found(
    app: FastAPI, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise LookupError("inside")

    monkeypatch.setattr("db.queries.stock.lot", broken)
    (operation,) = (one for one in operations_of(app) if one.path.endswith("/wms/lots/{lot}"))
    failures = await asyncio.to_thread(fuzz_operation, Fuzz(company, []), operation)
    assert "500" in failures[0]


@pytest.mark.parametrize(
    ("status", "media_type", "body", "fits"),
    [
        (404, MEDIA_TYPE, Problem(404, "NOT_FOUND", "x").document(), True),
        (404, "application/json", Problem(404, "NOT_FOUND", "x").document(), False),
        (404, MEDIA_TYPE, {"detail": "Not Found"}, False),
        (302, "application/json", {}, False),
        (500, MEDIA_TYPE, Problem(500, "INTERNAL", "x").document(), False),
    ],
)
def test_an_answer_that_is_not_announced_would_be_found(
    app: FastAPI, status: int, media_type: str, body: Any, fits: bool
) -> None:
    (operation,) = (one for one in operations_of(app) if one.path.endswith("/wms/lots/{lot}"))
    case = operation.Case(path_parameters={"lot": "X"})
    request = httpx.Request("GET", f"http://mes{PREFIX}/wms/lots/X")
    answer = httpx.Response(status, headers={"content-type": media_type}, json=body, request=request)
    answer.elapsed = timedelta(milliseconds=1)
    with nullcontext() if fits else pytest.raises((FailureGroup, Failure)):
        case.validate_response(answer, checks=CHECKS)
