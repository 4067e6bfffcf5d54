"""The application: services, gate, routes."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from fastapi import APIRouter, FastAPI

from adapters.inventory.postgres import PostgresInventory
from adapters.quality.postgres import PostgresQuality
from api import errors, openapi
from api.cases_door import Cases
from api.deps import Services
from api.gate import PREFIX, Gate
from api.history import Histories
from api.orders_door import Orders
from api.outcomes import Outcomes
from api.routes import (
    auth,
    labels,
    lot_numbers,
    master_data,
    orders,
    plan_lines,
    quality,
    quality_cases,
    records,
    reports,
    reworks,
    trace_graph,
    traces,
    users,
    validation,
    wms,
    work_orders,
)
from api.security import Sessions
from db.session import engine_for
from settings import Settings, from_environment
from workflows.policies import TASK_QUEUE

ROUTERS = (
    auth,
    users,
    master_data,
    plan_lines,
    orders,
    work_orders,
    reports,
    reworks,
    wms,
    labels,
    quality,
    quality_cases,
    lot_numbers,
    trace_graph,
    traces,
    validation,
    records,
)


def build_services(settings: Settings, task_queue: str = TASK_QUEUE) -> Services:
    """The services of one process. Nothing is connected yet."""
    engine = engine_for(settings.database_url, pool_size=15, application="millwright-api")
    orders = Orders(settings, task_queue)
    return Services(
        settings=settings,
        engine=engine,
        sessions=Sessions(engine),
        outcomes=Outcomes(settings.database_url, engine),
        orders=orders,
        cases=Cases(orders, engine, task_queue),
        histories=Histories(),
        inventory=PostgresInventory(engine),
        quality=PostgresQuality(engine),
    )


def create_app(settings: Settings, *, task_queue: str = TASK_QUEUE) -> FastAPI:
    """The API on the record and the engine that the settings name. It starts without either, and answers 503."""
    services = build_services(settings, task_queue)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        helpers = (
            asyncio.create_task(services.outcomes.run(), name="outcomes"),
            asyncio.create_task(services.cases.run(), name="cases"),
        )
        try:
            yield
        finally:
            for helper in helpers:
                helper.cancel()
                with suppress(asyncio.CancelledError):
                    await helper
            services.engine.dispose()

    app = FastAPI(
        title="Millwright", version="1", lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )  # fmt: skip
    app.state.services = services
    everything = APIRouter(prefix=PREFIX, responses=openapi.PROBLEMS)
    for module in ROUTERS:
        everything.include_router(module.router)
    app.include_router(everything)
    errors.install(app)
    openapi.install(app)
    app.add_middleware(Gate)
    return app


def main() -> None:
    """Serve, on the loopback address unless told otherwise. TLS is for the proxy in front of it."""
    settings = from_environment()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvicorn.run(
        create_app(settings), host=settings.api_host, port=settings.api_port, access_log=False, server_header=False,
        timeout_graceful_shutdown=5,
    )  # fmt: skip
