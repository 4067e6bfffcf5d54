"""What is asked at a packaging line: to look at what it prints."""

from typing import ClassVar, Literal

from pydantic import Field

from domain.command_base import OperationCommand


class CheckPrint(OperationCommand):
    """Lot and expiry as they stand on a pack (CN 209): read from it, not from the order. A date is `2028-11-21`."""

    is_bound_to_device: ClassVar = True
    kind: Literal["checkPrint"] = "checkPrint"
    lot_text: str = Field(min_length=1, max_length=80)
    expiry_text: str = Field(default="", max_length=40)
    roles: ClassVar = ("operator", "qcAnalyst")
