"""What was found at a packaging line."""

from typing import Literal

from domain.base import Message


class PrintChecked(Message):
    """Lot and expiry on a pack against those of the batch; empty where the product has no shelf life.

    `late`: the interval since the check before was longer than the one that is set.
    """

    kind: Literal["printChecked"] = "printChecked"
    work_order: str
    operation: str
    number: int
    lot_text: str
    expiry_text: str
    expected_lot: str
    expected_expiry: str
    matches: bool
    late: bool = False
