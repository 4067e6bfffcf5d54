"""Which PackML states the press went through in a job, worked out from its stretches and its recorded speed."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from adapters.equipment.port import JobState
from adapters.equipment.press_series import PressRow
from domain.machine_states import MachineState as State

if TYPE_CHECKING:
    from adapters.equipment.press_model import JobRecord

Change = tuple[datetime, State]
SWITCHED_ON: Final = (State.STOPPED, State.RESETTING, State.IDLE)


def of_job(job: "JobRecord", rows: Sequence[PressRow], ended_at: datetime | None, now: datetime) -> list[Change]:
    """Starting and executing, suspended while the recorded speed is 0, held while paused, and back to idle."""
    found: list[Change] = []
    ran = timedelta(0)
    is_moving = True
    for number, stretch in enumerate(job.stretches):
        first = State.UNHOLDING if number else State.STARTING
        found += _at(stretch.begin, first, State.EXECUTE)
        if not is_moving:
            found += _at(stretch.begin, State.SUSPENDING, State.SUSPENDED)
        end = stretch.end or ended_at or now
        for row in _played(job, rows, ran, max(end - stretch.begin, timedelta(0))):
            moves = float(row.texts.get("tbl_speed", "0")) > 0
            if moves != is_moving:
                is_moving = moves
                steps = (State.UNSUSPENDING, State.EXECUTE) if moves else (State.SUSPENDING, State.SUSPENDED)
                found += _at(stretch.begin + row.offset / job.speed - ran, *steps)
        ran += max(end - stretch.begin, timedelta(0))
        if stretch.end is not None and stretch.end not in (job.aborted_at, job.stopped_at):
            found += _at(stretch.end, State.HOLDING, State.HELD)
    if job.stopped_at is not None:
        found += _at(job.stopped_at, State.STOPPING, *SWITCHED_ON)
    elif ended_at is not None:
        waking = () if is_moving else (State.UNSUSPENDING, State.EXECUTE)
        found += _at(ended_at, *waking, State.COMPLETING, State.COMPLETE, State.RESETTING, State.IDLE)
    elif job.state is JobState.ABORTED and job.aborted_at is not None:
        found += _at(job.aborted_at, State.ABORTING, State.ABORTED, State.CLEARING, *SWITCHED_ON)
    return found


def _at(moment: datetime, *states: State) -> list[Change]:
    return [(moment, state) for state in states]


def _played(job: "JobRecord", rows: Sequence[PressRow], ran: timedelta, length: timedelta) -> Iterator[PressRow]:
    """The rows that were played in a stretch that began when the job had run for `ran`."""
    for row in rows:
        if ran < row.offset / job.speed <= ran + length or (not ran and not row.offset):
            yield row
