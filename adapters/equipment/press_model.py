"""The tablet press as a pure model: jobs, counts and journal as functions of the time that is passed in.

No clock, no socket, no file. A job's progress is worked out from the wall-clock stretches in which it ran, so a press
that was switched off and on again stands where it would have stood.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import uuid4

from pydantic import Field

from adapters.equipment import press_states
from adapters.equipment.port import (
    AdapterRefused,
    JobSpec,
    JobState,
    JobView,
    Quality,
    Reading,
    Refusal,
    StateChange,
    Utc,
)
from adapters.equipment.press_series import PressRow, PressRun
from domain.base import Message
from domain.machine_states import MachineState, StateProfile, number_of

FORGOTTEN: Final = "#forgotten-"
_OPEN = frozenset({JobState.RUNNING, JobState.PAUSED})


class Stretch(Message):
    """One stretch of running: from a wall-clock moment until another, or still going on."""

    begin: Utc
    end: Utc | None = None


class JobRecord(Message):
    """What the press remembers of a job. `spec` is missing where an abort came before the load.

    `speed` is how many recorded seconds pass in one second; it stays as it was at the load, so that readings keep
    their source times when the press comes back with another setting. `stopped_at` is when it was ended before its last
    row; `is_allowed`: it begins by itself when the press is free.
    """

    job_id: str
    spec: JobSpec | None = None
    state: JobState = JobState.LOADED
    speed: float = Field(default=1.0, gt=0)
    stretches: tuple[Stretch, ...] = ()
    aborted_at: Utc | None = None
    stopped_at: Utc | None = None
    is_allowed: bool = False


class PressState(Message):
    """Everything that has to survive a restart. `starts` counts how often the press was set going, ever;
    `journal` names its list of changes of state."""

    starts: int = 0
    journal: str = ""
    jobs: tuple[JobRecord, ...] = ()


@dataclass
class Press:
    """A press that can run the given recorded runs, one at a time, `speed` times as fast as they were recorded."""

    runs: Mapping[str, PressRun]
    speed: float = 1.0
    starts: int = 0
    jobs: dict[str, JobRecord] = field(default_factory=dict)
    journal: str = field(default_factory=lambda: str(uuid4()))

    def restore(self, state: PressState) -> None:
        """Take over what an earlier press knew. Raises `ValueError` if it had a batch that is not in the runs."""
        unknown = {job.spec.batch for job in state.jobs if job.spec} - set(self.runs)
        if unknown:
            raise ValueError(f"jobs of the batches {', '.join(sorted(unknown))} are remembered, but not in the series")
        self.starts = state.starts
        self.journal = state.journal or self.journal
        self.jobs = {job.job_id: job for job in state.jobs}

    def remember(self) -> PressState:
        """What `restore` needs."""
        return PressState(starts=self.starts, journal=self.journal, jobs=tuple(self.jobs.values()))

    def load(self, spec: JobSpec, now: datetime) -> JobView:
        """Take a job. Refused: `JOB_ID_TAKEN`, `UNKNOWN_BATCH`, `JOB_ABORTED` (aborted before it was loaded)."""
        known = self.jobs.get(spec.job_id)
        if known is None:
            if spec.batch not in self.runs:
                raise AdapterRefused(Refusal.UNKNOWN_BATCH, f"the press has no recipe for batch {spec.batch}")
            self.jobs[spec.job_id] = JobRecord(job_id=spec.job_id, spec=spec, speed=self.speed)
        elif known.spec is None:
            raise AdapterRefused(Refusal.JOB_ABORTED, f"{spec.job_id} was aborted before it was loaded")
        elif known.spec != spec:
            raise AdapterRefused(Refusal.JOB_ID_TAKEN, f"{spec.job_id} was loaded with other content")
        return self.view(spec.job_id, now)

    def start(self, job_id: str, now: datetime) -> JobView:
        """Set a loaded job going; again is harmless. Refused: `UNKNOWN_JOB`, `JOB_ABORTED`, `MACHINE_BUSY`."""
        _, state = self._known(job_id, now)
        if state is JobState.ABORTED:
            raise AdapterRefused(Refusal.JOB_ABORTED, f"{job_id} was aborted")
        if state is JobState.LOADED:
            busy = self.active(now)
            if busy is not None:
                raise AdapterRefused(Refusal.MACHINE_BUSY, f"the press is held by {busy.job_id}")
            self.starts += 1
            self.change(job_id, state=JobState.RUNNING, stretches=(Stretch(begin=now),))
        return self.view(job_id, now)

    def pause(self, job_id: str, now: datetime) -> JobView:
        """Halt a running job; again is harmless. Refused: `UNKNOWN_JOB`, `NOT_RUNNING`."""
        job, state = self._known(job_id, now)
        if state not in _OPEN:
            raise AdapterRefused(Refusal.NOT_RUNNING, f"{job_id} is {state}")
        if state is JobState.RUNNING:
            self.change(job_id, state=JobState.PAUSED, stretches=closed(job, now))
        return self.view(job_id, now)

    def resume(self, job_id: str, now: datetime) -> JobView:
        """Let a paused job go on; again is harmless. Refused: `UNKNOWN_JOB`, `NOT_PAUSED`."""
        job, state = self._known(job_id, now)
        if state not in _OPEN:
            raise AdapterRefused(Refusal.NOT_PAUSED, f"{job_id} is {state}")
        if state is JobState.PAUSED:
            self.change(job_id, state=JobState.RUNNING, stretches=(*job.stretches, Stretch(begin=now)))
        return self.view(job_id, now)

    def abort(self, job_id: str, now: datetime) -> JobView:
        """End a job for good, also one that was never loaded. A job that has ended stays ended."""
        view = self.find(job_id, now)
        if view is None or view.state not in (JobState.ENDED, JobState.ABORTED):
            job = self.jobs.setdefault(job_id, JobRecord(job_id=job_id))
            self.change(job_id, state=JobState.ABORTED, stretches=closed(job, now), aborted_at=now)
        return self.view(job_id, now)

    def find(self, job_id: str, now: datetime) -> JobView | None:
        """How a job stands, or None."""
        return self.view(job_id, now) if job_id in self.jobs else None

    def view(self, job_id: str, now: datetime) -> JobView:
        """How a known job stands at `now`. Raises `KeyError` for any other."""
        job = self.jobs[job_id]
        made = self._made(job, now)
        row = self._rows(job)[made - 1] if made else None
        ended = self._ended_at(job, now)
        return JobView(
            job_id=job_id,
            state=JobState.ENDED if ended else job.state,
            good=Decimal(row.good if row else 0),
            waste=Decimal(row.waste if row else 0),
            started_at=job.stretches[0].begin if job.stretches else None,
            ended_at=ended or job.aborted_at,
            last_sequence=made,
        )

    def active(self, now: datetime) -> JobView | None:
        """The job that holds the press, running or paused, or None."""
        held = (self.view(job.job_id, now) for job in self.jobs.values() if job.state in _OPEN)
        return next((view for view in held if view.state in _OPEN), None)

    def present_row(self, job_id: str, now: datetime) -> PressRow | None:
        """What the sensors of a known job show at `now`; None before its first row."""
        job = self.jobs[job_id]
        made = self._made(job, now)
        return self._rows(job)[made - 1] if made else None

    def readings(self, job_id: str, after: int, limit: int, now: datetime) -> list[Reading]:
        """At most `limit` readings above `after`, made up to `now`. Refused: `UNKNOWN_JOB`."""
        job, _ = self._known(job_id, now)
        rows, last = self._rows(job), min(self._made(job, now), after + limit)
        return [_reading(job, index + 1, rows[index]) for index in range(max(after, 0), last)]

    def machine_states(self, now: datetime) -> list[StateChange]:
        """Every change of the press's state up to `now`, from its first reset on."""
        begun = sorted((job for job in self.jobs.values() if job.stretches), key=lambda job: job.stretches[0].begin)
        found: list[tuple[datetime, MachineState]] = []
        for job in begun:
            found += press_states.of_job(job, self._rows(job), self._ended_at(job, now), now)
        if begun:
            first = begun[0].stretches[0].begin
            found = [(first, state) for state in press_states.SWITCHED_ON] + found
        profile = StateProfile.OPC_30050
        return [
            StateChange(
                journal=self.journal, sequence=index + 1, at=at, number=number_of(profile, state), profile=profile
            )
            for index, (at, state) in enumerate(found)
        ]

    def _known(self, job_id: str, now: datetime) -> tuple[JobRecord, JobState]:
        job = self.jobs.get(job_id)
        if job is None:
            raise AdapterRefused(Refusal.UNKNOWN_JOB, f"the press does not know {job_id}")
        return job, self.view(job_id, now).state

    def change(self, job_id: str, **changes: object) -> None:
        """Put other values into what is remembered of a job."""
        self.jobs[job_id] = self.jobs[job_id].model_copy(update=changes)

    def forget(self, job_id: str) -> None:
        """Take a job off the list. What the press did in it stays in its list of changes of state."""
        job = self.jobs.pop(job_id)
        if job.stretches:
            kept = f"{job_id}{FORGOTTEN}{self.starts}"
            self.jobs[kept] = job.model_copy(update={"job_id": kept})

    def _rows(self, job: JobRecord) -> Sequence[PressRow]:
        return self.runs[job.spec.batch].rows if job.spec else ()

    def _made(self, job: JobRecord, now: datetime) -> int:
        """How many rows the press has played by `now`."""
        if not job.stretches:
            return 0
        return bisect_right(self._rows(job), _ran(job, now) * job.speed, key=lambda row: row.offset)

    def _ended_at(self, job: JobRecord, now: datetime) -> datetime | None:
        """When the last row was played or the job was stopped, if so."""
        if job.stopped_at is not None:
            return job.stopped_at
        rows = self._rows(job)
        if not rows or self._made(job, now) < len(rows):
            return None
        return _moment(job, rows[-1].offset / job.speed)


def closed(job: JobRecord, now: datetime) -> tuple[Stretch, ...]:
    return tuple(s if s.end else Stretch(begin=s.begin, end=now) for s in job.stretches)


def _ran(job: JobRecord, now: datetime) -> timedelta:
    """Wall-clock time in which the job ran. A clock that was set back counts as no time, never as less."""
    zero = timedelta(0)
    return sum((max((s.end or now) - s.begin, zero) for s in job.stretches), zero)


def _moment(job: JobRecord, ran: timedelta) -> datetime:
    """The wall-clock moment at which the job had run for `ran`."""
    left = ran
    for stretch in job.stretches[:-1]:
        length = (stretch.end or stretch.begin) - stretch.begin
        if left <= length:
            return stretch.begin + left
        left -= length
    return job.stretches[-1].begin + left


def _reading(job: JobRecord, sequence: int, row: PressRow) -> Reading:
    return Reading(
        sequence=sequence,
        source_time=_moment(job, row.offset / job.speed),
        values={tag: Decimal(text) for tag, text in row.texts.items()},
        quality=Quality(row.quality),
        recorded_at=row.recorded_at,
    )
