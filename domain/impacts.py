"""What a change of master data means for an order that runs by the old: somebody decides, order by order (C3).

An order keeps the copy of the master data that it was made with. A change never reaches it by itself: its owner keeps
it as it is, holds it, or has it issued anew.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from domain.errors import Blocker, Refused


class ImpactDecision(StrEnum):
    """What becomes of the order."""

    KEEP = "keep"
    """It goes on by the copy that it was made with."""
    HOLD = "hold"
    """Nothing goes on until it is resumed (`holdOrder`)."""
    REISSUE = "reissue"
    """It is cancelled (`cancelOrder`); what it did not make is planned anew, and made by what counts then."""


@dataclass(frozen=True)
class MasterDataChange:
    """A change that counts from now on: `kind` and `subject` (`route`, `TAB`), the new `version`."""

    kind: str
    subject: str
    version: str

    @property
    def entity(self) -> str:
        """What the audit trail calls it; the key of the change."""
        return f"{self.kind}/{self.subject}/{self.version}"


def impact_number(order: str, change: str) -> str:
    """The number of the task: the same change never gives an order two."""
    return f"{order}-I{sha256(change.encode()).hexdigest()[:8]}"


def check_open(number: str, state: str, decided: str, order_state: str, ended: Collection[str]) -> None:
    """Raise ALREADY_DECIDED, which says by whom, or ORDER_OVER: then there is nothing to decide any more."""
    if state != "open":
        raise Refused((_no("ALREADY_DECIDED", number, decided, "a task that nobody has decided"),))
    if order_state in ended:
        raise Refused((_no("ORDER_OVER", number, order_state, "an order that is not over"),))


def _no(code: str, number: str, found: str, required: str) -> Blocker:
    return Blocker(code=code, entity="master data impact", id=number, found=found, required=required)
