"""The quality history of batches for a score of risk, from the record alone, and the models that were learned (A22).

The values of a batch are the results of the lots that went into it and the parameters of its operations: what is known
before its own release test. A later result for one lot counts; numbers that people typed as words do not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, tuple_

from db.queries.written import stamp
from db.tables import InspectionResult, InspectionRow, Lot, LotLink, ParameterValue, RiskModel, WorkOrder, core
from domain.risk import Example, Learned

LOTS, LINKS, WORK_ORDERS = core(Lot), core(LotLink), core(WorkOrder)
INSPECTIONS, RESULTS, VALUES, MODELS = (
    core(InspectionRow),
    core(InspectionResult),
    core(ParameterValue),
    core(RiskModel),
)
MOST: Final = 1000
"""The newest batches of a history that are learned from."""
Document = dict[str, Any]
Values = dict[str, dict[str, float]]


def history(
    connection: Connection, product: str | None, characteristic: str, limit: Decimal, is_bad_above: bool,
    inside: Sequence[ColumnElement[bool]],
) -> list[Example]:  # fmt: skip
    """Batches whose own result of a characteristic is known, in the order in which they began.

    Bad is beyond the limit, which is that of the question and need not be that of the specification.
    """
    newest = func.max(RESULTS.c.id)
    last = (
        select(newest.label("id"))
        .join(INSPECTIONS, INSPECTIONS.c.number == RESULTS.c.inspection)
        .join(LOTS, LOTS.c.number == INSPECTIONS.c.lot)
        .where(RESULTS.c.name == characteristic, RESULTS.c.value.is_not(None), LOTS.c.work_order.is_not(None))
        .group_by(INSPECTIONS.c.lot)
        .subquery()
    )
    statement = (
        select(LOTS.c.number, RESULTS.c.value)
        .join(INSPECTIONS, INSPECTIONS.c.lot == LOTS.c.number)
        .join(RESULTS, RESULTS.c.inspection == INSPECTIONS.c.number)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == LOTS.c.work_order)
        .where(RESULTS.c.id.in_(select(last.c.id)), *inside)
        .order_by(LOTS.c.created_at.desc(), LOTS.c.number.desc())
        .limit(MOST)
    )
    if product is not None:
        statement = statement.where(LOTS.c.material == product)
    rows = connection.execute(statement).all()[::-1]
    known = values(connection, [row.number for row in rows])
    return [
        Example(
            batch=row.number,
            values=known.get(row.number, {}),
            bad=row.value > limit if is_bad_above else row.value < limit,
        )
        for row in rows
    ]


def values(connection: Connection, lots: Sequence[str]) -> Values:
    """Batch → name → value of what went into each batch and of how it was made; a mean where there are several."""
    found: dict[str, dict[str, dict[object, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in connection.execute(_incoming(lots)):
        found[row.lot][row.name][row.source] = float(row.value)
    for row in connection.execute(_made(lots)):
        found[row.lot][row.name][row.source] = float(row.value)
    return {
        lot: {name: sum(parts.values()) / len(parts) for name, parts in names.items()} for lot, names in found.items()
    }


def _incoming(lots: Sequence[str]) -> Any:
    return (
        select(
            LINKS.c.output_lot.label("lot"), RESULTS.c.name, LINKS.c.input_lot.label("source"), RESULTS.c.value
        )
        .join(INSPECTIONS, INSPECTIONS.c.lot == LINKS.c.input_lot)
        .join(RESULTS, RESULTS.c.inspection == INSPECTIONS.c.number)
        .where(LINKS.c.output_lot.in_(lots), RESULTS.c.value.is_not(None))
        .order_by(RESULTS.c.id)
    )  # fmt: skip


def _made(lots: Sequence[str]) -> Any:
    source = (VALUES.c.operation + "/" + func.coalesce(VALUES.c.number, "")).label("source")
    return (
        select(WORK_ORDERS.c.output_lot.label("lot"), VALUES.c.name, source, VALUES.c.value)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == VALUES.c.work_order)
        .where(WORK_ORDERS.c.output_lot.in_(lots), VALUES.c.value.is_not(None))
        .order_by(VALUES.c.id)
    )


def add(connection: Connection, code: str, question: Mapping[str, Any], learned: Learned, by: str, at: datetime) -> int:
    """The next version of a model; its number. The caller has locked the code."""
    count = select(func.coalesce(func.max(MODELS.c.version), 0)).where(MODELS.c.code == code)
    version = int(connection.execute(count).scalar_one()) + 1
    document = {"question": dict(question), "learned": learned.model_dump(mode="json", by_alias=True)}
    connection.execute(
        insert(MODELS).values(code=code, version=version, document=document, trained_by=by, trained_at=at)
    )
    return version


def models(connection: Connection) -> list[Document]:
    """All versions of all models, newest first within a code."""
    rows = connection.execute(select(MODELS).order_by(MODELS.c.code, MODELS.c.version.desc()))
    return [shown(row) for row in rows]


def find(connection: Connection, code: str, version: int | None = None) -> Row[Any] | None:
    """A version of a model, or its newest."""
    statement = select(MODELS).where(MODELS.c.code == code).order_by(MODELS.c.version.desc()).limit(1)
    if version is not None:
        statement = statement.where(MODELS.c.version == version)
    return connection.execute(statement).one_or_none()


def newest(connection: Connection) -> list[Row[Any]]:
    """The newest version of each model."""
    last = select(MODELS.c.code, func.max(MODELS.c.version)).group_by(MODELS.c.code)
    statement = select(MODELS).where(tuple_(MODELS.c.code, MODELS.c.version).in_(last)).order_by(MODELS.c.code)
    return list(connection.execute(statement))


def shown(row: Row[Any]) -> Document:
    """A version as the API shows it."""
    learned = row.document["learned"]
    return {
        "code": row.code, "version": row.version, "question": row.document["question"],
        "metrics": learned["metrics"], "isBetterThanBaseline": _is_better(learned["metrics"]),
        "ridge": learned["ridge"], "heldOutFrom": learned["heldOutFrom"],
        "features": learned["model"]["features"], "trainedOn": learned["model"]["trainedOn"],
        "baseRate": learned["model"]["baseRate"], "trainedBy": row.trained_by, "trainedAt": stamp(row.trained_at),
    }  # fmt: skip


def _is_better(metrics: Mapping[str, float]) -> bool:
    return metrics["brier"] < metrics["baselineBrier"] and metrics["auc"] > metrics["baselineAuc"]


def material_of(connection: Connection, lot: str) -> tuple[str, str] | None:
    """Material and work order of a batch; none for a lot that was not made here."""
    row = connection.execute(select(LOTS.c.material, LOTS.c.work_order).where(LOTS.c.number == lot)).one_or_none()
    return None if row is None or row.work_order is None else (row.material, row.work_order)


def names_of(examples: Iterable[Example]) -> list[str]:
    """The names of all values of a history."""
    return sorted({name for own in examples for name in own.values})
