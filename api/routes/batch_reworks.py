"""Rework of a whole rejected batch: proposal, decision of the head of quality, plan line of the order (QL-11)."""

from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field
from sqlalchemy import Connection

from api import batch_reworks
from api.batch_reworks import Entries
from api.clock import now
from api.deps import Caller, Reading, only
from api.direct_acts import act
from api.routes.reworks import TestBody
from api.routing import Router
from api.shapes import CommandBody, Identifier, ReasonedBody
from api.signed_acts import signings
from db.once import Request
from db.queries import batch_reworks as record
from domain.base import Message
from domain.batch_rework import ApproveBatchRework
from domain.specification import Characteristic, ReworkMethod

router = Router(tags=["rework of batches"])
ONE = "/quality/lots/{lot}"
Proposer = Annotated[Caller, Depends(only("proposeBatchRework", "lot"))]
Decider = Annotated[Caller, Depends(only("approveBatchRework", "lot"))]


class ProposalBody(ReasonedBody):
    """From which operation on the batch is made again, and whether by the approved steps or by another process."""

    operation: Identifier
    rework_method: ReworkMethod = ReworkMethod.REWORK


class ApprovalBody(ReasonedBody):
    """Which proposal, by which approved procedure, and the tests beside the plan; the reason assesses the risk."""

    rework: Identifier
    procedure: Annotated[str, Field(max_length=200)] = ""
    tests: Annotated[tuple[TestBody, ...], Field(max_length=50)] = ()


class RejectionBody(ReasonedBody):
    """Which proposal."""

    rework: Identifier


class BatchReworkDone(Message):
    """The proposal, and the plan line of its order once it is approved."""

    lot: str
    rework: str
    plan_line: str | None = None


def _request(who: Caller, kind: str, lot: str, body: CommandBody) -> Request:
    content = body.model_dump(mode="json", exclude={"command_id", "signature", "second"})
    return Request(kind, f"lot/{lot}", body.command_id, who.id, now(), content)


def _shown(answer: BatchReworkDone, body: CommandBody) -> dict[str, Any]:
    return answer.model_dump(mode="json", by_alias=True) | {"commandId": body.command_id, "accepted": True}


@router.post(ONE + "/propose-rework")
def propose(lot: Identifier, body: ProposalBody, who: Proposer) -> dict[str, Any]:
    """Propose to rework all that is there of a rejected batch. Refused where product or stage does not permit it."""
    request = _request(who, "proposeBatchRework", lot, body)

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[BatchReworkDone, Entries]:
        method = str(body.rework_method)
        number, entries = batch_reworks.propose(connection, request, lot, body.operation, method, body.reason)
        return BatchReworkDone(lot=lot, rework=number), entries

    return _shown(act(who, request, BatchReworkDone, work), body)


@router.post(ONE + "/approve-rework")
def approve(lot: Identifier, body: ApprovalBody, who: Decider) -> dict[str, Any]:
    """Approve it by signature: a plan line is made, whose order reworks the batch into a lot of its own."""
    request = _request(who, "approveBatchRework", lot, body)
    tests = tuple(Characteristic(**test.model_dump()) for test in body.tests)
    command = ApproveBatchRework(
        command_id=body.command_id, actor=who.id, received_at=now(), reason=body.reason, source=who.source, lot=lot,
        rework=body.rework, procedure=body.procedure, tests=tests,
    )  # fmt: skip

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[BatchReworkDone, Entries]:
        line, entries = batch_reworks.approve(
            connection, request, lot, body.rework, body.procedure, tests, body.reason, given[0]
        )
        return BatchReworkDone(lot=lot, rework=body.rework, plan_line=line), entries

    return _shown(act(who, request, BatchReworkDone, work, *signings(who, command, lot, body)), body)


@router.post(ONE + "/reject-rework")
def reject(lot: Identifier, body: RejectionBody, who: Decider) -> dict[str, Any]:
    """The batch is not reworked, for a reason."""
    request = _request(who, "rejectBatchRework", lot, body)

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[BatchReworkDone, Entries]:
        entries = batch_reworks.reject(connection, request, lot, body.rework, body.reason)
        return BatchReworkDone(lot=lot, rework=body.rework), entries

    return _shown(act(who, request, BatchReworkDone, work), body)


@router.get("/quality/batch-reworks")
def listed(
    reading: Reading,
    lot: Identifier | None = None,
    state: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Proposals to rework whole batches, the newest first, with the orders that do it."""
    return {"batchReworks": record.page(reading, lot, state, limit)}
