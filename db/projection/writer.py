"""Writes a batch of facts of one order: rows, history, audit, answers and the notification, in one transaction."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, String, bindparam, func, select

from db.audit import canonical
from db.projection.batch import Batch
from db.projection.events import ORDERS, Context, project
from db.rows import as_json, insert_of
from db.tables import CommandOutcome, OrderFact, core
from domain.events import Fact, NeighbourAnswered, NeighbourWaiting

FACTS = core(OrderFact)
OUTCOMES = core(CommandOutcome)

CHANNEL: Final = "mes_outcome"
_NOT_COMPARED: Final = frozenset({"at", "since", "nextAttemptAt", "lastError", "startedAt", "endedAt", "first"})
"""Clock readings and error texts differ between two attempts at the same decision; what was decided does not.
`first`, the number of a value, follows from the facts before, and those of the first release do not have it."""
_CLAIM: Final = (
    insert_of(FACTS, ("order_number", "revision", "at", "actor", "command_id", "content_hash", "body"))
    .on_conflict_do_nothing()
    .returning(FACTS.c.revision)
)
_TELL: Final = select(func.pg_notify(bindparam("channel", type_=String()), bindparam("payload", type_=String())))
_ANSWER_AND_TELL: Final = _TELL.add_cte(
    insert_of(OUTCOMES, ("command_id", "order_number", "revision", "accepted", "body", "at"))
    .on_conflict_do_nothing()
    .cte("answered")
)

_ADDED_LATER: Final[dict[str, Any]] = {
    "inspectionRule": "none", "target": None, "warningLow": None, "warningHigh": None, "secondCheck": False,
    "weighingTolerance": None, "instructions": [], "equipmentClass": "", "room": "", "clearance": [], "training": "",
    "verified": False, "longestWaitSeconds": None, "yieldLowPercent": None, "yieldHighPercent": None, "record": None,
    "balanceLimitPercent": None, "isWarning": False, "measuredAt": None, "isLate": False, "isTyped": True,
    "unchecked": [], "lateEntrySeconds": None, "batchRecordReview": False,
    "masterBatchRecord": False,
    "startGate": False,
    "secondSignatures": {}, "signatureShowsContent": False, "signatureStrict": True,
    "secondFactor": [], "secondSignatureId": None, "secondSigner": None,
}  # fmt: skip
"""Fields that came after the first release, with their defaults: so they say nothing that was not said before."""

_COMMANDS_ADDED_LATER: Final = frozenset({"returnMaterials"})
"""Commands that earlier releases did not know. That one is `possible` is advice to its reader, not a decision."""


class RecordContradictionFound(Exception):
    """The record holds a fact of this revision that says something else."""

    def __init__(self, order_number: str, revision: int, recorded: str, offered: str) -> None:
        super().__init__(
            f"order {order_number}, revision {revision}: the record says {recorded[:12]}, the order now says "
            f"{offered[:12]}. The code that judges now is not the code that judged: deploy the earlier release, or one "
            "that gates the change with workflow.patched."
        )
        self.order_number, self.revision = order_number, revision


def content_hash(fact: Fact) -> str:
    """The hash of what a fact says, without clock readings."""
    return content_hash_of(fact.model_dump(mode="json", by_alias=True))


def content_hash_of(body: Mapping[str, Any]) -> str:
    """The same of a fact as it is stored."""
    body = _without_clocks(body)
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def _says_nothing(name: str, part: Any) -> bool:
    return name in _NOT_COMPARED or (name in _ADDED_LATER and part == _ADDED_LATER[name])


def _without_clocks(value: Any) -> Any:
    match value:
        case dict():
            parts = {name: _without_clocks(part) for name, part in value.items() if not _says_nothing(name, part)}
            if isinstance(possible := parts.get("possible"), list):
                parts["possible"] = [name for name in possible if name not in _COMMANDS_ADDED_LATER]
            return parts
        case list():
            return [_without_clocks(part) for part in value]
        case _:
            return value


def write_facts(connection: Connection, facts: tuple[Fact, ...]) -> int:
    """Write the facts that the record does not hold yet; the answer is the last revision.

    Raises `RecordContradictionFound` when a fact is there with other content: nothing is written then.
    """
    order_number = facts[0].order_number
    hashes = {fact.revision: content_hash(fact) for fact in facts}
    new = _claim(connection, facts, hashes)
    if len(new) < len(facts):
        _compare(connection, order_number, {r: h for r, h in hashes.items() if r not in new})
    written = [fact for fact in facts if fact.revision in new]
    if not written:
        return facts[-1].revision
    batch = Batch()
    for fact in written:
        for position, event in enumerate(fact.events):
            project(event, Context(fact, batch, position))
        if any(isinstance(event, NeighbourWaiting | NeighbourAnswered) for event in fact.events):
            _show_waiting(batch, fact)
    batch.update(ORDERS, {"number": order_number}, revision=written[-1].revision)
    batch.flush(connection)
    _answer(connection, written)
    return facts[-1].revision


def _claim(connection: Connection, facts: tuple[Fact, ...], hashes: dict[int, str]) -> set[int]:
    """Insert the facts under their keys; the answer is the revisions that were not there."""
    rows = [
        {
            "order_number": fact.order_number, "revision": fact.revision, "at": fact.at, "actor": fact.actor,
            "command_id": fact.command_id, "content_hash": hashes[fact.revision],
            "body": fact.model_dump(mode="json", by_alias=True),
        }
        for fact in facts
    ]  # fmt: skip
    return set(connection.execute(_CLAIM, {"rows": as_json(rows)}).scalars())


def _compare(connection: Connection, order_number: str, offered: dict[int, str]) -> None:
    statement = select(FACTS.c.revision, FACTS.c.content_hash).where(
        FACTS.c.order_number == order_number, FACTS.c.revision.in_(offered)
    )
    for revision, recorded in connection.execute(statement):
        if recorded != offered[revision]:
            raise RecordContradictionFound(order_number, revision, recorded, offered[revision])


def _show_waiting(batch: Batch, fact: Fact) -> None:
    """What the order waits for, for lists and boards; the exact state is the workflow's."""
    waiting: list[dict[str, Any]] = []
    for event in fact.events:
        if isinstance(event, NeighbourWaiting):
            waiting.append(event.model_dump(mode="json", by_alias=True, exclude={"kind"}))
    batch.update(ORDERS, {"number": fact.order_number}, waiting=waiting or None)


def _answer(connection: Connection, facts: list[Fact]) -> None:
    """Store the verdicts and tell the processes that wait for them, when the transaction commits."""
    outcomes = [
        {
            "command_id": fact.outcome.command_id, "order_number": fact.order_number, "revision": fact.revision,
            "accepted": fact.outcome.accepted, "body": fact.outcome.model_dump(mode="json", by_alias=True),
            "at": fact.at,
        }
        for fact in facts
        if fact.outcome is not None
    ]  # fmt: skip
    ids = [outcome["command_id"] for outcome in outcomes]
    payload = json.dumps({"o": facts[0].order_number, "r": facts[-1].revision, "c": ids})
    told = {"channel": CHANNEL, "payload": payload[:7900]}
    if outcomes:
        connection.execute(_ANSWER_AND_TELL, {**told, "rows": as_json(outcomes)})
    else:
        connection.execute(_TELL, told)
