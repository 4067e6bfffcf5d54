"""What a replay leaves behind: one JSON document."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainSerializer

from domain.base import Message
from domain.quantities import Exact


def _number(value: Decimal) -> int | float:
    """A JSON number: readers of the report add quantities up. Its shortest text is the decimal itself."""
    return int(value) if value == value.to_integral_value() else float(value)


Number = Annotated[Exact, PlainSerializer(_number, return_type=int | float)]


class InputLot(Message):
    """A quantity of a lot that became part of the finished lot."""

    lot: str
    quantity: Number
    unit: str


class ReplayedOrder(Message):
    """How one production order ended. `deviations` counts all of them, decided or not."""

    id: str
    order_number: str
    state: str
    finished_lot: str | None
    input_lots: tuple[InputLot, ...]
    good_quantity: Number
    scrap_quantity: Number
    deviations: int


class Refusal(Message):
    """Something of the source that the system did not take. `row` counts data rows from 1; 0 is the file itself."""

    row: int
    code: str
    detail: str


class ReplayReport(Message):
    """All orders of a replay in the order of the source, and everything that was refused."""

    orders: tuple[ReplayedOrder, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    seconds: float = 0.0
    orders_per_second: float = 0.0

    def document(self) -> dict[str, Any]:
        """The report as JSON data."""
        return self.model_dump(mode="json", by_alias=True)

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.write_text(self.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8")


def replayed(order: dict[str, Any], good: Decimal, scrap: Decimal) -> ReplayedOrder:
    """The entry of an order as `GET /mes/orders/{uuid}` shows it, with these quantities."""
    work_orders = order["workOrders"]
    return ReplayedOrder(
        id=order["id"],
        order_number=order["number"],
        state=order["state"],
        finished_lot=work_orders[0]["outputLot"] if work_orders else None,
        input_lots=tuple(InputLot.model_validate(lot) for work_order in work_orders for lot in work_order["inputLots"]),
        good_quantity=good,
        scrap_quantity=scrap,
        deviations=order["deviations"],
    )
