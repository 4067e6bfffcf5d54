"""Plan lines: the reference makes them once, and a line that cannot be made is told before it is taken."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field
from sqlalchemy import Connection, Row

from api.deps import Caller
from api.documents import order_id
from api.security import now
from api.shapes import Body, Identifier, Positive, Time
from db import audit
from db.queries import plan_lines, policies
from domain.base import Message, uuid_for
from domain.errors import Blocker, Refused
from domain.quantities import plain

MOST_LINES: Final = 5000
_ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


def _written_out(value: Any) -> Any:
    """A number would be read as seconds since 1970, and `20261231` is one."""
    if value is None or isinstance(value, datetime) or (isinstance(value, str) and _ISO_TIME.match(value)):
        return value
    raise ValueError("a time such as 2026-12-31T14:00:00Z is needed")


class PlanLineBody(Body):
    """What planning wants made. Numbers that are not given are given by the system."""

    reference: Identifier
    product: Identifier
    quantity: Positive
    unit: Annotated[str, Field(min_length=1, max_length=40)]
    policy: Identifier
    plant: Identifier
    start_at: Annotated[Time | None, BeforeValidator(_written_out)] = None
    """Not before this moment."""
    due_at: Annotated[Time | None, BeforeValidator(_written_out)] = None
    batch_number: Identifier | None = None
    fixed_lots: dict[Identifier, Annotated[list[Identifier], Field(max_length=100)]] | None = Field(
        default=None, max_length=500
    )
    fixed_lots_reason: Annotated[str, Field(min_length=5, max_length=1000)] | None = None
    """Why these lots and not those that expire first. A policy with ceremony asks for it."""
    order_number: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[\w.-]+$")] | None = None


class TakenLine(Message):
    """A line that stands in the record, with its order number and the uuid that its order has or will have."""

    id: str
    reference: str
    order_number: str
    order_id: str
    batch_number: str | None


@dataclass(frozen=True)
class Sketch:
    """What can be read of a line, also of one that has other faults: what the record is asked about."""

    line: int
    reference: str | None = None
    product: str | None = None
    unit: str | None = None
    policy: str | None = None
    order_number: str | None = None
    batch_number: str | None = None
    has_unexplained_lots: bool = False
    """Lots are chosen and nobody says why."""


@dataclass(frozen=True)
class Placed:
    """A plan line and where it stood: the line of the file, or its place in the list, counted from 1."""

    line: int
    body: PlanLineBody

    @property
    def sketch(self) -> Sketch:
        """The line without what only this line is about."""
        body = self.body
        return Sketch(
            self.line,
            body.reference,
            body.product,
            body.unit,
            body.policy,
            body.order_number,
            body.batch_number,
            bool(body.fixed_lots) and body.fixed_lots_reason is None,
        )


@dataclass(frozen=True)
class Fault:
    """Why a line is not taken. `column` is the field's name in JSON and in the heading of a file."""

    line: int
    column: str
    code: str
    found: str
    required: str
    who_can_fix: str = "planner"

    def shown(self) -> dict[str, Any]:
        """The fault as JSON data: line, column, code and reason."""
        reason = f"{self.found}; {self.required}" if self.found else self.required
        return {"line": self.line, "column": self.column, "code": self.code, "reason": reason}

    def blocker(self) -> Blocker:
        """The fault as every refusal shows it."""
        return Blocker(
            code=self.code, entity="plan line", id=f"line {self.line}, {self.column}", found=self.found,
            required=self.required, who_can_fix=self.who_can_fix,
        )  # fmt: skip


def import_lines(who: Caller, lines: Sequence[PlanLineBody]) -> list[TakenLine]:
    """Store the lines whose references are new, all or none; answers every line, in the order of the request."""
    placed = [Placed(number, line) for number, line in enumerate(lines, 1)]
    with who.services.engine.begin() as connection:
        plan_lines.lock(connection)
        if found := faults(connection, placed):
            raise Refused(tuple(fault.blocker() for fault in found))
        taken, entries = store(connection, who, placed)
        audit.append(connection, entries)
    return taken


def store(connection: Connection, who: Caller, placed: Sequence[Placed]) -> tuple[list[TakenLine], list[audit.Entry]]:
    """Add the lines that are new, and answer all. `faults` found none, behind the same lock (`plan_lines.lock`)."""
    references = [own.body.reference for own in placed]
    known = plan_lines.with_references(connection, references)
    new = [own.body for own in placed if own.body.reference not in known]
    added = plan_lines.add(connection, _rows(connection, who, new))
    found = known | {row.reference: row for row in added}
    return [_taken(found[reference]) for reference in references], [_entry(who, row) for row in added]


# What is not taken ---------------------------------------------------------------------------------------------------


def faults(connection: Connection, placed: Sequence[Placed], others: Sequence[Sketch] = ()) -> list[Fault]:
    """Everything that the record has against lines, by line. Five statements, however many lines.

    `others` are lines that are not taken anyhow: what more is wrong with them is told at the same time.
    """
    lines = [*(own.sketch for own in placed), *others]
    known = plan_lines.with_references(connection, {own.reference for own in lines if own.reference})
    found = [*_twice(lines)]
    for own in placed:
        row = known.get(own.body.reference)
        if row is not None and (different := _differences(row, own.body)):
            text = f"{own.body.reference} is known with another {', '.join(different)}"
            required = "the same content, or a reference of its own"
            found.append(Fault(own.line, different[0], "REFERENCE_TAKEN", text, required))
    new = [own for own in lines if own.reference not in known]
    found += [*_unknown(connection, new), *_numbers(connection, new)]
    return sorted(found, key=lambda fault: fault.line)


def _twice(lines: Sequence[Sketch]) -> Iterator[Fault]:
    counted = Counter(own.reference for own in lines if own.reference is not None)
    first: dict[str | None, int] = {}
    for own in sorted(lines, key=lambda own: own.line):
        first.setdefault(own.reference, own.line)
        if own.reference is not None and counted[own.reference] > 1:
            text = f"{own.reference} stands in {counted[own.reference]} lines, first in line {first[own.reference]}"
            yield Fault(own.line, "reference", "REFERENCE_TWICE", text, "each reference once")


def _differences(row: Row[Any], line: PlanLineBody) -> list[str]:
    """Columns in which the line says something else than the record; numbers that were left out say nothing."""
    pairs = {
        "product": (row.product, line.product), "quantity": (row.quantity, line.quantity),
        "unit": (row.unit, line.unit), "policy": (row.policy, line.policy), "plant": (row.plant, line.plant),
        "startAt": (row.start_at, line.start_at), "dueAt": (row.due_at, line.due_at),
        "fixedLots": (row.fixed_lots or None, line.fixed_lots or None),
        "fixedLotsReason": (row.fixed_lots_reason, line.fixed_lots_reason or row.fixed_lots_reason),
        "batchNumber": (row.batch_number, line.batch_number or row.batch_number),
        "orderNumber": (row.order_number, line.order_number or row.order_number),
    }  # fmt: skip
    return [column for column, (stored, sent) in pairs.items() if stored != sent]


def _unknown(connection: Connection, lines: Sequence[Sketch]) -> Iterator[Fault]:
    units = plan_lines.units(connection, {own.product for own in lines if own.product})
    known = policies.newest(connection, {own.policy for own in lines if own.policy})
    for own in lines:
        if own.product is not None and own.product not in units:
            text = f"no material {own.product}"
            yield Fault(own.line, "product", "UNKNOWN_PRODUCT", text, "a product of the master data", "processEngineer")
        elif own.product is not None and own.unit is not None and units[own.product] != own.unit:
            required = f"{units[own.product]}, the unit of {own.product}"
            yield Fault(own.line, "unit", "UNIT_MISMATCH", own.unit, required)
        rules = known.get(own.policy or "")
        if own.has_unexplained_lots and rules is not None and rules.asks_why:
            text, required = (
                "lots are chosen without a reason",
                f"a reason why these lots: policy {own.policy} asks for it",
            )
            yield Fault(own.line, "fixedLotsReason", "FEFO_OVERRIDE_REASON", text, required)
        if own.policy is not None and rules is None:
            text = f"no policy {own.policy}"
            yield Fault(own.line, "policy", "UNKNOWN_POLICY", text, "a policy of the master data", "processEngineer")


def _numbers(connection: Connection, lines: Sequence[Sketch]) -> Iterator[Fault]:
    """Order and batch numbers that somebody else has: another line, here or in the record, or a lot."""
    required = "a number of its own"
    orders = Counter(own.order_number for own in lines if own.order_number)
    batches = Counter(own.batch_number for own in lines if own.batch_number)
    rows = plan_lines.taken(connection, orders, batches)
    lots = plan_lines.lots(connection, batches)
    order_of = {row.order_number: row.reference for row in rows}
    batch_of = {row.batch_number: row.reference for row in rows}
    for own in lines:
        for column, number, counted, holder in (
            ("orderNumber", own.order_number, orders, order_of),
            ("batchNumber", own.batch_number, batches, batch_of),
        ):
            if number is None:
                continue
            code = "BATCH_NO_USED" if column == "batchNumber" else "NUMBER_TAKEN"
            if number in holder:
                yield Fault(own.line, column, code, f"{number} is on plan line {holder[number]}", required)
            elif counted[number] > 1:
                yield Fault(own.line, column, code, f"{number} stands in {counted[number]} lines", required)
            elif column == "batchNumber" and number in lots:
                yield Fault(own.line, column, code, f"{number} is the number of a lot", required)


# What is taken -------------------------------------------------------------------------------------------------------


def _rows(connection: Connection, who: Caller, lines: Sequence[PlanLineBody]) -> list[dict[str, Any]]:
    at, without = now(), sum(line.order_number is None for line in lines)
    given = {line.order_number for line in lines if line.order_number}
    numbers = iter(plan_lines.free_numbers(connection, plan_lines.ORDER_PATTERN, at, without, given))
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
        "startAt": row.start_at and row.start_at.isoformat(), "dueAt": row.due_at and row.due_at.isoformat(),
    }  # fmt: skip
    return who.entry("plan-line.created", f"plan-line/{row.reference}", new=new, reason=row.fixed_lots_reason)


def _taken(row: Row[Any]) -> TakenLine:
    return TakenLine(
        id=str(row.id), reference=row.reference, order_number=row.order_number,
        order_id=str(order_id(row.order_number)), batch_number=row.batch_number,
    )  # fmt: skip
