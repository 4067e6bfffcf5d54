"""Changes of configuration: ask for one, analyse, approve, test and publish it (B19, MD-03)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field, JsonValue

from api import configuration as changes
from api.configuration import Draft
from api.deps import Caller, Reading, only
from api.errors import not_found
from api.routing import Router
from api.security import Role
from api.shapes import CommandBody, Identifier, Reason
from db.queries import configuration as tables
from domain.configuration_states import ConfigurationEvent as Event
from domain.configuration_states import ConfigurationKind, ConfigurationState

router = Router(prefix="/configuration-changes", tags=["configuration"])
KIND = changes.KIND
Writer = Annotated[Caller, Depends(only("requestConfiguration", KIND, Role.PROCESS_ENGINEER))]
Analyst = Annotated[Caller, Depends(only("assessConfiguration", KIND, Role.PROCESS_ENGINEER, Role.QA_REVIEWER))]
Quality = Annotated[Caller, Depends(only("approveConfiguration", KIND, Role.QUALITY_MANAGER))]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Document = dict[str, Any]


class ContentBody(CommandBody):
    """What shall be other: fields of a policy, all characteristics of an inspection plan, or `billOfMaterial` and
    `route` of a product, each whole and under a new version."""

    change_control: Identifier
    reason_for_change: Reason
    content: dict[str, JsonValue]

    @property
    def draft(self) -> Draft:
        """The same without the command."""
        content: dict[str, Any] = dict(self.content)
        return Draft(change_control=self.change_control, reason_for_change=self.reason_for_change, content=content)


class CreateBody(ContentBody):
    """A change of one policy (its code), of one inspection plan (its material) or of one product's definition."""

    kind: ConfigurationKind
    subject: Identifier


class ApproveBody(CommandBody):
    """A signature; `content_hash` is that of what the signer has read."""

    content_hash: Hash


class TestBody(CommandBody):
    """The outcome of the test; the reason says what was tested and found."""

    passed: bool


@router.get("")
def listed(
    reading: Reading,
    kind: ConfigurationKind | None = None,
    subject: Identifier | None = None,
    state: ConfigurationState | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Document:
    """Changes, newest first."""
    rows = tables.page(reading, kind, subject, state, limit)
    return {"configurationChanges": [changes.summary(row) for row in rows]}


@router.get("/{change_id}")
def detail(change_id: UUID, reading: Reading) -> Document:
    """One change: its content, every difference to the version that it changes, its steps."""
    row = tables.find(reading, change_id)
    if row is None:
        raise not_found("configuration change", change_id)
    return changes.document_of(row)


@router.post("")
def create(body: CreateBody, who: Writer) -> Document:
    """Ask for a change. Nothing of it counts before it is published."""
    return changes.create(who, body, body.kind, body.subject, body.draft)


@router.put("/{change_id}")
def edit(change_id: UUID, body: ContentBody, who: Writer) -> Document:
    """Another content; what was analysed or approved is locked."""
    return changes.edit(who, changes.existing(who, change_id), body, body.draft)


@router.post("/{change_id}/analyse")
def analyse(change_id: UUID, body: CommandBody, who: Analyst) -> Document:
    """What the change touches, in the reason; its content is locked from here on."""
    return changes.step(who, changes.existing(who, change_id), body, Event.ANALYSE)


@router.post("/{change_id}/approve")
def approve(change_id: UUID, body: ApproveBody, who: Quality) -> Document:
    """Approve what was read, by signature of somebody who did not write it."""
    return changes.step(who, changes.existing(who, change_id), body, Event.APPROVE, body.content_hash)


@router.post("/{change_id}/test")
def test(change_id: UUID, body: TestBody, who: Analyst) -> Document:
    """What the test found; one that failed sends the change back."""
    event = Event.PASS_TEST if body.passed else Event.FAIL_TEST
    return changes.step(who, changes.existing(who, change_id), body, event)


@router.post("/{change_id}/publish")
def publish(change_id: UUID, body: CommandBody, who: Quality) -> Document:
    """From now on the new version counts; orders that are there keep theirs."""
    return changes.step(who, changes.existing(who, change_id), body, Event.PUBLISH)


@router.post("/{change_id}/reject")
def reject(change_id: UUID, body: CommandBody, who: Quality) -> Document:
    """Nothing comes of the change."""
    return changes.step(who, changes.existing(who, change_id), body, Event.REJECT)
