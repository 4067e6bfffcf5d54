"""How plan lines hang together, and what became of all that was planned first.

The account of a family, in the unit of its first line, always balances:
`planned + surplus = open + underDecision + good + lost`. What was planned anew counts where it is planned now, and
`planned` is what is wanted after all changes of orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from api.documents import order_id
from api.history import Histories
from db.queries import plan_line_links as links
from db.queries import stock
from db.queries.plan_line_links import LinkKind
from domain.process import Process
from domain.quantities import difference, plain, shortest
from domain.quantities import total as plus
from domain.rules.replanning import ENDED, final_work_order, usable

Document = dict[str, Any]
_UP = {LinkKind.SPLIT: "splitFrom", LinkKind.BACKORDER: "backorderOf", LinkKind.REST: "restOf"}


def shown(reference: str, rows: Sequence[Row[Any]]) -> Document:
    """What a line was made of and what was made of it, from `plan_line_links.of`."""
    found: Document = {**dict.fromkeys(_UP.values()), "parts": []}
    for row in rows:
        if row.child == reference:
            found[_UP[LinkKind(row.kind)]] = _end(row.parent, row.parent_id, row.parent_order)
        elif row.parent == reference:
            quantity = {"kind": row.kind, "quantity": plain(row.quantity), "unit": row.unit}
            found["parts"].append(_end(row.child, row.child_id, row.child_order) | quantity)
    return found


def _end(reference: str, identity: Any, order_number: str) -> Document:
    return {
        "reference": reference, "planLineId": str(identity), "orderNumber": order_number,
        "orderId": str(order_id(order_number)),
    }  # fmt: skip


def of_order(connection: Connection, plan_line: str, until: datetime | None = None) -> Document:
    """The links of an order: those of its plan line."""
    return shown(plan_line, links.of(connection, [plan_line], until))


@dataclass(frozen=True)
class Account:
    """Where a planned quantity is. `lost` are scrap and pieces never made that nobody has planned anew."""

    open: Decimal = Decimal(0)
    under_decision: Decimal = Decimal(0)
    good: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    surplus: Decimal = Decimal(0)
    changed: Decimal = Decimal(0)
    """By how much a change of its order raised what is wanted; negative when it was lowered."""

    def __add__(self, other: "Account") -> "Account":
        return Account(*(plus((getattr(self, own.name), getattr(other, own.name))) for own in fields(self)))

    def shown(self) -> Document:
        """The account as JSON data."""
        return {
            "open": shortest(self.open), "underDecision": shortest(self.under_decision), "good": shortest(self.good),
            "lost": shortest(self.lost), "surplus": shortest(self.surplus), "changed": shortest(self.changed),
        }  # fmt: skip


def family(connection: Connection, histories: Histories, reference: str) -> Document:
    """All lines that come from the same first line as this one, each with its account, and their sum."""
    rows = links.family(connection, reference)
    backordered = {row.link_parent: row.quantity for row in rows if row.link_kind == LinkKind.BACKORDER}
    split = {row.link_parent for row in rows if row.link_kind == LinkKind.SPLIT}
    total, lines = Account(), []
    for row in rows:
        own = _account(connection, histories, row, row.reference in split, backordered.get(row.reference, Decimal(0)))
        total += own
        lines.append(
            _end(row.reference, row.id, row.order_number)
            | {"kind": row.link_kind, "parent": row.link_parent, "quantity": plain(row.quantity)}
            | {"orderState": row.order_state, **own.shown()}
        )
    planned = rows[0].quantity if total.changed == 0 else plus((rows[0].quantity, total.changed))
    return {"planned": plain(planned), "unit": rows[0].unit, **total.shown(), "lines": lines}


def _account(
    connection: Connection, histories: Histories, line: Row[Any], is_split: bool, backordered: Decimal
) -> Account:
    if is_split:
        return Account()
    with histories.current(connection, line.order_number) as folded:
        if folded is None:
            return Account(open=line.quantity)
        return of_process(folded.process, useful(connection, folded.process), backordered)


def useful(connection: Connection, process: Process) -> Decimal:
    """The good pieces of an order, by what the record says of its lot."""
    lot = process.specification.work_order(final_work_order(process).number).output_lot
    return usable(process, stock.status(connection, lot))


def of_process(process: Process, good: Decimal, backordered: Decimal) -> Account:
    """Where the quantity of an order is. `good` are its useful pieces, `backordered` what a backorder asks for."""
    ordered = process.specification.quantity
    if process.state in ENDED:
        left = difference(ordered, plus((good, backordered)))
        surplus = max(left.copy_negate(), Decimal(0))
        return Account(good=good, lost=max(left, Decimal(0)), surplus=surplus, changed=process.quantity_changed)
    _, scrap, under_decision = final_work_order(process).reported()
    left = difference(ordered, plus((good, scrap, under_decision)))
    surplus = max(left.copy_negate(), Decimal(0))
    return Account(max(left, Decimal(0)), under_decision, good, scrap, surplus, process.quantity_changed)
