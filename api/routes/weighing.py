"""Weighing and dispensing: weigh into containers, print their labels, stage them together, charge the complete set."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Response
from pydantic import Field

from adapters.printing import container_label
from adapters.printing.label_sheet import Format
from api import weighing
from api.commands import WORK_ORDER, perform
from api.deps import Reading, Who, With
from api.errors import not_found
from api.openapi import LATER
from api.routes.labels import MEDIA_TYPES, label_refused
from api.routes.work_orders import read
from api.routing import Router
from api.shapes import MAX_INT, Identifier, ReasonedBody, ScanBody
from db.queries import containers
from domain import commands as c
from domain.gs1 import Gs1Refused

router = Router(tags=["weighing"])
_WORK_ORDER: Final = "/mes/work-orders/{work_order_id}"
Weight = Annotated[str, Field(min_length=1, max_length=40)]


class WeighBody(ScanBody):
    """A weighing. Without `tare` and `gross` the connected scale is read; with them a second person signs."""

    line: Annotated[int, Field(ge=0, le=MAX_INT)]
    scale: Identifier
    unit: Annotated[str, Field(min_length=1, max_length=40)]
    tare: Weight | None = None
    gross: Weight | None = None
    more_follows: bool = False


class StageBody(ScanBody):
    """Where all containers of the batch are put."""

    place: Identifier


@router.get(f"{_WORK_ORDER}/weighing")
def overview(work_order_id: UUID, having: With) -> dict[str, Any]:
    """What is weighed for a work order: per line what is needed, what is there, what is missing; all containers."""
    found = read(having, WORK_ORDER, work_order_id, weighing.overview)
    with having.engine.connect() as connection:
        return found | {"containers": containers.of_work_order(connection, found["workOrder"])}


@router.post(f"{_WORK_ORDER}/operations/{{code}}/weighings", responses=LATER)
async def weigh(work_order_id: UUID, code: Identifier, body: WeighBody, who: Who) -> Response:
    """Weigh material of one line into a new container; its lot is what was scanned.

    Command `weighMaterial`, for: operator, warehouseKeeper. The result names the `container`.
    """
    return await perform(who, c.WeighMaterial, WORK_ORDER, work_order_id, body, operation=code)


@router.post(f"{_WORK_ORDER}/containers/stage", responses=LATER)
async def stage(work_order_id: UUID, body: StageBody, who: Who) -> Response:
    """Put all containers of the batch together; every one of them is scanned.

    Command `stageContainers`, for: operator, warehouseKeeper.
    """
    return await perform(who, c.StageContainers, WORK_ORDER, work_order_id, body)


@router.post(f"{_WORK_ORDER}/operations/{{code}}/charge", responses=LATER)
async def charge(work_order_id: UUID, code: Identifier, body: ScanBody, who: Who) -> Response:
    """Put the material of an operation in: all its containers, and its other lots where the policy asks for scans.

    Command `chargeMaterials`, for: operator.
    """
    return await perform(who, c.ChargeMaterials, WORK_ORDER, work_order_id, body, operation=code)


@router.post(f"{_WORK_ORDER}/containers/{{container}}/void", responses=LATER)
async def void(work_order_id: UUID, container: Identifier, body: ReasonedBody, who: Who) -> Response:
    """Empty a container that is not charged. Command `voidContainer`, for: supervisor."""
    return await perform(who, c.VoidContainer, WORK_ORDER, work_order_id, body, container=container)


@router.get("/wms/containers/{container}")
def one(container: Identifier, reading: Reading) -> dict[str, Any]:
    """One container with everything that the scale said."""
    found = containers.find(reading, container)
    if found is None:
        raise not_found("container", container)
    return found


@router.get(
    "/wms/containers/{container}/label",
    response_class=Response,
    responses={200: {"content": {media: {} for media in MEDIA_TYPES.values()}, "description": "The label, A6."}},
)
def label(container: Identifier, reading: Reading, format: Format = "pdf") -> Response:
    """The label of a dispensed container: material, lot, net, batch, product, dispenser, time, and a GS1 DataMatrix."""
    found = containers.label(reading, container)
    if found is None:
        raise not_found("container", container)
    try:
        content = container_label.draw(found, format)
    except Gs1Refused as refused:
        raise label_refused("container", container, refused) from None
    return Response(content, media_type=MEDIA_TYPES[format])
