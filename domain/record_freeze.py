"""A work order completed by the master batch record it is made by: what the order keeps is a full copy (MD-01)."""

from decimal import Decimal
from typing import Final

from domain.master_batch_record import ExpectedValue, MasterBatchRecordBody, RecordedOperation
from domain.quantities import plain, rounded
from domain.specification import (
    Characteristic,
    Instruction,
    MaterialLine,
    OperationSpecification,
    RecordVersion,
    WorkOrderSpecification,
)

PLACES: Final = 6
"""Decimals of a calculated tolerance."""


def completed(
    own: WorkOrderSpecification, version: RecordVersion, body: MasterBatchRecordBody
) -> WorkOrderSpecification:
    """The work order with everything that the record adds. What the record does not mention stays as it was."""
    return own.model_copy(
        update={
            "record": version,
            "balance_limit_percent": body.balance_limit_percent,
            "operations": tuple(_operation(one, body.operation(one.code)) for one in own.operations),
            "materials": tuple(_material(line, body) for line in own.materials),
        }
    )


def _operation(own: OperationSpecification, said: RecordedOperation | None) -> OperationSpecification:
    if said is None:
        return own
    instructions = sorted(said.instructions, key=lambda one: one.number)
    return own.model_copy(
        update={
            "instructions": tuple(Instruction(number=one.number, text=dict(one.text)) for one in instructions),
            "parameters": _parameters(own.parameters, said.expected_values),
            "equipment_class": said.equipment_class,
            "room": said.room,
            "clearance": said.clearance,
            "training": said.training,
            "verified": said.verified,
            "longest_wait_seconds": said.longest_wait_seconds,
            "yield_low_percent": said.yield_low_percent,
            "yield_high_percent": said.yield_high_percent,
            "rework_forbidden": not said.rework_allowed,
            "print_check_seconds": said.print_check_seconds,
            "recovery_allowed": said.recovery_allowed,
        }
    )


def _parameters(known: tuple[Characteristic, ...], said: tuple[ExpectedValue, ...]) -> tuple[Characteristic, ...]:
    """The route's parameters in their order, completed; then those that only the record has."""
    expected = {value.name: value for value in said}
    merged = [merged_value(own, expected.pop(own.name, None)) for own in known]
    return (*merged, *(merged_value(Characteristic(name=own.name, unit=own.unit), own) for own in expected.values()))


def merged_value(own: Characteristic, said: ExpectedValue | None) -> Characteristic:
    """A parameter with what the record says about it; a limit that the record leaves open stays the route's."""
    if said is None:
        return own
    return own.model_copy(
        update={
            "target": said.target,
            "warning_low": said.warning_low,
            "warning_high": said.warning_high,
            "low": own.low if said.low is None else said.low,
            "high": own.high if said.high is None else said.high,
            "required": own.required or said.required,
            "critical": own.critical or said.critical,
            "second_check": said.second_check,
        }
    )


def _material(line: MaterialLine, body: MasterBatchRecordBody) -> MaterialLine:
    said = next((own for own in body.materials if own.line == line.line), None)
    if said is None:
        return line
    line = line.model_copy(update={"balance_limit_percent": said.balance_limit_percent, "printed": said.printed})
    if said.weighing_tolerance_percent is None:
        return line
    tolerance = rounded(line.quantity * said.weighing_tolerance_percent / 100, PLACES)
    return line.model_copy(
        update={
            "weighing_tolerance": Decimal(plain(tolerance.normalize())),
            "assay": said.assay,
            "water": said.water,
            "reserve_percent": said.reserve_percent,
        }
    )
