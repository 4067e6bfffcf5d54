"""Wiring only: settings → adapters → activities → workers. `python -m worker [--role all|orders|gateway]`."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import uvloop
from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    PollerBehaviorSimpleMaximum,
    Worker,
    WorkerDeploymentConfig,
)

import settings as configuration
import telemetry
from activities.alarms import AlarmActivities
from activities.batch_records import BatchRecordActivities
from activities.equipment import EquipmentActivities
from activities.equipment_register import EquipmentRegisterActivities
from activities.inventory import InventoryActivities
from activities.lot_holds import LotHoldActivities
from activities.quality import QualityActivities
from activities.records import RecordActivities
from activities.reports import ReportActivities
from adapters.alarms.condition_watch import ConditionWatch
from adapters.alarms.spc_watch import SpcWatch
from adapters.equipment_register.port import EquipmentRegister
from adapters.equipment_register.postgres import PostgresEquipmentRegister
from adapters.inventory.port import Inventory
from adapters.inventory.postgres import PostgresInventory
from adapters.outbound.courier import Courier
from adapters.outbound.http import HttpReceiver
from adapters.printing.seal import OrganisationSeal
from adapters.printing.typst_printer import TypstPrinter
from adapters.quality.hold_process import PostgresHoldProcess
from adapters.quality.lot_dates import PostgresLotDates
from adapters.quality.port import Quality
from adapters.quality.postgres import PostgresQuality
from adapters.reports.due import DueReports
from db.audit import SOURCE
from db.session import engine_for
from reporting.files import ReportFiles
from workflows import policies
from workflows.equipment_clock import EquipmentClockWorkflow
from workflows.report_clock import ReportClockWorkflow
from workflows.runtime import (
    WORKFLOWS,
    build_id,
    connect,
    start_alarm_clock,
    tell_clock,
    temporal_tls,
    workflow_runner,
)

if TYPE_CHECKING:
    from adapters.equipment.stations import Stations


def _deployment() -> WorkerDeploymentConfig:
    version = WorkerDeploymentVersion("mes", build_id())
    return WorkerDeploymentConfig(version=version, use_worker_versioning=False)


class _Here(ActivityInboundInterceptor):
    """Says which process is at work, for audit rows of a neighbour that is built in: they name no device."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        SOURCE.set(f"worker on {socket.gethostname()}")
        return await super().execute_activity(input)


class SaysWhere(Interceptor):
    """Puts `_Here` before every activity."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """The activity, in a context that knows its process."""
        return _Here(super().intercept_activity(next))


def build_worker(
    client: Client,
    engine: Engine,
    settings: configuration.Settings,
    *,
    inventory: Inventory | None = None,
    quality: Quality | None = None,
    equipment_register: EquipmentRegister | None = None,
    task_queue: str = policies.TASK_QUEUE,
) -> Worker:
    """The worker of orders: their workflows, the projector, warehouse, quality and equipment register."""
    record = RecordActivities(engine)
    warehouse = InventoryActivities(inventory or PostgresInventory(engine, time_zone=ZoneInfo(settings.time_zone)))
    seal = None if settings.seal_key is None else OrganisationSeal(settings.seal_key, settings.seal_password)
    batch_records = BatchRecordActivities(engine, TypstPrinter(), seal)
    laboratory = QualityActivities(quality or PostgresQuality(engine))
    lot_holds = LotHoldActivities(PostgresHoldProcess(engine))
    equipment = EquipmentRegisterActivities(
        equipment_register or PostgresEquipmentRegister(engine), PostgresLotDates(engine, ZoneInfo(settings.time_zone))
    )
    zone = ZoneInfo(settings.time_zone)
    reports = ReportActivities(DueReports(engine, ReportFiles(zone), zone))
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=[
            record.write_record,
            record.write_case,
            warehouse.allocate,
            warehouse.issue,
            warehouse.give_back,
            warehouse.return_materials,
            warehouse.dispense,
            warehouse.undispense,
            warehouse.introduce,
            warehouse.put_away,
            warehouse.release_to_stock,
            warehouse.scrap,
            laboratory.request_inspection,
            laboratory.cancel_inspection,
            batch_records.check_record,
            batch_records.archive_record,
            equipment.occupy,
            equipment.expire,
            equipment.check_scale,
            equipment.maintain,
            equipment.report_fault,
            laboratory.settle_lot,
            lot_holds.find_held_orders,
            lot_holds.read_hold_answers,
            lot_holds.finish_hold_step,
            reports.make_due,
            AlarmActivities(engine).escalate_alarms,
        ],
        activity_executor=ThreadPoolExecutor(settings.worker_threads, thread_name_prefix="activity"),
        max_concurrent_activities=settings.worker_threads,
        max_cached_workflows=settings.max_cached_workflows,
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(settings.worker_pollers),
        activity_task_poller_behavior=PollerBehaviorSimpleMaximum(settings.worker_pollers),
        workflow_runner=workflow_runner(sandbox=settings.sandbox),
        deployment_config=_deployment(),
        interceptors=[SaysWhere()],
        # Of payloads that lie elsewhere: there are none, and more than one at a time costs a task for every payload.
        max_workflow_task_external_storage_concurrency=1,
        # After a kill the first message to an order waits this long for the dead worker's cache.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        graceful_shutdown_timeout=timedelta(seconds=20),
    )


def build_gateway(client: Client, engine: Engine, stations: "Stations") -> Worker:
    """The worker beside the machines: it holds their connections and runs their jobs."""
    machines = EquipmentActivities(stations, engine)
    return Worker(
        client,
        task_queue=policies.EQUIPMENT_QUEUE,
        activities=[machines.run_job, machines.abort_job, machines.read_scale],
        deployment_config=_deployment(),
        interceptors=[SaysWhere()],
        # A cancelled job must reach the machine soon: the cancellation comes with a heartbeat.
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=5),
    )


def _stations(engine: Engine) -> "Stations":
    # Imported here: the OPC UA library takes 83 MB and 0.7 s of a processor, and a worker of orders has no machines.
    from adapters.equipment.stations import Stations

    return Stations(engine)


async def run(role: str) -> None:
    """Run until a signal to stop."""
    settings = configuration.from_environment()
    engine = engine_for(
        settings.database_url,
        pool_size=settings.worker_threads,
        application="millwright-worker",
        longest_transaction_seconds=policies.LONGEST_TRANSACTION_SECONDS,
    )
    client = await connect(
        settings.temporal_address,
        settings.temporal_namespace,
        payload_keys=settings.payload_keys,
        tls=temporal_tls(settings.temporal_tls),
        interceptors=telemetry.interceptors(telemetry.tracer(settings, f"millwright-{role}")),
        runtime=telemetry.runtime(settings),
    )
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    workers: list[Worker] = []
    if role in ("all", "orders"):
        workers.append(build_worker(client, engine, settings))
        # What was changed while the clock could not be told is seen now.
        await tell_clock(client, EquipmentClockWorkflow, policies.TASK_QUEUE)
        await tell_clock(client, ReportClockWorkflow, policies.TASK_QUEUE)
        await start_alarm_clock(client, policies.TASK_QUEUE)
    stations = _stations(engine) if role in ("all", "gateway") else None
    if stations is not None:
        workers.append(build_gateway(client, engine, stations))
    receiver = HttpReceiver()
    watches = (
        (Courier(engine, receiver).run(), SpcWatch(engine).run(), ConditionWatch(engine).run())
        if role in ("all", "orders")
        else ()
    )
    beside = [asyncio.create_task(watch) for watch in watches]
    # What was imported stays: the collector looks at the orders alone.
    gc.collect()
    gc.freeze()
    running = [asyncio.create_task(worker.run()) for worker in workers]
    stopping = asyncio.create_task(stop.wait())
    logging.getLogger(__name__).info("worker ready, role %s", role)
    await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*(worker.shutdown() for worker in workers))
    await asyncio.gather(*running)
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    await receiver.close()
    if stations is not None:
        await stations.close()
    engine.dispose()


def main() -> None:
    """Entry of the process."""
    parser = argparse.ArgumentParser(description="Runs the workflows of orders and the jobs of machines.")
    parser.add_argument("--role", choices=("all", "orders", "gateway"), default="all")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    role = parser.parse_args().role
    try:
        uvloop.run(run(role))
    except (configuration.SettingMissing, configuration.SettingWrong) as wrong:
        sys.exit(str(wrong))
    # The SDK's threads can abort the interpreter on its way out; everything is flushed by now.
    logging.shutdown()
    os._exit(0)


if __name__ == "__main__":
    main()
