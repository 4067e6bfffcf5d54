"""Electronic signatures: re-authentication here, only the signature's id goes on to the order.

A signature binds a person, a meaning and the SHA-256 of exactly what was signed: the command, what its signer was
shown, and the revision of the order. It is stored before the command is sent; sending the same command again uses the
same signature. `sign_command` is what a command route needs; for what no order judges see `api/signed_acts.py`.
"""

import uuid
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from api import ceremonies
from api import signing_content as content
from api.deps import Caller
from api.errors import Problem
from api.passwords import Attempt, check_code, check_password, refuse_expired, succeeded
from api.scopes import Scope
from api.security import now
from api.shapes import Ceremony
from db import audit
from db.queries import policies, users
from db.queries import signatures as record
from db.queries.targets import Target
from db.session import reading
from domain.commands import Command
from domain.errors import Blocker
from domain.policy import Policy
from domain.quality_cases import signing_policy

C = TypeVar("C", bound=Command)
SIGNER, SECOND = "signer", "second"
_KNOWN_ORDERS = 5000
STRICT = Policy(code="")


@dataclass(frozen=True)
class Signing:
    """One signature that is to be given. `target` None: nothing but the command itself is signed."""

    command: Command
    entity: str
    meaning: str
    ceremony: Ceremony | None
    target: Target | None = None
    policy: Policy = STRICT
    part: str = SIGNER
    roles: tuple[str, ...] = ()
    """Of the second person, who must have one of them; none: any person."""


@dataclass(frozen=True)
class Authenticated:
    """Who signs, after everything that shows that it is really them. `given`: the signature stands already."""

    signing: Signing
    user: users.User
    has_second_factor: bool = False
    given: str | None = None
    document: dict[str, Any] | None = None


def policy_of(who: Caller, target: Target) -> Policy:
    """The policy frozen into the target's order or quality case. Raises 503 while nobody knows it: closed, not open."""
    known, number = who.services.frozen_policies, target.order_number
    if number not in known:
        with reading(who.services.engine) as connection:
            found = _frozen_into_case(connection, number) if target.is_case else policies.frozen(connection, number)
        if found is None:
            raise Problem(503, "RECORD_UNAVAILABLE", f"the policy of {number} is not recorded yet; send again")
        if len(known) >= _KNOWN_ORDERS:
            known.clear()
        known[number] = found
    return known[number]


def _frozen_into_case(connection: Connection, number: str) -> Policy | None:
    rules = policies.frozen_rules(connection, number)
    return None if rules is None else signing_policy(rules)


def meanings(policy: Policy, command: Command) -> tuple[str | None, str | None]:
    """What the signature under this command means, and the second person's; None: not asked for."""
    return command.meaning_under(policy), command.second_meaning_under(policy)


def sign_command(who: Caller, command: C, target: Target, ceremony: Ceremony | None, second: Ceremony | None) -> C:
    """The command with the signatures that policy and kind ask for; both are stored, or none. Takes 50 ms each.

    Raises what `authenticate` raises.
    """
    policy, kind = policy_of(who, target), type(command)
    first_meaning, second_meaning = meanings(policy, command)
    wanted: list[Signing] = []
    if first_meaning is not None:
        wanted.append(Signing(command, target.entity, first_meaning, ceremony, target, policy))
    if second_meaning is not None:
        roles = kind.second_roles or kind.roles
        wanted.append(Signing(command, target.entity, second_meaning, second, target, policy, SECOND, roles))
    if not wanted:
        return command
    known = [authenticate(who, signing) for signing in wanted]
    stored = dict(zip((one.signing.part for one in known), store(who, known), strict=True))
    seconds = next((one.user.id for one in known if one.signing.part == SECOND), None)
    signed = {
        "signature_id": stored.get(SIGNER), "second_signature_id": stored.get(SECOND), "second_signer": seconds,
    }  # fmt: skip
    return command.model_copy(update=signed)


# Who it is -------------------------------------------------------------------------------------------------------


def authenticate(who: Caller, signing: Signing) -> Authenticated:
    """Check a person for a signature: the components, the second factor, and that what was shown is still so.

    Raises 403: REAUTH_REQUIRED, SECOND_PERSON_REQUIRED, SIGNER_NOT_A_PERSON, SIGNER_NOT_SESSION_USER,
    SIGNATURE_FAILED, SECOND_FACTOR_REQUIRED, ACCOUNT_LOCKED, SEPARATION_OF_DUTIES when both are the same,
    NOT_AUTHORISED, OUT_OF_SCOPE, CONTENT_NOT_SHOWN; 409: COMMAND_ID_REUSED when the id was signed with other content,
    CONTENT_CHANGED.
    """
    ceremony = signing.ceremony
    if ceremony is None:
        raise _missing(who, signing)
    user_id = _signer(who, signing, ceremony)
    user = _with_password(who, signing, ceremony, user_id)
    if signing.part == SECOND:
        _may_be_second(who, signing, user)
    if (given := _given(who, signing, user)) is not None:
        return Authenticated(signing, user, given=given)
    document = _document(who, signing, ceremony)
    has_second_factor = signing.meaning in signing.policy.second_factor
    if has_second_factor:
        _with_code(who, signing, ceremony, user)
    else:
        succeeded(who.services.engine, user)
    return Authenticated(signing, user, has_second_factor, None, document)


def _missing(who: Caller, signing: Signing) -> Problem:
    if signing.part == SECOND:
        return _refused(who, signing, "SECOND_PERSON_REQUIRED", "no second person", "another person")
    return _refused(who, signing, "REAUTH_REQUIRED", "no signature", who.id)


def _signer(who: Caller, signing: Signing, ceremony: Ceremony) -> str:
    """Whose password it has to be: the session's user, or somebody else for the second person."""
    user_id = ceremony.user_id
    if signing.part == SECOND:
        if user_id is None:
            raise _refused(who, signing, "REAUTH_REQUIRED", "no user id", "the second person")
        if user_id == who.id:
            raise _audited(who, signing, "SEPARATION_OF_DUTIES", f"{user_id} acts already", "another person")
        return user_id
    if not who.session.is_person:
        raise _audited(who, signing, "SIGNER_NOT_A_PERSON", f"{who.id} is a machine account", "a person")
    if user_id is not None and user_id != who.id:
        raise _audited(who, signing, "SIGNER_NOT_SESSION_USER", f"{user_id} signs in a session of {who.id}", who.id)
    if user_id is None and (signing.policy.signature_strict or not _has_signed(who)):
        raise _refused(who, signing, "REAUTH_REQUIRED", "no user id, the first time in this session", who.id)
    return who.id


def _has_signed(who: Caller) -> bool:
    with who.services.engine.connect() as connection:
        return users.has_signed(connection, who.session.token_hash)


def _attempt(who: Caller, signing: Signing, code: str) -> Attempt:
    request = signing.ceremony.request_id if signing.ceremony else None
    detail = {"code": code, "meaning": signing.meaning, "session": who.id} | (
        {"request": str(request)} if request else {}
    )
    return Attempt("signature", who.source, signing.entity, detail)


def _with_password(who: Caller, signing: Signing, ceremony: Ceremony, user_id: str) -> users.User:
    engine, password = who.services.engine, ceremony.password.get_secret_value()
    try:
        user = check_password(engine, user_id, password, _attempt(who, signing, "SIGNATURE_FAILED"))
    except Problem as problem:
        ceremonies.fail(who, ceremony, problem.code)
        raise _audited(who, signing, problem.code, problem.detail, user_id) from None
    if user is None:
        ceremonies.fail(who, ceremony, "SIGNATURE_FAILED")
        raise _refused(who, signing, "SIGNATURE_FAILED", "user id or password is wrong", user_id)
    refuse_expired(user, who.services.settings.password_days)
    return user


def _may_be_second(who: Caller, signing: Signing, user: users.User) -> None:
    if not user.is_person:
        raise _audited(who, signing, "SIGNER_NOT_A_PERSON", f"{user.id} is a machine account", "a person")
    if signing.roles and set(signing.roles).isdisjoint(user.roles):
        found = f"{user.id} is {', '.join(user.roles)}"
        raise _audited(who, signing, "NOT_AUTHORISED", found, f"one of: {', '.join(signing.roles)}")
    if signing.target is not None:
        Scope(user.plants, user.lines).check(who, signing.target, signing.command, user.id)


def _with_code(who: Caller, signing: Signing, ceremony: Ceremony, user: users.User) -> None:
    if user.totp_confirmed_at is None:
        found = f"{user.id} has no second factor (POST /auth/second-factor)"
        raise _audited(who, signing, "SECOND_FACTOR_REQUIRED", found, f"password and one-time code of {user.id}")
    if ceremony.code is None:
        raise _refused(who, signing, "SECOND_FACTOR_REQUIRED", "no one-time code", f"{user.id}, with one-time code")
    keys, attempt = who.services.settings.secret_keys, _attempt(who, signing, "SECOND_FACTOR_FAILED")
    if not check_code(who.services.engine, user, ceremony.code.get_secret_value(), keys, attempt):
        ceremonies.fail(who, ceremony, "SECOND_FACTOR_FAILED")
        raise _refused(who, signing, "SECOND_FACTOR_FAILED", "the one-time code is wrong or was used", user.id)


# What is signed --------------------------------------------------------------------------------------------------


def _given(who: Caller, signing: Signing, user: users.User) -> str | None:
    """The signature that stands already, for a command that is sent again."""
    with who.services.engine.connect() as connection:
        row = record.of_command(connection, signing.command.command_id).get(signing.part)
    if row is None:
        return None
    said = content.said(signing.command)
    is_same = row.content_hash == content.digest(said) if row.content is None else row.content["command"] == said
    if not is_same or row.signer != user.id:
        raise reused(signing.command.command_id)
    return str(row.id)


def _document(who: Caller, signing: Signing, ceremony: Ceremony) -> dict[str, Any]:
    """What is signed: what was shown, when something was, and it is still so."""
    command, entity, target = signing.command, signing.entity, signing.target
    if ceremony.request_id is not None:
        return ceremonies.content_of(who, command, entity, target, ceremony)
    if signing.policy.signature_shows_content:
        required = "a ceremony (POST /signatures/requests) that has shown what is signed"
        raise _audited(who, signing, "CONTENT_NOT_SHOWN", "a signature without one", required)
    if target is not None and ceremony.revision is not None:
        if changes := content.changes_since(who, command, target, ceremony.revision):
            raise _changed(who, signing, content.content_changed(command.command_id, entity, changes))
        document = content.at_revision(who, command, entity, target, ceremony.revision)
    else:
        document = content.at_now(who, command, entity, target)
    if ceremony.content_hash not in (None, content.digest(document)):
        was, is_now = f"hash {ceremony.content_hash}", f"hash {content.digest(document)}"
        change = content.Change("content", was, is_now, "somebody", document["revision"])
        raise _changed(who, signing, content.content_changed(command.command_id, entity, [change]))
    return document


def _changed(who: Caller, signing: Signing, problem: Problem) -> Problem:
    _audited(who, signing, problem.code, problem.detail, "what was shown")
    return problem


# Storing ---------------------------------------------------------------------------------------------------------


def store(who: Caller, people: list[Authenticated]) -> list[str]:
    """Store all signatures, or none; answers their ids in the same order.

    Of two copies of a command that come at the same moment one stores them; the other goes on with what stands then.
    """
    try:
        with who.services.engine.begin() as connection:
            ids, entries = store_with(connection, who, people)
            audit.append(connection, entries)
    except IntegrityError:
        given = [one.given or _given(who, one.signing, one.user) for one in people]
        stand = [identity for identity in given if identity is not None]
        if len(stand) < len(people):
            raise
        return stand
    return ids


def store_with(connection: Connection, who: Caller, people: list[Authenticated]) -> tuple[list[str], list[audit.Entry]]:
    """The same in the transaction of a direct write, whose audit rows come last: (ids, entries to append)."""
    new = [one for one in people if one.given is None]
    made = {one.signing.part: uuid.uuid4() for one in new}
    entries = [entry for one in new for entry in _stored(connection, who, one, made[one.signing.part])]
    return [one.given or str(made[one.signing.part]) for one in people], entries


def _stored(connection: Connection, who: Caller, one: Authenticated, identity: uuid.UUID) -> list[audit.Entry]:
    signing, at, zone = one.signing, now(), who.services.settings.time_zone
    document, ceremony = one.document or {}, signing.ceremony
    request: Row[Any] | None = None
    if ceremony is not None and ceremony.request_id is not None:
        request = ceremonies.executed(connection, who, ceremony.request_id, signing.part == SIGNER, one.user.id)
    row = {
        "id": identity, "command_id": signing.command.command_id, "part": signing.part, "signer": one.user.id,
        "full_name": one.user.full_name, "meaning": signing.meaning, "entity": signing.entity,
        "content_hash": content.digest(document), "signed_at": at.replace(microsecond=at.microsecond // 1000 * 1000),
        "time_zone": zone, "local_offset": record.local_offset(at, zone), "content": document,
        "entity_revision": document.get("revision"), "has_second_factor": one.has_second_factor,
        "terminal_session_user": who.id, "request_id": None if request is None else request.id,
    }  # fmt: skip
    record.add(connection, row)
    _note_continuity(connection, who, signing)
    entry = _entry(who, signing, row)
    if request is None:
        return [entry]
    shown = {"request": str(request.id), "meaning": signing.meaning, "signer": one.user.id}
    return [replace(entry, action="signature.authenticated", new=shown), entry]


def _note_continuity(connection: Connection, who: Caller, signing: Signing) -> None:
    """ES-03: both components begin a continuous series of signings; another person at the terminal ends it."""
    if signing.part == SECOND:
        users.note_signing(connection, who.session.token_hash, None)
    elif signing.ceremony is not None and signing.ceremony.user_id is not None and not signing.policy.signature_strict:
        users.note_signing(connection, who.session.token_hash, now())


def _entry(who: Caller, signing: Signing, row: dict[str, Any]) -> audit.Entry:
    """Everything that the signature says, once more in the chain: so a change of the row is found, and named."""
    new = {
        "signature": str(row["id"]), "part": row["part"], "signer": row["signer"], "fullName": row["full_name"],
        "meaning": row["meaning"], "contentHash": row["content_hash"], "content": row["content"],
        "signedAt": audit.timestamp(row["signed_at"]), "timeZone": row["time_zone"],
        "localOffset": row["local_offset"], "entityRevision": row["entity_revision"],
        "terminalSessionUser": row["terminal_session_user"], "hasSecondFactor": row["has_second_factor"],
        "request": None if row["request_id"] is None else str(row["request_id"]),
    }  # fmt: skip
    command = signing.command
    return audit.Entry(
        row["signed_at"], row["signer"], "signature.given", signing.entity, None, new, command.reason,
        command.command_id, who.source,
    )  # fmt: skip


def reused(command_id: str) -> Problem:
    """409: the id stands for another command already."""
    detail = f"the commandId {command_id} was already used for another command"
    return Problem(409, "COMMAND_ID_REUSED", detail, command_id=command_id)


def _refused(who: Caller, signing: Signing, code: str, found: str, signer: str) -> Problem:
    kind, _, identity = signing.entity.partition("/")
    required = f"user id and password of {signer}; the signature means: {signing.meaning}"
    blocker = Blocker(code=code, entity=kind, id=identity, found=found, required=required, who_can_fix=signer)
    detail, command_id = f"{found}; needed {required}", signing.command.command_id
    return Problem(403, code, detail, blockers=(blocker,), command_id=command_id, meaning=signing.meaning)


def _audited(who: Caller, signing: Signing, code: str, found: str, signer: str) -> Problem:
    if signing.ceremony is not None:
        ceremonies.fail(who, signing.ceremony, code)
    with who.services.engine.begin() as connection:
        new = {"code": code, "meaning": signing.meaning, "found": found}
        entry = who.entry("signature.refused", signing.entity, new=new, command_id=signing.command.command_id)
        audit.append(connection, [entry])
    return _refused(who, signing, code, found, signer)
