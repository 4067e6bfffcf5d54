"""The ceremony of a signature (SM-15, ES-05): shown, authenticated, executed; or failed, or left until it expired.

A request answers with what is signed, its revision and hash. The signature that refers to it is taken only while the
order has not changed in a way that its signer would see.
"""

import uuid
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Engine, Row

from api import signing_content as content
from api.clock import now
from api.deps import Caller
from api.errors import Problem, not_found
from api.shapes import Ceremony
from db import audit
from db.queries import signatures as record
from db.queries.targets import Target
from domain.commands import Command
from domain.signing import CEREMONY, MEANING_ZH, CeremonyEvent, CeremonyState, changed
from wording.texts import Words

ENGLISH: Final = Words("en")
CHINESE: Final = Words("zh")
NO_REVISION: Final = 0
"""Of what no order and no case judges."""


def begin(
    who: Caller, command: Command, entity: str, target: Target | None, meaning: str, second: str | None
) -> dict[str, Any]:
    """Show what a command's signature is about. Nothing is signed by this. Raises 404 when it is about nothing."""
    document = content.at_now(who, command, entity, target)
    if target is None and not document["shown"]:
        raise not_found(*entity.split("/", 1))
    at, identity = now(), uuid.uuid4()
    row = {
        "id": identity, "requested_by": who.id, "command_id": command.command_id,
        "command_kind": command.kind_name(), "entity": entity, "meaning": meaning, "content": document,
        "content_hash": content.digest(document), "requested_at": at,
        "entity_revision": NO_REVISION if document["revision"] is None else document["revision"],
        "expires_at": at + timedelta(seconds=who.services.settings.signature_seconds),
    }  # fmt: skip
    with who.services.engine.begin() as connection:
        record.request(connection, row)
        new = {"request": str(identity), "meaning": meaning, "contentHash": row["content_hash"]}
        entry = who.entry("signature.requested", entity, new=new, command_id=command.command_id)
        audit.append(connection, [entry])
        made = record.find_request(connection, identity)
    assert made is not None
    return shown(made) | {"secondMeaning": second}


def shown(row: Row[Any]) -> dict[str, Any]:
    """A ceremony as its signer sees it."""
    command = {name: value for name, value in row.content["command"].items() if name not in ("commandId", "actor")}
    fields = {**row.content["shown"], **{f"command.{name}": value for name, value in command.items()}}
    kind, _, identity = row.entity.partition("/")
    return {
        "id": str(row.id), "state": row.state, "signer": row.requested_by, "meaning": row.meaning,
        "meaningZh": MEANING_ZH.get(row.meaning, row.meaning), "command": row.command_kind,
        "commandId": row.command_id, "entity": row.entity, "entityRevision": row.content["revision"],
        "contentHash": row.content_hash, "requestedAt": row.requested_at.isoformat(),
        "expiresAt": row.expires_at.isoformat(), "failure": row.failure,
        "statement": {
            "en": f"By signing I, {row.requested_by}, say of {kind} {identity}: "
                  f"{ENGLISH.of('command', row.command_kind)}, {row.meaning}.",
            "zh": f"本人 {row.requested_by} 签名确认{CHINESE.of('entity', kind)} {identity}："
                  f"{CHINESE.of('command', row.command_kind)}，{MEANING_ZH.get(row.meaning, row.meaning)}。",
        },
        "content": [
            {"field": name, "value": value} for name, value in fields.items() if value not in (None, "", "kind")
        ],
    }  # fmt: skip


def content_of(who: Caller, command: Command, entity: str, target: Target | None, ceremony: Ceremony) -> dict[str, Any]:
    """What was shown in a ceremony, when the command is the one that was shown and nothing has changed since.

    Raises 404; 409 SIGNATURE_REQUEST_ENDED, SIGNATURE_REQUEST_EXPIRED or CONTENT_CHANGED, which ends the ceremony.
    """
    row = _open(who, ceremony, command)
    document: dict[str, Any] = row.content
    number = None if target is None else target.order_number
    if document["orderNumber"] != number or row.entity != entity:
        raise Problem(409, "SIGNATURE_REQUEST_ENDED", f"the ceremony {row.id} is about {row.entity}, not {entity}")
    sent = changed(document["command"], content.said(command))
    changes = [
        content.Change(f"command.{name}", was, is_now, who.id, document["revision"])
        for name, (was, is_now) in sent.items()
    ]
    if target is None:
        changes += content.changes_of_record(who, command, entity, document, row.requested_at)
    else:
        changes += content.changes_since(who, command, target, row.entity_revision)
    if ceremony.content_hash not in (None, row.content_hash):
        other = f"hash {ceremony.content_hash}"
        changes.append(content.Change("content", other, f"hash {row.content_hash}", who.id, document["revision"]))
    if changes:
        problem = content.content_changed(command.command_id, entity, changes)
        fail(who, ceremony, problem.code, problem.detail)
        raise problem
    return document


def _open(who: Caller, ceremony: Ceremony, command: Command) -> Row[Any]:
    assert ceremony.request_id is not None
    with who.services.engine.connect() as connection:
        row = record.find_request(connection, ceremony.request_id)
    if row is None or row.requested_by != who.id or row.command_id != command.command_id:
        detail = f"{who.id} has no ceremony {ceremony.request_id} for this command"
        raise Problem(404, "NOT_FOUND", detail, command_id=command.command_id)
    if row.state == CeremonyState.REQUESTED and row.expires_at <= now():
        expire(who.services.engine)
        raise _ended(row, CeremonyState.EXPIRED, command)
    if row.state != CeremonyState.REQUESTED:
        raise _ended(row, row.state, command)
    return row


def _ended(row: Row[Any], state: str, command: Command) -> Problem:
    code = "SIGNATURE_REQUEST_EXPIRED" if state == CeremonyState.EXPIRED else "SIGNATURE_REQUEST_ENDED"
    return Problem(409, code, f"the ceremony {row.id} is {state}; begin another one", command_id=command.command_id)


def executed(connection: Any, who: Caller, identity: uuid.UUID, is_signer: bool, user_id: str) -> Row[Any]:
    """The signature is stored in the same transaction: authenticated, then executed; at most once."""
    row = record.find_request(connection, identity, lock=True)
    assert row is not None
    if row.state != CeremonyState.REQUESTED and is_signer:
        raise Problem(409, "SIGNATURE_REQUEST_ENDED", f"the ceremony {row.id} is {row.state}; begin another one")
    if row.state == CeremonyState.REQUESTED:
        at = now()
        state = record.advance(connection, row, CeremonyEvent.AUTHENTICATE, user_id, at)
        record.advance(connection, row, CeremonyEvent.EXECUTE, user_id, at, state=state)
    return row


def fail(who: Caller, ceremony: Ceremony, code: str, detail: str | None = None) -> None:
    """End the ceremony that a refused signature belongs to. Audited here only with `detail`: else the caller does."""
    if ceremony.request_id is None:
        return
    with who.services.engine.begin() as connection:
        row = record.find_request(connection, ceremony.request_id, lock=True)
        if (
            row is None
            or row.requested_by != who.id
            or not CEREMONY.allows(CeremonyState(row.state), CeremonyEvent.FAIL)
        ):
            return
        record.advance(connection, row, CeremonyEvent.FAIL, who.id, now(), code)
        if detail is not None:
            new = {"code": code, "meaning": row.meaning, "found": detail, "request": str(row.id)}
            entry = who.entry("signature.refused", row.entity, new=new, command_id=row.command_id)
            audit.append(connection, [entry])


def abandon(who: Caller, identity: uuid.UUID, reason: str) -> dict[str, Any]:
    """The signer turns away without signing. Raises 404, 409 SIGNATURE_REQUEST_ENDED."""
    with who.services.engine.begin() as connection:
        row = record.find_request(connection, identity, lock=True)
        if row is None or row.requested_by != who.id:
            raise Problem(404, "NOT_FOUND", f"{who.id} has no ceremony {identity}")
        if row.state != CeremonyState.REQUESTED:
            raise Problem(409, "SIGNATURE_REQUEST_ENDED", f"the ceremony {identity} is {row.state}")
        record.advance(connection, row, CeremonyEvent.EXPIRE, who.id, now(), reason)
        audit.append(connection, [_left(row, who.id, reason, who.source)])
        found = record.find_request(connection, identity)
    assert found is not None
    return shown(found)


def expire(engine: Engine) -> int:
    """End the ceremonies that nobody ended in time, each with its audit row; answers how many there were."""
    with engine.begin() as connection:
        rows = record.overdue(connection, now())
        for row in rows:
            record.advance(connection, row, CeremonyEvent.EXPIRE, "system", now(), "not signed in time")
        audit.append(connection, [_left(row, "system", "not signed in time", "") for row in rows])
    return len(rows)


def _left(row: Row[Any], actor: str, why: str, source: str) -> audit.Entry:
    new = {"request": str(row.id), "signer": row.requested_by, "meaning": row.meaning, "why": why}
    return audit.Entry(
        now(), actor, "signature.expired", row.entity, new=new, command_id=row.command_id, source=source or None
    )
