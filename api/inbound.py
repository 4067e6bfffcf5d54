"""Messages that come in: taken with their effect, or put aside with everything that is wrong. Nothing is dropped.

A message has one effect for each sender and message id. It is put aside when its sender is not registered for its
kind, when id or checksum are missing or wrong, when its id was used for another content, and when what it says is
refused. A person then has it tried again, or discards it with a reason.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row
from starlette.concurrency import run_in_threadpool

from api.clock import now
from api.deps import Caller
from api.direct_acts import act
from api.errors import Problem, refused
from api.inbound_effects import KINDS, Effect, apply, fault
from api.orders_door import OrderGone
from db import audit
from db.once import Request
from db.queries import inbound as tables
from db.queries.alarms import raise_alarm_once
from db.queries.inbound import ACCEPTED, DISCARDED, QUARANTINED, Arrived
from db.session import reading
from domain.base import Message
from domain.errors import AdapterRefused, Blocker, Refused

LONGEST_ID: Final = 120


class SystemSet(Message):
    """A system as it is registered now."""

    account: str
    is_active: bool


class InboundDecided(Message):
    """What a message is now."""

    number: int
    state: str


def arrived(who: Caller, kind: str, message_id: str, claimed: str, content: bytes) -> Arrived:
    """A message as it is stored. One without a usable id is known by its content."""
    checksum = hashlib.sha256(content).hexdigest()
    usable = 0 < len(message_id) <= LONGEST_ID and message_id.isprintable() and "/" not in message_id
    body = content.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    claim = claimed.strip().lower()[:100]
    return Arrived(who.id, kind, message_id if usable else f"none-{checksum[:32]}", checksum, claim, body)


async def take(who: Caller, message: Arrived) -> tuple[int, dict[str, Any]]:
    """HTTP status and answer: 200 accepted (also when it was before), 202 put aside."""
    known, blockers = await run_in_threadpool(_looked_up, who, message)
    if known is not None:
        return _answer(known, duplicate=True)
    effect: Effect | None = None
    if not blockers:
        effect, blockers = await _tried(who, message)
    row, is_new = await run_in_threadpool(_keep, who, message, blockers, effect)
    return _answer(row, duplicate=not is_new)


async def _tried(who: Caller, message: Arrived) -> tuple[Effect | None, tuple[Blocker, ...]]:
    """The effect, or what is against it. Raises 503 when a neighbour cannot be reached: nothing is stored then."""
    try:
        return await apply(who, message), ()
    except Refused as no:
        return None, no.blockers
    except AdapterRefused as no:
        return None, no.blockers or (fault(no.code, message.message_id, no.detail, "a message that can be taken"),)
    except OrderGone:
        return None, (fault("ORDER_OVER", message.message_id, "the order is over", "an order that runs"),)
    except Problem as problem:
        if problem.status >= 500:
            raise
        own = fault(problem.code, message.message_id, problem.detail, "a message that can be taken")
        return None, tuple(problem.blockers) or (own,)


def _looked_up(who: Caller, message: Arrived) -> tuple[Row[Any] | None, tuple[Blocker, ...]]:
    """The same message, when it was accepted or discarded before; else what is against this one."""
    with reading(who.services.engine) as connection:
        rows = tables.of_id(connection, message.source, message.message_id)
        done = (row for row in rows if row.state in (ACCEPTED, DISCARDED) and _is_same(row, message))
        known = next(done, None)
        return known, () if known is not None else _faults(connection, message, rows)


def _is_same(row: Row[Any], message: Arrived) -> bool:
    """Also one whose checksum was announced wrongly the first time: that is what a second try is for."""
    claimed = row.claimed_checksum == message.claimed or row.state == ACCEPTED
    return bool(row.kind == message.kind and row.checksum == message.checksum and claimed)


def _faults(connection: Connection, message: Arrived, rows: Sequence[Row[Any]]) -> tuple[Blocker, ...]:
    """What is against a message before its content is looked at. `rows`: all that came under its id."""
    found: list[Blocker] = []
    sender = tables.system(connection, message.source)
    if message.kind not in KINDS:
        found.append(fault("UNKNOWN_KIND", message.kind, message.kind, f"one of {', '.join(KINDS)}"))
    if sender is None or message.kind not in sender.kinds.split(","):
        what = "not registered" if sender is None else f"registered for {sender.kinds}"
        required = f"a system that is registered for {message.kind}"
        found.append(fault("UNREGISTERED_SENDER", message.source, what, required, "administrator"))
    if message.message_id.startswith("none-"):
        required = f"a Message-Id of at most {LONGEST_ID} printable characters without a slash"
        found.append(fault("MESSAGE_ID_MISSING", "Message-Id", "none that can be used", required))
    if message.claimed != message.checksum:
        code = "CHECKSUM_MISMATCH" if message.claimed else "CHECKSUM_MISSING"
        found.append(fault(code, "Content-SHA256", message.claimed or "nothing", message.checksum))
    found += [
        fault(
            "DUPLICATE_MESSAGE_ID", message.message_id, f"another content as message {row.number}", "an id of its own"
        )
        for row in rows
        if row.state == ACCEPTED
    ]
    return tuple(found)


def _keep(
    who: Caller, message: Arrived, blockers: Sequence[Blocker], effect: Effect | None
) -> tuple[Row[Any], bool]:  # fmt: skip
    """The message as it stands in the record now, and whether this delivery has changed anything."""
    with who.services.engine.begin() as connection:
        at = now()
        number = tables.keep(connection, message, at, blockers, effect)
        if number is not None:
            audit.append(connection, [_entry(who, message, blockers, effect)])
            _call(connection, message, blockers)
            return tables.same(connection, message), True
        known = tables.of_id(connection, message.source, message.message_id)
        accepted = next((row for row in known if row.state == ACCEPTED and _is_same(row, message)), None)
        if accepted is not None:
            return accepted, False
        row = tables.same(connection, message)
        if row.state == QUARANTINED and not blockers:
            tables.change(connection, row.number, state=ACCEPTED, blockers=[], effect=effect)
            audit.append(
                connection, [_entry(who, message, (), effect, {"state": QUARANTINED, "blockers": row.blockers})]
            )
            return tables.same(connection, message), True
        return row, False


def _call(connection: Connection, message: Arrived, blockers: Sequence[Blocker]) -> None:
    """Somebody has to look at the quarantine; one alarm an hour for each sender, not one for each message."""
    if blockers:
        at = now()
        detail = f"{message.source} has sent a {message.kind} that was put aside: {blockers[0].code}"
        key = f"MESSAGE_QUARANTINED/{message.source}/{at:%Y-%m-%dT%H}"
        raise_alarm_once(connection, "MESSAGE_QUARANTINED", detail, at, key)


def _entry(
    who: Caller, message: Arrived, blockers: Sequence[Blocker], effect: Effect | None, old: dict[str, Any] | None = None
) -> audit.Entry:
    new = {
        "kind": message.kind, "checksum": message.checksum, "claimedChecksum": message.claimed,
        "state": QUARANTINED if blockers else ACCEPTED, "blockers": tables.as_json(blockers), "effect": effect,
    }  # fmt: skip
    action = "message.quarantined" if blockers else "message.accepted"
    return who.entry(action, f"inbound-message/{message.source}/{message.message_id}", old=old, new=new)


def _answer(row: Row[Any], *, duplicate: bool) -> tuple[int, dict[str, Any]]:
    body = tables.shown(row)
    kept = ("number", "messageId", "state", "blockers", "effect")
    status = 200 if row.state == ACCEPTED else 202
    return status, {name: body[name] for name in kept} | {"duplicate": duplicate}


# Decisions -----------------------------------------------------------------------------------------------------------


async def retry(who: Caller, number: int, reason: str) -> dict[str, Any]:
    """Try a message of the quarantine again, as it came. What is still against it is kept, and told (409)."""
    row = await run_in_threadpool(_row, who, number)
    if row.state == ACCEPTED and (row.decided_by, row.reason) == (who.id, reason):
        return {"number": number, "state": ACCEPTED, "effect": row.effect}  # the same request again
    if row.state != QUARANTINED:
        raise refused("INVALID_TRANSITION", "message", str(number), row.state, QUARANTINED)
    message = Arrived(row.source, row.kind, row.message_id, row.checksum, row.claimed_checksum, row.body)
    blockers = await run_in_threadpool(_still_against, who, message)
    effect: Effect | None = None
    if not blockers:
        effect, blockers = await _tried(who, message)
    await run_in_threadpool(_settle, who, number, message, blockers, effect, reason)
    if blockers:
        raise Refused(blockers)
    return {"number": number, "state": ACCEPTED, "effect": effect}


def _still_against(who: Caller, message: Arrived) -> tuple[Blocker, ...]:
    with reading(who.services.engine) as connection:
        return _faults(connection, message, tables.of_id(connection, message.source, message.message_id))


def _row(who: Caller, number: int) -> Row[Any]:
    with who.services.engine.begin() as connection:
        return _locked(connection, number)


def _locked(connection: Connection, number: int) -> Row[Any]:
    row = tables.lock(connection, number)
    if row is None:
        raise refused("UNKNOWN_MESSAGE", "message", str(number), "no such message", "a message of the quarantine")
    return row


def _settle(
    who: Caller, number: int, message: Arrived, blockers: Sequence[Blocker], effect: Effect | None, reason: str
) -> None:
    with who.services.engine.begin() as connection:
        row = tables.lock(connection, number)
        if row is None or row.state != QUARANTINED:
            return
        state, at = QUARANTINED if blockers else ACCEPTED, now()
        values = {"state": state, "blockers": tables.as_json(blockers), "effect": effect}
        tables.change(connection, number, **values, decided_by=who.id, decided_at=at, reason=reason)
        entry = audit.Entry(
            at, who.id, "message.released", f"inbound-message/{message.source}/{message.message_id}",
            {"state": row.state, "blockers": row.blockers}, values, reason, source=who.source,
        )  # fmt: skip
        audit.append(connection, [entry])


def discard(who: Caller, number: int, command_id: str, reason: str) -> InboundDecided:
    """A person decides that a message of the quarantine has no effect, ever."""
    request = Request(
        "discardInboundMessage", f"inbound-message/{number}", command_id, who.id, now(), {"reason": reason}
    )

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[InboundDecided, Sequence[audit.Entry]]:
        row = _locked(connection, number)
        if row.state != QUARANTINED:
            raise refused("INVALID_TRANSITION", "message", str(number), row.state, QUARANTINED)
        tables.change(
            connection, number, state=DISCARDED, decided_by=request.actor, decided_at=request.at, reason=reason
        )
        entity = f"inbound-message/{row.source}/{row.message_id}"
        entry = request.audit(
            "message.discarded", {"state": DISCARDED}, entity=entity, old={"state": row.state}, reason=reason
        )
        return InboundDecided(number=number, state=DISCARDED), [entry]

    return act(who, request, InboundDecided, work)


def set_system(
    who: Caller, account: str, name: str, kinds: Sequence[str], policy: str | None, is_active: bool, command_id: str
) -> SystemSet:
    """Register an outside system, or change what it may send."""
    told = {"name": name, "kinds": ",".join(kinds), "policy": policy, "isActive": is_active}
    request = Request("setSystem", f"interface-system/{account}", command_id, who.id, now(), told)

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[SystemSet, Sequence[audit.Entry]]:
        if not tables.is_machine(connection, account):
            raise refused(
                "UNKNOWN_SYSTEM", "account", account, "no account of a machine", "a machine account", "administrator"
            )
        old = next((own for own in tables.systems(connection) if own["account"] == account), None)
        before = old and {**{k: old[k] for k in ("name", "policy", "isActive")}, "kinds": ",".join(old["kinds"])}
        tables.set_system(connection, account, told, request.actor, request.at)
        entry = request.audit("interface-system.set", told, old=before)
        return SystemSet(account=account, is_active=is_active), [entry]

    return act(who, request, SystemSet, work)
