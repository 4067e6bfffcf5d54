"""Master batch records: direct writes, each once by its command id, with its audit row, in one transaction.

Requests about one product come one after the other: two versions of one name, or two that become effective, never
pass each other. What is refused changes nothing and leaves one audit row.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row

from api import impacts, signatures
from api.deps import Caller, writing
from api.errors import not_found, of_refusal, refused
from api.neighbours import once
from api.pictures import Looked, store
from api.security import now
from api.shapes import CommandBody
from api.signatures import Signing
from db import audit
from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from db.queries import master_batch_records as tables
from domain.base import Message, uuid_for
from domain.differences import differences
from domain.errors import Blocker, Refused
from domain.impacts import MasterDataChange
from domain.master_batch_record import ApproveMasterBatchRecord, MasterBatchRecordBody
from domain.master_record_states import MasterBatchRecordEvent as Event
from domain.master_record_states import MasterBatchRecordState as State
from domain.rules import master_batch_record as rules
from domain.rules import record_faults
from domain.rules.master_batch_record import Approval, Standing
from domain.rules.record_faults import ENTITY

KIND: Final = "master-batch-record"
MEANING: Final = "approved"
Values = dict[str, Any]


class VersionAnswer(Message):
    """What became of a version. `still_needed` are the heads who have yet to sign it."""

    id: str
    product: str
    version: str
    state: State
    content_hash: str
    effective_from: datetime | None = None
    still_needed: tuple[rules.Head, ...] = ()


class Draft(Message):
    """A new version, as it is written down."""

    product: str
    version: str
    change_control: str
    reason_for_change: str
    content: MasterBatchRecordBody

    @property
    def body(self) -> Values:
        """The content as it is stored."""
        return self.content.model_dump(mode="json", by_alias=True)

    @property
    def content_hash(self) -> str:
        """What signatures will bind."""
        return tables.content_hash(
            self.product, self.version, self.change_control, self.reason_for_change, self.body
        )  # fmt: skip


def entity(product: str, version: str) -> str:
    """What the audit trail calls a version."""
    return f"{KIND}/{product}/{version}"


def record_id(product: str, version: str) -> UUID:
    """The uuid of a version."""
    return uuid_for(KIND, f"{product}/{version}")


def existing(who: Caller, identity: UUID) -> Row[Any]:
    """The version of that uuid, or 404."""
    with who.services.engine.connect() as connection:
        row = tables.find(connection, identity)
    if row is None:
        raise not_found("master batch record", identity)
    return row


def standing(row: Row[Any]) -> Standing:
    """A stored version as the rules see it."""
    approvals = tuple(Approval.model_validate(given) for given in row.approvals)
    return Standing(row.product, row.version, State(row.state), row.content_hash, tuple(row.authors), approvals)


def found_faults(connection: Connection, row: Row[Any]) -> tuple[Blocker, ...]:
    """What keeps a stored version from review."""
    body = MasterBatchRecordBody.model_validate(row.body)
    recipe, _ = tables.recipe(connection, row.product, body)
    return record_faults.faults(row.product, row.version, body, recipe)


# Writes ----------------------------------------------------------------------------------------------------------

Work = Callable[[Connection, Request], tuple[Values, list[audit.Entry]]]


def _once(who: Caller, kind: str, product: str, version: str, body: CommandBody, content: Values, work: Work) -> Values:
    """Do the work once; its first part is what of the version is to be answered."""
    told = {"version": version, "reason": body.reason, **content}
    request = Request(kind, f"{KIND}/{product}", body.command_id, who.id, now(), told)

    def work_once(connection: Connection) -> Done[VersionAnswer]:
        # The time behind the lock: whoever waited comes after those who were waited for.
        row, entries = work(connection, replace(request, at=now()))
        answer = VersionAnswer(
            id=str(record_id(product, version)), product=product, version=version, state=row["state"],
            content_hash=row["content_hash"], effective_from=row.get("effective_from"),
            still_needed=row.get("still_needed", ()),
        )  # fmt: skip
        return Done(answer, entries)

    def ask(_: str) -> VersionAnswer:
        engine = who.services.engine
        return answer_once(engine, "record", COMMAND_OUTCOMES, request, VersionAnswer, work_once)

    try:
        answer = once(body.command_id, ask)
    except Refused as no:
        new = {"command": kind, "blockers": [own.model_dump(mode="json", by_alias=True) for own in no.blockers]}
        entry = who.entry("command.refused", entity(product, version), new=new, reason=body.reason,
                          command_id=body.command_id)  # fmt: skip
        with writing(who, entry):
            pass
        raise of_refusal(no, body.command_id) from None
    return answer.model_dump(mode="json", by_alias=True) | {"commandId": body.command_id, "accepted": True}


def refuse(who: Caller, kind: str, body: CommandBody, said: Values, faults: Sequence[Blocker]) -> Values:
    """Refuse a document that says no record: audited as every refusal, by what it names as far as it can be read."""

    def work(_: Connection, __: Request) -> tuple[Values, list[audit.Entry]]:
        raise Refused(tuple(faults))

    return _once(who, kind, str(said.get("product", "?"))[:80], str(said.get("version", "?"))[:80], body, {}, work)


def create(
    who: Caller, body: CommandBody, draft: Draft, faults: Sequence[Blocker] = (), files: Sequence[Looked] = ()
) -> Values:
    """Write a new version down. Of many who want one version at once one wins; the others are told whose it is.

    `faults` are what is wrong with what was sent, `files` the pictures that it brought.
    """

    def work(connection: Connection, request: Request) -> tuple[Values, list[audit.Entry]]:
        _check(faults)
        if not tables.is_material(connection, draft.product):
            raise refused("UNKNOWN_PRODUCT", "material", draft.product, "no such material", "a material")
        identity = record_id(draft.product, draft.version)
        if (other := tables.find(connection, identity)) is not None:
            found = f"{other.state}, written by {', '.join(other.authors)}, change {other.change_control}"
            key = f"{draft.product}/{draft.version}"
            raise refused("VERSION_EXISTS", ENTITY, key, found, "a version that is not there", "processEngineer")
        row = {
            "state": State.DRAFT, "content_hash": draft.content_hash, "change_control": draft.change_control,
            "reason_for_change": draft.reason_for_change, "body": draft.body, "authors": [who.id], "approvals": [],
        }  # fmt: skip
        tables.add(
            connection,
            {"id": identity, "product": draft.product, "version": draft.version, "created_at": request.at, **row},
        )
        told = [entry for file in files for entry in store(connection, who, file)]
        return row, [*told, _entry(who, request, draft.version, "created", None, row, draft.reason_for_change)]

    content = {"contentHash": draft.content_hash}
    return _once(who, "createMasterBatchRecord", draft.product, draft.version, body, content, work)


def edit(who: Caller, row: Row[Any], body: CommandBody, based_on: str, draft: Draft) -> Values:
    """Replace the content of a draft by a later one. Raises VERSION_LOCKED, CONTENT_CHANGED."""

    def work(connection: Connection, request: Request) -> tuple[Values, list[audit.Entry]]:
        before = _locked(connection, row)
        rules.check_editable(standing(before), based_on)
        values = {
            "content_hash": draft.content_hash, "change_control": draft.change_control,
            "reason_for_change": draft.reason_for_change, "body": draft.body,
            "authors": [*before.authors, *({who.id} - {*before.authors})],
        }  # fmt: skip
        tables.change(connection, row.id, **values)
        old = {name: before._mapping[name] for name in values}
        changed = list(differences(old, values))
        was, new = {own.path: own.before for own in changed}, {own.path: own.after for own in changed}
        entry = _entry(who, request, row.version, "changed", was, new, draft.reason_for_change)
        return values | {"state": before.state}, [entry]

    content = {"contentHash": draft.content_hash, "basedOn": based_on}
    return _once(who, "editMasterBatchRecord", row.product, row.version, body, content, work)


def submit(who: Caller, row: Row[Any], body: CommandBody) -> Values:
    """Draft → in review, when nothing in it is broken."""

    def work(connection: Connection, request: Request) -> tuple[Values, list[audit.Entry]]:
        before = _locked(connection, row)
        target = rules.advanced(standing(before), Event.SUBMIT)
        _check(found_faults(connection, before))
        return _move(connection, who, request, before, Event.SUBMIT, target)

    return _once(who, "submitMasterBatchRecord", row.product, row.version, body, {}, work)


def approve(who: Caller, row: Row[Any], body: CommandBody, seen: str) -> Values:
    """One of the two signatures; with the second one the version is approved. Takes 50 ms: call it in a thread."""
    command = ApproveMasterBatchRecord(
        command_id=body.command_id, actor=who.id, received_at=now(), reason=body.reason, source=who.source,
        product=row.product, version=row.version, content_hash=seen,
    )  # fmt: skip
    signing = Signing(command, entity(row.product, row.version), MEANING, body.signature)
    signer = signatures.authenticate(who, signing)
    head = rules.head_of(who.session.roles)

    def work(connection: Connection, request: Request) -> tuple[Values, list[audit.Entry]]:
        before = _locked(connection, row)
        own = standing(before)
        target = rules.advanced(own, Event.APPROVE)
        _check([*rules.approval_blockers(own, who.id, head, seen), *found_faults(connection, before)])
        (signature,), entries = signatures.store_with(connection, who, [signer])
        given = Approval(
            head=head, by=who.id, full_name=who.session.full_name, meaning=MEANING, signature_id=signature,
            content_hash=seen, at=request.at,
        )  # fmt: skip
        approvals = (*own.approvals, given)
        needed = rules.still_needed(approvals)
        stored = [one.model_dump(mode="json", by_alias=True) for one in approvals]
        moved, told = _move(
            connection, who, request, before, Event.APPROVE, before.state if needed else target, approvals=stored
        )
        return moved | {"still_needed": needed}, [*entries, *told]

    # Who signs is part of what is asked: nobody gets the answer to another person's signature.
    content = {"contentHash": seen, "signer": who.id}
    return _once(who, "approveMasterBatchRecord", row.product, row.version, body, content, work)


def reject(who: Caller, row: Row[Any], body: CommandBody) -> Values:
    """In review → draft, for a reason; signatures that were given are void."""

    def work(connection: Connection, request: Request) -> tuple[Values, list[audit.Entry]]:
        before = _locked(connection, row)
        target = rules.advanced(standing(before), Event.REJECT)
        return _move(connection, who, request, before, Event.REJECT, target, reason=body.reason, approvals=[])

    return _once(who, "rejectMasterBatchRecord", row.product, row.version, body, {}, work)


def make_effective(who: Caller, row: Row[Any], body: CommandBody, wanted: datetime | None) -> Values:
    """Approved → effective, now or from a day to come; the one before is superseded from then on."""

    def work(connection: Connection, request: Request) -> tuple[Values, list[audit.Entry]]:
        before = _locked(connection, row)
        target = rules.advanced(standing(before), Event.MAKE_EFFECTIVE)
        since = wanted or request.at
        _check([*_too_early(connection, before, since, request.at), *found_faults(connection, before)])
        entries: list[audit.Entry] = []
        if (last := tables.effective(connection, row.product)) is not None:
            _check(_waits_already(last, request.at))
            over = rules.advanced(standing(last), Event.SUPERSEDE)
            entries += _move(connection, who, request, last, Event.SUPERSEDE, over, effective_until=since)[1]
        moved, told = _move(
            connection, who, request, before, Event.MAKE_EFFECTIVE, target, reason=body.reason, effective_from=since
        )
        changed = MasterDataChange(KIND, row.product, row.version)
        return moved, [*entries, *told, *impacts.raise_for(connection, who, [changed], request.at)]

    content = {"effectiveFrom": wanted}
    return _once(who, "makeMasterBatchRecordEffective", row.product, row.version, body, content, work)


def withdraw(who: Caller, row: Row[Any], body: CommandBody) -> Values:
    """No order is made by it any more. One that never came to count gives way to its predecessor again."""

    def work(connection: Connection, request: Request) -> tuple[Values, list[audit.Entry]]:
        before = _locked(connection, row)
        target = rules.advanced(standing(before), Event.WITHDRAW)
        _check(_over(before, request.at))
        until = request.at if before.effective_from is not None else None
        moved, entries = _move(
            connection, who, request, before, Event.WITHDRAW, target, reason=body.reason, effective_until=until
        )
        waiting = before.effective_from is not None and before.effective_from > request.at
        if waiting and (last := tables.ended_at(connection, row.product, before.effective_from)) is not None:
            again = rules.advanced(standing(last), Event.REINSTATE)
            entries += _move(connection, who, request, last, Event.REINSTATE, again, effective_until=None)[1]
        return moved, entries

    return _once(who, "withdrawMasterBatchRecord", row.product, row.version, body, {}, work)


# Parts of a write ------------------------------------------------------------------------------------------------


def _check(blockers: Sequence[Blocker]) -> None:
    if blockers:
        raise Refused(tuple(blockers))


def _locked(connection: Connection, row: Row[Any]) -> Row[Any]:
    """The version as it stands behind the lock of its product. (A version is never deleted.)"""
    found = tables.find(connection, row.id, lock=True)
    if found is None:
        raise not_found("master batch record", row.id)
    return found


def _move(
    connection: Connection, who: Caller, request: Request, before: Row[Any], event: Event, target: str,
    *, reason: str | None = None, **values: Any,
) -> tuple[Values, list[audit.Entry]]:  # fmt: skip
    """Write a move of a version: the row, the history of its states, the audit entry."""
    tables.change(connection, before.id, state=target, **values)
    if target != before.state:
        tables.note_transition(
            connection, entity_id=f"{before.product}/{before.version}", event=event, from_state=before.state,
            to_state=target, actor=who.id, reason=reason, at=request.at,
        )  # fmt: skip
    changed = {"state": target, **values}
    old = {name: before._mapping[name] for name in changed}
    entry = _entry(who, request, before.version, str(event), old, changed, reason)
    return {**before._mapping, **changed}, [entry]


def _entry(
    who: Caller, request: Request, version: str, done: str, old: Values | None, new: Values, reason: str | None
) -> audit.Entry:
    name = f"{request.subject}/{version}"
    before = None if old is None else _plain(old)
    return who.entry(
        f"{KIND}.{done}", name, old=before, new=_plain(new), reason=reason, command_id=request.key
    )  # fmt: skip


def _plain(values: Values) -> Values:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _too_early(connection: Connection, row: Row[Any], since: datetime, at: datetime) -> list[Blocker]:
    """A day that is over: orders were made since. A recipe that does not count yet on that day."""
    key, found = f"{row.product}/{row.version}", []
    if since < at:
        required = f"{at.isoformat()} or later"
        found.append(_blocker("EFFECTIVE_DATE_PAST", key, since.isoformat(), required, "qualityManager"))
    _, recipe = tables.recipe(connection, row.product, MasterBatchRecordBody.model_validate(row.body))
    if recipe is not None and recipe > since:
        told = f"its bill of material or route counts from {recipe.isoformat()}"
        found.append(_blocker("RECIPE_NOT_EFFECTIVE", key, told, "that day or a later one", "qualityManager"))
    return found


def _over(row: Row[Any], at: datetime) -> list[Blocker]:
    """A version that does not count any more: there is nothing to withdraw."""
    if row.effective_until is None or row.effective_until > at:
        return []
    found = f"it counted until {row.effective_until.isoformat()}"
    return [_blocker("VERSION_OVER", f"{row.product}/{row.version}", found, "a version that counts", "")]


def _waits_already(last: Row[Any], at: datetime) -> list[Blocker]:
    """Another version waits for its day: which of the two counts must be said first."""
    if last.effective_from <= at:
        return []
    found = f"version {last.version} becomes effective on {last.effective_from.isoformat()}"
    required = "no other version that waits for its day: withdraw it first"
    return [_blocker("VERSION_WAITS", f"{last.product}/{last.version}", found, required, "qualityManager")]


def _blocker(code: str, identity: str, found: str, required: str, who: str) -> Blocker:
    return Blocker(code=code, entity=ENTITY, id=identity, found=found, required=required, who_can_fix=who)
