"""Electronic signatures: re-authentication here, only the signature's id goes on to the order.

A signature binds a person, a meaning and the SHA-256 of what is signed as canonical JSON. Under a command it is stored
before the command is sent; sending the same command again uses the same signature. A direct write of the API stores
it in its own transaction.
"""

import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from api.deps import Caller
from api.errors import Problem
from api.security import check_password, now
from api.shapes import Ceremony
from db import audit
from db.queries import policies
from db.tables import Signature, core
from domain.commands import Command
from domain.errors import Blocker

SIGNATURES = core(Signature)
_NOT_CONTENT = {"signature_id", "received_at", "source"}
_ADDED_LATER = ("consumed",)
"""Fields that earlier releases did not know: empty they are not content, so that older signatures still match."""
_KNOWN_ORDERS = 5000


def content_hash(command: Command) -> str:
    """SHA-256 over what is signed: the command without signature, time of receipt and source."""
    content = command.model_dump(mode="json", by_alias=True, exclude=_NOT_CONTENT)
    content = {name: value for name, value in content.items() if name not in _ADDED_LATER or value is not None}
    return hashlib.sha256(audit.canonical(content).encode()).hexdigest()


def meaning_of(who: Caller, order_number: str, kind: str) -> str | None:
    """What the signature under this kind of command means, if the order's frozen policy asks for one."""
    known = who.services.frozen_signatures
    if order_number not in known:
        with who.services.engine.connect() as connection:
            found = policies.frozen_signatures(connection, order_number)
        if found is None:  # without the policy nobody knows whether a signature is needed: closed, not open
            raise Problem(503, "RECORD_UNAVAILABLE", f"the policy of {order_number} is not recorded yet; send again")
        if len(known) >= _KNOWN_ORDERS:
            known.clear()
        known[order_number] = found
    return known[order_number].get(kind)


@dataclass(frozen=True)
class Signable:
    """What is signed: by which command, about what, with which meaning and content."""

    command_id: str
    entity: str
    meaning: str
    content_hash: str
    reason: str | None = None


def sign(who: Caller, command: Command, entity: str, meaning: str, ceremony: Ceremony | None) -> str:
    """Take the signature under a command; answers the signature's id. Takes 50 ms: call it in a thread.

    Raises what `authenticate` raises; 409 COMMAND_ID_REUSED when the id was signed with other content.
    """
    what = Signable(command.command_id, entity, meaning, content_hash(command), command.reason)
    authenticate(who, what, ceremony)
    with who.services.engine.begin() as connection:
        identity, entries = store(connection, who, what)
        audit.append(connection, entries)
    return identity


def authenticate(who: Caller, what: Signable, ceremony: Ceremony | None) -> None:
    """Let the caller prove again who they are. Takes 50 ms: call it in a thread.

    Raises 403: REAUTH_REQUIRED, SIGNER_NOT_A_PERSON, SIGNER_NOT_SESSION_USER, SIGNATURE_FAILED, ACCOUNT_LOCKED.
    """
    if ceremony is None:
        raise _refused(who, what, "REAUTH_REQUIRED", "no signature")
    if not who.session.is_person:
        raise _audited(who, what, "SIGNER_NOT_A_PERSON", f"{who.id} is a machine account")
    if ceremony.user_id != who.id:
        raise _audited(who, what, "SIGNER_NOT_SESSION_USER", f"{ceremony.user_id} signs in a session of {who.id}")
    password = ceremony.password.get_secret_value()
    if check_password(who.services.engine, who.id, password, act="signature", source=who.source) is None:
        raise _refused(who, what, "SIGNATURE_FAILED", "the password is wrong")


def store(connection: Connection, who: Caller, what: Signable) -> tuple[str, list[audit.Entry]]:
    """Write a signature down, once, after `authenticate`: its id and what the audit trail has to say.

    In the transaction of a direct write both are there or neither. Raises 409 COMMAND_ID_REUSED.
    """
    statement = select(SIGNATURES.c.id, SIGNATURES.c.content_hash, SIGNATURES.c.signer)
    row = connection.execute(statement.where(SIGNATURES.c.command_id == what.command_id)).one_or_none()
    if row is None:
        return _insert(connection, who, what)
    if row.content_hash != what.content_hash or row.signer != who.id:
        raise reused(what.command_id)
    return str(row.id), []


def _insert(connection: Connection, who: Caller, what: Signable) -> tuple[str, list[audit.Entry]]:
    identity, full_name = uuid.uuid4(), who.session.full_name
    connection.execute(
        insert(SIGNATURES).values(
            id=identity, command_id=what.command_id, signer=who.id, full_name=full_name, meaning=what.meaning,
            entity=what.entity, content_hash=what.content_hash, signed_at=now(),
        )
    )  # fmt: skip
    new = {
        "signature": str(identity), "meaning": what.meaning, "contentHash": what.content_hash, "fullName": full_name,
    }  # fmt: skip
    entry = who.entry("signature.given", what.entity, new=new, reason=what.reason, command_id=what.command_id)
    return str(identity), [entry]


def reused(command_id: str) -> Problem:
    """409: the id stands for another command already."""
    detail = f"the commandId {command_id} was already used for another command"
    return Problem(409, "COMMAND_ID_REUSED", detail, command_id=command_id)


def _refused(who: Caller, what: Signable, code: str, found: str) -> Problem:
    kind, _, identity = what.entity.partition("/")
    required = f"user id and password of {who.id}; the signature means: {what.meaning}"
    blocker = Blocker(code=code, entity=kind, id=identity, found=found, required=required, who_can_fix=who.id)
    detail = f"{found}; needed {required}"
    return Problem(403, code, detail, blockers=(blocker,), command_id=what.command_id, meaning=what.meaning)


def _audited(who: Caller, what: Signable, code: str, found: str) -> Problem:
    with who.services.engine.begin() as connection:
        new = {"code": code, "meaning": what.meaning, "found": found}
        entry = who.entry("signature.refused", what.entity, new=new, command_id=what.command_id)
        audit.append(connection, [entry])
    return _refused(who, what, code, found)
