"""What a process tells about itself to whoever watches the plant's software, when the settings ask for it.

Metrics are served as Prometheus reads them. Traces are sent by OTLP over HTTP, by default to a collector on the same
machine (`OTEL_EXPORTER_OTLP_ENDPOINT`). Both are off by default.
"""

from collections.abc import Sequence
from typing import Any

from temporalio.client import Interceptor
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from settings import Settings, SettingWrong


def metrics_address(settings: Settings) -> str | None:
    """host:port of the metrics; none when nobody asks for them."""
    host = f"[{settings.metrics_host}]" if ":" in settings.metrics_host else settings.metrics_host
    return None if settings.metrics_port is None else f"{host}:{settings.metrics_port}"


def runtime(settings: Settings) -> Runtime | None:
    """The SDK's runtime with its own Prometheus endpoint; none without one. Raises ValueError for a port in use."""
    address = metrics_address(settings)
    if address is None:
        return None
    prometheus = PrometheusConfig(bind_address=address, unit_suffix=True, counters_total_suffix=True)
    return Runtime(telemetry=TelemetryConfig(metrics=prometheus))


def tracer(settings: Settings, service: str, processor: Any = None) -> Any:
    """A tracer that sends what this service does, or None when traces are not asked for.

    Spans go to `processor`, if one is given, else to the collector. Raises SettingWrong without the extra.
    """
    if not settings.traces:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingWrong("MES_TRACES", "on", "an installation with the extra `telemetry`") from None
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("millwright")


def interceptors(tracing: Any) -> Sequence[Interceptor]:
    """What a Temporal client and its workers need so that an order's spans belong to the request that caused them."""
    if tracing is None:
        return ()
    from temporalio.contrib.opentelemetry import TracingInterceptor

    return (TracingInterceptor(tracing),)
