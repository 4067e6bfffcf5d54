"""A span for every request, so that what an order does later belongs to what somebody asked for."""

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Traced:
    """ASGI middleware. `tracer` is one of OpenTelemetry's. Spans hold the route and the status, never contents."""

    def __init__(self, app: ASGIApp, tracer: Any) -> None:
        self._app, self._tracer = app, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on inside its span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._tracer.start_as_current_span(scope["method"]) as span:

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", int(message["status"]))
                await send(message)

            await self._app(scope, receive, sending)
            route = getattr(scope.get("route"), "path", "none")
            span.update_name(f"{scope['method']} {route}")
            span.set_attribute("http.route", route)
