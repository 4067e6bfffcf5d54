"""The state machine of a recall, real or mock. Source: SM-13 of the GMP requirements.

Beside what it lists, a scoped recall may be scoped anew until it is approved: its report is frozen again.
"""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class RecallState(StrEnum):
    """A recall, from the first suspicion to the report of its effect."""

    DRAFT = "draft"
    SCOPED = "scoped"
    APPROVED = "approved"
    EXECUTING = "executing"
    RECONCILED = "reconciled"
    CLOSED = "closed"


class RecallEvent(StrEnum):
    """What can happen to a recall."""

    SCOPE = "scope"
    APPROVE = "approve"
    EXECUTE = "execute"
    RECONCILE = "reconcile"
    CLOSE = "close"


_R, _RE = RecallState, RecallEvent
RECALL: Final = StateMachine(
    "recall",
    _R.DRAFT,
    {
        (_R.DRAFT, _RE.SCOPE): _R.SCOPED,
        (_R.SCOPED, _RE.SCOPE): _R.SCOPED,
        (_R.SCOPED, _RE.APPROVE): _R.APPROVED,
        (_R.APPROVED, _RE.EXECUTE): _R.EXECUTING,
        (_R.EXECUTING, _RE.RECONCILE): _R.RECONCILED,
        (_R.RECONCILED, _RE.CLOSE): _R.CLOSED,
    },
    {},
)

MACHINES: Final[tuple[StateMachine[StrEnum, StrEnum], ...]] = (RECALL,)  # type: ignore[assignment]
