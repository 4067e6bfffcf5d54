"""What the API counts, as Prometheus reads it: requests, verdicts, and what a plant wants to be woken for."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.session import reading
from db.tables import OPEN_ORDER
from settings import Settings, SettingWrong

SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
REGISTRY: Final = CollectorRegistry()
REQUESTS: Final = Counter(
    "mes_requests", "Requests by route and status.", ("method", "route", "status"), registry=REGISTRY
)
REQUEST_SECONDS: Final = Histogram(
    "mes_request_seconds", "Time until a request was answered.", ("method", "route"), buckets=SECONDS, registry=REGISTRY
)
VERDICTS: Final = Counter(
    "mes_verdicts", "Commands by what was answered: accepted, refused, or later (202).", ("verdict",), registry=REGISTRY
)
VERDICT_SECONDS: Final = Histogram(
    "mes_verdict_seconds", "From the command to its verdict in the record.", buckets=SECONDS, registry=REGISTRY
)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)


def judged(accepted: bool | None, seconds: float) -> None:
    """A command was answered after so long; None: not judged yet."""
    VERDICTS.labels("later" if accepted is None else "accepted" if accepted else "refused").inc()
    if accepted is not None:
        VERDICT_SECONDS.observe(seconds)


class Counted:
    """ASGI middleware: counts every request by the route that took it, so that ids make no new series."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and take down how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            REQUESTS.labels(scope["method"], route, str(status)).inc()
            REQUEST_SECONDS.labels(scope["method"], route).observe(time.perf_counter() - begun)


class OfTheRecord(Collector):
    """Read from the record when somebody asks: orders by state, what they wait for, alarms, connections."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterable[Metric]:
        """The record's own figures; only that it cannot be reached, when it cannot."""
        reached = GaugeMetricFamily("mes_record_reachable", "Whether the record can be read.")
        try:
            with reading(self._engine) as connection:
                found = {name: connection.execute(text(statement)).all() for name, statement in _STATEMENTS.items()}
        except SQLAlchemyError:
            reached.add_metric((), 0)
            yield reached
            return
        reached.add_metric((), 1)
        yield reached
        orders = GaugeMetricFamily("mes_open_orders", "Orders that are not over, by state.", labels=("state",))
        waiting = GaugeMetricFamily(
            "mes_orders_waiting", "Orders that a neighbour does not answer.", labels=("neighbour",)
        )
        longest = GaugeMetricFamily(
            "mes_longest_wait_seconds", "Since when the first of them waits.", labels=("neighbour",)
        )
        alarms = CounterMetricFamily("mes_alarms", "Alarms that were ever raised, by code.", labels=("code",))
        for state, count in found["orders"]:
            orders.add_metric((state,), count)
        for neighbour, count, seconds in found["waiting"]:
            waiting.add_metric((neighbour,), count)
            longest.add_metric((neighbour,), float(seconds))
        for code, count in found["alarms"]:
            alarms.add_metric((code,), count)
        connections = GaugeMetricFamily("mes_record_connections_in_use", "Connections of this process to the record.")
        if isinstance(self._engine.pool, QueuePool):
            connections.add_metric((), self._engine.pool.checkedout())
        yield from (orders, waiting, longest, alarms, connections)


_STATEMENTS: Final = {
    "orders": f"SELECT state, count(*) FROM production_order WHERE {OPEN_ORDER} GROUP BY state",
    "waiting": "SELECT w ->> 'neighbour', count(*), extract(epoch FROM now() - min((w ->> 'since')::timestamptz)) "
    f"FROM production_order, jsonb_array_elements(waiting) w WHERE {OPEN_ORDER} GROUP BY 1",
    "alarms": "SELECT code, count(*) FROM alarm GROUP BY code",
}


@contextmanager
def served(settings: Settings, engine: Engine) -> Iterator[None]:
    """Serve the metrics as long as the body runs, in a thread of their own. Raises SettingWrong for a port in use."""
    if settings.metrics_port is None:
        yield
        return
    record = OfTheRecord(engine)
    REGISTRY.register(record)
    try:
        server, thread = _server(settings)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
    finally:
        REGISTRY.unregister(record)


def _server(settings: Settings) -> tuple[Any, threading.Thread]:
    port = settings.metrics_port or 0
    try:
        return start_http_server(port, settings.metrics_host, REGISTRY)
    except OSError as error:
        raise SettingWrong("MES_METRICS_PORT", str(port), f"a free port on {settings.metrics_host} ({error})") from None
