"""How every process of ours talks to Temporal: converter, sandbox, deployment. One place, so that nobody differs."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias

from temporalio.client import Client, Interceptor
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import Runtime
from temporalio.service import TLSConfig
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner

from workflows import alarm_clock
from workflows.alarm_clock import AlarmClockWorkflow
from workflows.capa import CapaWorkflow
from workflows.deviation import DeviationWorkflow
from workflows.encryption import data_converter
from workflows.equipment_clock import EquipmentClockWorkflow
from workflows.lot_hold import LotHoldWorkflow
from workflows.maintenance import MaintenanceWorkflow
from workflows.production_order import ProductionOrderWorkflow
from workflows.report_clock import ReportClockWorkflow
from workflows.sandbox import SharedSandbox
from workflows.told_clock import SIGNAL

TlsFiles: TypeAlias = tuple[Path | None, Path | None, Path | None, str | None]
"""The authority that the server is known by (None: the machine's), our certificate and key, the server's name."""
WORKFLOWS: Final[Sequence[type]] = (
    ProductionOrderWorkflow, DeviationWorkflow, CapaWorkflow, MaintenanceWorkflow, EquipmentClockWorkflow,
    LotHoldWorkflow, AlarmClockWorkflow, ReportClockWorkflow,
)  # fmt: skip

_PASSED_THROUGH: Final = ("domain", "activities")
"""Pure packages that the sandbox does not load again for every order: a quarter of the memory, half of the CPU."""


def build_id() -> str:
    """Changes when workflow or domain code changes; cheap, where the SDK's default hashes every loaded module."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for room in ("domain", "workflows"):
        for path in sorted((root / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def workflow_runner(*, sandbox: bool = True) -> WorkflowRunner:
    """The sandbox, with our pure packages passed through; processes of a plant run without it (ADR 0022)."""
    if not sandbox:
        return UnsandboxedWorkflowRunner()
    return SharedSandbox(*_PASSED_THROUGH)


async def connect(
    address: str,
    namespace: str = "default",
    *,
    attempts: int = 60,
    interceptors: Sequence[Interceptor] = (),
    payload_keys: Sequence[str] = (),
    tls: bool | TLSConfig = False,
    runtime: Runtime | None = None,
) -> Client:
    """A client; a server that is not there yet is asked again every half second."""
    converter = data_converter(payload_keys)
    for attempt in range(attempts):
        try:
            return await Client.connect(
                address,
                namespace=namespace,
                data_converter=converter,
                interceptors=interceptors,
                tls=tls,
                runtime=runtime,
            )
        except RuntimeError:
            if attempt == attempts - 1:
                raise
            await asyncio.sleep(0.5)
    raise AssertionError("unreachable")


def temporal_tls(files: TlsFiles | None) -> bool | TLSConfig:
    """How Temporal is reached over TLS; False: without. Raises OSError for a file that cannot be read."""
    if files is None:
        return False
    authority, certificate, key = (None if path is None else path.read_bytes() for path in files[:3])
    return TLSConfig(server_root_ca_cert=authority, domain=files[3], client_cert=certificate, client_private_key=key)


async def tell_clock(
    client: Client,
    clock: type[EquipmentClockWorkflow] | type[ReportClockWorkflow],
    task_queue: str,
    rpc_timeout: timedelta | None = None,
) -> None:
    """This clock looks now; it is started when it does not run."""
    await client.start_workflow(
        clock.run,
        id=clock.workflow_id(task_queue),
        task_queue=task_queue,
        start_signal=SIGNAL,
        static_summary=clock.summary,
        rpc_timeout=rpc_timeout,
    )


async def start_alarm_clock(client: Client, task_queue: str) -> None:
    """The clock of alarms runs; the one that runs already is left as it is."""
    with suppress(WorkflowAlreadyStartedError):
        await client.start_workflow(
            AlarmClockWorkflow.run,
            id=alarm_clock.workflow_id(task_queue),
            task_queue=task_queue,
            static_summary="alarms",
        )
