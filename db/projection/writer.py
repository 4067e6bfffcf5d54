"""Writes a batch of facts of one order: rows, history, audit, answers and the notification, in one transaction."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Connection, String, Table, bindparam, func, select
from sqlalchemy.sql.dml import ReturningInsert

from db.audit import Last, canonical
from db.projection.batch import Batch, FactRows
from db.projection.events import ORDERS, Context, project
from db.rows import as_json, insert_of
from db.tables import CommandOutcome, OrderFact, core
from domain.events import Fact, NeighbourAnswered, NeighbourWaiting
from domain.facts import Decision
from domain.tasks import Task

OUTCOMES = core(CommandOutcome)

CHANNEL: Final = "mes_outcome"
_NOT_COMPARED: Final = frozenset({"at", "since", "nextAttemptAt", "lastError", "startedAt", "endedAt", "first"})
"""Clock readings and error texts differ between two attempts at the same decision; what was decided does not.
`first`, the number of a value, follows from the facts before, and those of the first release do not have it."""
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
    "recordJudgedByOthers": False,
    "masterBatchRecord": False,
    "startGate": False,
    "secondSignatures": {}, "signatureShowsContent": False, "signatureStrict": True,
    "secondFactor": [], "signsOtherActs": False, "secondSignatureId": None, "secondSigner": None,
    "scanRequired": False, "weighing": False, "registeredDevices": False, "assay": "", "water": "",
    "reservePercent": None, "container": None, "completeToSubmit": False,
    "gmpRelevant": ["quantity", "dueAt"], "controlledChanges": False, "startAt": None,
    "method": "", "sampleSize": "", "planVersion": None,
    "deviationProcess": False, "deviationClassificationSeconds": 8 * 3600,
    "lot": None, "hasProcess": False, "decidedBy": None,
    "deviationEscalationSeconds": 8 * 3600, "deviationClosingSeconds": 30 * 24 * 3600,
    "reworkForbidden": False, "dosageForm": "", "reworkLots": False, "outputLot": None, "tests": [], "testResults": [],
    "parentRework": None, "ownLot": None, "reworkMethod": None, "procedure": "", "kept": None, "material": "",
    "printed": False, "printCheckSeconds": None, "pictures": [],
    "recoveryAllowed": False, "recoveries": [], "evidence": [], "measuredWith": None,
}  # fmt: skip
"""Fields that came after the first release, with their defaults: so they say nothing that was not said before."""

_COMMANDS_ADDED_LATER: Final = frozenset(
    {
        "returnMaterials", "weighMaterial", "stageContainers", "chargeMaterials", "countMaterials", "takeSample",
        "checkPrint", "changeOrder", "requestOrderChange", "approveOrderChange", "rejectOrderChange",
        "requestRecovery", "approveRecovery", "rejectRecovery", "introduceRecovery",
        "withdrawOrderChange",
    }
)  # fmt: skip
"""Commands that earlier releases did not know. That one is `possible` is advice to its reader, not a decision."""


class RecordContradictionFound(Exception):
    """The record holds a fact of this revision that says something else."""

    def __init__(self, number: str, revision: int, recorded: str, offered: str) -> None:
        super().__init__(
            f"{number}, revision {revision}: the record says {recorded[:12]}, the process now says "
            f"{offered[:12]}. The code that judges now is not the code that judged: deploy the earlier release, or one "
            "that gates the change with workflow.patched."
        )
        self.order_number, self.revision = number, revision


def content_hash(fact: Decision) -> str:
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


AnyFact = TypeVar("AnyFact", bound=Decision)


@dataclass(frozen=True)
class Stream(Generic[AnyFact]):
    """Where the facts of one kind of life are kept: `key` is the column of its number in `table`.

    `apply` writes what follows from new facts: rows, history, audit, and at the end what it is given to do last.
    """

    table: Table
    key: str
    apply: Callable[[Connection, Sequence[AnyFact], Last], None]

    def number(self, fact: AnyFact) -> str:
        """Whose fact it is."""
        return str(getattr(fact, self.key))


def write(connection: Connection, stream: Stream[AnyFact], facts: Sequence[AnyFact]) -> int:
    """Write the facts that the record does not hold yet; the answer is the last revision.

    All facts are of one life. Raises `RecordContradictionFound` when a fact is there with other content: nothing is
    written then.
    """
    rows = _rows(stream, facts)
    claimed = connection.execute(_claim_of(stream.table, stream.key), {"rows": as_json(rows)})
    new = set(claimed.scalars())
    if len(new) < len(facts):
        offered = {row["revision"]: row["content_hash"] for row in rows if row["revision"] not in new}
        _compare(connection, stream, stream.number(facts[0]), offered)
    written = [fact for fact in facts if fact.revision in new]
    if written:
        stream.apply(connection, written, _answer(stream.number(facts[0]), written))
    return facts[-1].revision


def _rows(stream: Stream[AnyFact], facts: Sequence[AnyFact]) -> list[dict[str, Any]]:
    """The facts as they are stored."""
    bodies = [fact.model_dump(mode="json", by_alias=True) for fact in facts]
    return [
        {
            stream.key: stream.number(fact), "revision": fact.revision, "at": fact.at, "actor": fact.actor,
            "command_id": fact.command_id, "content_hash": content_hash_of(body), "body": body,
        }
        for fact, body in zip(facts, bodies, strict=True)
    ]  # fmt: skip


@lru_cache(maxsize=8)
def _claim_of(table: Table, key: str) -> ReturningInsert[int]:
    """The statement that inserts facts where there are none, and says which it did. Kept: it is made anew slowly."""
    columns = (key, "revision", "at", "actor", "command_id", "content_hash", "body")
    return insert_of(table, columns).on_conflict_do_nothing().returning(table.c.revision)


def _compare(connection: Connection, stream: Stream[AnyFact], number: str, offered: dict[int, str]) -> None:
    table = stream.table
    statement = select(table.c.revision, table.c.content_hash).where(
        table.c[stream.key] == number, table.c.revision.in_(offered)
    )
    for revision, recorded in connection.execute(statement):
        if recorded != offered[revision]:
            raise RecordContradictionFound(number, revision, recorded, offered[revision])


def _answer(number: str, facts: Sequence[Decision]) -> Last:
    """The verdicts, and a word to the processes that wait for them, said when the transaction commits."""
    outcomes = [
        {
            "command_id": fact.outcome.command_id, "order_number": number, "revision": fact.revision,
            "accepted": fact.outcome.accepted, "body": fact.outcome.model_dump(mode="json", by_alias=True),
            "at": fact.at,
        }
        for fact in facts
        if fact.outcome is not None
    ]  # fmt: skip
    ids = [outcome["command_id"] for outcome in outcomes]
    payload = json.dumps({"o": number, "r": facts[-1].revision, "c": ids})
    told = {"channel": CHANNEL, "payload": payload[:7900]}
    return Last(_ANSWER_AND_TELL, {**told, "rows": as_json(outcomes)}) if outcomes else Last(_TELL, told)


# Orders ----------------------------------------------------------------------------------------------------------


def write_facts(connection: Connection, facts: tuple[Fact, ...], tasks: Sequence[Task] | None = None) -> int:
    """Write facts of one order that may be there already, and what it waits for after them; see `write`."""

    def apply(connection: Connection, new: Sequence[Fact], last: Last) -> None:
        _apply(connection, new, last, tasks)

    return write(connection, Stream(ORDER_STREAM.table, ORDER_STREAM.key, apply), facts)


def write_new_facts(connection: Connection, facts: tuple[Fact, ...], tasks: Sequence[Task] | None = None) -> int:
    """As `write_facts`, for facts of which none is there yet: in a statement less, as nearly every time.

    Raises `IntegrityError`, of this or that constraint, where one is there: the transaction is over then.
    """
    last = _answer(facts[0].order_number, facts)
    _apply(connection, facts, last, tasks, (ORDER_STREAM.table, _rows(ORDER_STREAM, facts)))
    return facts[-1].revision


def _apply(
    connection: Connection,
    facts: Sequence[Fact],
    last: Last,
    tasks: Sequence[Task] | None = None,
    rows: FactRows | None = None,
) -> None:
    batch = Batch()
    if tasks is not None:
        shown = [task.model_dump(mode="json", by_alias=True) for task in tasks]
        batch.update(ORDERS, {"number": facts[0].order_number}, tasks=shown)
    for fact in facts:
        for position, event in enumerate(fact.events):
            project(event, Context(fact, batch, position))
        if any(isinstance(event, NeighbourWaiting | NeighbourAnswered) for event in fact.events):
            _show_waiting(batch, fact)
    newest = facts[-1]
    batch.update(ORDERS, {"number": newest.order_number}, revision=newest.revision, changed_at=newest.at)
    batch.flush(connection, last, rows)


def _show_waiting(batch: Batch, fact: Fact) -> None:
    """What the order waits for, for lists and boards; the exact state is the workflow's."""
    waiting: list[dict[str, Any]] = []
    for event in fact.events:
        if isinstance(event, NeighbourWaiting):
            waiting.append(event.model_dump(mode="json", by_alias=True, exclude={"kind"}))
    batch.update(ORDERS, {"number": fact.order_number}, waiting=waiting or None)


ORDER_STREAM: Final = Stream(core(OrderFact), "order_number", _apply)
