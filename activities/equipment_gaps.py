"""The times in which a job's machine could not be reached: written down when they begin, and when they are over.

Nothing is put in their place. A machine that kept its journal gives the readings of the gap afterwards; what its
journal does not have is counted as missing, and stays missing.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine, func, insert, select, update

from adapters.equipment.port import Reading
from db import audit
from db.queries.alarms import raise_alarm_once
from db.tables import EquipmentGap, EquipmentReading, EquipmentRun, core

GAPS: Final = core(EquipmentGap)
RUNS: Final = core(EquipmentRun)
READINGS: Final = core(EquipmentReading)
LOST: Final = "CONNECTION_LOST"


def begin(engine: Engine, job: str, workstation: str, order_number: str, cause: str) -> None:
    """The machine of a running job does not answer. Raises an alarm; a gap that is open already is left as it is."""
    at = datetime.now(UTC)
    with engine.begin() as connection:
        if not _is_running(connection, job) or _open(connection, job) is not None:
            return
        last = connection.execute(select(func.max(READINGS.c.sequence)).where(READINGS.c.job == job)).scalar() or 0
        row = {"job": job, "since": at, "after_sequence": int(last), "cause": cause[:300]}
        connection.execute(insert(GAPS).values(row))
        detail = f"{workstation} cannot be reached, job {job}: {cause[:200]}"
        key = f"{LOST}/{job}/{at.isoformat()}"
        raise_alarm_once(connection, LOST, detail, at, key, f"workstation/{workstation}", order_number)
        new = {"since": audit.timestamp(at), "afterSequence": int(last), "cause": row["cause"]}
        audit.append(connection, [_entry(at, workstation, "equipment-run.connectionLost", job, new)])


def end(engine: Engine, job: str, workstation: str, first: Sequence[Reading]) -> None:
    """The machine answers again. `first`: the readings that it gave after the gap, or none yet."""
    with engine.begin() as connection:
        gap = _open(connection, job)
        if gap is None:
            return
        since, after = gap
        at = datetime.now(UTC)
        missing = first[0].sequence - after - 1 if first else 0
        own = (GAPS.c.job == job, GAPS.c.since == since)
        connection.execute(update(GAPS).where(*own).values(until=at, missing=missing))
        new = {"until": audit.timestamp(at), "missing": missing}
        audit.append(connection, [_entry(at, workstation, "equipment-run.connectionBack", job, new)])


def _is_running(connection: Connection, job: str) -> bool:
    """Whether the job has begun: before that there is nothing of it that could be missing."""
    run = connection.execute(select(RUNS.c.state).where(RUNS.c.job == job)).one_or_none()
    has_readings = connection.execute(select(READINGS.c.job).where(READINGS.c.job == job).limit(1)).one_or_none()
    return run is not None or has_readings is not None


def _open(connection: Connection, job: str) -> tuple[datetime, int] | None:
    statement = select(GAPS.c.since, GAPS.c.after_sequence).where(GAPS.c.job == job, GAPS.c.until.is_(None))
    row = connection.execute(statement.with_for_update()).one_or_none()
    return None if row is None else (row.since, row.after_sequence)


def _entry(at: datetime, workstation: str, action: str, job: str, new: dict[str, object]) -> audit.Entry:
    return audit.Entry(at, workstation, action, f"equipment-run/{job}", new=new)
