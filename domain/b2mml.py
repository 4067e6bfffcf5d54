"""Documents as B2MML version 7 names them: operations performance goes out, operations schedules come in. Pure.

Elements and their enumerations carry the names of the schemas (JSON, one object for each element, a list where the
schema allows several). The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from domain.base import Message
from domain.errors import Blocker
from domain.quantities import plain
from domain.states import OperationState, OrderState

Document = dict[str, Any]
VERSION: Final = "V0701"
RESPONSE_STATE: Final[Mapping[str, str]] = {
    OrderState.DRAFT: "Waiting", OrderState.SUBMITTED: "Waiting", OrderState.APPROVED: "Waiting",
    OrderState.RELEASED: "Ready", OrderState.IN_PROGRESS: "Running", OrderState.HELD: "Held",
    OrderState.COMPLETED: "Completed", OrderState.CLOSED: "Closed", OrderState.CANCELLING: "Aborted",
    OrderState.CANCELLED: "Aborted", OrderState.ABORTED: "Aborted",
}  # fmt: skip
"""State of an order → B2MML ResponseState."""
SEGMENT_STATE: Final[Mapping[str, str]] = {
    OperationState.PENDING: "Waiting", OperationState.READY: "Ready", OperationState.RUNNING: "Running",
    OperationState.PAUSED: "Paused", OperationState.HELD: "Held", OperationState.COMPLETED: "Completed",
}  # fmt: skip
CONSUMED, PRODUCED = "Material Consumed", "Material Produced"


@dataclass(frozen=True)
class MaterialActual:
    """A quantity of a lot that was consumed or produced by an operation."""

    material: str
    lot: str
    use: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True)
class Segment:
    """One operation of a work order, as it was done."""

    work_order: str
    operation: str
    name: str
    workstation: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    materials: tuple[MaterialActual, ...] = ()


@dataclass(frozen=True)
class Performance:
    """What was made of an order."""

    order: str
    plan_line: str
    plant: str
    product: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    segments: tuple[Segment, ...]


def operations_performance(of: Performance, message_id: str, published_at: datetime) -> Document:
    """The OperationsPerformance of one order: one OperationsResponse, a SegmentResponse for each operation."""
    state = RESPONSE_STATE.get(of.state, "Other")
    scope = {"EquipmentID": of.plant, "EquipmentLevel": "Site"}
    response = _present({
        "ID": of.order, "StartTime": _time(of.started_at), "EndTime": _time(of.ended_at), "HierarchyScope": scope,
        "OperationsType": "Production", "OperationsRequestID": [of.plan_line], "OperationsDefinitionID": [of.product],
        "ResponseState": state, "SegmentResponse": [_segment(own) for own in of.segments],
    })  # fmt: skip
    return {"OperationsPerformance": _present({
        "ID": message_id, "Version": VERSION, "PublishedDate": _time(published_at), "HierarchyScope": scope,
        "OperationsType": "Production", "PerformanceState": state, "OperationsResponse": [response],
    })}  # fmt: skip


def _segment(own: Segment) -> Document:
    return _present({
        "ID": f"{own.work_order}/{own.operation}", "Description": [own.name], "ProcessSegmentID": own.operation,
        "ActualStartTime": _time(own.started_at), "ActualEndTime": _time(own.ended_at),
        "SegmentState": SEGMENT_STATE.get(own.state, "Other"),
        "EquipmentActual": [{"EquipmentID": [own.workstation], "EquipmentLevel": "WorkUnit"}],
        "MaterialActual": [
            {
                "MaterialDefinitionID": [actual.material], "MaterialLotID": [actual.lot], "MaterialUse": actual.use,
                "Quantity": [{"QuantityString": plain(actual.quantity), "UnitOfMeasure": actual.unit}],
            }
            for actual in own.materials
        ],
    })  # fmt: skip


def _present(document: Document) -> Document:
    return {name: value for name, value in document.items() if value not in (None, [])}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


# What comes in -------------------------------------------------------------------------------------------------------


class PlannedRequest(Message):
    """One OperationsRequest: what the ERP wants made. Its ID is the reference that makes the plan line once."""

    reference: str
    product: str
    quantity: Decimal
    unit: str
    plant: str
    start_at: str | None = None
    due_at: str | None = None
    batch_number: str | None = None


def planned(document: Any) -> tuple[tuple[PlannedRequest, ...], tuple[Blocker, ...]]:
    """The requests of an OperationsSchedule, and everything that is wrong with its shape."""
    faults: list[Blocker] = []
    schedule = _object(document, "OperationsSchedule", "", faults)
    requests = _list(schedule, "OperationsRequest", "OperationsSchedule", faults)
    found = [_request(own, f"OperationsRequest[{at}]", schedule, faults) for at, own in enumerate(requests)]
    return (() if faults else tuple(own for own in found if own is not None)), tuple(faults)


def _request(request: Any, at: str, schedule: Document, faults: list[Blocker]) -> PlannedRequest | None:
    if not isinstance(request, Mapping):
        faults.append(_fault(at, "no object", "an OperationsRequest"))
        return None
    before = len(faults)
    reference = _text(request, "ID", at, faults)
    if (kind := request.get("OperationsType", "Production")) != "Production":
        faults.append(_fault(f"{at}.OperationsType", str(kind), "Production"))
    scope = request.get("HierarchyScope") or schedule.get("HierarchyScope")
    plant = _text(scope if isinstance(scope, Mapping) else {}, "EquipmentID", f"{at}.HierarchyScope", faults)
    made = [
        (f"{at}.SegmentRequirement[{number}].MaterialRequirement[{line}]", material)
        for number, segment in enumerate(_list(request, "SegmentRequirement", at, faults))
        if isinstance(segment, Mapping)
        for line, material in enumerate(segment.get("MaterialRequirement") or [])
        if isinstance(material, Mapping) and material.get("MaterialUse") in (PRODUCED, "Produced")
    ]
    if len(made) != 1:
        faults.append(_fault(at, f"{len(made)} MaterialRequirement with MaterialUse {PRODUCED}", "exactly one"))
        return None
    place, output = made[0]
    product = _first(output, "MaterialDefinitionID", place, faults)
    quantity, unit = _quantity(output, place, faults)
    lots = output.get("MaterialLotID") or [None]
    if len(faults) > before or quantity is None:
        return None
    return PlannedRequest(
        reference=reference, product=product, quantity=quantity, unit=unit, plant=plant,
        start_at=request.get("StartTime"), due_at=request.get("EndTime"),
        batch_number=lots[0] if isinstance(lots, Sequence) and isinstance(lots[0], str) else None,
    )  # fmt: skip


def _quantity(output: Mapping[str, Any], place: str, faults: list[Blocker]) -> tuple[Decimal | None, str]:
    stated = output.get("Quantity")
    values = [own for own in stated if isinstance(own, Mapping)] if isinstance(stated, list) else []
    if len(values) != 1:
        faults.append(_fault(f"{place}.Quantity", f"{len(values)} quantities", "exactly one"))
        return None, ""
    unit = _text(values[0], "UnitOfMeasure", f"{place}.Quantity[0]", faults)
    text = _text(values[0], "QuantityString", f"{place}.Quantity[0]", faults)
    try:
        quantity = Decimal(text)
        is_fine = quantity.is_finite() and 0 < quantity < 10**18 and "e" not in text.lower()
    except InvalidOperation:
        is_fine = False
    if not is_fine:
        faults.append(_fault(f"{place}.Quantity[0].QuantityString", text, "a decimal above 0, without exponent"))
        return None, unit
    return quantity, unit


def _object(document: Any, name: str, at: str, faults: list[Blocker]) -> Document:
    found = document.get(name) if isinstance(document, Mapping) else None
    if isinstance(found, Mapping):
        return dict(found)
    faults.append(_fault(f"{at}.{name}".lstrip("."), "nothing", "an object"))
    return {}


def _list(document: Mapping[str, Any], name: str, at: str, faults: list[Blocker]) -> list[Any]:
    found = document.get(name)
    if isinstance(found, list) and found:
        return found
    faults.append(_fault(f"{at}.{name}", "nothing", "a list with at least one entry"))
    return []


def _text(document: Mapping[str, Any], name: str, at: str, faults: list[Blocker]) -> str:
    found = document.get(name)
    if isinstance(found, str) and found.strip() == found and 0 < len(found) <= 80:
        return found
    faults.append(_fault(f"{at}.{name}", str(found)[:80] if found is not None else "nothing", "a text"))
    return ""


def _first(document: Mapping[str, Any], name: str, at: str, faults: list[Blocker]) -> str:
    found = document.get(name)
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str) and found[0]:
        return found[0]
    faults.append(_fault(f"{at}.{name}", str(found)[:80] if found is not None else "nothing", "a list of one text"))
    return ""


def _fault(place: str, found: str, required: str) -> Blocker:
    return Blocker(
        code="SCHEMA", entity="message", id=place, found=found, required=required, who_can_fix="sending system"
    )
