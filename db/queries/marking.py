"""Nonconforming lots are marked wherever a document names a lot (QL-12; CN 131)."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, String, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables import Lot, core
from domain.states import LotStatus

LOTS: Final = core(Lot)
MARK: Final = "nonconforming"
NAMING: Final = ("lot", "batch", "outputLot")
"""Under these names a document says which lot it is about."""
NONCONFORMING: Final = (
    LotStatus.ON_HOLD, LotStatus.REJECTED, LotStatus.RETEST_DUE, LotStatus.EXPIRED, LotStatus.RECALLED,
    LotStatus.RETURNED, LotStatus.DESTROYED,
)  # fmt: skip
"""What nobody may use. A lot in quarantine is not judged yet: it is no nonconforming one."""


def marked(connection: Connection, document: Any) -> Any:
    """The same document; beside every name of a lot stands whether the lot is nonconforming now. One statement."""
    named = {lot for part in _parts(document) for lot in _lots(part)}
    if not named:
        return document
    stopped = select(LOTS.c.number).where(
        LOTS.c.number == func.any(bindparam("named", sorted(named), ARRAY(String))), LOTS.c.status.in_(NONCONFORMING)
    )
    bad = set(connection.execute(stopped).scalars())
    for part in list(_parts(document)):
        if lots := _lots(part):
            part[MARK] = not bad.isdisjoint(lots)
    return document


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
