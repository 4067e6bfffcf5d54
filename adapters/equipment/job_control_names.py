"""What a driver and the press both know of OPC 10031-4: the namespace, and how a job order and a response travel.

The types come from the server's own node set and exist in the library once they were loaded, so they are looked up when
they are used. Quantities travel as decimal text.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from asyncua import ua
from pydantic import ValidationError

from adapters.equipment.job_orders import TEXT, JobOrderState
from adapters.equipment.opcua_names import utc
from adapters.equipment.port import JobSpec, JobState, JobView
from domain.quantities import exact, plain

NAMESPACE: Final = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"
RECEIVER_TYPE: Final = 1002
PROVIDER_TYPE: Final = 1003
PRODUCED: Final = "Material Produced"
REJECTED: Final = "RejectedQuantity"
LAST_READING: Final = "LastReading"
"""Data of a job response beside the produced material: pieces that the machine rejected, its newest reading."""

_VIEW: Final = {
    JobOrderState.NOT_ALLOWED_TO_START: JobState.LOADED, JobOrderState.ALLOWED_TO_START: JobState.LOADED,
    JobOrderState.RUNNING: JobState.RUNNING, JobOrderState.INTERRUPTED: JobState.PAUSED,
    JobOrderState.ENDED: JobState.ENDED, JobOrderState.ABORTED: JobState.ABORTED,
}  # fmt: skip


def job_order(spec: JobSpec) -> Any:
    """A job as a job order: the product is its work master, the batch the lot of the material that it produces."""
    order = ua.ISA95JobOrderDataType()  # type: ignore[attr-defined]  # made from the node set
    order.JobOrderID = spec.job_id
    order.Description = [ua.LocalizedText(spec.order_number)]
    master = ua.ISA95WorkMasterDataType()  # type: ignore[attr-defined]
    master.ID = spec.product
    order.WorkMasterID = [master]
    order.JobOrderParameters = [_parameter(name, value) for name, value in sorted(spec.parameters.items())]
    order.MaterialRequirements = [_material(spec.product, spec.batch, spec.target_quantity, spec.unit)]
    return order


def empty_order(job_id: str) -> Any:
    """A job order that nothing can be made from: it keeps its id taken."""
    order = ua.ISA95JobOrderDataType()  # type: ignore[attr-defined]
    order.JobOrderID = job_id
    return order


def spec_of(order: Any) -> JobSpec | None:
    """The job of a job order, or None for one that does not say what is to be made of which lot."""
    materials = order.MaterialRequirements or []
    wanted = [own for own in materials if own.MaterialUse == PRODUCED]
    if len(wanted) != 1 or not order.WorkMasterID:
        return None
    (made,) = wanted
    try:
        return JobSpec(
            job_id=order.JobOrderID,
            order_number=(order.Description or [ua.LocalizedText("")])[0].Text or "",
            batch=made.MaterialLotID or "",
            product=made.MaterialDefinitionID or "",
            target_quantity=exact(str(made.Quantity)),
            unit=made.EngineeringUnits.DisplayName.Text if made.EngineeringUnits else "",
            parameters={own.ID: str(own.Value.Value) for own in order.JobOrderParameters or []},
        )
    except (ValidationError, ValueError, AttributeError):
        return None


def states(state: JobOrderState) -> list[Any]:
    """A state of a job order as it travels; without sub-states."""
    found = ua.ISA95StateDataType()  # type: ignore[attr-defined]
    found.BrowsePath = ua.RelativePath()  # a null fails to encode
    found.StateText, found.StateNumber = ua.LocalizedText(TEXT[state]), ua.UInt32(int(state))
    return [found]


def order_and_state(order: Any, state: JobOrderState) -> Any:
    """An entry of the list of job orders."""
    found = ua.ISA95JobOrderAndStateDataType()  # type: ignore[attr-defined]
    found.JobOrder, found.State = order, states(state)
    return found


def response(view: JobView, state: JobOrderState, spec: JobSpec | None) -> Any:
    """How a job stands, as a job response."""
    found = ua.ISA95JobResponseDataType()  # type: ignore[attr-defined]
    found.JobResponseID = found.JobOrderID = view.job_id
    found.StartTime, found.EndTime = view.started_at, view.ended_at
    found.JobState = states(state)
    if spec is not None:
        found.MaterialActuals = [_material(spec.product, spec.batch, view.good, spec.unit)]
    data = {REJECTED: plain(view.waste), LAST_READING: str(view.last_sequence)}
    found.JobResponseData = [_parameter(name, value) for name, value in data.items()]
    return found


def empty_response() -> Any:
    """What is answered beside an error."""
    found = ua.ISA95JobResponseDataType()  # type: ignore[attr-defined]
    found.JobResponseID = found.JobOrderID = ""
    found.JobState = []
    return found


def view_of(found: Any) -> JobView:
    """A job response as a view. Raises `ValueError` where the standard is not kept."""
    numbers = [own.StateNumber for own in found.JobState if not (own.BrowsePath and own.BrowsePath.Elements)]
    if len(numbers) != 1:
        raise ValueError(f"{len(numbers)} top states of job {found.JobOrderID}")
    data: Mapping[str, str] = {own.ID: str(own.Value.Value) for own in found.JobResponseData or []}
    return JobView(
        job_id=found.JobOrderID,
        state=_VIEW[JobOrderState(numbers[0])],
        good=_produced(found.MaterialActuals or []),
        waste=exact(data.get(REJECTED, "0")),
        started_at=_utc(found.StartTime),
        ended_at=_utc(found.EndTime),
        last_sequence=int(data.get(LAST_READING, "0")),
    )


def state_number(found: Any) -> JobOrderState:
    """The top state of an entry of the list of job orders, or of a response."""
    own = found.State if hasattr(found, "State") else found.JobState
    return JobOrderState(next(one.StateNumber for one in own if not (one.BrowsePath and one.BrowsePath.Elements)))


def _produced(materials: Sequence[Any]) -> Decimal:
    amounts = (exact(str(own.Quantity)) for own in materials if own.MaterialUse == PRODUCED and own.Quantity)
    return sum(amounts, Decimal(0))


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else utc(moment)


def _parameter(name: str, value: str) -> Any:
    own = ua.ISA95ParameterDataType()  # type: ignore[attr-defined]
    own.ID, own.Value = name, ua.Variant(value, ua.VariantType.String)
    return own


def _material(product: str, batch: str, quantity: Decimal, unit: str) -> Any:
    own = ua.ISA95MaterialDataType()  # type: ignore[attr-defined]
    own.MaterialDefinitionID, own.MaterialLotID, own.MaterialUse = product, batch, PRODUCED
    own.Quantity = plain(quantity)
    own.EngineeringUnits = ua.EUInformation(DisplayName=ua.LocalizedText(unit))
    return own
