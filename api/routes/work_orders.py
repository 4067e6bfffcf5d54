"""Work orders: read one, start and pause it and its operations, inspect, put away, certify, release."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import Field

from api import documents, impossible
from api.commands import ORDER, WORK_ORDER, perform
from api.deps import Services, Who, With
from api.errors import Problem, not_found
from api.history import Folded
from api.openapi import LATER, of_command
from api.permissions import DIRECT
from api.routing import Router
from api.shapes import (
    MAX_INT,
    Body,
    CommandBody,
    DecisionBody,
    Identifier,
    NotNegative,
    Positive,
    ReasonedBody,
    ResultsBody,
    ScanBody,
)
from db.queries import signatures
from db.queries.marking import marked
from db.session import reading
from domain import commands as c
from domain.pictures import Language

router = Router(prefix="/mes/work-orders", tags=["work orders"])


class PutAwayBody(ScanBody):
    """Where to; everything good when no quantity is given."""

    place: Identifier
    quantity: Positive | None = None


class UsedBody(Body):
    """What an operation used of an issued lot."""

    line: Annotated[int, Field(ge=0, le=MAX_INT)]
    lot: Identifier
    quantity: NotNegative
    unit: Annotated[str, Field(min_length=1, max_length=40)]


class CompleteBody(CommandBody):
    """Without `consumed` all that lies at the line for the operation was used; with it, exactly that."""

    consumed: tuple[UsedBody, ...] | None = Field(default=None, max_length=200)


class PlaceBody(CommandBody):
    """Where to."""

    place: Identifier


@router.get("/{work_order_id}")
def detail(work_order_id: UUID, having: With) -> dict[str, Any]:
    """One work order as it stands in the record, with its signatures."""
    found = read(having, WORK_ORDER, work_order_id, documents.work_order)
    with having.engine.connect() as connection:
        return found | {"signatures": signatures.of_batch(connection, found["number"])}


@router.get("/{work_order_id}/material-balance")
def material_balance(work_order_id: UUID, having: With) -> dict[str, Any]:
    """What was issued and what became of it, by line and lot and by material: consumed, returned, scrapped, difference.

    The difference lies at the line. `balanced` is true when there is none.
    """
    return read(
        having, WORK_ORDER, work_order_id, lambda folded, number: documents.material_balance(folded.process, number)
    )


def read(having: Services, what: str, identity: UUID, show: Any) -> dict[str, Any]:
    """`show(folded, work order number)` of the object of that uuid."""
    target = having.target(what, identity)
    if target is None or target.work_order is None:
        raise not_found(what.replace("-", " "), identity)
    with (
        reading(having.engine) as connection,
        having.histories.current(connection, target.order_number) as folded,
    ):
        if folded is None:
            raise not_found(what.replace("-", " "), identity)
        found: dict[str, Any] = marked(connection, show(folded, target.work_order))
        return found


@router.get("/{work_order_id}/operations/{code}/instructions")
def instructions(work_order_id: UUID, code: Identifier, having: With, language: Language = "en") -> dict[str, Any]:
    """What to do at an operation, from the order's own copy of the master batch record, with its version and hash."""

    def show(folded: Folded, number: str) -> dict[str, Any]:
        _, specification = folded.process.work_order(number)
        operation = specification.operation(code)
        if operation is None:
            raise not_found("operation", f"{number}/{code}")
        return documents.instructions(specification, operation, language)

    return read(having, WORK_ORDER, work_order_id, show)


@router.post("/from-order/{order_id}")
def from_order(order_id: UUID, who: Who) -> list[dict[str, Any]]:
    """The work orders of an order. They are made with the order, from its bill of material: this answers them."""
    having = who.services
    target = having.target(ORDER, order_id)
    if target is None:
        raise not_found("production order", order_id)
    who.may("createWorkOrders", target.entity, DIRECT["createWorkOrders"])
    with (
        reading(having.engine) as connection,
        having.histories.current(connection, target.order_number) as folded,
    ):
        if folded is None:
            raise not_found("production order", order_id)
        _check_stations(folded)
        made = [documents.work_order(folded, own.number) for own in folded.process.specification.work_orders]
        shown: list[dict[str, Any]] = marked(connection, made)
        return shown


def _check_stations(folded: Folded) -> None:
    gaps = [gap for gap in folded.process.specification.gaps if gap.code == "NO_WORKSTATION"]
    if gaps:
        raise Problem(409, "NO_WORKSTATION", "an operation has no station that can do it", blockers=gaps)


@router.post("/{work_order_id}/pause", responses=LATER)
async def pause(work_order_id: UUID, body: ReasonedBody, who: Who) -> Response:
    """Pause, for a reason."""
    return await perform(who, c.PauseWorkOrder, WORK_ORDER, work_order_id, body)


@router.post("/{work_order_id}/inspection/results", responses=LATER)
async def enter_results(work_order_id: UUID, body: ResultsBody, who: Who) -> Response:
    """Results of the batch's inspection, all at once."""
    return await perform(who, c.EnterInspectionResults, WORK_ORDER, work_order_id, body)


@router.post("/{work_order_id}/inspection/decision", responses=LATER)
async def decide(work_order_id: UUID, body: DecisionBody, who: Who) -> Response:
    """The second person's decision."""
    return await perform(who, c.DecideInspection, WORK_ORDER, work_order_id, body)


@router.post("/{work_order_id}/put-away", responses=LATER)
async def put_away(work_order_id: UUID, body: PutAwayBody, who: Who) -> Response:
    """Bring the finished quantity into the warehouse."""
    return await perform(who, c.PutAway, WORK_ORDER, work_order_id, body)


@router.post("/{work_order_id}/release-batch", responses=LATER)
async def release_batch(work_order_id: UUID, body: PlaceBody, who: Who) -> Response:
    """Production release to a saleable place."""
    return await perform(who, c.ReleaseBatch, WORK_ORDER, work_order_id, body)


@router.post("/{work_order_id}/operations/{code}/pause", responses=LATER)
async def pause_operation(work_order_id: UUID, code: Identifier, body: ReasonedBody, who: Who) -> Response:
    """Pause one operation, for a reason."""
    return await perform(who, c.PauseOperation, WORK_ORDER, work_order_id, body, operation=code)


@router.post("/{work_order_id}/operations/{code}/start", responses=LATER)
async def start_operation(work_order_id: UUID, code: Identifier, body: ScanBody, who: Who) -> Response:
    """Begin an operation; its barcode among the `scans`, where the policy asks for it.

    Command `startOperation`, for: operator.
    """
    return await perform(who, c.StartOperation, WORK_ORDER, work_order_id, body, operation=code)


@router.post("/{work_order_id}/operations/{code}/complete", responses=LATER)
async def complete_operation(work_order_id: UUID, code: Identifier, body: CompleteBody, who: Who) -> Response:
    """One operation is done. Command `completeOperation`, for: operator."""
    return await perform(who, c.CompleteOperation, WORK_ORDER, work_order_id, body, operation=code)


def _plain(path: str, kind: type[c.Command]) -> None:
    async def command(work_order_id: UUID, body: CommandBody, who: Who) -> Response:
        return await perform(who, kind, WORK_ORDER, work_order_id, body)

    router.add_api_route(f"/{{work_order_id}}/{path}", command, methods=["POST"], name=path, **of_command(kind))


def _operation(path: str, kind: type[c.Command]) -> None:
    async def command(work_order_id: UUID, code: Identifier, body: CommandBody, who: Who) -> Response:
        return await perform(who, kind, WORK_ORDER, work_order_id, body, operation=code)

    router.add_api_route(
        f"/{{work_order_id}}/operations/{{code}}/{path}", command, methods=["POST"], name=path, **of_command(kind)
    )


_PLAIN: tuple[tuple[str, type[c.Command]], ...] = (
    ("dispatch", c.DispatchWorkOrder),
    ("start-execution", c.StartWorkOrder),
    ("resume", c.ResumeWorkOrder),
    ("certify", c.CertifyBatch),
)
_OPERATION: tuple[tuple[str, type[c.Command]], ...] = (
    ("resume", c.ResumeOperation),
    ("release-hold", c.ReleaseOperationHold),
)
for _path, _kind in _PLAIN:
    _plain(_path, _kind)
for _path, _kind in _OPERATION:
    _operation(_path, _kind)


def _impossible(path: str) -> None:
    def never(work_order_id: UUID, body: CommandBody, who: Who) -> Response:
        raise impossible.refuse(who, WORK_ORDER, work_order_id, path, body)

    router.add_api_route(
        f"/{{work_order_id}}/{path}",
        never,
        methods=["POST"],
        name=path,
        description=impossible.DONE_BY[WORK_ORDER][path],
    )


for _path in impossible.DONE_BY[WORK_ORDER]:
    _impossible(_path)
