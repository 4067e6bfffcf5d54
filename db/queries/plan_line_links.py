"""Plan lines that are made of other plan lines, and how they hang together."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count, islice
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, insert, literal, or_, select
from sqlalchemy.dialects.postgresql import array

from db.audit import Entry
from db.queries import plan_lines
from db.tables import PlanLine, PlanLineLink, ProductionOrder, core
from domain.base import uuid_for
from domain.commands import PlanPart
from domain.quantities import plain

LINES = core(PlanLine)
LINKS = core(PlanLineLink)
ORDERS = core(ProductionOrder)
LONGEST_REFERENCE: Final = 80


class LinkKind(StrEnum):
    """Why a plan line was made of another one."""

    SPLIT = "split"
    BACKORDER = "backorder"
    REST = "rest"


_LETTERS: Final = {LinkKind.SPLIT: "S", LinkKind.BACKORDER: "B", LinkKind.REST: "R"}


@dataclass(frozen=True)
class Asked:
    """Who asked for it, when, why, and under which command."""

    actor: str
    at: datetime
    command_id: str
    reason: str | None = None
    source: str | None = None


def derive(
    connection: Connection, source: Row[Any], kind: LinkKind, parts: Sequence[PlanPart], asked: Asked
) -> tuple[list[Row[Any]], list[Entry]]:
    """Add a plan line for each part, linked to `source`, a row of plan_line; with what the audit trail has to say.

    Everything but quantity, due date and numbers is as in the source. The constraints of the table refuse a second
    split or backorder. Nobody else adds plan lines until the commit.
    """
    plan_lines.lock(connection)
    before = _count(connection, source.reference, kind)
    references = _free(connection, source.reference, kind, len(parts))
    numbers = plan_lines.free_numbers(connection, plan_lines.ORDER_PATTERN, asked.at, len(parts))
    rows = [
        {
            "id": uuid_for("plan-line", reference), "reference": reference, "order_number": number,
            "product": source.product, "quantity": part.quantity, "unit": source.unit, "policy": source.policy,
            "plant": source.plant, "start_at": source.start_at, "due_at": part.due_at or source.due_at,
            "fixed_lots": source.fixed_lots, "fixed_lots_reason": source.fixed_lots_reason, "batch_number": None,
            "created_by": asked.actor, "created_at": asked.at,
        }
        for reference, number, part in zip(references, numbers, parts, strict=True)
    ]  # fmt: skip
    added = sorted(plan_lines.add(connection, rows), key=lambda row: references.index(row.reference))
    links = [
        {
            "child": row.reference, "parent": source.reference, "kind": kind, "part": before + number,
            "quantity": row.quantity, "unit": row.unit, "reason": asked.reason, "command_id": asked.command_id,
            "created_by": asked.actor, "created_at": asked.at,
        }
        for number, row in enumerate(added, 1)
    ]  # fmt: skip
    connection.execute(insert(LINKS), links)
    return added, [_entry(row, source, kind, asked) for row in added]


def _count(connection: Connection, parent: str, kind: LinkKind) -> int:
    found = select(func.count()).select_from(LINKS).where(LINKS.c.parent == parent, LINKS.c.kind == kind)
    return int(connection.execute(found).scalar_one())


def _free(connection: Connection, base: str, kind: LinkKind, wanted: int) -> list[str]:
    """References such as `PL-1-S1` that no plan line has; a long reference is cut so that they fit."""
    found: list[str] = []
    candidates = _candidates(base, _LETTERS[kind])
    while len(found) < wanted:
        some = list(islice(candidates, max(wanted, 20)))
        taken = plan_lines.with_references(connection, some)
        found += [reference for reference in some if reference not in taken]
    return found[:wanted]


def _candidates(base: str, letter: str) -> Iterator[str]:
    for number in count(1):
        suffix = f"-{letter}{number}"
        yield base[: LONGEST_REFERENCE - len(suffix)] + suffix


def _entry(row: Row[Any], source: Row[Any], kind: LinkKind, asked: Asked) -> Entry:
    new = {
        "orderNumber": row.order_number, "product": row.product, "quantity": plain(row.quantity), "unit": row.unit,
        "policy": row.policy, "plant": row.plant, "fixedLots": row.fixed_lots,
        "fixedLotsReason": row.fixed_lots_reason,
        "dueAt": row.due_at and row.due_at.isoformat(), "madeOf": source.reference, "as": str(kind),
    }  # fmt: skip
    entity = f"plan-line/{row.reference}"
    return Entry(
        asked.at, asked.actor, f"plan-line.{kind}", entity, new=new, reason=asked.reason,
        command_id=asked.command_id, source=asked.source,
    )  # fmt: skip


# How they hang together ----------------------------------------------------------------------------------------------


def children(connection: Connection, parent: str, *kinds: LinkKind) -> list[str]:
    """References of the lines that were made of a line in one of these ways."""
    statement = select(LINKS.c.child).where(LINKS.c.parent == parent, LINKS.c.kind.in_(kinds))
    return list(connection.execute(statement.order_by(LINKS.c.part)).scalars())


def made_by(connection: Connection, command_id: str) -> list[Row[Any]]:
    """The plan lines that a command made, in the order of their parts."""
    statement = select(LINES).join(LINKS, LINKS.c.child == LINES.c.reference).where(LINKS.c.command_id == command_id)
    return list(connection.execute(statement.order_by(LINKS.c.part)))


def of(connection: Connection, references: Collection[str], until: datetime | None = None) -> list[Row[Any]]:
    """The links of these lines to others, up and down, with ids and order numbers of both ends. One statement."""
    if not references:
        return []
    child, parent = LINES.alias("child_line"), LINES.alias("parent_line")
    among = list(references)
    statement = (
        select(
            LINKS, child.c.id.label("child_id"), child.c.order_number.label("child_order"),
            parent.c.id.label("parent_id"), parent.c.order_number.label("parent_order"),
        )
        .join(child, child.c.reference == LINKS.c.child)
        .join(parent, parent.c.reference == LINKS.c.parent)
        .where(or_(LINKS.c.child.in_(among), LINKS.c.parent.in_(among)))
        .order_by(LINKS.c.created_at, LINKS.c.parent, LINKS.c.kind, LINKS.c.part)
    )  # fmt: skip
    if until is not None:
        statement = statement.where(LINKS.c.created_at <= until)
    return list(connection.execute(statement))


def family(connection: Connection, reference: str) -> list[Row[Any]]:
    """All lines that come from the same first line, that one first, each with its link (none for the first).

    A line has one parent at most and never becomes its own ancestor: what is made is always new.
    """
    lines = connection.execute(_family(_root(connection, reference)))
    return list(lines)


def _root(connection: Connection, reference: str) -> str:
    up = select(literal(reference).label("reference"), literal(0).label("depth")).cte("up", recursive=True)
    step = select(LINKS.c.parent, up.c.depth + 1).join(up, LINKS.c.child == up.c.reference)
    ancestors = up.union_all(step)
    last = select(ancestors.c.reference).order_by(ancestors.c.depth.desc()).limit(1)
    return str(connection.execute(last).scalar_one())


def _family(root: str) -> Select[Any]:
    # The path of parts from the first line orders the tree: a line stands before what was made of it.
    first = select(LINES.c.reference, array([LINES.c.reference]).label("path")).where(LINES.c.reference == root)
    down = first.cte("down", recursive=True)
    step = select(LINKS.c.child, func.array_append(down.c.path, LINKS.c.kind + func.to_char(LINKS.c.part, "00000")))
    tree = down.union_all(step.join(down, LINKS.c.parent == down.c.reference))
    return (
        select(
            LINES, LINKS.c.kind.label("link_kind"), LINKS.c.parent.label("link_parent"),
            ORDERS.c.state.label("order_state"),
        )
        .join(tree, tree.c.reference == LINES.c.reference)
        .outerjoin(LINKS, LINKS.c.child == LINES.c.reference)
        .outerjoin(ORDERS, ORDERS.c.number == LINES.c.order_number)
        .order_by(tree.c.path)
    )  # fmt: skip
