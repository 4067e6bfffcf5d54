"""The press's jobs as job orders of OPC 10031-4: the same jobs as behind its own methods, by the standard's table."""

from datetime import datetime
from typing import Final

from adapters.equipment.job_orders import NEXT, JobMethod, JobOrderState, ReturnStatus
from adapters.equipment.port import AdapterRefused, JobSpec, JobState
from adapters.equipment.press_model import JobRecord, Press, closed

_STATES: Final = {
    JobState.RUNNING: JobOrderState.RUNNING,
    JobState.PAUSED: JobOrderState.INTERRUPTED,
    JobState.ENDED: JobOrderState.ENDED,
    JobState.ABORTED: JobOrderState.ABORTED,
}


def state_of(press: Press, job_id: str, now: datetime) -> JobOrderState | None:
    """The state of a job order, or None for one that the press does not know."""
    view = press.find(job_id, now)
    if view is None:
        return None
    if view.state is not JobState.LOADED:
        return _STATES[view.state]
    is_allowed = press.jobs[job_id].is_allowed
    return JobOrderState.ALLOWED_TO_START if is_allowed else JobOrderState.NOT_ALLOWED_TO_START


def store(press: Press, job_id: str, spec: JobSpec | None, now: datetime, *, start: bool) -> ReturnStatus:
    """A new job order. One without a work master (`spec` none) is kept and can never be started."""
    if job_id in press.jobs:
        return ReturnStatus.INVALID_REQUEST
    if spec is None:
        if start:
            return ReturnStatus.UNABLE_TO_ACCEPT
        press.jobs[job_id] = JobRecord(job_id=job_id)
        return ReturnStatus.NO_ERROR
    try:
        press.load(spec, now)
    except AdapterRefused:
        return ReturnStatus.UNABLE_TO_ACCEPT
    if start:
        press.change(job_id, is_allowed=True)
        advance(press, now)
    return ReturnStatus.NO_ERROR


def update(press: Press, job_id: str, spec: JobSpec | None, now: datetime) -> ReturnStatus:
    """Other content for a job order that has not begun."""
    state = state_of(press, job_id, now)
    if state is None:
        return ReturnStatus.UNKNOWN_JOB_ORDER_ID
    if (state, JobMethod.UPDATE) not in NEXT:
        return ReturnStatus.INVALID_STATUS
    if spec is None or spec.batch not in press.runs:
        return ReturnStatus.UNABLE_TO_ACCEPT
    press.change(job_id, spec=spec, speed=press.speed)
    return ReturnStatus.NO_ERROR


def ask(press: Press, method: JobMethod, job_id: str, now: datetime) -> ReturnStatus:
    """Any method that takes an id. What the table does not have changes nothing."""
    state = state_of(press, job_id, now)
    if state is None:
        return ReturnStatus.UNKNOWN_JOB_ORDER_ID
    if (state, method) not in NEXT:
        return ReturnStatus.INVALID_STATUS
    match method:
        case JobMethod.START if press.jobs[job_id].spec is None:
            return ReturnStatus.UNABLE_TO_ACCEPT
        case JobMethod.START | JobMethod.REVOKE_START:
            press.change(job_id, is_allowed=method is JobMethod.START)
        case JobMethod.PAUSE:
            press.pause(job_id, now)
        case JobMethod.RESUME:
            press.resume(job_id, now)
        case JobMethod.STOP:
            press.change(job_id, stretches=closed(press.jobs[job_id], now), stopped_at=now)
        case JobMethod.ABORT:
            press.abort(job_id, now)
        case _:
            press.forget(job_id)
    advance(press, now)
    return ReturnStatus.NO_ERROR


def advance(press: Press, now: datetime) -> bool:
    """What the press does by itself: the job order that was allowed first begins when the press is free."""
    if press.active(now) is not None:
        return False
    for job_id in list(press.jobs):
        if state_of(press, job_id, now) is JobOrderState.ALLOWED_TO_START:
            press.start(job_id, now)
            return True
    return False
