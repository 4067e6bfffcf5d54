"""What goes wrong is answered with a problem document, never with a stack trace or what was sent."""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api import errors, openapi
from api.app import create_app
from api.shapes import storable
from domain.errors import AdapterRefused, AdapterUnknown, AdapterUnreachable, Blocker, Refused
from settings import Settings
from tests.api.company import PASSWORD, PREFIX, Company, policy

FIELDS = {"type", "title", "status", "code", "detail", "blockers", "possible"}


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b'"x"', b"\xff\xfe", b'{"userId": 1e999}', b'{"userId": NaN}', b"1" * 5000,
        b'{"userId": "a\\u0000b", "password": "x"}', b'{"userId": "a\\ud800", "password": "x"}', b"null", b"[" * 3000,
    ],
)  # fmt: skip
async def test_nonsense_is_422(company: Company, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await company.client.post(f"{PREFIX}/auth/login", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert answer.json().keys() >= FIELDS
    assert answer.headers["content-type"] == errors.MEDIA_TYPE


async def test_what_was_sent_does_not_come_back(company: Company, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"userId": {"deep": PASSWORD}, "password": [PASSWORD]}
    answer = await company.client.post(f"{PREFIX}/auth/login", json=body)
    assert answer.status_code == 422
    assert PASSWORD not in answer.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", "1e5"), ("quantity", "0"), ("quantity", -1), ("quantity", 10**30), ("quantity", True),
        ("quantity", "NaN"), ("reference", "a\x00b"), ("reference", ""), ("reference", "x" * 81),
        ("dueAt", "2026-01-01"),
        ("dueAt", "9999-12-31T23:59:59-12:00"), ("dueAt", 1e300), ("fixedLots", {"a\x00": []}), ("orderNumber", "a/b"),
    ],
)  # fmt: skip
async def test_values_that_cannot_be_are_422(company: Company, field: str, value: Any) -> None:
    line = {"reference": "R", "product": "TAB", "quantity": 1, "unit": "pcs", "policy": "gmp", "plant": "p"}
    answer = await (await company.desk("pia")).post("/mes/plan-lines", [{**line, field: value}])
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["fields"][0]["field"] or not storable(value)


async def test_a_nul_in_an_address_is_422(company: Company) -> None:
    desk = await company.desk("aud")
    for path in ("/wms/lots/a%00b", "/audit?actor=a%00b", "/commands/a%00b", "/mes/traceabilities/lots/a%00b"):
        answer = await company.client.get(PREFIX + path, headers=desk.headers)
        assert answer.status_code == 422, (path, answer.text)


async def test_bodies_have_a_limit(company: Company) -> None:
    pia = await company.desk("pia")
    large = {"commandId": "x", "reason": "x" * 70_000}
    assert (await pia.post("/mes/orders/00000000-0000-0000-0000-000000000000/submit", large)).status_code == 413

    async def drip() -> Any:
        for _ in range(70):
            yield b" " * 1024

    answer = await company.client.post(f"{PREFIX}/auth/login", content=drip())
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    lines = [{"reference": "x" * 80_000}]
    assert (await pia.post("/mes/plan-lines", lines)).status_code == 422
    assert (await pia.post("/mes/plan-lines", [{"reference": "x" * 2_100_000}])).status_code == 413


async def test_unknown_paths_and_methods(company: Company) -> None:
    pia = await company.desk("pia")
    assert (await pia.get("/nowhere")).json()["code"] == "NOT_FOUND"
    assert (await pia.get("/auth/logout")).json()["code"] == "METHOD_NOT_ALLOWED"


async def test_record_and_engine_down_are_503(settings: Settings) -> None:
    url = "postgresql://mes_app@127.0.0.1:1/nothing"
    app = create_app(replace(settings, database_url=url, temporal_address="127.0.0.1:1"))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mes") as client,
    ):
        login = await client.post(f"{PREFIX}/auth/login", json={"userId": "pia", "password": PASSWORD})
        assert (login.status_code, login.json()["code"]) == (503, "RECORD_UNAVAILABLE")
        ready = await client.get(f"{PREFIX}/readyz")
        assert (ready.status_code, ready.json()["engine"], ready.json()["record"]) == (503, False, False)
        assert (await client.get(f"{PREFIX}/healthz")).status_code == 200


async def test_an_error_that_nobody_foresaw_is_500_with_an_id(
    company: Company, app: FastAPI, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise LookupError("a secret of the inside")

    desk = await company.desk("pia")
    monkeypatch.setattr("db.queries.stock.lot", broken)
    answer = await desk.get("/wms/lots/X")
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "secret" not in answer.text
    assert answer.json()["errorId"] in caplog.text


def test_every_kind_of_no_has_its_status() -> None:
    blocker = Blocker(code="X", entity="e", id="1")
    cases: list[tuple[BaseException, int, str]] = [
        (Refused((blocker,), ("a",)), 409, "X"),
        (AdapterRefused("Y", "no", (blocker,)), 409, "Y"),
        (AdapterUnreachable("WMS", "down"), 503, "NEIGHBOUR_UNREACHABLE"),
        (AdapterUnknown("WMS", "silent"), 503, "NEIGHBOUR_UNREACHABLE"),
        (ValueError("x"), 500, "INTERNAL"),
    ]
    for error, status, code in cases:
        problem = errors.translate(error)
        assert (problem.status, problem.code) == (status, code)
    assert set(errors.translate(cases[0][0]).document()["blockers"][0]) >= {"code", "entity", "id", "whoCanFix"}


@hypothesis_settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.text() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_storable_is_what_utf8_without_nul_can_hold(value: Any) -> None:
    def texts(item: Any) -> list[str]:
        match item:
            case str():
                return [item]
            case dict():
                return [part for pair in item.items() for side in pair for part in texts(side)]
            case list():
                return [part for inner in item for part in texts(inner)]
            case _:
                return []

    def holds(item: str) -> bool:
        try:
            item.encode()
        except UnicodeEncodeError:
            return False
        return "\x00" not in item

    assert storable(value) == all(holds(item) for item in texts(value))


def test_two_who_ask_at_once_do_not_make_the_document_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes it is not meant for threads: the second one misses shapes that the first one has just made."""
    making: list[str] = []
    beside: list[int] = []

    def slowly(app: FastAPI) -> dict[str, Any]:
        making.append(app.title)
        time.sleep(0.05)
        beside.append(len(making))
        making.pop()
        return {}

    monkeypatch.setattr(FastAPI, "openapi", slowly)
    app = FastAPI()
    openapi.install(app)
    with ThreadPoolExecutor(3) as threads:
        found = [asked.result() for asked in [threads.submit(app.openapi) for _ in range(3)]]
    assert beside == [1, 1, 1]
    assert all({"Blocker", "Problem"} <= document["components"]["schemas"].keys() for document in found)


async def test_policies_are_checked_for_storable_texts(company: Company) -> None:
    answer = await (await company.desk("pat")).post("/master-data/import", {"policies": [policy("a\x00b")]})
    assert answer.status_code == 422
    await asyncio.sleep(0)
