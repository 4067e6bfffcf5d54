"""Conditions of maintenance and what they propose, worked out from the jobs of machines (A22)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import Numeric

from db import audit
from db.queries.equipment import inside
from db.queries.written import stamp, stamp_if_any
from db.register import ITEMS, LOG
from db.tables import (
    EquipmentReading,
    EquipmentRun,
    MaintenanceConditionRow,
    MaintenanceProposal,
    core,
)
from domain.maintenance_conditions import ConditionKind, Finding, JobSum, MaintenanceCondition, judged
from domain.quantities import plain

CONDITIONS, PROPOSALS = core(MaintenanceConditionRow), core(MaintenanceProposal)
RUNS, READINGS = core(EquipmentRun), core(EquipmentReading)
FIELDS: Final = tuple(MaintenanceCondition.model_fields)
_A_NUMBER: Final = r"^-?[0-9]+(\.[0-9]+)?$"
Document = dict[str, Any]


def conditions(
    connection: Connection, equipment: str | None = None, plants: Sequence[str] | None = None
) -> list[MaintenanceCondition]:
    """All conditions by code, or those of a machine."""
    statement = select(CONDITIONS).where(*inside(plants, CONDITIONS.c.equipment)).order_by(CONDITIONS.c.code)
    if equipment is not None:
        statement = statement.where(CONDITIONS.c.equipment == equipment)
    rows = connection.execute(statement)
    return [MaintenanceCondition(**{name: row._mapping[name] for name in FIELDS}) for row in rows]


def define(connection: Connection, condition: MaintenanceCondition, by: str, at: datetime) -> None:
    """Write a condition, or change the one of its code."""
    values = condition.model_dump() | {"set_by": by, "set_at": at}
    statement = upsert(CONDITIONS).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["code"], set_=values))


def jobs_since_maintenance(connection: Connection, condition: MaintenanceCondition) -> list[JobSum]:
    """The ended jobs of the machine's workstation since its last maintenance was over, in the order of their start."""
    following = func.lead(LOG.c.started_at).over(order_by=LOG.c.sequence).label("ended_at")
    log = select(LOG.c.activity, following).where(LOG.c.equipment == condition.equipment).subquery()
    last = select(func.max(log.c.ended_at)).where(log.c.activity == "maintain").scalar_subquery()
    station = select(ITEMS.c.workstation).where(ITEMS.c.code == condition.equipment, ITEMS.c.workstation != "")
    since = connection.execute(select(last)).scalar()
    statement = select(RUNS).where(RUNS.c.workstation.in_(station), RUNS.c.ended_at.is_not(None))
    if since is not None:
        statement = statement.where(RUNS.c.started_at >= since)
    rows = connection.execute(statement.order_by(RUNS.c.started_at, RUNS.c.job)).all()
    is_trend = condition.kind is ConditionKind.TREND
    means = _means(connection, [row.job for row in rows][-condition.window :], condition.tag) if is_trend else {}
    return [
        JobSum(
            job=row.job,
            hours=Decimal(str((row.ended_at - row.started_at).total_seconds())) / 3600,
            pieces=(row.good or Decimal(0)) + (row.waste or Decimal(0)),
            mean=means.get(row.job),
        )
        for row in rows
    ]


def _means(connection: Connection, jobs: list[str], tag: str) -> dict[str, Decimal]:
    """Job → the mean of one value over its good readings; a job without such a reading has none."""
    text = READINGS.c["values"][tag].astext
    good = select(READINGS.c.job, text.label("said")).where(
        READINGS.c.job.in_(jobs), READINGS.c.quality == "good", text.regexp_match(_A_NUMBER)
    )
    own = good.subquery()
    mean = func.trim_scale(func.round(func.avg(cast(own.c.said, Numeric)), 6)).label("mean")
    statement = select(own.c.job, mean).group_by(own.c.job)
    return {row.job: row.mean for row in connection.execute(statement)}


def propose_due(connection: Connection, at: datetime) -> list[str]:
    """Propose what is due; the new numbers. Nothing while one is open, an order leads it, or it is quiet."""
    made: list[str] = []
    for condition in conditions(connection):
        if not condition.is_active or _is_answered(connection, condition, at):
            continue
        finding = judged(condition, jobs_since_maintenance(connection, condition))
        if finding.is_due and (number := _propose(connection, condition, finding, at)):
            made.append(number)
    return made


def _is_answered(connection: Connection, condition: MaintenanceCondition, at: datetime) -> bool:
    own = (PROPOSALS.c.condition == condition.code, PROPOSALS.c.state == "open")
    if connection.execute(select(PROPOSALS.c.number).where(*own)).first() is not None:
        return True
    quiet = (PROPOSALS.c.condition == condition.code, PROPOSALS.c.quiet_until > at)
    if connection.execute(select(PROPOSALS.c.number).where(*quiet)).first() is not None:
        return True
    led = (ITEMS.c.code == condition.equipment, ITEMS.c.maintenance_order.is_not(None))
    return connection.execute(select(ITEMS.c.code).where(*led)).first() is not None


def _propose(connection: Connection, condition: MaintenanceCondition, finding: Finding, at: datetime) -> str | None:
    count = select(func.count()).where(PROPOSALS.c.condition == condition.code)
    number = f"{condition.code}-P{connection.execute(count).scalar_one() + 1}"
    shown = finding.model_dump(mode="json", by_alias=True) | {
        "kind": condition.kind, "limit": plain(condition.limit), "tag": condition.tag,
    }  # fmt: skip
    values = {
        "number": number, "condition": condition.code, "equipment": condition.equipment, "finding": shown,
        "state": "open", "proposed_at": at,
    }  # fmt: skip
    statement = upsert(PROPOSALS).values(values).on_conflict_do_nothing().returning(PROPOSALS.c.number)
    if connection.execute(statement).first() is None:
        return None
    new = {"condition": condition.code, "equipment": condition.equipment, "finding": shown, "state": "open"}
    audit.append(
        connection, [audit.Entry(at, "system", "maintenance.proposed", f"maintenance-proposal/{number}", new=new)]
    )
    return number


def proposal(connection: Connection, number: str) -> Row[Any] | None:
    """One proposal, locked."""
    return connection.execute(select(PROPOSALS).where(PROPOSALS.c.number == number).with_for_update()).one_or_none()


def decide(connection: Connection, number: str, **values: object) -> None:
    """Write what a person decided."""
    connection.execute(update(PROPOSALS).where(PROPOSALS.c.number == number).values(values))


def proposals(
    connection: Connection, equipment: str | None, state: str | None, limit: int, plants: Sequence[str] | None = None
) -> list[Document]:
    """Proposals, newest first."""
    statement = select(PROPOSALS).order_by(PROPOSALS.c.proposed_at.desc(), PROPOSALS.c.number).limit(limit)
    statement = statement.where(*inside(plants, PROPOSALS.c.equipment))
    if equipment is not None:
        statement = statement.where(PROPOSALS.c.equipment == equipment)
    if state is not None:
        statement = statement.where(PROPOSALS.c.state == state)
    return [
        {
            "number": row.number, "condition": row.condition, "equipment": row.equipment, "finding": row.finding,
            "state": row.state, "proposedAt": stamp(row.proposed_at), "decidedBy": row.decided_by,
            "decidedAt": stamp_if_any(row.decided_at), "reason": row.reason,
            "quietUntil": stamp_if_any(row.quiet_until), "maintenanceOrder": row.maintenance_order,
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def shown(condition: MaintenanceCondition, finding: Finding) -> Document:
    """A condition as the API shows it, with how it stands."""
    return condition.model_dump(mode="json", by_alias=True) | {"now": finding.model_dump(mode="json", by_alias=True)}
