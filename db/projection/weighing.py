"""Rows of dispensed containers. The moves are the warehouse's own. Importing this registers them."""

from typing import Any

from db import tables as t
from db.projection.events import Context, project
from domain import weighing_events as w
from domain.base import uuid_for
from domain.container_states import ContainerState

CONTAINERS = t.core(t.DispensedContainer)
_ONLY_ASKED = (ContainerState.ASKED, ContainerState.REFUSED)


@project.register
def _(event: w.WeighingAsked, context: Context) -> None:
    own = event.request
    new = own.model_dump(mode="json", by_alias=True, exclude_none=True)
    context.audit("container.ask", f"container/{event.number}", new=new)


@project.register
def _(event: w.ScaleRead, context: Context) -> None:
    new = event.reading.model_dump(mode="json", by_alias=True)
    context.audit("container.read", f"container/{event.number}", new=new)


@project.register
def _(event: w.MaterialWeighed, context: Context) -> None:
    own, fact = event.weighing, context.fact
    columns = own.model_dump(
        include={
            "number", "operation", "line", "material", "lot", "unit", "scale", "certificate", "calibration_due_at",
            "read_at", "tare_text", "gross_text", "tare", "gross", "net", "target", "low", "high",
        }
    )  # fmt: skip
    potency = None if own.potency is None else own.potency.model_dump(mode="json", by_alias=True)
    context.batch.insert(
        CONTAINERS, **columns, uuid=uuid_for("container", own.number), work_order=event.work_order,
        state=str(ContainerState.WEIGHED), source=own.weighed_from, potency=potency, weighed_by=fact.actor,
        weighed_at=fact.at, verified_by=own.second_person,
    )  # fmt: skip
    context.transition("container", own.number, "confirm", ContainerState.ASKED, ContainerState.WEIGHED)
    new = own.model_dump(mode="json", by_alias=True, exclude_none=True) | {"workOrder": event.work_order}
    context.audit("lot.weigh", f"lot/{own.lot}", new=new)


@project.register
def _(event: w.ContainerMoved, context: Context) -> None:
    place = event.place if event.target == ContainerState.STAGED else None
    context.transition("container", event.number, event.event, event.origin, event.target, place=place)
    if event.origin in _ONLY_ASKED:
        return  # nothing was weighed: there is no container
    context.batch.update(CONTAINERS, {"number": event.number}, state=str(event.target), **_step(event, context))


def _step(event: w.ContainerMoved, context: Context) -> dict[str, Any]:
    fact = context.fact
    match event.target:
        case ContainerState.STAGED:
            return {"place": event.place, "staged_by": fact.actor, "staged_at": fact.at}
        case ContainerState.CHARGED:
            return {"charged_by": fact.actor, "charged_at": fact.at}
        case ContainerState.VOIDING:
            return {"voided_by": fact.actor, "void_reason": event.reason}
        case ContainerState.WEIGHED:
            return {"voided_by": None, "void_reason": None}
        case _:
            return {}


@project.register
def _(event: w.MaterialsCharged, context: Context) -> None:
    new = {"containers": list(event.containers), "lots": list(event.lots)}
    context.audit("operation.charge", f"operation/{event.work_order}/{event.operation}", new=new)
