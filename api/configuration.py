"""Changes of configuration: direct writes, each once by its command id, with its audit row, in one transaction.

Requests about one subject come one after the other. Nothing of a change counts before it is published: then the next
version of the policy or plan is written with the change's own last step.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Connection, Row

from api import master_data, product_definitions
from api.deps import Caller
from api.direct_acts import act
from api.errors import Problem, not_found
from api.master_data_document import InspectionPlanEntry, MasterDataDocument, PolicyEntry
from api.security import now
from api.shapes import CommandBody
from api.signatures import Signing
from db import audit
from db.once import Request
from db.queries import configuration as tables
from domain.base import Message, uuid_for
from domain.configuration_states import (
    ApproveConfiguration,
    ConfigurationEvent,
    ConfigurationKind,
    ConfigurationState,
    ConfigurationStep,
)
from domain.differences import differences
from domain.rules import configuration as rules
from domain.rules.configuration import Standing

KIND: Final = "configuration-change"
MEANING: Final = "approved"
GIVES_UP: Final = (ConfigurationEvent.REJECT, ConfigurationEvent.FAIL_TEST)
"""Steps after which nothing of a change can count."""
Values = dict[str, Any]


class ChangeAnswer(Message):
    """What became of a change. `published_version` is the version that counts from now on; none of a product's
    definition, whose versions stand in its content."""

    id: str
    number: str
    state: ConfigurationState
    content_hash: str
    published_version: int | None = None


class Draft(Message):
    """What is asked for: the fields of a policy that shall be other, all characteristics of a plan, or the parts of a
    product's definition that shall be other."""

    change_control: str
    reason_for_change: str
    content: dict[str, Any]


def existing(who: Caller, identity: UUID) -> Row[Any]:
    """The change of that uuid, or 404."""
    with who.services.engine.connect() as connection:
        row = tables.find(connection, identity)
    if row is None:
        raise not_found("configuration change", identity)
    return row


def document_of(row: Row[Any]) -> Values:
    """A change with its steps and everything that it makes other than in the version that it changes."""
    found = differences(row.base, row.body)
    return summary(row) | {
        "content": row.body,
        "steps": row.steps,
        "differences": [own.model_dump(mode="json", by_alias=True) for own in found],
    }


def summary(row: Row[Any]) -> Values:
    """A change without its content."""
    return {
        "id": str(row.id), "number": row.number, "kind": row.kind, "subject": row.subject,
        "baseVersion": row.base_version, "state": row.state, "contentHash": row.content_hash,
        "changeControl": row.change_control, "reasonForChange": row.reason_for_change, "authors": row.authors,
        "createdAt": row.created_at.isoformat(), "possible": rules.possible(ConfigurationState(row.state)),
    }  # fmt: skip


# Writes ----------------------------------------------------------------------------------------------------------


def create(who: Caller, body: CommandBody, kind: ConfigurationKind, subject: str, draft: Draft) -> Values:
    """Ask for a change of the version that counts now."""
    entity = f"{KIND}/{kind}-{subject}"

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[ChangeAnswer, list[audit.Entry]]:
        version, base = tables.current(connection, kind, subject)
        content = _whole(kind, subject, version, base, draft.content)
        _check(connection, who, kind, base, content)
        number = f"{kind}-{subject}-K{tables.count(connection, kind, subject) + 1}"
        row = {
            "id": uuid_for(KIND, number), "number": number, "kind": kind, "subject": subject, "base_version": version,
            "base": base, "state": ConfigurationState.REQUESTED, "body": content, "authors": [who.id], "steps": [],
            "content_hash": _hash(number, version, draft, content), "change_control": draft.change_control,
            "reason_for_change": draft.reason_for_change, "created_at": now(),
        }  # fmt: skip
        tables.add(connection, row)
        told = {name: value for name, value in row.items() if name not in ("id", "base", "created_at")}
        entry = who.entry(
            f"{KIND}.created", f"{KIND}/{number}", new=told, reason=draft.reason_for_change, command_id=body.command_id
        )
        return _answer(row), [entry]

    content = {"kind": kind, "subject": subject, **draft.model_dump(mode="json")}
    return _done(who, body, "requestConfiguration", entity, content, work)


def edit(who: Caller, row: Row[Any], body: CommandBody, draft: Draft) -> Values:
    """Another content of a change that nobody has analysed yet. Raises VERSION_LOCKED."""

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[ChangeAnswer, list[audit.Entry]]:
        before = _locked(connection, row)
        rules.check_editable(standing(connection, before))
        kind = ConfigurationKind(before.kind)
        content = _whole(kind, before.subject, before.base_version, before.base, draft.content)
        _check(connection, who, kind, before.base, content)
        values: Values = {
            "body": content, "content_hash": _hash(before.number, before.base_version, draft, content),
            "change_control": draft.change_control, "reason_for_change": draft.reason_for_change,
            "authors": [*before.authors, *({who.id} - {*before.authors})],
        }  # fmt: skip
        tables.change(connection, row.id, **values)
        old = {name: before._mapping[name] for name in values}
        entry = who.entry(
            f"{KIND}.changed", f"{KIND}/{row.number}", old=old, new=values, reason=draft.reason_for_change,
            command_id=body.command_id,
        )  # fmt: skip
        return _answer({**before._mapping, **values}), [entry]

    return _done(who, body, "editConfiguration", _subject(row), draft.model_dump(mode="json"), work)


def step(who: Caller, row: Row[Any], body: CommandBody, event: ConfigurationEvent, seen: str | None = None) -> Values:
    """One step of a change; an approval is signed, a publication writes the version that counts from now on."""
    signings: list[Signing] = []
    if event == ConfigurationEvent.APPROVE:
        command = ApproveConfiguration(
            command_id=body.command_id, actor=who.id, received_at=now(), reason=body.reason, source=who.source,
            number=row.number, content_hash=seen or "",
        )  # fmt: skip
        signings.append(Signing(command, f"{KIND}/{row.number}", MEANING, body.signature))

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[ChangeAnswer, list[audit.Entry]]:
        before = _locked(connection, row)
        target = rules.advanced(standing(connection, before), event, who.id, body.reason, seen)
        if event not in GIVES_UP:
            _check(connection, who, before.kind, before.base, before.body)
        at = now()
        taken = ConfigurationStep(
            event=event, by=who.id, at=at, note=body.reason or "", signature_id=given[0] if given else None
        )
        steps = [*before.steps, taken.model_dump(mode="json", by_alias=True)]
        tables.change(connection, row.id, state=target, steps=steps)
        tables.note_transition(
            connection, entity_id=row.number, event=event, from_state=before.state, to_state=target, actor=who.id,
            reason=body.reason, at=at,
        )  # fmt: skip
        entry = who.entry(
            f"{KIND}.{event}", f"{KIND}/{row.number}", old={"state": before.state, "steps": before.steps},
            new={"state": target, "steps": steps}, reason=body.reason, command_id=body.command_id,
        )  # fmt: skip
        version, entries = None, [entry]
        if event == ConfigurationEvent.PUBLISH:
            version = None if before.kind == ConfigurationKind.PRODUCT_DEFINITION else before.base_version + 1
            entries += master_data.publish(connection, who, _document(before, before.base_version + 1), at)
        return _answer({**before._mapping, "state": target}, version), entries

    content = {"event": event, "number": row.number, "seen": seen, "reason": body.reason}
    return _done(who, body, f"{event}Configuration", _subject(row), content, work, *signings)


# Parts of a write ------------------------------------------------------------------------------------------------


def standing(connection: Connection, row: Row[Any]) -> Standing:
    """A stored change as the rules see it."""
    newest, _ = tables.current(connection, row.kind, row.subject)
    state, authors = ConfigurationState(row.state), tuple(row.authors)
    return Standing(row.number, state, row.content_hash, authors, row.base_version, newest)


def _done(
    who: Caller,
    body: CommandBody,
    kind: str,
    subject: str,
    content: Values,
    work: Callable[[Connection, tuple[str, ...]], tuple[ChangeAnswer, list[audit.Entry]]],
    *signings: Signing,
) -> Values:
    request = Request(kind, subject, body.command_id, who.id, now(), content)
    answer = act(who, request, ChangeAnswer, work, *signings)
    return answer.model_dump(mode="json", by_alias=True) | {"commandId": body.command_id, "accepted": True}


def _subject(row: Row[Any]) -> str:
    return f"{KIND}/{row.kind}-{row.subject}"


def _locked(connection: Connection, row: Row[Any]) -> Row[Any]:
    """The change as it stands behind the lock of its subject. (A change is never deleted.)"""
    found = tables.find(connection, row.id, lock=True)
    if found is None:
        raise not_found("configuration change", row.id)
    return found


def _whole(kind: ConfigurationKind, subject: str, version: int, base: Values, content: Values) -> Values:
    """The whole new content, as the import of master data would take it. Raises 422."""
    try:
        if kind == ConfigurationKind.POLICY:
            known = {info.alias or name for name, info in PolicyEntry.model_fields.items()}
            if unknown := sorted(set(content) - known):
                raise Problem(422, "INVALID_REQUEST", f"a policy has no {', '.join(unknown)}")
            entry = PolicyEntry.model_validate({**base, **content, "code": subject, "version": version + 1})
            return entry.model_dump(mode="json", by_alias=True)
        if kind == ConfigurationKind.PRODUCT_DEFINITION:
            return product_definitions.whole(subject, base, content)
        plan = InspectionPlanEntry.model_validate({**content, "material": subject})
        return plan.model_dump(mode="json", by_alias=True)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise Problem(422, "INVALID_REQUEST", wrong) from None


def _document(row: Row[Any], version: int) -> MasterDataDocument:
    """The document that publishes a change."""
    if row.kind == ConfigurationKind.PRODUCT_DEFINITION:
        made = product_definitions.document(row.base, row.body)
        return made.model_copy(update={"reason": row.reason_for_change})
    if row.kind == ConfigurationKind.POLICY:
        return MasterDataDocument.model_validate({"policies": [{**row.body, "version": version}]})
    return MasterDataDocument.model_validate({"inspectionPlans": [row.body]})


def _check(connection: Connection, who: Caller, kind: str, base: Values, content: Values) -> None:
    """A definition that nobody could make the product by is refused, also when its materials were right before."""
    if kind == ConfigurationKind.PRODUCT_DEFINITION:
        product_definitions.check(connection, who, base, content, now())


def _hash(number: str, version: int, draft: Draft, content: Values) -> str:
    return tables.content_hash(number, version, draft.change_control, draft.reason_for_change, content)


def _answer(row: Values, version: int | None = None) -> ChangeAnswer:
    return ChangeAnswer(
        id=str(row["id"]), number=row["number"], state=row["state"], content_hash=row["content_hash"],
        published_version=version,
    )  # fmt: skip
