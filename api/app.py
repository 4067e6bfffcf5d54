"""The application: services, gate, routes."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import Depends, FastAPI
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool
from starlette.concurrency import run_in_threadpool

import telemetry
from adapters.equipment_register.postgres import PostgresEquipmentRegister
from adapters.inventory.postgres import PostgresInventory
from adapters.printing.typst_printer import TypstPrinter
from adapters.quality.postgres import PostgresQuality
from api import ceremonies, errors, metrics, openapi, watching
from api.cases_door import Cases
from api.deps import Services, inside
from api.gate import PREFIX, Gate
from api.history import Histories
from api.lot_holds_door import LotHolds
from api.orders_door import Orders
from api.outcomes import Outcomes
from api.routes import (
    alarms,
    audit,
    auth,
    bad_ones,
    balance,
    batch_record,
    batch_record_prints,
    batch_records,
    batch_reworks,
    conditions,
    configuration,
    devices,
    displays,
    disposal,
    energy,
    epcis,
    equipment,
    equipment_papers,
    impacts,
    inbound,
    interfaces,
    labels,
    lot_holds,
    lot_numbers,
    maintenance_orders,
    master_batch_records,
    master_data,
    material_release,
    order_changes,
    orders,
    pictures,
    plan_lines,
    product_review,
    quality,
    quality_cases,
    recalls,
    records,
    recoveries,
    replanning,
    reports,
    reworks,
    risk,
    saved_reports,
    scan,
    schedule,
    shipments,
    signatures,
    spc,
    trace_graph,
    traces,
    users,
    validation,
    weighing,
    wms,
    work_orders,
)
from api.security import Sessions
from api.tracing import Traced
from api.ui import console
from api.ui.bell import Bell
from api.ui.door import Door
from api.ui.live import Changes
from api.ui.named import Named
from db.queries import epcis as epcis_events
from db.session import engine_for, reading
from settings import DEFAULT_SITE, UNNAMED, Settings, from_environment
from workflows.policies import TASK_QUEUE

log = logging.getLogger("api")
EXPIRY_SECONDS: Final = 15.0
ROUTERS = (
    auth,
    balance,
    audit,
    users,
    signatures,
    master_data,
    master_batch_records,
    pictures,
    impacts,
    configuration,
    plan_lines,
    replanning,
    schedule,
    orders,
    order_changes,
    work_orders,
    batch_record,
    batch_records,
    batch_record_prints,
    reports,
    recoveries,
    batch_reworks,
    reworks,
    wms,
    shipments,
    labels,
    scan,
    weighing,
    quality,
    material_release,
    product_review,
    equipment,
    equipment_papers,
    devices,
    quality_cases,
    displays,
    interfaces,
    inbound,
    epcis,
    alarms,
    spc,
    bad_ones,
    saved_reports,
    lot_holds,
    recalls,
    disposal,
    lot_numbers,
    maintenance_orders,
    conditions,
    energy,
    risk,
    trace_graph,
    traces,
    validation,
    records,
)


def build_services(settings: Settings, task_queue: str = TASK_QUEUE, tracer: Any = None) -> Services:
    """The services of one process. Nothing is connected yet."""
    engine = engine_for(settings.database_url, pool_size=15, application="millwright-api")
    orders = Orders(settings, task_queue, telemetry.interceptors(tracer))
    return Services(
        settings=settings,
        engine=engine,
        sessions=Sessions(engine, settings),
        outcomes=Outcomes(settings.database_url, engine),
        orders=orders,
        cases=Cases(orders, engine, task_queue),
        lot_holds=LotHolds(orders, engine, task_queue),
        histories=Histories(),
        inventory=PostgresInventory(engine, time_zone=ZoneInfo(settings.time_zone)),
        quality=PostgresQuality(engine),
        equipment=PostgresEquipmentRegister(engine),
        printer=TypstPrinter(),
    )


def create_app(settings: Settings, *, task_queue: str = TASK_QUEUE, span_processor: Any = None) -> FastAPI:
    """The API on the record and the engine that the settings name. It starts without either, and answers 503."""
    tracer = telemetry.tracer(settings, "millwright-api", span_processor)
    services = build_services(settings, task_queue, tracer)
    changes = Changes(settings.database_url)
    bell = Bell(services.engine, changes)
    named = Named(services.engine, changes)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        running = {
            **_background(settings, services), "changes": changes.run(), "bell": bell.run(), "named": named.run(),
        }  # fmt: skip
        tasks = [asyncio.create_task(work, name=name) for name, work in running.items()]
        try:
            with metrics.served(settings, services.engine):
                yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await run_in_threadpool(watching.at_stop, settings, services.engine)
            await _close(services.engine)

    app = FastAPI(
        title="Millwright", version="1", lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )  # fmt: skip
    app.state.services = services
    app.state.changes = changes
    app.state.bell = bell
    app.state.named = named
    _route(app)
    errors.install(app)
    openapi.install(app)
    console.install(app)
    _guard(app, tracer)
    return app


def _guard(app: FastAPI, tracer: Any) -> None:
    """What every request goes through, the outermost last."""
    app.add_middleware(Door)
    app.add_middleware(Gate)
    app.add_middleware(metrics.Counted)
    if tracer is not None:
        app.add_middleware(Traced, tracer=tracer)


def _background(settings: Settings, services: Services) -> dict[str, Coroutine[Any, Any, None]]:
    """What runs beside the routes for as long as the process lives."""
    return {
        "outcomes": services.outcomes.run(), "cases": services.cases.run(), "lot holds": services.lot_holds.run(),
        "ceremonies": _expire(services.engine),
        "site": _say_if_unnamed(settings, services.engine), "watching": watching.watch(settings, services.engine),
    }  # fmt: skip


def _route(app: FastAPI) -> None:
    """Put every route under its prefix, in the application itself: every level is looked through anew."""
    for module in ROUTERS:
        # Log-in and health have no caller whose plants could be asked for.
        inner = None if module in (auth, records) else [Depends(inside)]
        app.include_router(module.router, prefix=PREFIX, responses=openapi.PROBLEMS, dependencies=inner)


async def _close(engine: Engine) -> None:
    """Close the pool, when threads of cancelled work have given back theirs: what comes later is never closed."""
    pool = engine.pool
    for _ in range(50):
        if not isinstance(pool, QueuePool) or pool.checkedout() == 0:
            break
        await asyncio.sleep(0.1)
    engine.dispose()


async def _say_if_unnamed(settings: Settings, engine: Engine) -> None:
    """Say once, at the start, that other systems know this one by the name that every new system has."""
    try:
        if settings.site == DEFAULT_SITE and await run_in_threadpool(_has_partners, engine):
            log.warning(UNNAMED)
    except SQLAlchemyError as error:
        log.warning("it is not known whether other systems are connected: %s", type(error).__name__)


def _has_partners(engine: Engine) -> bool:
    with reading(engine) as connection:
        return epcis_events.has_partners(connection)


async def _expire(engine: Engine) -> None:
    """End what nobody signed in time, whether somebody asks for it or not: an abandoned ceremony is audited (AC-05)."""
    while True:
        await asyncio.sleep(EXPIRY_SECONDS)
        try:
            await run_in_threadpool(ceremonies.expire, engine)
        except SQLAlchemyError as error:
            log.warning("ceremonies are not looked at: %s", type(error).__name__)


def main() -> None:
    """Serve, on the loopback address unless told otherwise; with a certificate over TLS, else for a proxy in front."""
    settings = from_environment()
    certificate, key = settings.api_tls or (None, None)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = create_app(settings)
    # What was loaded stays until the end: no collection of garbage looks at it again (a tenth of a second each time).
    gc.freeze()
    uvicorn.run(
        app, host=settings.api_host, port=settings.api_port, access_log=False, server_header=False,
        timeout_graceful_shutdown=5, ssl_certfile=certificate, ssl_keyfile=key,
    )  # fmt: skip
