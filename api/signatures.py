"""Electronic signatures: re-authentication here, only the signature's id goes on to the order.

A signature binds a person, a meaning and the SHA-256 of the signed command's canonical JSON. It is stored before the
command is sent; sending the same command again uses the same signature.
"""

import hashlib
import uuid

from sqlalchemy import Connection, insert, select

from api.deps import Caller
from api.errors import Problem
from api.security import check_password, now
from api.shapes import Ceremony
from db import audit
from db.queries import policies
from db.session import reading
from db.tables import Signature, core
from domain.commands import Command
from domain.errors import Blocker

SIGNATURES = core(Signature)
_NOT_CONTENT = {"signature_id", "received_at", "source"}
_KNOWN_ORDERS = 5000


def content_hash(command: Command) -> str:
    """SHA-256 over what is signed: the command without signature, time of receipt and source."""
    content = command.model_dump(mode="json", by_alias=True, exclude=_NOT_CONTENT)
    return hashlib.sha256(audit.canonical(content).encode()).hexdigest()


def meaning_of(who: Caller, order_number: str, kind: str) -> str | None:
    """What the signature under this kind of command means, if the order's frozen policy asks for one."""
    known = who.services.frozen_signatures
    if order_number not in known:
        with reading(who.services.engine) as connection:
            found = policies.frozen_signatures(connection, order_number)
        if found is None:  # without the policy nobody knows whether a signature is needed: closed, not open
            raise Problem(503, "RECORD_UNAVAILABLE", f"the policy of {order_number} is not recorded yet; send again")
        if len(known) >= _KNOWN_ORDERS:
            known.clear()
        known[order_number] = found
    return known[order_number].get(kind)


def sign(who: Caller, command: Command, entity: str, meaning: str, ceremony: Ceremony | None) -> str:
    """Take the signature under a command; answers the signature's id. Takes 50 ms: call it in a thread.

    Raises 403: REAUTH_REQUIRED, SIGNER_NOT_A_PERSON, SIGNER_NOT_SESSION_USER, SIGNATURE_FAILED, ACCOUNT_LOCKED;
    409 COMMAND_ID_REUSED when the id was signed with other content.
    """
    if ceremony is None:
        raise _refused(who, command, entity, "REAUTH_REQUIRED", meaning, "no signature")
    if not who.session.is_person:
        raise _audited(who, command, entity, "SIGNER_NOT_A_PERSON", meaning, f"{who.id} is a machine account")
    if ceremony.user_id != who.id:
        found = f"{ceremony.user_id} signs in a session of {who.id}"
        raise _audited(who, command, entity, "SIGNER_NOT_SESSION_USER", meaning, found)
    password = ceremony.password.get_secret_value()
    if check_password(who.services.engine, who.id, password, act="signature", source=who.source) is None:
        raise _refused(who, command, entity, "SIGNATURE_FAILED", meaning, "the password is wrong")
    digest = content_hash(command)
    with who.services.engine.begin() as connection:
        return _stored(connection, command, digest) or _store(connection, who, command, entity, meaning, digest)


def _stored(connection: Connection, command: Command, digest: str) -> str | None:
    statement = select(SIGNATURES.c.id, SIGNATURES.c.content_hash, SIGNATURES.c.signer)
    row = connection.execute(statement.where(SIGNATURES.c.command_id == command.command_id)).one_or_none()
    if row is None:
        return None
    if row.content_hash != digest or row.signer != command.actor:
        raise reused(command.command_id)
    return str(row.id)


def _store(connection: Connection, who: Caller, command: Command, entity: str, meaning: str, digest: str) -> str:
    identity = uuid.uuid4()
    connection.execute(
        insert(SIGNATURES).values(
            id=identity, command_id=command.command_id, signer=who.id, full_name=who.session.full_name,
            meaning=meaning, entity=entity, content_hash=digest, signed_at=now(),
        )
    )  # fmt: skip
    new = {"signature": str(identity), "meaning": meaning, "contentHash": digest, "fullName": who.session.full_name}
    entry = who.entry("signature.given", entity, new=new, reason=command.reason, command_id=command.command_id)
    audit.append(connection, [entry])
    return str(identity)


def reused(command_id: str) -> Problem:
    """409: the id stands for another command already."""
    detail = f"the commandId {command_id} was already used for another command"
    return Problem(409, "COMMAND_ID_REUSED", detail, command_id=command_id)


def _refused(who: Caller, command: Command, entity: str, code: str, meaning: str, found: str) -> Problem:
    kind, _, identity = entity.partition("/")
    required = f"user id and password of {who.id}; the signature means: {meaning}"
    blocker = Blocker(code=code, entity=kind, id=identity, found=found, required=required, who_can_fix=who.id)
    detail = f"{found}; needed {required}"
    return Problem(403, code, detail, blockers=(blocker,), command_id=command.command_id, meaning=meaning)


def _audited(who: Caller, command: Command, entity: str, code: str, meaning: str, found: str) -> Problem:
    with who.services.engine.begin() as connection:
        new = {"code": code, "meaning": meaning, "found": found}
        entry = who.entry("signature.refused", entity, new=new, command_id=command.command_id)
        audit.append(connection, [entry])
    return _refused(who, command, entity, code, meaning, found)
