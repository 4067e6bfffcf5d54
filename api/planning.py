"""Plan lines: the reference makes them once."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection, Row

from api.deps import Caller
from api.documents import order_id
from api.security import now
from api.shapes import Body, Identifier, Positive, Time
from db import audit
from db.queries import plan_lines
from domain.base import uuid_for
from domain.errors import Blocker, Refused
from domain.quantities import plain

ORDER_PATTERN = "PO{yy}{seq:6}"


class PlanLineBody(Body):
    """What planning wants made. Numbers that are not given are given by the system."""

    reference: Identifier
    product: Identifier
    quantity: Positive
    unit: Annotated[str, Field(min_length=1, max_length=40)]
    policy: Identifier
    plant: Identifier
    due_at: Time | None = None
    batch_number: Identifier | None = None
    fixed_lots: dict[Identifier, Annotated[list[Identifier], Field(max_length=100)]] | None = Field(
        default=None, max_length=500
    )
    order_number: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[\w.-]+$")] | None = None


def import_lines(who: Caller, lines: Sequence[PlanLineBody]) -> list[dict[str, Any]]:
    """Store the lines whose references are new, all or none; answers every line, in the order of the request."""
    unique = {line.reference: line for line in lines}
    with who.services.engine.begin() as connection:
        known = plan_lines.with_references(connection, unique)
        new = [line for reference, line in unique.items() if reference not in known]
        _check_numbers(connection, new)
        added = set(plan_lines.add(connection, _rows(connection, who, new)))
        known = plan_lines.with_references(connection, unique)
        entries = [_entry(who, known[line.reference]) for line in new if line.reference in added]
        audit.append(connection, entries)
    return [_shown(known[line.reference]) for line in lines]


def _check_numbers(connection: Connection, lines: Sequence[PlanLineBody]) -> None:
    orders = [line.order_number for line in lines if line.order_number]
    batches = [line.batch_number for line in lines if line.batch_number]
    blockers = [
        _taken(kind, number, f"on plan line {row.reference}")
        for row in plan_lines.taken(connection, orders, batches)
        for kind, number, of in (
            ("order number", row.order_number, orders),
            ("batch number", row.batch_number, batches),
        )
        if number in of
    ]
    for kind, numbers in (("order number", orders), ("batch number", batches)):
        if len(set(numbers)) < len(numbers):
            twice = sorted({number for number in numbers if numbers.count(number) > 1})
            blockers += [_taken(kind, number, "twice in this request") for number in twice]
    if blockers:
        raise Refused(tuple(blockers))


def _taken(kind: str, number: str, found: str) -> Blocker:
    return Blocker(
        code="NUMBER_TAKEN", entity=kind, id=number, found=found, required="a number of its own", who_can_fix="planner"
    )


def _rows(connection: Connection, who: Caller, lines: Sequence[PlanLineBody]) -> list[dict[str, Any]]:
    at, without = now(), sum(line.order_number is None for line in lines)
    numbers = iter(plan_lines.next_number(connection, ORDER_PATTERN, at, without) if without else ())
    return [
        line.model_dump()
        | {
            "id": uuid_for("plan-line", line.reference),
            "order_number": line.order_number or next(numbers),
            "created_by": who.id,
            "created_at": at,
        }
        for line in lines
    ]


def _entry(who: Caller, row: Row[Any]) -> audit.Entry:
    new = {
        "orderNumber": row.order_number, "product": row.product, "quantity": plain(row.quantity), "unit": row.unit,
        "policy": row.policy, "plant": row.plant, "batchNumber": row.batch_number, "fixedLots": row.fixed_lots,
        "dueAt": row.due_at and row.due_at.isoformat(),
    }  # fmt: skip
    return who.entry("plan-line.created", f"plan-line/{row.reference}", new=new)


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.id), "reference": row.reference, "orderNumber": row.order_number,
        "orderId": str(order_id(row.order_number)), "batchNumber": row.batch_number,
    }  # fmt: skip
