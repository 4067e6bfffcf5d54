"""Finding a lot by what somebody typed: the lot itself, lots that have it in their number, those with the nearest
numbers, or the lots of a material."""

from difflib import SequenceMatcher
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, or_, select

from db.tables import Lot, Material, core

LOTS, MATERIALS = core(Lot), core(Material)
ATTENTION: Final = ("onHold", "recalled", "retestDue", "quarantine")
"""Statuses of lots that wait for somebody, the worst first."""
_BESIDE: Final = 12
_COLUMNS: Final = (
    LOTS.c.number, LOTS.c.material, LOTS.c.unit, LOTS.c.status, LOTS.c.origin, LOTS.c.expires_on, LOTS.c.created_at,
    LOTS.c.supplier, MATERIALS.c.name,
)  # fmt: skip
Row = dict[str, Any]


def _rows(connection: Connection, limit: int, *conditions: ColumnElement[bool], order: Any) -> list[Row]:
    statement = select(*_COLUMNS).outerjoin(MATERIALS, MATERIALS.c.code == LOTS.c.material)
    found = connection.execute(statement.where(*conditions).order_by(order).limit(limit))
    return [dict(row._mapping) for row in found]


def waiting(connection: Connection, limit: int) -> list[Row]:
    """Lots that wait for somebody: on hold, recalled, to be tested again, in quarantine."""
    found: list[Row] = []
    for status in ATTENTION:
        found += _rows(connection, limit - len(found), LOTS.c.status == status, order=LOTS.c.number)
    return found


def matching(connection: Connection, text: str, limit: int) -> list[Row]:
    """Lots whose number holds the text, or whose material has it as its code or name."""
    named = MATERIALS.c.name.icontains(text, autoescape=True)
    return _rows(
        connection, limit, or_(
            LOTS.c.number.icontains(text, autoescape=True),
            LOTS.c.material.in_(select(MATERIALS.c.code).where(or_(MATERIALS.c.code == text, named))),
        ), order=LOTS.c.number,
    )  # fmt: skip


def nearest(connection: Connection, text: str, limit: int = 6) -> list[Row]:
    """Lots whose numbers are most like a text that is none: by the index, from those that sort beside it."""
    beginnings = {text, text.upper()} | {text.upper()[: len(text) - cut] for cut in (2, 4) if len(text) > cut + 2}
    found: dict[str, Row] = {}
    for start in sorted(beginnings):
        after = _rows(connection, _BESIDE, LOTS.c.number >= start, order=LOTS.c.number)
        before = _rows(connection, _BESIDE, LOTS.c.number < start, order=LOTS.c.number.desc())
        found |= {row["number"]: row for row in (*after, *before)}
    likeness = {
        number: SequenceMatcher(None, text.casefold(), number.casefold(), autojunk=False).ratio() for number in found
    }  # fmt: skip
    near = sorted(
        (number for number in found if likeness[number] >= 0.5), key=lambda number: (-likeness[number], number)
    )
    return [found[number] for number in near[:limit]]


def name_of(connection: Connection, material: str) -> str | None:
    """The name of a material."""
    return connection.execute(select(MATERIALS.c.name).where(MATERIALS.c.code == material)).scalar_one_or_none()
