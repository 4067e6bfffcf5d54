"""The fields of an order that can be changed: how each is read, and what a new value does to the specification.

One table (`FIELDS`). What a recipe says is not in it: bill of material, route and master batch record are frozen into
the order, and another version of them makes another order (MD-01, ADR 0028).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from domain.quantities import plain, rounded
from domain.specification import OrderSpecification, WorkOrderSpecification

PLACES: Final = 6
"""Decimals of a calculated quantity, as when the order was made."""
DATES: Final = "DATES_OUT_OF_ORDER"


@dataclass(frozen=True)
class OrderField:
    """`name` as in JSON, `attribute` as on the command; `text` writes a value, `put` puts a text into the order.

    `put` takes whether the whole order is still untouched.
    """

    name: str
    attribute: str
    text: Callable[[Any], str]
    put: Callable[[OrderSpecification, str, bool], OrderSpecification]


def time_text(value: datetime | None) -> str:
    """A time as ISO 8601, in the form in which it is also compared."""
    return "" if value is None else value.isoformat().replace("+00:00", "Z")


def _put_quantity(specification: OrderSpecification, text: str, untouched: bool) -> OrderSpecification:
    """The order makes `text` of its product. Until something was taken for it, everything that it needs follows."""
    target = Decimal(text)
    if untouched:
        made = tuple(_scaled(own, specification.quantity, target) for own in specification.work_orders)
    else:
        made = specification.work_orders
    final = tuple(own.model_copy(update={"quantity": target}) if own.feeds is None else own for own in made)
    return specification.model_copy(update={"quantity": target, "work_orders": final})


def _scaled(own: WorkOrderSpecification, origin: Decimal, target: Decimal) -> WorkOrderSpecification:
    def scaled(value: Decimal) -> Decimal:
        return Decimal(plain(rounded(value * target / origin, PLACES).normalize()))

    lines = tuple(
        line.model_copy(
            update={
                "quantity": scaled(line.quantity),
                "weighing_tolerance": None if line.weighing_tolerance is None else scaled(line.weighing_tolerance),
            }
        )
        for line in own.materials
    )
    return own.model_copy(update={"quantity": scaled(own.quantity), "materials": lines})


def _put_time(attribute: str) -> Callable[[OrderSpecification, str, bool], OrderSpecification]:
    def put(specification: OrderSpecification, text: str, untouched: bool) -> OrderSpecification:
        changed = specification.model_copy(update={attribute: datetime.fromisoformat(text)})
        if are_in_order(changed):
            # A gap of the plan that the change has closed.
            gaps = tuple(gap for gap in changed.gaps if gap.code != DATES)
            changed = changed.model_copy(update={"gaps": gaps})
        return changed

    return put


def are_in_order(specification: OrderSpecification) -> bool:
    """Whether the order begins before it is due."""
    start, due = specification.start_at, specification.due_at
    return start is None or due is None or start < due


FIELDS: Final = {
    field.name: field
    for field in (
        OrderField("quantity", "quantity", plain, _put_quantity),
        OrderField("dueAt", "due_at", time_text, _put_time("due_at")),
        OrderField("startAt", "start_at", time_text, _put_time("start_at")),
    )
}
