"""Where somebody goes to mend what stands in the way: a refusal that names a thing leads to its screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

LED_TO: Final = frozenset({
    "lot", "equipment", "room", "deviation", "capa", "inspection", "pick list", "production order", "work order",
    "maintenance order",
})  # fmt: skip
"""What has a screen of its own, found by its number as a scanned code is."""


@dataclass(frozen=True)
class Place:
    """The operation that cannot begin: what the screen of a line clearance is filled in with."""

    work_order_id: str
    operation: str
    batch: str
    product: str


def way_out(blocker: Mapping[str, Any], place: Place | None = None) -> str:
    """The address of the screen, empty where there is none: then the words say who can help."""
    named = str(blocker.get("id") or "")
    if not named:
        return ""
    if blocker["code"] == "CLEARANCE_MISSING" and place is not None:
        filled = {
            "room": named, "batch": place.batch, "product": place.product, "operation": place.operation,
            "work_order": place.work_order_id,
        }  # fmt: skip
        return f"/ui/line-clearances?{urlencode(filled)}"
    if blocker["code"] == "TRAINING_MISSING":
        return f"/ui/training?{urlencode({'person': named})}"
    return f"/ui/scan?{urlencode({'code': named})}" if blocker.get("entity") in LED_TO else ""
