"""The lot numbers of an order: by the plant's patterns, where it has some, when the order is made."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Row

from api import lot_numbers
from api.deps import Caller
from api.errors import Problem
from api.lot_numbers import LotNumber
from db import audit
from db.queries import master_data, numbers
from db.queries.specification import load_specification
from domain.errors import Refused
from domain.numbering import Parts
from domain.specification import OrderSpecification, WorkOrderSpecification

BATCH_PATTERN = "B{yy}{seq:6}"
"""For plants without a pattern."""


def of_line(connection: Connection, who: Caller, line: Row[Any]) -> tuple[str, list[audit.Entry]]:
    """The number of the lot that a plan line's product will be, and what the audit trail has to say about it."""
    kinds = _kinds(connection, [line.product])
    pattern = numbers.newest_pattern(connection, line.plant, kinds.get(line.product, ""))
    if pattern is None:
        return lot_numbers.free(connection, who, BATCH_PATTERN), []
    specification = load_specification(connection, line, who.id)
    final = next(own for own in specification.work_orders if own.feeds is None)
    parts = _parts(final, _lines(connection, [final]))
    (number,), entries = _given(connection, who, pattern, parts, 1)
    return number.batch_no, entries


def of_components(
    connection: Connection, who: Caller, specification: OrderSpecification
) -> tuple[OrderSpecification, list[audit.Entry]]:
    """The specification with the lots of its sub-assemblies named by the plant's patterns.

    Statements: three, and two for every series that numbers are taken from.
    """
    made = [own for own in specification.work_orders if own.feeds is not None]
    patterns = {row.kind: row for row in reversed(numbers.patterns(connection, {specification.plant}))} if made else {}
    if not patterns:
        return specification, []
    kinds, lines = _kinds(connection, [own.material for own in made]), _lines(connection, made)
    series: dict[tuple[str, Parts], list[str]] = defaultdict(list)
    for own in made:
        if (kind := kinds.get(own.material, "")) in patterns:
            series[kind, _parts(own, lines)].append(own.output_lot)
    renamed: dict[str, str] = {}
    entries: list[audit.Entry] = []
    # In one order everywhere, so that two orders that are made at once do not wait for each other's series.
    for (kind, parts), lots in sorted(series.items(), key=lambda item: (item[0][0], str(item[0][1]))):
        given, said = _given(connection, who, patterns[kind], parts, len(lots))
        renamed |= dict(zip(lots, [number.batch_no for number in given], strict=True))
        entries += said
    return _with_lots(specification, renamed), entries


def _given(
    connection: Connection, who: Caller, pattern: Row[Any], parts: Parts, count: int
) -> tuple[list[LotNumber], list[audit.Entry]]:
    """Numbers by a pattern; parts that the route does not have are no fault of the request: 409, not 422."""
    try:
        return lot_numbers.by_pattern(connection, who, pattern, parts, count=count)
    except Problem as problem:
        raise Refused(problem.blockers) from None


def _with_lots(specification: OrderSpecification, renamed: dict[str, str]) -> OrderSpecification:
    def changed(own: WorkOrderSpecification) -> WorkOrderSpecification:
        materials = tuple(
            line.model_copy(update={"fixed_lots": tuple(renamed.get(lot, lot) for lot in line.fixed_lots)})
            for line in own.materials
        )
        return own.model_copy(
            update={"output_lot": renamed.get(own.output_lot, own.output_lot), "materials": materials}
        )

    return specification.model_copy(update={"work_orders": tuple(changed(own) for own in specification.work_orders)})


def _kinds(connection: Connection, materials: list[str]) -> dict[str, str]:
    rows = master_data.by_key(connection, master_data.MATERIALS, materials, "code")
    return {row.code: row.kind for row in rows}


def _lines(connection: Connection, work_orders: list[WorkOrderSpecification]) -> dict[str, str]:
    stations = {operation.workstation for own in work_orders for operation in own.operations}
    rows = master_data.by_key(connection, master_data.STATIONS, stations, "code")
    return {row.code: row.line for row in rows}


def _parts(own: WorkOrderSpecification, lines: dict[str, str]) -> Parts:
    """Line and process of a lot: those of the operation that yields it."""
    output = next((operation for operation in reversed(own.operations) if operation.is_output), None)
    if output is None:
        return Parts(1)
    return Parts(1, None, lines.get(output.workstation) or None, output.code)
