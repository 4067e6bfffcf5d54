"""Reads a record the way an auditor would: by SQL of its own over the tables, with none of the product's code.

`SAME` is what two runs of the same orders have in common: clock readings, running numbers and repeated attempts are
left out. `BROKEN` are sums and chains that have to be right in every record, each a statement that finds what is wrong.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final, LiteralString

import psycopg

Rows = Counter[tuple[Any, ...]]

# Which batch is the next at a station is chance: what is occupied, cleaned and cleared there is another thing in every
# run. A neighbour that did not answer at once is an exception of the batch record: a step of the review may be refused
# because of it, somebody explains it, and the step is done under another id. That somebody waited for a neighbour, and
# was answered, is told in the trail of the run in which it was away.
_EXCEPTION: Final = "body @? '$.blockers[*] ? (@.code == \"EXCEPTION_OPEN\")'"
_ANY_RUN: Final = (
    "order_number !~ '^(equipment|line-clearance|workstation|open)/' AND NOT EXISTS (SELECT 1 FROM order_fact f "
    "WHERE f.command_id = o.command_id AND f.body ->> 'commandKind' IN ('justifyException', 'reviewBatchRecord', "
    "'approveBatchRecord', 'certifyBatch'))"
)
_REVIEWED: Final = (
    "SELECT f.order_number, f.order_number, f.body ->> 'commandKind', o.accepted FROM command_outcome o "
    "JOIN order_fact f ON f.command_id = o.command_id AND f.body -> 'outcome' <> 'null' WHERE f.body ->> 'commandKind' "
    f"IN ('reviewBatchRecord', 'approveBatchRecord', 'certifyBatch') AND NOT o.{_EXCEPTION}"
)
_TOLD_OF: Final = (
    "split_part(entity, '/', 1) IN ('production-order', 'work-order', 'operation', 'lot', 'pick-list', 'put-away', "
    "'inspection', 'deviation') AND action NOT IN ('command.refused', 'command.taken', 'operation.occupied', "
    "'operation.freed', 'neighbour.waiting', 'neighbour.answered')"
)

SAME: Final[Mapping[str, LiteralString]] = {
    "orders": "SELECT number, state, quantity FROM production_order",
    "work orders": "SELECT number, state, output_lot FROM work_order",
    "operations": "SELECT work_order, code, state, good, scrap, review_board, started_by FROM operation",
    "reports": "SELECT number, work_order, operation, good, scrap, scrap_reason, review_board, operator, source "
    "FROM production_report",
    "values": "SELECT work_order, operation, name, text, recorded_by FROM parameter_value",
    "checks": "SELECT work_order, operation, number, version, checked_by FROM parameter_check",
    "verifications": "SELECT work_order, operation, verified_by FROM operation_verification",
    "documents": "SELECT number, state FROM pick_list UNION ALL SELECT number, state FROM put_away",
    "lots": "SELECT number, material, status FROM lot",
    "stock": "SELECT lot, place, on_hand, reserved FROM stock_balance WHERE on_hand <> 0 OR reserved <> 0",
    "moves": "SELECT lot, kind, from_place, to_place, quantity, work_order FROM stock_move",
    "reservations": "SELECT work_order, line, lot, quantity, state FROM reservation",
    "genealogy": "SELECT output_lot, input_lot, quantity, work_order FROM lot_link",
    "inspections": "SELECT number, lot, state, entered_by, decided_by FROM inspection",
    "results": "SELECT inspection, name, text FROM inspection_result",
    "deviations": "SELECT number, order_number, lot, code, state FROM deviation",
    "batch records": "SELECT work_order, state, reviewed_by, approved_by FROM batch_record",
    "archived records": "SELECT work_order, lot FROM archived_record",
    "machine jobs": "SELECT job, batch, state, good, waste FROM equipment_run",
    "readings": "SELECT job, count(*), min(sequence), max(sequence) FROM equipment_reading GROUP BY job",
    "signatures": "SELECT entity, part, signer, meaning FROM signature s WHERE NOT EXISTS (SELECT 1 "
    f"FROM command_outcome o WHERE o.command_id = s.command_id AND o.{_EXCEPTION})",
    "transitions": "SELECT entity || '/' || entity_id, event, from_state, to_state, actor FROM state_transition "
    "WHERE split_part(entity, ' ', 1) NOT IN ('equipment', 'room')",
    "audit trail": f"SELECT entity, action, actor FROM audit_row a WHERE {_TOLD_OF} "
    "AND NOT (action = 'signature.given' AND EXISTS (SELECT 1 FROM command_outcome o "
    f"WHERE o.command_id = a.command_id AND o.{_EXCEPTION}))",
    "verdicts": f"SELECT command_id, order_number, accepted FROM command_outcome o WHERE {_ANY_RUN}",
    "reviews": _REVIEWED,
}
"""What has to be the same. The first column says what a row is about."""

_STATES: Final = (
    "SELECT 'production-order' AS entity, number AS entity_id, state FROM production_order "
    "UNION ALL SELECT 'work-order', number, state FROM work_order "
    "UNION ALL SELECT 'operation', work_order || '/' || code, state FROM operation "
    "UNION ALL SELECT 'lot', number, status FROM lot UNION ALL SELECT 'inspection', number, state FROM inspection "
    "UNION ALL SELECT 'pick-list', number, state FROM pick_list "
    "UNION ALL SELECT 'put-away', number, state FROM put_away"
)
_STEPS: Final = (
    "SELECT entity, entity_id, from_state, to_state, lag(to_state) OVER w AS before, "
    "lead(id) OVER w IS NULL AS is_last FROM state_transition WINDOW w AS (PARTITION BY entity, entity_id ORDER BY id)"
)
_MOVED: Final = (
    "SELECT lot, place, sum(quantity) AS on_hand FROM (SELECT lot, to_place AS place, quantity FROM stock_move "
    "UNION ALL SELECT lot, from_place, -quantity FROM stock_move) AS both_ways JOIN place ON code = place "
    "WHERE zone <> 'outside' GROUP BY lot, place"
)

BROKEN: Final[Mapping[str, LiteralString]] = {
    "a balance is not the sum of its moves": f"SELECT lot, place, b.on_hand, m.on_hand FROM ({_MOVED}) m "
    "FULL JOIN stock_balance b USING (lot, place) WHERE coalesce(b.on_hand, 0) <> coalesce(m.on_hand, 0)",
    "what is reserved is not the sum of the reservations": "SELECT lot, place, b.reserved, r.reserved FROM "
    "(SELECT lot, place, sum(quantity) AS reserved FROM reservation WHERE state = 'reserved' GROUP BY lot, place) r "
    "FULL JOIN stock_balance b USING (lot, place) WHERE coalesce(b.reserved, 0) <> coalesce(r.reserved, 0)",
    "the genealogy is not what was consumed": "SELECT work_order, lot, m.quantity, l.quantity FROM "
    "(SELECT work_order, lot, sum(quantity) AS quantity FROM stock_move WHERE kind = 'consume' "
    "GROUP BY work_order, lot) m FULL JOIN (SELECT work_order, input_lot AS lot, sum(quantity) AS quantity "
    "FROM lot_link GROUP BY work_order, input_lot) l USING (work_order, lot) "
    "WHERE coalesce(m.quantity, 0) <> coalesce(l.quantity, 0)",
    "an operation does not count what was reported": "SELECT o.work_order, o.code, o.good, o.scrap FROM operation o "
    "LEFT JOIN production_report r ON r.work_order = o.work_order AND r.operation = o.code "
    "GROUP BY o.work_order, o.code, o.good, o.scrap "
    "HAVING o.good <> coalesce(sum(r.good), 0) OR o.scrap <> coalesce(sum(r.scrap), 0)",
    "a history of states has a gap": f"SELECT entity, entity_id, before, from_state FROM ({_STEPS}) s "
    "WHERE before IS NOT NULL AND from_state IS DISTINCT FROM before",
    "a state is not the end of its history": f"SELECT entity, entity_id, state, to_state FROM ({_STATES}) own "
    f"LEFT JOIN (SELECT * FROM ({_STEPS}) s WHERE is_last) step USING (entity, entity_id) "
    "WHERE state IS DISTINCT FROM to_state AND NOT (to_state IS NULL AND state = 'pending')",
    "the facts of an order have a gap": "SELECT number, revision, f.facts, f.last FROM production_order LEFT JOIN "
    "(SELECT order_number, count(*) AS facts, max(revision) AS last FROM order_fact GROUP BY order_number) f "
    "ON order_number = number WHERE revision IS DISTINCT FROM f.last OR f.facts IS DISTINCT FROM f.last",
    "a command was judged twice": "SELECT order_number, command_id, count(*) FROM order_fact "
    "WHERE command_id IS NOT NULL AND body -> 'outcome' <> 'null' GROUP BY order_number, command_id "
    "HAVING count(*) > 1",
    "a verdict has no fact": "SELECT o.order_number, o.command_id FROM command_outcome o "
    "JOIN production_order p ON p.number = o.order_number WHERE NOT EXISTS (SELECT 1 FROM order_fact f "
    "WHERE f.order_number = o.order_number AND f.command_id = o.command_id)",
    "a signature signs nothing that was judged": "SELECT entity, command_id, signer FROM signature s "
    "WHERE NOT EXISTS (SELECT 1 FROM command_outcome o WHERE o.command_id = s.command_id)",
    "stock is below zero or promised twice": "SELECT lot, place, on_hand, reserved FROM stock_balance "
    "WHERE on_hand < 0 OR reserved < 0 OR reserved > on_hand",
}
"""Sums and chains: what each statement finds is wrong, in any record."""


_BESIDE: Final = {"inspection": "inspection", "lotNumber": "lot"}
"""What the answer to a receipt has beside the warehouse's own: its name there, and where under the command it is."""


@dataclass(frozen=True)
class Record:
    """What a record says at the end of a run."""

    same: Mapping[str, Rows]
    broken: Mapping[str, list[tuple[Any, ...]]]
    outcomes: Mapping[str, Mapping[str, Any]]
    """Command id → verdict or answer, as it is stored."""
    refused: frozenset[str]
    """Commands whose refusal stands in the audit trail alone: the order was over."""
    states: Mapping[str, list[tuple[int, str]]]
    """Order → its states, each with the revision from which on it had it."""
    audit_rows: int
    audit_broken: str | None


NOTHING: Final = Record({}, {}, {}, frozenset(), {}, 0, None)
"""A record that was not read yet."""


def read(url: str) -> Record:
    """Read a whole record. Raises psycopg.Error."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return of(connection)


def of(connection: psycopg.Connection[Any]) -> Record:
    """The record as a connection sees it."""
    broken_audit, rows = _audit(connection)
    return Record(
        {name: Counter(connection.execute(statement).fetchall()) for name, statement in SAME.items()},
        {name: found for name, statement in BROKEN.items() if (found := connection.execute(statement).fetchall())},
        _outcomes(connection),
        frozenset(
            str(row[0])
            for row in connection.execute("SELECT command_id FROM audit_row WHERE action = 'command.refused'")
        ),
        _states(connection),
        rows,
        broken_audit,
    )


def _outcomes(connection: psycopg.Connection[Any]) -> dict[str, Mapping[str, Any]]:
    """All verdicts and answers. The warehouse keeps its own; what a receipt tells beside them is kept under its id."""
    found: dict[str, Mapping[str, Any]] = dict(
        connection.execute("SELECT command_id, body FROM command_outcome").fetchall()
    )
    for key, answer in connection.execute("SELECT key, answer FROM inventory_request").fetchall():
        beside = {name: found.get(f"{key}/{part}") for name, part in _BESIDE.items()}
        more = {name: own["answer"] for name, own in beside.items() if own is not None}
        found.setdefault(key, {"accepted": True, "answer": {**answer, **more}})
    return found


def _states(connection: psycopg.Connection[Any]) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    statement: LiteralString = (
        "SELECT entity_id, revision, to_state FROM state_transition WHERE entity = 'production-order' "
        "AND revision IS NOT NULL ORDER BY id"
    )
    for number, revision, state in connection.execute(statement):
        found.setdefault(number, []).append((revision, state))
    return found


def _audit(connection: psycopg.Connection[Any]) -> tuple[str | None, int]:
    """What is wrong with the hash chain (none: nothing), and how many rows it has.

    SHA-256 over the hash before and the row as canonical JSON, from 64 zeros on; written out here once more on purpose.
    """
    previous, count = "0" * 64, 0
    with connection.cursor(name="audit") as cursor:
        cursor.itersize = 5000
        cursor.execute(
            "SELECT seq, at, actor, action, entity, old, new, reason, command_id, source, hash FROM audit_row "
            "ORDER BY seq"
        )
        for seq, at, actor, action, entity, old, new, reason, command, source, stored in cursor:
            count += 1
            told = at.astimezone(UTC)
            row = {
                "seq": seq, "at": f"{told:%Y-%m-%dT%H:%M:%S}.{told.microsecond // 1000:03d}Z", "actor": actor,
                "action": action, "entity": entity, "old": old, "new": new, "reason": reason,
            }  # fmt: skip
            row |= {name: own for name, own in (("commandId", command), ("source", source)) if own is not None}
            text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            previous = hashlib.sha256((previous + text).encode()).hexdigest()
            if seq != count or previous != stored:
                return f"row {count} ({action} {entity}) is not as it was written", count
    head = connection.execute("SELECT seq, hash FROM audit_head WHERE id = 1").fetchone()
    return (None if head == (count, previous) else f"the head says {head}, the rows end at {count}"), count
