"""What has happened to single reports: their inspection, rework, reversal, and the wait for an approval."""

from decimal import Decimal
from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from domain.base import Message
from domain.commands import ReportProduction
from domain.evidence import MeasuredWith
from domain.quantities import Exact
from domain.rework_states import InProcessInspectionEvent, InProcessInspectionState, ReworkEvent, ReworkState
from domain.specification import Characteristic, ReworkMethod


class JudgedValue(Message):
    """A measured value, its exact decimal (none if the text is not a number), the limits and the judgement."""

    name: str
    text: str
    unit: str
    value: Exact | None
    low: Exact | None = None
    high: Exact | None = None
    within_limits: bool
    is_warning: bool = False
    """Within the action limits, outside the warning limits."""
    measured_with: MeasuredWith | None = None
    """Of a laboratory's result, where it was said."""

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Where nothing was said, nothing is written: so older records stay what they were."""
        found: dict[str, Any] = handler(self)
        return {name: value for name, value in found.items() if name not in ("measured_with", "measuredWith") or value}


class InProcessInspectionMoved(Message):
    """An inspection of reported pieces was opened (`event` is none), decided or cancelled.

    `rework` is set when reworked pieces are inspected again.
    """

    kind: Literal["inProcessInspectionMoved"] = "inProcessInspectionMoved"
    work_order: str
    operation: str
    inspection: str
    report_number: str
    event: InProcessInspectionEvent | None
    origin: InProcessInspectionState | None
    target: InProcessInspectionState
    quantity: Exact
    unit: str
    is_output: bool
    failed: Exact = Decimal(0)
    defect: str | None = None
    rework: str | None = None
    lot: str | None = None
    """The lot of the reworked pieces, when they have one of their own; `output_lot` is where good ones go back to."""
    output_lot: str | None = None
    tests: tuple[Characteristic, ...] = ()
    """What quality wants to know of reworked pieces beside the ordinary inspection."""
    test_results: tuple[JudgedValue, ...] = ()

    @property
    def back_to_good(self) -> Decimal:
        """Pieces that the decision makes good; below zero when good ones failed.

        Reported pieces count as good until they fail, reworked ones only when they have passed.
        """
        return self.quantity - self.failed if self.rework else -self.failed


class ReworkMoved(Message):
    """A rework was proposed (`event` is none) for pieces of `lot`, or went on. Good and scrap come with its report."""

    kind: Literal["reworkMoved"] = "reworkMoved"
    work_order: str
    operation: str
    rework: str
    inspection: str
    report_number: str
    lot: str
    event: ReworkEvent | None
    origin: ReworkState | None
    target: ReworkState
    quantity: Exact
    unit: str
    is_output: bool
    good: Exact = Decimal(0)
    scrap: Exact = Decimal(0)
    parent_rework: str | None = None
    """The rework that did not make these pieces good: `lot` is then the lot of that one."""
    own_lot: str | None = None
    """The reworked pieces are this lot from the start on, where the policy says so."""
    material: str = ""
    """Of its own lot."""
    rework_method: ReworkMethod | None = None
    procedure: str = ""
    tests: tuple[Characteristic, ...] = ()
    kept: Exact | None = None
    """Pieces that a cancelled order leaves in a lot of their own."""

    @property
    def is_stock(self) -> bool:
        """Whether the pieces lie at the line as stock of `lot`: what an operation in between makes does not."""
        return self.is_output or self.parent_rework is not None


class ReportReversed(Message):
    """A counter-report: what an earlier report said does not count any more. Both stay in the record."""

    kind: Literal["reportReversed"] = "reportReversed"
    work_order: str
    operation: str
    report_number: str
    reverses: str
    good: Exact
    scrap: Exact
    review_board: Exact
    unit: str
    lot: str
    is_output: bool


class OverReportAsked(Message):
    """A report that passes the order's quantity was taken, and waits for somebody who may allow it."""

    kind: Literal["overReportAsked"] = "overReportAsked"
    number: str
    report: ReportProduction
    over_by: Exact


class OverReportDecided(Message):
    """Allowed or refused; what was allowed follows as a report in the same fact."""

    kind: Literal["overReportDecided"] = "overReportDecided"
    work_order: str
    number: str
    accept: bool
    reported_by: str
