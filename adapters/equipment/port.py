"""What we ask of a machine that takes jobs, whichever it is.

A job is known by the id that we gave it: the operation's id and its rework round, never a random one, so that a second
attempt finds the first. Every verb is idempotent by that id. `get_job` is the `find(key)` of the three-way error rule.
A verb raises `AdapterRefused` with a code of `Refusal`, `AdapterUnreachable` or `AdapterUnknown`, and nothing else; the
two reads change nothing, so for them a missing answer is `AdapterUnreachable` too.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import AfterValidator, AwareDatetime, Field

from domain.base import Message
from domain.errors import AdapterRefused, AdapterUnknown, AdapterUnreachable
from domain.machine_states import StateProfile
from domain.quantities import Exact

__all__ = [
    "ALL_CAPABILITIES",
    "AdapterRefused",
    "AdapterUnknown",
    "AdapterUnreachable",
    "Capability",
    "Equipment",
    "JobSpec",
    "JobState",
    "JobView",
    "Quality",
    "Reading",
    "Refusal",
    "StateChange",
]


class Capability(StrEnum):
    """What a machine can do by itself. What it cannot, an operator does and reports."""

    LOAD = "jobLoad"
    START = "jobStart"
    PAUSE = "jobPause"
    ABORT = "jobAbort"
    QUERY = "jobQuery"
    COUNTERS = "counters"
    JOURNAL = "journal"
    STATES = "machineStates"


ALL_CAPABILITIES = frozenset(Capability)


class JobState(StrEnum):
    """The life of a job: loaded → running ⇄ paused → ended, or aborted from any of the first three."""

    LOADED = "loaded"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    ABORTED = "aborted"


class Quality(StrEnum):
    """How far a reading can be trusted, as OPC UA says it."""

    GOOD = "good"
    BAD = "bad"
    UNCERTAIN = "uncertain"


class Refusal(StrEnum):
    """Why a machine says no. All but `MACHINE_BUSY` stay a no however often they are asked."""

    JOB_ID_TAKEN = "jobIdTaken"
    UNKNOWN_BATCH = "unknownBatch"
    UNKNOWN_JOB = "unknownJob"
    JOB_ABORTED = "jobAborted"
    NOT_RUNNING = "jobNotRunning"
    NOT_PAUSED = "jobNotPaused"
    MACHINE_BUSY = "machineBusy"
    INVALID_JOB = "invalidJob"
    MANUAL_STATION = "manualStation"
    LOGIN = "loginRefused"
    CERTIFICATE = "certificateRefused"
    NOT_SUPPORTED = "notSupported"


Utc = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class JobSpec(Message):
    """One job for one machine. `batch` is the batch number as the machine knows it; the quantity is in `unit`."""

    job_id: str = Field(min_length=1, max_length=200)
    order_number: str = Field(min_length=1)
    batch: str = Field(min_length=1)
    product: str = Field(min_length=1)
    target_quantity: Annotated[Exact, Field(gt=0)]
    unit: str = Field(min_length=1)
    parameters: Mapping[str, str] = Field(default_factory=dict)


class JobView(Message):
    """How a job stands. `good` and `waste` are pieces; `last_sequence` is the newest reading's number, 0 if none."""

    job_id: str
    state: JobState
    good: Exact = Decimal(0)
    waste: Exact = Decimal(0)
    started_at: Utc | None = None
    ended_at: Utc | None = None
    last_sequence: int = Field(default=0, ge=0)


class Reading(Message):
    """All sensor values of one moment, in the units of the machine's own tags.

    `sequence` counts from 1 without a gap within the job. A sensor that gave no number is left out of `values` and the
    quality says so. `recorded_at` is the machine's own text of the time, where it has one.
    """

    sequence: int = Field(ge=1)
    source_time: Utc
    values: Mapping[str, Exact]
    quality: Quality = Quality.GOOD
    recorded_at: str = ""


class StateChange(Message):
    """One change of the machine's own state, as the machine says it: a number, which means something in `profile`.

    `journal` names the machine's list of changes; it is another one when the machine has forgotten what was before.
    `sequence` counts from 1 within it.
    """

    journal: str = Field(min_length=1, max_length=80)
    sequence: int = Field(ge=1)
    at: Utc
    number: int
    profile: StateProfile = StateProfile.OPC_30050


class Equipment(Protocol):
    """One machine, or one station without one."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What may be asked of it; empty for a manual station."""
        ...

    async def load_job(self, job: JobSpec) -> JobView:
        """Give the machine a job. The same again gives its present view; other content under its id is refused."""
        ...

    async def start_job(self, job_id: str) -> JobView:
        """Start a loaded job, once in its life. Refused while another job holds the machine (`MACHINE_BUSY`)."""
        ...

    async def pause_job(self, job_id: str) -> JobView:
        """Halt a running job. Nothing is counted and no reading is made until it is resumed."""
        ...

    async def resume_job(self, job_id: str) -> JobView:
        """Let a paused job go on."""
        ...

    async def abort_job(self, job_id: str) -> JobView:
        """End a job for good. A job that ended before stays ended: look at the answer.

        An id that the machine has never seen is aborted too, so that a load still on its way cannot start afterwards.
        """
        ...

    async def get_job(self, job_id: str) -> JobView | None:
        """How the job stands, or None if the machine does not know it."""
        ...

    async def readings(self, job_id: str, after: int) -> Sequence[Reading]:
        """Every reading of the job whose number is above `after`, in order, from the machine's journal.

        The machine keeps them, so a caller that was away asks from its last number and has no gap and no double.
        """
        ...

    async def machine_states(self, journal: str, after: int) -> Sequence[StateChange]:
        """Every change of the machine's state above `after` in that journal, in order, whoever caused it.

        All of it when the machine has another journal now. Empty where the machine keeps none.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection. The machine goes on. Closing twice is harmless."""
        ...
