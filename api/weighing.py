"""What is weighed for a work order, as people at the scale see it: made from the order's folded state."""

from typing import Any

from api.history import Folded
from domain.quantities import plain, shortest, total
from domain.rules.weighing import containers_of, weighed_lines
from domain.weighing import needed

Document = dict[str, Any]


def overview(folded: Folded, number: str) -> Document:
    """Per weighed line what is needed and what its containers hold; quantities are theoretical ones, in `unit`."""
    process = folded.process
    work_order, specification = process.work_order(number)
    lines: list[Document] = []
    for line in weighed_lines(process, number):
        assert line.weighing_tolerance is not None
        there = total(own.equivalent for own in containers_of(work_order, [line]))
        of = needed(line.quantity, line.weighing_tolerance, None)
        lines.append(
            {
                "line": line.line, "material": line.material, "unit": line.unit, "operation": line.operation,
                "theoretical": plain(line.quantity), "low": shortest(of.low), "high": shortest(of.high),
                "weighed": shortest(there), "missing": shortest(max(line.quantity - there, line.quantity * 0)),
                "isComplete": of.low <= there <= of.high, "assay": line.assay or None, "water": line.water or None,
            }
        )  # fmt: skip
    return {"workOrder": number, "batch": specification.output_lot, "lines": lines}
