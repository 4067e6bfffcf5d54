"""The release record of received material: checks, conclusion, signature (CN 229; QL-03)."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import Connection

from adapters.quality import inspecting
from adapters.quality.port import DecisionAnswer
from api.clock import now
from api.deps import Caller, only
from api.direct_acts import act
from api.errors import not_found
from api.routing import Router
from api.shapes import DecisionBody, Identifier, LongText
from api.signed_acts import signings
from db import audit
from db.once import Request
from db.queries import quality as tables
from domain.evidence import DecideMaterialRelease, ReleaseRecord

router = Router(prefix="/quality/inspections", tags=["quality"])
Decider = Annotated[Caller, Depends(only("decideMaterialRelease", "inspection"))]


class ReleaseRecordBody(DecisionBody):
    """The decision about a received lot with its record. `retest_on`: the day of the next retest, if there is one."""

    supplier_report: bool = False
    packaging: bool = False
    conclusion: LongText
    retest_on: date | None = None


@router.post("/{inspection}/release-record")
def decide(inspection: Identifier, body: ReleaseRecordBody, who: Decider) -> dict[str, Any]:
    """Release or reject a received lot by a signed record; by another person than the one who entered the results."""
    with who.services.engine.connect() as connection:
        if not tables.inspection_exists(connection, inspection):
            raise not_found("inspection", inspection)
    content = body.model_dump(mode="json", exclude={"command_id", "signature", "second"})
    request = Request("decideMaterialRelease", f"inspection/{inspection}", body.command_id, who.id, now(), content)
    command = DecideMaterialRelease(
        command_id=body.command_id, actor=who.id, received_at=now(), reason=body.reason, source=who.source,
        inspection=inspection, accept=body.accept, supplier_report=body.supplier_report, packaging=body.packaging,
        conclusion=body.conclusion,
    )  # fmt: skip

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[DecisionAnswer, list[audit.Entry]]:
        record = ReleaseRecord(
            supplier_report=body.supplier_report, packaging=body.packaging, conclusion=body.conclusion,
            signature=given[0],
        )  # fmt: skip
        done = inspecting.decide(
            connection, request, inspection, body.accept, body.conclusion, body.retest_on, release=record
        )
        return done.answer, list(done.entries)

    answer = act(who, request, DecisionAnswer, work, *signings(who, command, inspection, body))
    return answer.model_dump(mode="json", by_alias=True) | {"commandId": body.command_id, "accepted": True}
