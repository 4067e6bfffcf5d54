"""What is kept of the way to an approval: every step with its comment, and which approvals are void."""

from typing import Literal

from domain import events as e
from domain.change_states import FieldChange, OrderDecision
from domain.process import Process


def decided(
    process: Process,
    fact: e.Fact,
    act: Literal["submitted", "approved", "rejected", "changed"],
    changes: tuple[FieldChange, ...] = (),
) -> None:
    """One more step on the way to the approval."""
    step = OrderDecision(act=act, by=fact.actor, at=fact.at, comment=fact.reason or "", changes=changes)
    process.decisions = (*process.decisions, step)


def voided(process: Process, fact: e.Fact) -> None:
    """The approvals so far count no more; they stay visible, with who voided them and why."""
    void = {"void_by": fact.actor, "void_at": fact.at, "void_reason": fact.reason or ""}
    process.decisions = tuple(
        own.model_copy(update=void) if own.act == "approved" and own.void_by is None else own
        for own in process.decisions
    )
