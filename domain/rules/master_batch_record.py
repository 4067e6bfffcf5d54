"""Who may move a version of a master batch record, and when (SM-4a, MD-02, MD-03). Pure: facts in, blockers out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.base import Message
from domain.errors import Blocker, Refused
from domain.master_record_states import MASTER_BATCH_RECORD as MACHINE
from domain.master_record_states import MasterBatchRecordEvent as Event
from domain.master_record_states import MasterBatchRecordState as State
from domain.rules.common import invalid_transition, same_person
from domain.rules.record_faults import ENTITY
from domain.states import TransitionRefused


class Head(StrEnum):
    """Whose signature a version needs: both, of different persons (CN 20)."""

    PRODUCTION = "productionHead"
    QUALITY = "qualityHead"


ROLE_OF: Final = {Head.PRODUCTION: "supervisor", Head.QUALITY: "qualityManager"}
"""The role that signs as that head."""


class Approval(Message):
    """One signature under a version."""

    head: Head
    by: str
    full_name: str
    meaning: str
    signature_id: str
    content_hash: str
    at: datetime


@dataclass(frozen=True)
class Standing:
    """A version as it stands: who wrote it, who signed it, what its content hashes to."""

    product: str
    version: str
    state: State
    content_hash: str
    authors: tuple[str, ...]
    approvals: tuple[Approval, ...] = ()

    @property
    def key(self) -> str:
        """How the version is called: `TAB/2`."""
        return f"{self.product}/{self.version}"


def possible(state: State) -> tuple[str, ...]:
    """What people can do with a version in this state; it is superseded and reinstated by what happens to others."""
    by_itself = (Event.SUPERSEDE, Event.REINSTATE)
    return tuple(str(event) for event in MACHINE.possible(state) if event not in by_itself)


def advanced(standing: Standing, event: Event) -> State:
    """The state that the event leads to. Raises `Refused` INVALID_TRANSITION with what is possible."""
    try:
        return MACHINE.advance(standing.state, event)
    except TransitionRefused as refused:
        blocker = invalid_transition(ENTITY, standing.key, refused)
        raise Refused((blocker,), possible(standing.state)) from None


def check_editable(standing: Standing, based_on: str) -> None:
    """Raise `Refused` VERSION_LOCKED outside draft, CONTENT_CHANGED when somebody else wrote in between."""
    if standing.state != State.DRAFT:
        found, required = f"it is {standing.state}", "a new version, with a change-control number and a reason"
        blocker = _blocker(standing, "VERSION_LOCKED", found, required, "processEngineer")
        raise Refused((blocker,), possible(standing.state))
    if changed := content_changed(standing, based_on):
        raise Refused(tuple(changed))


def content_changed(standing: Standing, seen: str) -> list[Blocker]:
    """A blocker if the content is not what the caller has seen (ES-05)."""
    if seen == standing.content_hash:
        return []
    required = f"what was seen, {seen[:12]}: read it again"
    found = f"{standing.content_hash[:12]}, by {', '.join(standing.authors)}"
    return [_blocker(standing, "CONTENT_CHANGED", found, required, "")]


def head_of(roles: Collection[str]) -> Head:
    """For which head somebody with these roles signs."""
    return Head.QUALITY if ROLE_OF[Head.QUALITY] in roles else Head.PRODUCTION


def approval_blockers(standing: Standing, by: str, head: Head, seen: str) -> list[Blocker]:
    """What stands in the way of this signature: an author, a second one of one person or of one head, other content."""
    found = content_changed(standing, seen)
    if by in standing.authors:
        found += same_person(by, by, ENTITY, standing.key, "approve", "wrote it")
    for given in standing.approvals:
        if given.by == by:
            found += same_person(by, by, ENTITY, standing.key, "approve", f"already signed as {given.head}")
        elif given.head == head:
            other = next(own for own in Head if own != head)
            signed = f"{given.by} signed as {head}"
            found.append(_blocker(standing, "ALREADY_SIGNED", signed, f"the signature of the {other}", ROLE_OF[other]))
    return found


def still_needed(approvals: Collection[Approval]) -> tuple[Head, ...]:
    """The heads who have not signed yet."""
    return tuple(head for head in Head if head not in {given.head for given in approvals})


def _blocker(standing: Standing, code: str, found: str, required: str, who: str) -> Blocker:
    return Blocker(code=code, entity=ENTITY, id=standing.key, found=found, required=required, who_can_fix=who)


def not_effective(product: str, known: tuple[str, str, datetime | None] | None) -> Blocker:
    """RECIPE_NOT_EFFECTIVE (MD-01): `known` is version, state and effective date of the nearest version there is."""
    found, identity = "no master batch record", product
    if known is not None:
        version, state, since = known
        identity = f"{product}/{version}"
        found = f"version {version} is {state}, effective date {since.isoformat() if since else 'none'}"
    return Blocker(
        code="RECIPE_NOT_EFFECTIVE", entity=ENTITY, id=identity, found=found,
        required="an effective version when the order is made", who_can_fix="qualityManager",
    )  # fmt: skip
