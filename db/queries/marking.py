"""Nonconforming lots are marked wherever a document names a lot (QL-12; CN 131)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, String, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from db.tables import Lot, StateTransition, core
from domain.states import LotStatus

LOTS: Final = core(Lot)
STEPS: Final = core(StateTransition)
MARK: Final = "nonconforming"
NAMING: Final = ("lot", "batch", "outputLot")
"""Under these names a document says which lot it is about."""
NONCONFORMING: Final = (
    LotStatus.ON_HOLD, LotStatus.REJECTED, LotStatus.RETEST_DUE, LotStatus.EXPIRED, LotStatus.RECALLED,
    LotStatus.RETURNED, LotStatus.DESTROYED,
)  # fmt: skip
"""What nobody may use. A lot in quarantine is not judged yet: it is no nonconforming one."""


def marked(connection: Connection, document: Any, at: datetime | None = None) -> Any:
    """The same document; beside every name of a lot stands whether the lot is nonconforming, now or `at` a time.

    One statement.
    """
    named = {lot for part in _parts(document) for lot in _lots(part)}
    if not named:
        return document
    bad = set(connection.execute(_nonconforming(sorted(named), at)).scalars())
    for part in list(_parts(document)):
        if lots := _lots(part):
            part[MARK] = not bad.isdisjoint(lots)
    return document


def _nonconforming(named: list[str], at: datetime | None) -> Select[Any]:
    """Which of these lots are nonconforming, or were at a time by the history of their status."""
    among = func.any(bindparam("named", named, ARRAY(String)))
    if at is None:
        return select(LOTS.c.number).where(LOTS.c.number == among, LOTS.c.status.in_(NONCONFORMING))
    then = (
        select(STEPS.c.entity_id, STEPS.c.to_state)
        .where(STEPS.c.entity == "lot", STEPS.c.entity_id == among, STEPS.c.at <= at)
        .ext(distinct_on(STEPS.c.entity_id))
        .order_by(STEPS.c.entity_id, STEPS.c.at.desc(), STEPS.c.id.desc())
        .subquery()
    )
    return select(then.c.entity_id).where(then.c.to_state.in_(NONCONFORMING))


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    match value:
        case dict():
            yield value
            for own in list(value.values()):
                yield from _parts(own)
        case list() | tuple():
            for own in value:
                yield from _parts(own)


def _lots(part: dict[str, Any]) -> list[str]:
    return [own for name in NAMING if isinstance(own := part.get(name), str)]
