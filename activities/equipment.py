"""A job on a machine: one heartbeating activity from load to end, which stores the readings on the way.

It may die and be started again at any moment: the job id is the key, the machine keeps its jobs, and the readings are
fetched from the machine's own journal after the last sequence that stands in the record.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

from sqlalchemy import Engine
from temporalio import activity

from activities import equipment_gaps
from activities.errors import adapter_errors
from activities.stubs import JobRequest, JobResult, ScaleRequest
from adapters.equipment.port import Capability, Equipment, JobSpec, JobState, JobView, Reading, Refusal, StateChange
from db import machine_states, readings
from domain.errors import AdapterRefused, AdapterUnknown, AdapterUnreachable
from domain.quantities import plain
from domain.weighing import ScaleReading

GIVEN_UP: Final = "JOB_ABORTED"
"""The machine has ended a job that nobody had asked it to end."""
POLL: Final = timedelta(seconds=0.5)
STATES_EVERY: Final = 4
"""How many polls of a job there are for one of the machine's own states, which it keeps for us."""


class Scale(Protocol):
    """A connected scale."""

    async def read(self) -> ScaleReading:
        """What it shows now."""
        ...


class Machines(Protocol):
    """Finds the driver of a workstation."""

    async def at(self, workstation: str) -> Equipment:
        """The driver; `AdapterRefused` when there is no such workstation."""
        ...

    async def scale_at(self, workstation: str) -> Scale:
        """The connected scale; `AdapterRefused` when there is none."""
        ...

    async def batch_name(self, workstation: str, lot: str) -> str:
        """The lot's number as the machine knows it."""
        ...


class EquipmentActivities:
    """Runs jobs on machines."""

    def __init__(self, machines: Machines, engine: Engine) -> None:
        self._machines = machines
        self._engine = engine
        self._unbroken: set[str] = set()
        """Jobs whose machine has answered in this attempt: no gap of theirs is open."""

    @activity.defn(name="equipment.run-job")
    async def run_job(self, request: JobRequest) -> JobResult:
        """Run a job on a machine to its end, storing its readings. Cancelling the activity aborts the job."""
        with adapter_errors():
            machine = await self._machines.at(request.workstation)
            try:
                return await self._run(machine, request)
            except (AdapterUnreachable, AdapterUnknown) as lost:
                await asyncio.to_thread(
                    equipment_gaps.begin,
                    self._engine,
                    request.job,
                    request.workstation,
                    request.order_number,
                    str(lost),
                )
                raise
            except AdapterRefused as refused:
                if refused.code == Refusal.JOB_ABORTED:
                    # Given up before it ran: for the batch the same as given up in the middle.
                    raise AdapterRefused(GIVEN_UP, refused.detail) from refused
                if refused.code == Refusal.MACHINE_BUSY:
                    # Another job runs: not a no for good, but a wait that everybody can see.
                    raise AdapterUnreachable(request.workstation, refused.detail) from refused
                raise
            except asyncio.CancelledError:
                # A worker that stops leaves the machine alone: the next attempt finds the job and goes on with it.
                if not activity.is_worker_shutdown():
                    await machine.abort_job(request.job)
                raise

    @activity.defn(name="equipment.read-scale")
    async def read_scale(self, request: ScaleRequest) -> ScaleReading:
        """Read the connected scale of a workstation once: tare, gross, unit, and whether they may be used."""
        with adapter_errors():
            scale = await self._machines.scale_at(request.workstation)
            return await scale.read()

    @activity.defn(name="equipment.abort-job")
    async def abort_job(self, request: JobRequest) -> None:
        """Abort a job, if the machine has it."""
        with adapter_errors():
            machine = await self._machines.at(request.workstation)
            if await machine.get_job(request.job) is not None:
                await machine.abort_job(request.job)

    async def _run(self, machine: Equipment, request: JobRequest) -> JobResult:
        self._unbroken.discard(request.job)
        batch = await self._machines.batch_name(request.workstation, request.batch)
        job = await machine.load_job(_specification(request, batch))
        if job.state == JobState.LOADED:
            job = await machine.start_job(request.job)
        stored = await asyncio.to_thread(self._last_sequence, request.job)
        polls = 0
        while True:
            activity.heartbeat(stored)
            stored = await self._store_new(machine, request, stored)
            if polls % STATES_EVERY == 0 or job.state in (JobState.ENDED, JobState.ABORTED):
                await self._store_states(machine, request)
            polls += 1
            if job.state == JobState.ABORTED:
                raise AdapterRefused(GIVEN_UP, f"{request.workstation} has aborted job {request.job}")
            if job.state == JobState.ENDED and stored >= job.last_sequence:
                return _result(job, stored)
            await asyncio.sleep(POLL.total_seconds())
            job = await self._view(machine, request)

    async def _view(self, machine: Equipment, request: JobRequest) -> JobView:
        job = await machine.get_job(request.job)
        if job is None:
            raise AdapterRefused("JOB_LOST", f"{request.workstation} no longer knows job {request.job}")
        return job

    async def _store_new(self, machine: Equipment, request: JobRequest, stored: int) -> int:
        found = await machine.readings(request.job, stored)
        if request.job not in self._unbroken:
            await asyncio.to_thread(equipment_gaps.end, self._engine, request.job, request.workstation, found)
            self._unbroken.add(request.job)
        if found:
            await asyncio.to_thread(self._store, request.job, found)
            return found[-1].sequence
        return stored

    async def _store_states(self, machine: Equipment, request: JobRequest) -> None:
        """Whatever the machine did since it was last asked, also before this job."""
        if Capability.STATES not in machine.capabilities:
            return
        last = await asyncio.to_thread(self._last_state, request.workstation)
        found = await machine.machine_states(*last)
        if found:
            await asyncio.to_thread(self._write_states, request, found)

    def _last_state(self, workstation: str) -> tuple[str, int]:
        with self._engine.begin() as connection:
            return machine_states.last(connection, workstation)

    def _write_states(self, request: JobRequest, found: Sequence[StateChange]) -> None:
        rows = [machine_states.Change(**own.model_dump()) for own in found]
        with self._engine.begin() as connection:
            machine_states.store(connection, request.workstation, request.job, rows)

    def _last_sequence(self, job: str) -> int:
        with self._engine.begin() as connection:
            return readings.last_sequence(connection, job)

    def _store(self, job: str, found: Sequence[Reading]) -> None:
        rows = [
            readings.ReadingRow(
                own.sequence, own.source_time, own.quality, {k: plain(v) for k, v in own.values.items()}
            )
            for own in found
        ]
        with self._engine.begin() as connection:
            readings.store(connection, job, rows)


def _specification(request: JobRequest, batch: str) -> JobSpec:
    return JobSpec(
        job_id=request.job,
        order_number=request.order_number,
        batch=batch,
        product=request.product,
        target_quantity=request.quantity,
        unit=request.unit,
        parameters=request.recipe,
    )


def _result(job: JobView, stored: int) -> JobResult:
    return JobResult(good=job.good, waste=job.waste, readings=stored, started_at=job.started_at, ended_at=job.ended_at)
