"""Master batch records: write a version, have it signed, make it effective, compare two, take one elsewhere."""

from base64 import b64encode
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Base64Bytes, Field, ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy import Row

from api import master_batch_records as records
from api.deps import Caller, Reading, only
from api.errors import not_found
from api.master_batch_records import Draft
from api.pictures import brought
from api.security import Role, now
from api.shapes import Body, CommandBody, Identifier, Reason, ReasonedBody, Time
from db.queries import master_batch_records as tables
from db.queries import pictures
from domain.batchml import master_recipe
from domain.batchml_reading import Read
from domain.differences import differences
from domain.errors import Blocker, Refused
from domain.master_batch_record import MasterBatchRecordBody
from domain.master_record_states import MasterBatchRecordState as State
from domain.rules.master_batch_record import possible, still_needed

router = APIRouter(prefix="/master-batch-records", tags=["master batch records"])
Document = dict[str, Any]
KIND = records.KIND
FORMAT: Literal["millwright/master-batch-record/1"] = "millwright/master-batch-record/1"
_XML: dict[int | str, dict[str, Any]] = {
    200: {"description": "A BatchML document", "content": {"application/xml": {"schema": {"type": "string"}}}}
}
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Writer = Annotated[Caller, Depends(only("writeMasterBatchRecord", KIND, Role.PROCESS_ENGINEER))]
Head = Annotated[Caller, Depends(only("approveMasterBatchRecord", KIND, Role.SUPERVISOR, Role.QUALITY_MANAGER))]
Quality = Annotated[Caller, Depends(only("makeMasterBatchRecordEffective", KIND, Role.QUALITY_MANAGER))]


class Content(Body):
    """What a version says, and why it came to be."""

    change_control: Identifier
    reason_for_change: Reason
    content: MasterBatchRecordBody


class CreateBody(CommandBody, Content):
    """A new version of a product's record."""

    product: Identifier
    version: Identifier


class EditBody(CommandBody, Content):
    """A draft's new content; `based_on` is the content hash of what was changed."""

    based_on: Hash


class ApproveBody(CommandBody):
    """A signature; `content_hash` is that of what the signer has read."""

    content_hash: Hash


class EffectiveBody(CommandBody):
    """From when on; at once when no time is given."""

    effective_from: Time | None = None


class BroughtRecord(Content):
    """A version that comes from elsewhere; `pictures`: SHA-256 → the file, of every picture that it shows."""

    product: Identifier
    version: Identifier
    pictures: dict[Hash, Base64Bytes] = {}


class ExportedRecord(BroughtRecord):
    """A version as it was exported."""

    format: Literal["millwright/master-batch-record/1"]
    content_hash: Hash


class ImportBody(CommandBody):
    """An exported version, to become a draft here; under another `version` if one is given."""

    document: ExportedRecord
    version: Identifier | None = None


class BatchmlBody(CommandBody):
    """A BatchML document with one MasterRecipe, to become a draft here; under another `version` if one is given."""

    document: Annotated[str, Field(min_length=1, max_length=24 * 1024 * 1024)]
    version: Identifier | None = None


# Reads -----------------------------------------------------------------------------------------------------------


@router.get("")
def listed(
    reading: Reading,
    product: Identifier | None = None,
    state: State | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    after: UUID | None = None,
) -> Document:
    """Versions by product, without their content; `next` is the value of `after` for the next page."""
    found = [_summary(row) for row in tables.page(reading, product, state, limit, after)]
    return {"masterBatchRecords": found, "next": found[-1]["id"] if len(found) == limit else None}


@router.get("/{record_id}")
def detail(record_id: UUID, reading: Reading) -> Document:
    """One version with its content. A signature is valid while the content is the one that was signed."""
    row = _found(reading, record_id)
    return _summary(row) | {"content": row.body, "isIntact": tables.is_intact(row)}


@router.get("/{record_id}/validation")
def validation(record_id: UUID, reading: Reading) -> Document:
    """Everything that submitting this version is refused for, each broken node by its path."""
    found = records.found_faults(reading, _found(reading, record_id))
    return {"faults": [blocker.model_dump(mode="json", by_alias=True) for blocker in found]}


@router.get("/{record_id}/differences/{other_id}")
def compare(record_id: UUID, other_id: UUID, reading: Reading) -> Document:
    """What changes from the first version to the other: `{path, change, before, after}` for every place."""
    before, after = _found(reading, record_id), _found(reading, other_id)
    found = differences(_compared(before), _compared(after))
    return {
        "before": _named(before),
        "after": _named(after),
        "differences": [own.model_dump(mode="json", by_alias=True) for own in found],
    }


@router.get("/{record_id}/export")
def export(record_id: UUID, reading: Reading) -> Document:
    """The version as a document that `import` takes, here or elsewhere."""
    return _exported(reading, record_id)


@router.get("/{record_id}/export-batchml", response_class=Response, responses=_XML)
def export_batchml(record_id: UUID, reading: Reading) -> Response:
    """The version as a BatchML MasterRecipe (XML) that `import-batchml` takes. 409 NO_XML_CHARACTER names texts."""
    return Response(master_recipe(_exported(reading, record_id)), media_type="application/xml")


def _exported(reading: Reading, record_id: UUID) -> Document:
    row = _found(reading, record_id)
    files = pictures.files(reading, pictures.named(row.body.get("operations", ())))
    shown = {"pictures": {key: b64encode(own.content).decode() for key, own in files.items()}} if files else {}
    return {
        "format": FORMAT, "product": row.product, "version": row.version, "changeControl": row.change_control,
        "reasonForChange": row.reason_for_change, "contentHash": row.content_hash, "content": row.body,
    } | shown  # fmt: skip


# Writes ----------------------------------------------------------------------------------------------------------


@router.post("")
def create(body: CreateBody, who: Writer) -> Document:
    """A new version, as a draft. 409 VERSION_EXISTS names who has it."""
    return records.create(who, body, _draft(body.product, body.version, body))


@router.post("/import")
def import_record(body: ImportBody, who: Writer) -> Document:
    """A draft from an exported version, with its pictures. 409 CONTENT_CHANGED when it is not what was exported."""
    sent = body.document
    return _take(who, body, sent, body.version or sent.version, sent.content_hash)


@router.post("/import-batchml")
def import_batchml(body: BatchmlBody, who: Writer) -> Document:
    """A draft from a BatchML MasterRecipe. 409 names every wrong element by its path and line: NOT_XML, SCHEMA.

    With a `contentHash` it has to be what was exported (CONTENT_CHANGED); without one it is taken as it says.
    """
    read = Read(body.document)
    faults, sent = list(read.faults), None
    if not faults:
        try:
            sent = BroughtRecord.model_validate(read.exported)
        except ValidationError as error:
            faults += [_wrong(read, own) for own in error.errors()]
    if sent is None:
        return records.refuse(who, "createMasterBatchRecord", body, read.exported, faults)
    return _take(who, body, sent, body.version or sent.version, read.exported.get("contentHash"))


def _wrong(read: Read, error: ErrorDetails) -> Blocker:
    """What the shape of a record says of an element."""
    found = "nothing" if error["type"] == "missing" else str(error["input"])[:80]
    return Blocker(
        code="SCHEMA", entity="document", id=read.place(error["loc"]), found=found, required=error["msg"],
        who_can_fix="sending system",
    )  # fmt: skip


def _take(who: Writer, body: CommandBody, sent: BroughtRecord, version: str, claimed: str | None) -> Document:
    exported, faults = _draft(sent.product, sent.version, sent), []
    if claimed is not None and exported.content_hash != claimed:
        faults.append(
            Blocker(
                code="CONTENT_CHANGED", entity="document", id=f"{sent.product}/{sent.version}",
                found=exported.content_hash[:12], required=f"{claimed[:12]}, as it was exported",
            )
        )  # fmt: skip
    try:
        files = brought(sent.pictures)
    except Refused as no:
        files, faults = [], [*faults, *no.blockers]
    return records.create(who, body, _draft(sent.product, version, sent), faults, files)


@router.put("/{record_id}")
def edit(record_id: UUID, body: EditBody, who: Writer) -> Document:
    """Replace the content of a draft. 409 VERSION_LOCKED outside draft; a change is a new version then."""
    row = records.existing(who, record_id)
    return records.edit(who, row, body, body.based_on, _draft(row.product, row.version, body))


@router.post("/{record_id}/submit")
def submit(record_id: UUID, body: CommandBody, who: Writer) -> Document:
    """Hand a draft to review. 409 names every broken node."""
    return records.submit(who, records.existing(who, record_id), body)


@router.post("/{record_id}/approve")
def approve(record_id: UUID, body: ApproveBody, who: Head) -> Document:
    """One of two signatures: of a head of production (supervisor) and of a head of quality (qualityManager)."""
    return records.approve(who, records.existing(who, record_id), body, body.content_hash)


@router.post("/{record_id}/reject")
def reject(record_id: UUID, body: ReasonedBody, who: Head) -> Document:
    """Back to draft, for a reason; signatures that were given are void."""
    return records.reject(who, records.existing(who, record_id), body)


@router.post("/{record_id}/make-effective")
def make_effective(record_id: UUID, body: EffectiveBody, who: Quality) -> Document:
    """Orders are made by it from now on, or from a day to come; the version before is superseded then."""
    return records.make_effective(who, records.existing(who, record_id), body, body.effective_from)


@router.post("/{record_id}/withdraw")
def withdraw(record_id: UUID, body: ReasonedBody, who: Quality) -> Document:
    """No order is made by it any more, for a reason. Running orders keep their copy."""
    return records.withdraw(who, records.existing(who, record_id), body)


# How a version is shown --------------------------------------------------------------------------------------------


def _found(reading: Reading, identity: UUID) -> Row[Any]:
    row = tables.find(reading, identity)
    if row is None:
        raise not_found("master batch record", identity)
    return row


def _draft(product: str, version: str, body: Content) -> Draft:
    return Draft(
        product=product, version=version, change_control=body.change_control,
        reason_for_change=body.reason_for_change, content=body.content,
    )  # fmt: skip


def _compared(row: Row[Any]) -> Document:
    return {"changeControl": row.change_control, "reasonForChange": row.reason_for_change, "content": row.body}


def _named(row: Row[Any]) -> Document:
    return {
        "id": str(row.id), "product": row.product, "version": row.version, "state": row.state,
        "contentHash": row.content_hash,
    }  # fmt: skip


def _summary(row: Row[Any]) -> Document:
    own = records.standing(row)
    since, until, at = row.effective_from, row.effective_until, now()
    return _named(row) | {
        "changeControl": row.change_control,
        "reasonForChange": row.reason_for_change,
        "authors": row.authors,
        "approvals": row.approvals,
        "stillNeeded": list(still_needed(own.approvals)) if own.state == State.IN_REVIEW else [],
        "effectiveFrom": None if since is None else since.isoformat(),
        "effectiveUntil": None if until is None else until.isoformat(),
        "isInForce": since is not None and since <= at and (until is None or until > at),
        "createdAt": row.created_at.isoformat(),
        "possible": list(possible(own.state)),
    }
