"""Which batches are in doubt when an instrument is found out of tolerance (EQ-08)."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from db.register import LOG, TRANSITIONS
from domain.equipment_states import Calibration

_AXIS: Final = ("equipment calibration", "room calibration")


def batches(connection: Connection, code: str, at: datetime) -> tuple[str, ...]:
    """The batches that used it since its last good calibration, in the order in which they first did.

    A use that had begun before and went on after the calibration counts. Without a good calibration all uses do.
    """
    good = (
        select(func.max(TRANSITIONS.c.at))
        .where(
            TRANSITIONS.c.entity.in_(_AXIS), TRANSITIONS.c.entity_id == code,
            TRANSITIONS.c.to_state == Calibration.CALIBRATED, TRANSITIONS.c.at <= at,
        )
    )  # fmt: skip
    since = connection.execute(good).scalar_one()
    following = func.lead(LOG.c.started_at).over(order_by=LOG.c.sequence).label("ended_at")
    entries = select(LOG.c.batch, LOG.c.started_at, following).where(LOG.c.equipment == code).subquery()
    uses = select(entries.c.batch, func.min(entries.c.started_at).label("first")).where(entries.c.batch.is_not(None))
    if since is not None:
        uses = uses.where(func.coalesce(entries.c.ended_at, at) > since)
    ordered = uses.group_by(entries.c.batch).order_by("first", entries.c.batch)
    return tuple(row.batch for row in connection.execute(ordered))
