"""What we ask of a quality system (QMS, LIMS), whichever it is.

Every write carries a `key`, as in `adapters.inventory.port`. Inspections of work orders are requested and cancelled
here; their results and decision come through the order's own process, so `enter_results` and `decide` refuse them.
Every method may raise `AdapterRefused`, `AdapterUnreachable` and `AdapterUnknown` and nothing else.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from domain.base import Message
from domain.commands import Measurement
from domain.events import JudgedValue
from domain.quality_cases import CaseDisposition
from domain.quantities import Exact
from domain.specification import Characteristic
from domain.states import InspectionState, LotStatus


class InspectionTicket(Message):
    """An inspection that was requested: its number, and what is to be measured."""

    number: str
    characteristics: tuple[Characteristic, ...]


class ResultsAnswer(Message):
    """Results with their judgement, the inspection's state after them, and the deviations that they opened."""

    number: str
    state: InspectionState
    results: tuple[JudgedValue, ...]
    deviations: tuple[str, ...] = ()


class SampleAnswer(Message):
    """What was taken of a received lot for an inspection, and where it lay."""

    number: str
    lot: str
    quantity: Exact
    unit: str
    place: str
    left: Exact
    """What still lies there."""


class DecisionAnswer(Message):
    """The decision on a received lot; `moves` stock moves followed from it."""

    number: str
    state: InspectionState
    lot: str
    lot_status: LotStatus
    moves: int


class CancelAnswer(Message):
    """The state in which the inspection is now; none if there never was one. One that was decided stays decided."""

    number: str
    state: InspectionState | None


class DeviationAnswer(Message):
    """The number of a deviation; `has_process` when a process of its own has to lead it."""

    number: str
    has_process: bool = False


class LotAnswer(Message):
    """The status that a lot has after the decision about its deviation."""

    lot: str
    lot_status: LotStatus


class Quality(Protocol):
    """A quality system: inspections of lots, and deviations."""

    def request_inspection(
        self,
        lot: str,
        material: str,
        work_order: str | None,
        characteristics: Sequence[Characteristic] | None,
        *,
        key: str,
        actor: str,
    ) -> InspectionTicket:
        """A new inspection of a lot, by the material's inspection plan if no characteristics are given.

        Refuses UNKNOWN_LOT and LOT_MISMATCH (the lot is of another material) for received lots.
        """
        ...

    def take_sample(
        self, number: str, quantity: Decimal, unit: str, place: str, *, key: str, actor: str
    ) -> SampleAnswer:
        """Take a sample of the lot of an inspection that is not decided: it leaves the stock at `place`.

        Refuses UNKNOWN_INSPECTION, OWNED_BY_ORDER, INSPECTION_DECIDED, UNIT_MISMATCH and NOT_THERE.
        """
        ...

    def enter_results(self, number: str, values: Sequence[Measurement], *, key: str, actor: str) -> ResultsAnswer:
        """Store all results of a received lot at once. One outside its limits blocks the lot and opens a deviation.

        A value that differs from an earlier result of the same lot opens a deviation too; neither is overwritten.
        Refuses UNKNOWN_INSPECTION, OWNED_BY_ORDER, INVALID_TRANSITION and RESULTS_REFUSED (its blockers say why).
        """
        ...

    def decide(
        self,
        number: str,
        accept: bool,
        *,
        key: str,
        actor: str,
        reason: str | None = None,
        retest_on: date | None = None,
    ) -> DecisionAnswer:
        """The second person's decision: the lot is released and moved to raw stock, or rejected and moved away.

        Refuses UNKNOWN_INSPECTION, OWNED_BY_ORDER, INVALID_TRANSITION (an out-of-specification lot is never
        accepted; a lot on hold is decided elsewhere) and SEPARATION_OF_DUTIES. A lot that passes its retest gets
        the next date, `retest_on`, or none.
        """
        ...

    def cancel_inspection(self, number: str, *, key: str, actor: str) -> CancelAnswer:
        """Compensation: the inspection is not needed any more. Harmless if there is none, or if it is decided."""
        ...

    def open_deviation(
        self,
        code: str,
        detail: str,
        lot: str | None,
        order_number: str | None,
        *,
        key: str,
        actor: str,
        equipment: str | None = None,
    ) -> DeviationAnswer:
        """Open a deviation on a lot, an order, a piece of equipment. Refuses SUBJECT_MISSING if it names none."""
        ...

    def settle_lot(
        self, lot: str, deviation: str, standing: str, disposition: CaseDisposition | None, *, key: str
    ) -> LotAnswer:
        """What a deviation's process decided about a lot: held again when reopened, else freed, or rejected.

        A lot that another open deviation holds stays on hold; one that is not on hold is left as it is.
        """
        ...

    def find(self, key: str) -> dict[str, Any] | None:
        """The answer that was given under the key, as JSON; none if nothing happened under it."""
        ...
