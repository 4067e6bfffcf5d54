"""Material balance: what was issued is consumed, returned, sampled, scrapped, or is a difference that is explained.

Per material and stage (CN 187, MT-09): issued = consumed + returned + sampled + scrapped + difference. The difference
is what a count at the line has shown. Beyond the limit of the material it is a deviation, and nobody certifies the
batch before that is decided. Printed packaging material is reconciled piece by piece (CN 215, EB-09): what was used of
it is counted, never taken for granted.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain import material_events as m
from domain.commands import CountMaterials, TakeSample
from domain.errors import Blocker
from domain.process import Operation, Process, WorkOrder
from domain.quantities import plain, rounded
from domain.rules.common import Events, check, find_operation, find_work_order, order_is_worked_on, reason_missing
from domain.rules.line_side import LineStock, line_stock, may_move_at_line, not_on_line
from domain.rules.order_deviations import deviation
from domain.specification import MaterialLine, WorkOrderSpecification
from domain.states import OperationState, WorkOrderState

OUT_OF_LIMIT = "MATERIAL_BALANCE_OUT_OF_LIMIT"
NOT_RECONCILED = "RECONCILIATION_OUT_OF_LIMIT"
"""The same of printed packaging material."""
_MADE = (OperationState.RUNNING, OperationState.PAUSED, OperationState.HELD, OperationState.COMPLETED)


@dataclass(frozen=True)
class Balance:
    """The sums of one material at one stage, in `unit`; `limit` is in percent of what was issued, either way."""

    operation: str
    material: str
    unit: str
    issued: Decimal
    consumed: Decimal
    returned: Decimal
    sampled: Decimal
    scrapped: Decimal
    difference: Decimal
    at_line: Decimal
    limit: Decimal | None = None
    printed: bool = False

    @property
    def accounted(self) -> Decimal | None:
        """Percent of what was issued that is accounted for; none when nothing was issued."""
        return None if self.issued == 0 else (self.issued - self.difference) / self.issued * 100

    @property
    def is_outside(self) -> bool:
        """Whether the difference is beyond the limit; at the limit it is not."""
        return self.limit is not None and abs(self.difference) * 100 > self.limit * self.issued

    @property
    def code(self) -> str:
        """The deviation of a difference beyond the limit."""
        return NOT_RECONCILED if self.printed else OUT_OF_LIMIT

    @property
    def story(self) -> str:
        """The figures in words: `10500 pcs issued = 10010 consumed + … + 2 difference (99.981 % accounted for)`."""
        parts = {
            "consumed": self.consumed, "returned": self.returned, "sampled": self.sampled, "scrapped": self.scrapped,
            "at the line": self.at_line, "difference": self.difference,
        }  # fmt: skip
        named = [f"{plain(quantity)} {what}" for what, quantity in parts.items() if quantity or what == "difference"]
        percent = "" if self.accounted is None else f" ({plain(rounded(self.accounted, 3))} % accounted for)"
        return f"{plain(self.issued)} {self.unit} issued = {' + '.join(named)}{percent}"


def balances(process: Process, work_order: WorkOrder) -> tuple[Balance, ...]:
    """The balance of every material at every stage, in the order of the pick list."""
    specification = process.specification.work_order(work_order.number)
    groups: dict[tuple[str, str, str], list[LineStock]] = {}
    for own in line_stock(process, work_order):
        groups.setdefault((own.operation, own.material, own.unit), []).append(own)
    return tuple(_balance(specification, key, stock) for key, stock in groups.items())


def _balance(specification: WorkOrderSpecification, key: tuple[str, str, str], stock: list[LineStock]) -> Balance:
    def total(name: str) -> Decimal:
        return sum((getattr(own, name) for own in stock), Decimal(0))

    numbers = {own.line for own in stock}
    lines = [line for line in specification.materials if line.line in numbers]
    operation, material, unit = key
    return Balance(
        operation=operation, material=material, unit=unit, issued=total("issued"), consumed=total("consumed"),
        returned=total("returned"), sampled=total("sampled"), scrapped=total("scrapped"),
        difference=total("difference"), at_line=total("at_line"), limit=limit_of(specification, lines),
        printed=any(line.printed for line in lines),
    )  # fmt: skip


def limit_of(specification: WorkOrderSpecification, lines: list[MaterialLine]) -> Decimal | None:
    """The narrowest limit of these lines; without one of their own, the one of the whole record."""
    own = [line.balance_limit_percent for line in lines if line.balance_limit_percent is not None]
    return min(own, default=specification.balance_limit_percent)


def balance_documents(process: Process, work_order: WorkOrder) -> list[dict[str, Any]]:
    """The balances for people: quantities as text, the limit in percent of what was issued, the deviation if any."""
    outside = {} if work_order.pick_list is None else work_order.pick_list.outside
    return [_document(own, outside.get(f"{own.operation}/{own.material}")) for own in balances(process, work_order)]


def _document(own: Balance, deviation_number: str | None) -> dict[str, Any]:
    figures = {
        "issued": own.issued, "consumed": own.consumed, "returned": own.returned, "sampled": own.sampled,
        "scrapped": own.scrapped, "difference": own.difference, "atLine": own.at_line,
    }  # fmt: skip
    return {
        "operation": own.operation, "material": own.material, "unit": own.unit,
        **{name: plain(value) for name, value in figures.items()},
        "accountedPercent": None if own.accounted is None else plain(rounded(own.accounted, 3)),
        "limitPercent": None if own.limit is None else plain(own.limit), "isOutside": own.is_outside,
        "isPrinted": own.printed, "deviation": deviation_number,
    }  # fmt: skip


# Counts --------------------------------------------------------------------------------------------------------------


def count_materials(process: Process, command: CountMaterials) -> Events:
    """What really lies at the line: the rest of what should is a difference, which somebody has to explain."""
    work_order, _ = find_work_order(process, command.work_order)
    stock = {(own.line, own.lot): own for own in line_stock(process, work_order)}
    blockers = may_move_at_line(process, work_order)
    if not blockers:
        blockers = not_on_line(command.lines, stock.values())
    check(blockers)
    counted = tuple(_counted(stock[line.line, line.lot], line.quantity) for line in command.lines)
    if any(line.difference for line in counted):
        check(reason_missing(command.reason, "work order", work_order.number))
    trial = work_order.model_copy(deep=True)
    assert trial.pick_list is not None
    for line in counted:
        trial.pick_list.use(line.line, line.lot).difference += line.difference
    touched = {(stock[line.line, line.lot].operation, line.material) for line in counted if line.difference}
    outside = [own for own in balances(process, trial) if own.is_outside and (own.operation, own.material) in touched]
    opened = tuple(
        deviation(process, own.code, _detail(own), work_order.number, offset=offset)
        for offset, own in enumerate(outside)
    )
    event = m.MaterialsCounted(
        work_order=work_order.number,
        lines=counted,
        outside=tuple(
            m.OutsideBalance(operation=own.operation, material=own.material, deviation=one.number)
            for own, one in zip(outside, opened, strict=True)
        ),
    )
    return (event, *opened)


def _counted(own: LineStock, quantity: Decimal) -> m.CountedLine:
    return m.CountedLine(
        line=own.line, material=own.material, lot=own.lot, unit=own.unit, counted=quantity,
        difference=own.rest - quantity,
    )  # fmt: skip


def _detail(own: Balance) -> str:
    limit = "" if own.limit is None else plain(own.limit)
    return f"{own.material} at {own.operation}: {own.story}, limit ± {limit} %"


def balance_open(process: Process, work_order: WorkOrder) -> list[Blocker]:
    """A blocker for each material whose difference is beyond its limit and whose deviation is not decided."""
    pick_list = work_order.pick_list
    if pick_list is None or not pick_list.outside:
        return []
    return [
        Blocker(
            code=own.code, entity="material", id=own.material, found=f"at {own.operation}: {own.story}",
            required=f"at most ± {plain(own.limit or Decimal(0))} % of what was issued, or the decision of {number}",
            who_can_fix="qaReviewer",
        )
        for own in balances(process, work_order)
        if own.is_outside
        and (number := pick_list.outside.get(f"{own.operation}/{own.material}")) is not None
        and process.deviations.get(number) == "open"
    ]  # fmt: skip


# Samples -------------------------------------------------------------------------------------------------------------


def take_sample(process: Process, command: TakeSample) -> Events:
    """A quantity is taken for a test: of issued material at the line, or of what the operation has made."""
    operation, _ = find_operation(process, command.work_order, command.operation)
    work_order, specification = find_work_order(process, command.work_order)
    if command.line is None or command.lot is None:
        return _sample_of_pieces(process, work_order, operation, command, specification)
    stock = {(own.line, own.lot): own for own in line_stock(process, work_order) if own.operation == operation.code}
    blockers = may_move_at_line(process, work_order)
    if not blockers:
        blockers = not_on_line((command.as_line(),), stock.values(), most=True)
    check(blockers)
    own = stock[command.line, command.lot]
    return (
        m.SampleTaken(
            work_order=work_order.number, operation=operation.code, line=own.line, material=own.material, lot=own.lot,
            quantity=command.quantity, unit=own.unit, purpose=command.purpose, is_stock=True,
        ),
    )  # fmt: skip


def _sample_of_pieces(
    process: Process,
    work_order: WorkOrder,
    operation: Operation,
    command: TakeSample,
    specification: WorkOrderSpecification,
) -> Events:
    identity = f"{work_order.number}/{operation.code}"
    free = sampleable(process, work_order, operation)
    blockers = order_is_worked_on(process)
    if operation.state not in _MADE or work_order.state not in (WorkOrderState.RUNNING, WorkOrderState.INSPECTING):
        found = f"{operation.state}, work order {work_order.state}"
        required = "an operation that has begun, of a batch that is not put away"
        blockers.append(_blocker("NOTHING_TO_SAMPLE", "operation", identity, found, required))
    if command.unit != specification.unit:
        blockers.append(_blocker("UNIT_MISMATCH", "operation", identity, command.unit, specification.unit))
    elif command.quantity > free:
        found = f"{plain(command.quantity)} {command.unit}"
        required = f"at most {plain(free)} good pieces that nobody has taken on"
        blockers.append(_blocker("MORE_THAN_GOOD", "operation", identity, found, required))
    check(blockers)
    own = specification.operation(operation.code)
    return (
        m.SampleTaken(
            work_order=work_order.number, operation=operation.code, material=specification.material,
            lot=specification.output_lot, quantity=command.quantity, unit=command.unit, purpose=command.purpose,
            is_stock=own is not None and own.is_output,
        ),
    )  # fmt: skip


def sampleable(process: Process, work_order: WorkOrder, operation: Operation) -> Decimal:
    """Good pieces of an operation that no later one has taken on."""
    specification = process.specification.work_order(work_order.number)
    later = [own for own in specification.operations if operation.code in own.predecessors and own.counts_pieces]
    taken = max((work_order.operations[own.code].reported for own in later), default=Decimal(0))
    return max(operation.good - taken, Decimal(0))


def _blocker(code: str, entity: str, identity: str, found: str, required: str) -> Blocker:
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix="operator")


def also_possible(process: Process, work_order: WorkOrder, operation: str | None) -> list[str]:
    """Counts and samples: possible, but nothing that the order waits for."""
    names: list[str] = []
    if not may_move_at_line(process, work_order):
        names.append("countMaterials")
    if operation in work_order.operations:
        own = work_order.operations[operation]
        at_line = any(s.operation == operation and s.rest > 0 for s in line_stock(process, work_order))
        has_made = own.state in _MADE and sampleable(process, work_order, own) > 0
        in_time = work_order.state in (WorkOrderState.RUNNING, WorkOrderState.INSPECTING)
        if not order_is_worked_on(process) and (at_line or (has_made and in_time)):
            names.append("takeSample")
    return names
