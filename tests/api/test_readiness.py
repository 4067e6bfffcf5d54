"""Whether everything is there is told truly, part by part; figures and traces are there for those who ask for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine
from temporalio.client import Client

import telemetry
from api.app import create_app
from api.metrics import served
from db.migrate import revisions
from db.session import engine_for
from settings import Settings, SettingWrong, from_environment
from system.addresses import Addresses
from system.ports import any_free
from tests.api.company import PREFIX, Company
from tests.api.words import approved, create, do
from tests.conftest import Database
from worker import build_worker
from workflows.runtime import connect

PARTS = ("record", "schema", "engine", "listener", "worker")


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Ask an application of one's own."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mes") as client,
    ):
        await asyncio.wait_for(app.state.services.outcomes.listening.wait(), 30)
        yield client


@pytest.mark.usefixtures("working")
async def test_a_system_that_has_everything_is_ready(company: Company) -> None:
    answer = await company.client.get(f"{PREFIX}/readyz")
    body = answer.json()
    assert (answer.status_code, body["ready"]) == (200, True), body
    assert all(body[part] is True for part in PARTS)
    assert body["schemaFound"] == body["schemaRequired"] == revisions()[-1]


async def test_without_a_worker_commands_are_taken_but_the_system_is_not_ready(settings: Settings) -> None:
    async with serving(create_app(settings, task_queue="nobody-asks-here")) as client:
        whole = await client.get(f"{PREFIX}/readyz")
        assert (whole.status_code, whole.json()["ready"], whole.json()["worker"]) == (503, False, False)
        assert [part for part in PARTS if not whole.json()[part]] == ["worker"]
        door = await client.get(f"{PREFIX}/readyz", params={"scope": "api"})
        assert (door.status_code, door.json()["ready"], door.json()["worker"]) == (200, True, False)
        assert (await client.get(f"{PREFIX}/readyz", params={"scope": "moon"})).status_code == 422


@pytest.mark.usefixtures("working")
async def test_a_schema_of_another_release_is_not_ready(company: Company, database: Database) -> None:
    newest = revisions()[-1]
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE alembic_version SET version_num = 'another'")
        try:
            answer = await company.client.get(f"{PREFIX}/readyz")
        finally:
            owner.execute("UPDATE alembic_version SET version_num = %s", (newest,))
    body = answer.json()
    assert (answer.status_code, body["schema"], body["schemaFound"]) == (503, False, "another")
    assert [part for part in PARTS if not body[part]] == ["schema"]
    assert (await company.client.get(f"{PREFIX}/readyz")).status_code == 200


async def figures(port: int) -> dict[str, dict[tuple[str, ...], float]]:
    """What Prometheus would read: name → label values → value."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics")
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.mark.usefixtures("working")
async def test_figures_are_served_on_the_loopback_address_when_asked_for(
    company: Company, settings: Settings, task_queue: str
) -> None:
    made = await create(company)
    asked = replace(settings, metrics_port=any_free())
    assert asked.metrics_port is not None
    async with serving(create_app(asked, task_queue=task_queue)) as client:
        before = (await figures(asked.metrics_port)).get("mes_verdicts_total", {})
        await do(company, "pia", f"/mes/orders/{made['id']}/submit")
        await client.get(f"{PREFIX}/healthz")
        await client.get(f"{PREFIX}/mes/orders/{made['id']}")
        found = await figures(asked.metrics_port)
        assert found["mes_record_reachable"][()] == 1
        assert found["mes_open_orders"][("submitted",)] >= 1
        assert found["mes_verdicts_total"][("accepted",)] > before.get(("accepted",), 0)
        assert found["mes_requests_total"][("GET", "/healthz", "200")] >= 1
        assert not [labels for labels in found["mes_requests_total"] if made["id"] in labels[1]], "an id is a label"
        with pytest.raises(SettingWrong, match="MES_METRICS_PORT"), served(asked, company_engine(settings)):
            pass
    with pytest.raises(httpx.ConnectError):
        await figures(asked.metrics_port)


def company_engine(settings: Settings) -> Engine:
    return engine_for(settings.database_url, pool_size=1)


async def test_figures_say_that_the_record_is_away(settings: Settings) -> None:
    away = replace(settings, metrics_port=any_free(), database_url="postgresql://mes_app@127.0.0.1:1/nothing")
    assert away.metrics_port is not None
    app = create_app(away)
    async with app.router.lifespan_context(app):
        found = await figures(away.metrics_port)
    assert found["mes_record_reachable"][()] == 0
    assert "mes_open_orders" not in found


async def test_the_worker_serves_what_the_sdk_counts(servers: Addresses, settings: Settings) -> None:
    asked = replace(settings, metrics_port=any_free())
    assert asked.metrics_port is not None
    client = await connect(servers.temporal_address, runtime=telemetry.runtime(asked))
    engine = engine_for(settings.database_url, pool_size=1)
    async with build_worker(client, engine, asked, task_queue="counted"):
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for _ in range(100):
            found = await figures(asked.metrics_port)
            if "temporal_num_pollers" in found:
                break
            await asyncio.sleep(0.1)
    engine.dispose()
    assert any("counted" in labels for labels in found["temporal_num_pollers"])
    assert "temporal_worker_task_slots_available" in found


async def test_an_orders_spans_lead_back_to_the_requests_that_caused_them(
    settings: Settings, servers: Addresses, company: Company
) -> None:
    traced, spans = replace(settings, traces=True), InMemorySpanExporter()
    processor = SimpleSpanProcessor(spans)
    tracing = telemetry.tracer(traced, "millwright-worker", processor)
    client: Client = await connect(servers.temporal_address, interceptors=telemetry.interceptors(tracing))
    engine = engine_for(settings.database_url, pool_size=4)
    app = create_app(traced, task_queue="traced", span_processor=processor)
    async with serving(app) as door, build_worker(client, engine, settings, task_queue="traced"):
        there = Company(door)
        await approved(there, (await create(there))["id"])
    engine.dispose()
    done = spans.get_finished_spans()
    submits = [span for span in done if span.name == "POST /mes/orders/{order_id}/submit"]
    assert submits, sorted({span.name for span in done})
    trace = submits[0].context.trace_id
    assert "SignalWorkflow:command" in {span.name for span in done if span.context.trace_id == trace}
    handled = [span for span in done if span.name == "HandleSignal:command"]
    assert [span for span in handled if trace in {link.context.trace_id for link in span.links}], (
        "no link to its request"
    )
    own = {span.name for span in done if span.context.trace_id == handled[0].context.trace_id}
    assert {"RunWorkflow:ProductionOrder", "RunActivity:record.write"} <= own, own
    assert all("password" not in str(span.attributes) for span in done)


def test_a_port_that_is_none_is_refused() -> None:
    addresses = {"DATABASE_URL": "postgresql://x", "TEMPORAL_ADDRESS": "x:1"}
    for wrong in ("zero", "0", "70000", "-1"):
        with pytest.raises(SettingWrong, match="MES_METRICS_PORT"):
            from_environment({**addresses, "MES_METRICS_PORT": wrong})
    own = from_environment({**addresses, "MES_METRICS_PORT": "9464", "MES_TRACES": "on"})
    assert (own.metrics_port, own.metrics_host, own.traces) == (9464, "127.0.0.1", True)
    assert telemetry.metrics_address(replace(own, metrics_host="::1")) == "[::1]:9464"
    silent = from_environment(addresses)
    assert telemetry.runtime(silent) is None
    assert telemetry.tracer(silent, "x") is None
    assert telemetry.interceptors(None) == ()
