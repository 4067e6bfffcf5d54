"""What is signed: the command, what its signer is shown of the order or the quality case, its revision; and its hash.

What has changed since a revision is found by folding the facts since, one by one: so each change has a name.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.deps import Caller
from api.errors import Problem
from db import audit
from db.queries import cases, signed_records
from db.queries.targets import Target
from domain.commands import Command
from domain.errors import Blocker
from domain.signed_lives import Life, begin, fold_into, number_of, shown_of
from domain.signing import changed

NOT_CONTENT = {"signature_id", "received_at", "source", "second_signature_id", "second_signer"}
Document = dict[str, Any]


_ADDED_LATER: Final[Document] = {
    "consumed": None, "measuredAt": None, "isTyped": True, "device": None, "scans": [], "typed": False,
    "reworkMethod": "rework", "procedure": "", "tests": [], "values": [],
}  # fmt: skip
"""Fields that earlier releases did not know: as they usually are they say nothing, so that older signatures match."""


def said(command: Command) -> Document:
    """What a command says, without signatures, time of receipt and source."""
    content = command.model_dump(mode="json", by_alias=True, exclude=NOT_CONTENT)
    return {name: value for name, value in content.items() if name not in _ADDED_LATER or value != _ADDED_LATER[name]}


def digest(content: Any) -> str:
    """SHA-256 over canonical JSON."""
    return hashlib.sha256(audit.canonical(content).encode()).hexdigest()


@dataclass(frozen=True)
class Change:
    """A field that is not what the signer was shown; by whom and at which revision it became so.

    What no order judges has no revisions.
    """

    field: str
    was: str
    now: str
    actor: str
    revision: int | None = None


def at_now(who: Caller, command: Command, entity: str, target: Target | None) -> Document:
    """The content of a signature that is given now. Without a target no order and no case judges the command."""
    if target is None:
        with who.services.engine.connect() as connection:
            seen = signed_records.shown(connection, command)
        return {"command": said(command), "entity": entity, "orderNumber": None, "revision": None, "shown": seen}
    if target.is_case:
        return _content(command, entity, _case(who, target.order_number))
    histories = who.services.histories
    with who.services.engine.connect() as connection, histories.current(connection, target.order_number) as folded:
        if folded is None:
            detail = f"{target.order_number} is not recorded yet; send again"
            raise Problem(503, "RECORD_UNAVAILABLE", detail)
        return _content(command, entity, folded.process)


def at_revision(who: Caller, command: Command, entity: str, target: Target, revision: int) -> Document:
    """The content as it was at a revision that the signer has seen. Raises 422 for one that there never was."""
    life, _ = _folded(who, command, target, revision)
    return _content(command, entity, life)


def changes_since(who: Caller, command: Command, target: Target, revision: int) -> list[Change]:
    """What the signer would see otherwise now than at that revision."""
    return _folded(who, command, target, revision)[1]


def changes_of_record(who: Caller, command: Command, entity: str, was: Document, since: datetime) -> list[Change]:
    """The same for what no order judges: what was shown at a time, compared with the record as it is."""
    with who.services.engine.connect() as connection:
        fields = changed(was["shown"], signed_records.shown(connection, command))
        actor = signed_records.last_actor(connection, entity, since) if fields else ""
    return [Change(name, *values, actor) for name, values in fields.items()]


def _case(who: Caller, number: str) -> Life:
    with who.services.engine.connect() as connection:
        case = cases.find(connection, number)
    if case is None:
        raise Problem(503, "RECORD_UNAVAILABLE", f"{number} is not recorded yet; send again")
    return case


def _content(command: Command, entity: str, life: Life) -> Document:
    return {
        "command": said(command), "entity": entity, "orderNumber": number_of(life),
        "revision": life.revision, "shown": _seen(command, life),
    }  # fmt: skip


def _seen(command: Command, life: Life) -> Mapping[str, str]:
    operation = getattr(command, "operation", None)
    return shown_of(life, command.kind_name(), getattr(command, "work_order", None), operation)


def _folded(who: Caller, command: Command, target: Target, revision: int) -> tuple[Life, list[Change]]:
    with who.services.engine.connect() as connection:
        known = cases.facts_of(connection, target.entity, target.order_number)
    life: Life | None = None
    then: Life | None = None
    found: dict[str, Change] = {}
    first: Mapping[str, str] = {}
    for fact in known:
        life = life or begin(fact)
        assert life is not None, "the first fact says what begins"
        before = _seen(command, life) if fact.revision > revision else {}
        fold_into(life, fact)
        if fact.revision == revision:
            then, first = life.model_copy(deep=True), _seen(command, life)
        elif fact.revision > revision:
            for field in changed(before, _seen(command, life)):
                found[field] = Change(field, first.get(field, ""), "", fact.actor, fact.revision)
    if life is None or then is None:
        raise Problem(422, "INVALID_REQUEST", f"{target.order_number} has no revision {revision}")
    now = changed(first, _seen(command, life))
    return then, [Change(c.field, *now[c.field], c.actor, c.revision) for c in found.values() if c.field in now]


def _at(change: Change) -> str:
    return "" if change.revision is None else f" (revision {change.revision})"


def content_changed(command_id: str, entity: str, changes: list[Change]) -> Problem:
    """409 that names every field that is not what was shown, and who changed it."""
    kind, _, identity = entity.partition("/")
    blockers = [
        Blocker(
            code="CONTENT_CHANGED", entity=kind, id=identity,
            found=f"{change.field}: {change.now or 'nothing'}, changed by {change.actor}{_at(change)}",
            required=f"{change.field}: {change.was or 'nothing'}, as it was shown; look again and sign what is there",
            who_can_fix="signer",
        )
        for change in changes
    ]  # fmt: skip
    fields = ", ".join(f"{change.field} by {change.actor}" for change in changes)
    detail = f"{entity} is not what was shown any more: {fields}"
    return Problem(409, "CONTENT_CHANGED", detail, blockers=blockers, command_id=command_id)
