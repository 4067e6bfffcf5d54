"""Who may move a change of configuration, and when (B19, MD-03). Pure: facts in, blockers out."""

from dataclasses import dataclass
from typing import Final

from domain.configuration_states import CONFIGURATION, ConfigurationEvent, ConfigurationState
from domain.errors import Blocker, Refused
from domain.rules.common import invalid_transition, reason_missing, same_person
from domain.states import TransitionRefused

ENTITY: Final = "configuration change"
LOCKED: Final = "VERSION_LOCKED"
OF_ANOTHER: Final = (ConfigurationEvent.APPROVE, ConfigurationEvent.PUBLISH)
"""Steps that nobody takes who wrote at the change."""
NOTED: Final = (
    ConfigurationEvent.ANALYSE, ConfigurationEvent.PASS_TEST, ConfigurationEvent.FAIL_TEST, ConfigurationEvent.REJECT,
)  # fmt: skip
"""Steps that say what was found."""


@dataclass(frozen=True)
class Standing:
    """A change as it stands; `base_version` is the version that it changes, `newest` the one that counts now."""

    number: str
    state: ConfigurationState
    content_hash: str
    authors: tuple[str, ...]
    base_version: int
    newest: int


def advanced(own: Standing, event: ConfigurationEvent, actor: str, note: str | None, seen: str | None) -> str:
    """The state that a step leads to. Raises `Refused` with everything in the way."""
    blockers: list[Blocker] = []
    target = own.state
    try:
        target = CONFIGURATION.advance(own.state, event)
    except TransitionRefused as refused:
        blockers.append(invalid_transition(ENTITY, own.number, refused))
    if event in NOTED:
        blockers += reason_missing(note, ENTITY, own.number)
    if event in OF_ANOTHER and actor in own.authors:
        blockers += same_person(actor, actor, ENTITY, own.number, event, "wrote it")
    if seen is not None and seen != own.content_hash:
        blockers.append(
            _blocker("CONTENT_CHANGED", own.number, f"hash {own.content_hash[:12]}", f"hash {seen[:12]}, as read")
        )
    if event != ConfigurationEvent.REJECT:
        blockers += stale(own)
    if blockers:
        raise Refused(tuple(blockers), tuple(str(name) for name in CONFIGURATION.possible(own.state)))
    return str(target)


def possible(state: ConfigurationState) -> tuple[str, ...]:
    """What people can do with a change in this state."""
    events = tuple(str(event) for event in CONFIGURATION.possible(state))
    return ("edit", *events) if state == ConfigurationState.REQUESTED else events


def check_editable(own: Standing) -> None:
    """Content is written while nobody has analysed it. What was analysed or approved is locked."""
    if own.state != ConfigurationState.REQUESTED:
        required = "a change that is requested; what was analysed or approved is changed by a new change"
        raise Refused((_blocker(LOCKED, own.number, own.state, required),), ())


def stale(own: Standing) -> list[Blocker]:
    """A blocker when another change was published since: this one is not what would change any more."""
    if own.state == ConfigurationState.PUBLISHED or own.base_version == own.newest:
        return []
    found = f"it changes version {own.base_version}; version {own.newest} counts now"
    return [_blocker("CHANGE_STALE", own.number, found, "a change of the version that counts", "processEngineer")]


def uncontrolled(kind: str, identity: str) -> Blocker:
    """The blocker for a direct import of what is under change control."""
    return Blocker(
        code=LOCKED, entity=kind, id=identity, found="under change control",
        required="a configuration change (POST /configuration-changes): analysed, approved, tested, published",
        who_can_fix="processEngineer",
    )  # fmt: skip


def _blocker(code: str, number: str, found: str, required: str, who: str = "processEngineer") -> Blocker:
    return Blocker(code=code, entity=ENTITY, id=number, found=found, required=required, who_can_fix=who)
