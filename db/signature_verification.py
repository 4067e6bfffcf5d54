"""Whether a signature is still about what was signed (ES-04, 21 CFR 11.70).

Four witnesses are compared: the signature's row, its content with the hash, the audit trail's entry (which the chain
protects), and the record of what was signed: the facts of the order or the quality case, and the rows that were made
from them. What differs is named by record and field.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Connection, Row, select

from db import audit, signed_act_verification
from db.projection.writer import content_hash_of
from db.queries import cases, signatures, targets
from db.tables import (
    AuditRow,
    CaseFactRow,
    InspectionResult,
    OrderFact,
    ParameterValue,
    ProductionOrder,
    ProductionReport,
    QualityCaseRow,
    WorkOrder,
    core,
)
from domain.case_folding import Case
from domain.process import Process
from domain.quantities import plain
from domain.signed_lives import Life, LifeFact, begin, fold_into, shown_of
from domain.signing import changed

AUDIT, FACTS, ORDERS, WORK_ORDERS = core(AuditRow), core(OrderFact), core(ProductionOrder), core(WorkOrder)
CASE_FACTS, CASES = core(CaseFactRow), core(QualityCaseRow)
REPORTS, VALUES, RESULTS = core(ProductionReport), core(ParameterValue), core(InspectionResult)
_SAID_IN_AUDIT: Final = {
    "signer": "signer", "fullName": "full_name", "meaning": "meaning", "contentHash": "content_hash", "part": "part",
    "timeZone": "time_zone", "localOffset": "local_offset", "entityRevision": "entity_revision",
    "terminalSessionUser": "terminal_session_user", "hasSecondFactor": "has_second_factor",
}  # fmt: skip


@dataclass(frozen=True)
class Mismatch:
    """A field of a record that is not what it was when it was signed."""

    record: str
    field: str
    signed: str
    found: str


@dataclass(frozen=True)
class Verdict:
    """`unverifiable`: from before contents were kept; nothing that is there speaks against it."""

    signature: str
    status: str
    mismatches: tuple[Mismatch, ...]

    def document(self) -> dict[str, Any]:
        """As JSON data; `code` as in a refusal."""
        code = "SIGNATURE_MISMATCH" if self.status == "mismatch" else None
        found = [vars(mismatch) for mismatch in self.mismatches]
        return {"signature": self.signature, "status": self.status, "code": code, "mismatches": found}


def verify(connection: Connection, identity: UUID) -> Verdict | None:
    """Check one signature; None when there is none of that id."""
    row = signatures.find(connection, identity)
    return None if row is None else _verdict(connection, row)


def verify_all(connection: Connection) -> Iterator[Verdict]:
    """Check every signature, oldest first."""
    for identity in signatures.ids(connection):
        if (verdict := verify(connection, identity)) is not None:
            yield verdict


def _verdict(connection: Connection, row: Row[Any]) -> Verdict:
    found = [*_audited(connection, row), *_bound(row), *_recorded(connection, row)]
    status = "mismatch" if found else "valid" if row.content is not None else "unverifiable"
    return Verdict(str(row.id), status, tuple(dict.fromkeys(found)))


def _record(row: Row[Any]) -> str:
    return f"signature/{row.id}"


# The audit trail -------------------------------------------------------------------------------------------------


def _audited(connection: Connection, row: Row[Any]) -> Iterator[Mismatch]:
    """What the chain says of the signature: a row that was copied, or changed, does not fit."""
    is_it = (AUDIT.c.action == "signature.given") & (AUDIT.c.new["signature"].astext == str(row.id))
    statement = select(AUDIT).where(AUDIT.c.command_id == row.command_id, is_it)
    entry = connection.execute(statement).one_or_none()
    if entry is None:
        yield Mismatch(_record(row), "id", "an entry signature.given in the audit trail", "none for this command")
        return
    yield from _chained(connection, entry)
    if entry.entity != row.entity:
        yield Mismatch(_record(row), "entity", entry.entity, row.entity)
    for name, column in _SAID_IN_AUDIT.items():
        if name in entry.new and entry.new[name] != getattr(row, column):
            yield Mismatch(_record(row), name, str(entry.new[name]), str(getattr(row, column)))
    signed_at = audit.timestamp(row.signed_at)
    if entry.new.get("signedAt", signed_at) != signed_at:
        yield Mismatch(_record(row), "signedAt", entry.new["signedAt"], signed_at)
    if "content" in entry.new and row.content is not None:
        for name, (was, is_now) in changed(_flat(entry.new["content"]), _flat(row.content)).items():
            yield Mismatch(_record(row), f"content.{name}", was, is_now)


def _chained(connection: Connection, entry: Row[Any]) -> Iterator[Mismatch]:
    before = select(AUDIT.c.hash).where(AUDIT.c.seq == entry.seq - 1)
    previous = connection.execute(before).scalar_one_or_none() or audit.GENESIS
    said = audit.Entry(
        entry.at, entry.actor, entry.action, entry.entity, entry.old, entry.new, entry.reason, entry.command_id,
        entry.source,
    )  # fmt: skip
    if audit.row_hash(previous, entry.seq, said) != entry.hash:
        yield Mismatch(f"audit-row/{entry.seq}", "hash", entry.hash, "the hash of another content")


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {path: value}
    found: dict[str, Any] = {}
    for name, part in value.items():
        found |= _flat(part, f"{path}.{name}" if path else name)
    return found


# The row itself --------------------------------------------------------------------------------------------------


def _bound(row: Row[Any]) -> Iterator[Mismatch]:
    """The content has the hash that was signed, and is about this command, entity and revision."""
    if row.content is None:
        return
    found = hashlib.sha256(audit.canonical(row.content).encode()).hexdigest()
    if found != row.content_hash:
        yield Mismatch(_record(row), "contentHash", row.content_hash, found)
    content = row.content
    own = {
        "commandId": (content["command"]["commandId"], row.command_id), "entity": (content["entity"], row.entity),
        "entityRevision": (content["revision"], row.entity_revision),
    }  # fmt: skip
    for name, (signed, is_now) in own.items():
        if signed != is_now:
            yield Mismatch(_record(row), name, str(signed), str(is_now))


# What was signed -------------------------------------------------------------------------------------------------


def _recorded(connection: Connection, row: Row[Any]) -> Iterator[Mismatch]:
    fact = _judged(connection, row)
    if fact is not None:
        yield from _fact(row, fact)
    if row.content is None:
        return
    if row.content["orderNumber"] is None:
        yield from (Mismatch(*found) for found in signed_act_verification.differences(connection, row))
        return
    yield from _seen(connection, row.content)
    if fact is not None:
        yield from _effects(connection, row.content["command"], fact)


def _judged(connection: Connection, row: Row[Any]) -> Row[Any] | None:
    """The decision on the signed command, of its order or its quality case."""
    table = CASE_FACTS if targets.is_case(row.entity) else FACTS
    return connection.execute(select(table).where(table.c.command_id == row.command_id)).first()


def _facts_name(entity: str) -> str:
    return "case-fact" if targets.is_case(entity) else "order-fact"


def _fact(row: Row[Any], fact: Row[Any]) -> Iterator[Mismatch]:
    """The decision on the signed command is as it was recorded, and names this signature."""
    number = fact.case_number if targets.is_case(row.entity) else fact.order_number
    record = f"{_facts_name(row.entity)}/{number}/{fact.revision}"
    if row.part == "signer":
        for name, signed in (("signatureId", str(row.id)), ("actor", row.signer)):
            if fact.body.get(name) != signed:
                yield Mismatch(record, name, signed, str(fact.body.get(name)))
    if content_hash_of(fact.body) == fact.content_hash:
        return
    said = {} if row.content is None else row.content["command"]
    named = False
    for event in fact.body["events"]:
        for name in (event.keys() & said.keys()) - {"kind", "reason"}:
            if not isinstance(said[name], list | dict) and said[name] != event[name]:
                named = True
                yield Mismatch(record, name, str(said[name]), str(event[name]))
    if not named:
        yield Mismatch(record, "body", fact.content_hash, content_hash_of(fact.body))


def _seen(connection: Connection, content: dict[str, Any]) -> Iterator[Mismatch]:
    """What the signer was shown follows from the facts, now as then; and so do the rows of order, batch and case."""
    entity, revision, command = content["entity"], content["revision"], content["command"]
    record = f"{_facts_name(entity)}/{content['orderNumber']}"
    try:
        known = cases.facts_of(connection, entity, content["orderNumber"])
    except ValidationError:
        yield Mismatch(record, "body", "facts of this order or case", "something that is no fact")
        return
    life = _folded(None, [fact for fact in known if fact.revision <= revision])
    if life is None or life.revision != revision:
        yield Mismatch(record, "revision", str(revision), "facts that end before")
        return
    now = shown_of(life, command["kind"], command.get("workOrder"), command.get("operation"))
    for name, was in content["shown"].items():
        if now.get(name) != was:
            yield Mismatch(record, name, was, str(now.get(name)))
    _folded(life, [fact for fact in known if fact.revision > revision])
    if isinstance(life, Process):
        yield from _rows(connection, life, command.get("workOrder"))
    else:
        yield from _case_row(connection, life)


def _folded(life: Life | None, known: Sequence[LifeFact]) -> Life | None:
    for fact in known:
        life = life or begin(fact)
        if life is not None:
            fold_into(life, fact)
    return life


def _case_row(connection: Connection, case: Case) -> Iterator[Mismatch]:
    """The row of a quality case is the fold of its facts, as it stands today."""
    found = connection.execute(select(CASES.c.body).where(CASES.c.number == case.number))
    body = found.scalar_one_or_none()
    record = f"quality-case/{case.number}"
    if body is None:
        yield Mismatch(record, "number", case.number, "no such row")
        return
    for name, (was, is_now) in changed(_flat(case.model_dump(mode="json", by_alias=True)), _flat(body)).items():
        yield Mismatch(record, name, was, is_now)


def _rows(connection: Connection, process: Process, number: str | None) -> Iterator[Mismatch]:
    """The rows of order and batch are the ones of the facts, as they stand today."""
    specification = process.specification
    if number is None:
        table, own, product = ORDERS, specification.number, specification.product
        quantity, unit, column = specification.quantity, specification.unit, ORDERS.c.product
    else:
        batch = specification.work_order(number)
        table, own, product = WORK_ORDERS, number, batch.material
        quantity, unit, column = batch.quantity, batch.unit, WORK_ORDERS.c.material
    statement = select(table.c.quantity, table.c.unit, column.label("product")).where(table.c.number == own)
    row = connection.execute(statement).one_or_none()
    record = f"{table.name.replace('_', '-')}/{own}"
    if row is None:
        yield Mismatch(record, "number", own, "no such row")
        return
    for name, was, is_now in (
        ("quantity", plain(quantity), plain(row.quantity)), ("unit", unit, row.unit), ("product", product, row.product),
    ):  # fmt: skip
        if was != is_now:
            yield Mismatch(record, name, was, is_now)


def _effects(connection: Connection, command: dict[str, Any], fact: Row[Any]) -> Iterator[Mismatch]:
    """Rows that were written by the command say what was signed."""
    match command["kind"]:
        case "reportProduction":
            statement = select(REPORTS).where(REPORTS.c.command_id == command["commandId"])
            names = {"good": "good", "scrap": "scrap", "reviewBoard": "review_board"}
            for row in connection.execute(statement):
                for name, column in names.items():
                    if plain(getattr(row, column)) != command[name]:
                        found = plain(getattr(row, column))
                        yield Mismatch(f"production-report/{row.number}", name, command[name], found)
        case "recordParameters":
            own = (VALUES.c.work_order == command["workOrder"], VALUES.c.operation == command["operation"])
            yield from _measured(connection, select(VALUES).where(*own, VALUES.c.recorded_at == fact.at), command)
        case "enterInspectionResults":
            is_it = (RESULTS.c.entered_by == fact.actor) & (RESULTS.c.entered_at == fact.at)
            yield from _measured(connection, select(RESULTS).where(is_it), command)
        case _:
            return


def _measured(connection: Connection, statement: Any, command: dict[str, Any]) -> Iterator[Mismatch]:
    signed = {value["name"]: value for value in command["values"]}
    table = statement.get_final_froms()[0].name.replace("_", "-")
    for row in connection.execute(statement):
        for name in ("text", "unit"):
            if row.name in signed and getattr(row, name) != signed[row.name][name]:
                record = f"{table}/{row.id}"
                yield Mismatch(record, f"{row.name}.{name}", signed[row.name][name], str(getattr(row, name)))
