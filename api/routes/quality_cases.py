"""Quality cases: deviations, out-of-specification results and corrective actions, each led by a process of its own."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api import case_openings
from api.commands import CAPA, DEVIATION, perform
from api.deps import Caller, Reading, Who, only
from api.errors import not_found
from api.openapi import LATER, of_command
from api.routing import Router
from api.shapes import CommandBody, Identifier, LongText, ReasonedBody, Text, Time
from db.queries import cases, scopes, targets
from db.queries.marking import marked
from domain import case_commands as cc
from domain.commands import Command
from domain.quality_cases import CaseDisposition, Classification

router = Router(prefix="/quality", tags=["quality cases"])
CaseKind = Annotated[str | None, Query(pattern="^(deviation|outOfSpecification|capa)$")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Planner = Annotated[Caller, Depends(only("openCapa", "capa"))]


class ClassifyBody(CommandBody):
    """How bad, the impact in words, other batches and lots that it touches."""

    classification: Classification
    impact: LongText
    affected: tuple[Identifier, ...] = Field(default=(), max_length=500)


class OwnerBody(CommandBody):
    """A person."""

    owner: Identifier


class ConclusionBody(CommandBody):
    """Root cause, disposition, whether a corrective action is needed, the investigation report."""

    root_cause: LongText
    disposition: CaseDisposition
    needs_capa: bool
    report: Annotated[str, Field(max_length=20000)] = ""


class ResultConclusionBody(ConclusionBody):
    """The conclusion about an out-of-specification result."""

    confirmed: bool


class FindingBody(CommandBody):
    """What a phase of the investigation found."""

    finding: LongText


class CapaBody(CommandBody):
    """A corrective action, and what it comes from."""

    source: Text
    action: LongText


class PlanBody(CommandBody):
    """What, who, until when, and when the effect is checked."""

    action: LongText
    owner: Identifier
    due_at: Time
    check_at: Time


class EvidenceBody(CommandBody):
    """What shows it."""

    evidence: LongText


class ExtensionBody(ReasonedBody):
    """A later due date. Without a day of its own the check moves by as much."""

    due_at: Time
    check_at: Time | None = None


class EffectBody(EvidenceBody):
    """Whether it works."""

    effective: bool


@router.get("/cases")
def listed(
    reading: Reading,
    who: Who,
    kind: CaseKind = None,
    state: Identifier | None = None,
    owner: Identifier | None = None,
    lot: Identifier | None = None,
    equipment: Identifier | None = None,
    source: Text | None = None,
    order_id: Annotated[UUID | None, Query(alias="orderId")] = None,
    limit: Limit = 200,
) -> dict[str, Any]:
    """Cases, newest first."""
    order: str | None = None
    if order_id is not None:
        target = targets.find(reading, "production-order", order_id)
        if target is None:
            raise not_found("production order", order_id)
        order = target.order_number
    found = cases.page(
        reading, limit, who.scope.orders(scopes.CASES.c.order_number), kind=kind, state=state, owner=owner, lot=lot,
        equipment=equipment, source=source, order_number=order,
    )  # fmt: skip
    return {"cases": marked(reading, found)}


@router.get("/cases/waiting")
def waiting(reading: Reading, who: Who, mine: bool = False, limit: Limit = 500) -> dict[str, Any]:
    """What open cases wait for, and for whom; with `mine`, only what the caller can do."""
    person = who.id if mine else None
    inside = who.scope.orders(scopes.CASES.c.order_number)
    return {"waiting": marked(reading, cases.waiting(reading, who.session.roles, person, limit, inside))}


@router.get("/deviations/{deviation_id}")
def deviation(deviation_id: UUID, reading: Reading) -> dict[str, Any]:
    """A deviation that has a process, with everything that has happened to it, oldest first."""
    return _detail(reading, DEVIATION, deviation_id)


@router.get("/capas/{capa_id}")
def capa(capa_id: UUID, reading: Reading) -> dict[str, Any]:
    """A corrective action with everything that has happened to it, oldest first."""
    return _detail(reading, CAPA, capa_id)


def _detail(reading: Any, what: str, identity: UUID) -> dict[str, Any]:
    target = targets.find(reading, what, identity)
    found = None if target is None else cases.detail(reading, target.order_number)
    if found is None:
        raise not_found(what, identity)
    shown: dict[str, Any] = marked(reading, found)
    return shown


@router.post("/capas", responses=LATER)
async def open_capa(body: CapaBody, who: Planner) -> JSONResponse:
    """Open a corrective action that comes out of no deviation; those of deviations are opened by their approval."""
    number = await run_in_threadpool(case_openings.capa_number, who, body.command_id, body.source, body.action)
    return await case_openings.begin_capa(who, body.command_id, number, body.source, body.action)


def _of_deviation(path: str, kind: type[Command], shape: type[CommandBody]) -> None:
    """One command of a deviation: `shape` is what its body holds."""

    async def command(deviation_id: UUID, body: CommandBody, who: Who) -> Response:
        return await perform(who, kind, DEVIATION, deviation_id, body)

    command.__annotations__["body"] = shape
    place = f"/deviations/{{deviation_id}}/{path}"
    router.add_api_route(place, command, methods=["POST"], name=f"deviation-{path}", **of_command(kind))


def _of_capa(path: str, kind: type[Command], shape: type[CommandBody]) -> None:
    """One command of a corrective action: `shape` is what its body holds."""

    async def command(capa_id: UUID, body: CommandBody, who: Who) -> Response:
        return await perform(who, kind, CAPA, capa_id, body)

    command.__annotations__["body"] = shape
    router.add_api_route(
        f"/capas/{{capa_id}}/{path}", command, methods=["POST"], name=f"capa-{path}", **of_command(kind)
    )


_DEVIATION: tuple[tuple[str, type[Command], type[CommandBody]], ...] = (
    ("classify", cc.ClassifyDeviation, ClassifyBody),
    ("assign", cc.AssignDeviation, OwnerBody),
    ("propose", cc.ProposeConclusion, ConclusionBody),
    ("send-back", cc.SendBackConclusion, ReasonedBody),
    ("approve", cc.ApproveDeviation, CommandBody),
    ("approve-as-quality-manager", cc.ApproveDeviationAsQualityManager, CommandBody),
    ("close", cc.CloseDeviation, CommandBody),
    ("reopen", cc.ReopenDeviation, ReasonedBody),
    ("void", cc.VoidDeviation, ReasonedBody),
    ("investigate-laboratory", cc.InvestigateLaboratory, CommandBody),
    ("prove-laboratory-error", cc.ProveLaboratoryError, FindingBody),
    ("authorise-retest", cc.AuthoriseRetest, CommandBody),
    ("begin-phase-two", cc.BeginPhaseTwo, FindingBody),
    ("conclude", cc.ConcludeOutOfSpecification, ResultConclusionBody),
)
_CAPA: tuple[tuple[str, type[Command], type[CommandBody]], ...] = (
    ("plan", cc.PlanCapa, PlanBody),
    ("approve", cc.ApproveCapa, CommandBody),
    ("start", cc.StartCapa, CommandBody),
    ("implement", cc.ImplementCapa, EvidenceBody),
    ("extend", cc.ExtendCapa, ExtensionBody),
    ("decide-effectiveness", cc.DecideCapaEffectiveness, EffectBody),
)
for _path, _kind, _shape in _DEVIATION:
    _of_deviation(_path, _kind, _shape)
for _path, _kind, _shape in _CAPA:
    _of_capa(_path, _kind, _shape)
