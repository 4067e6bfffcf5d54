"""What a message that came in does, when nothing is against it: each kind in one function, each under a key.

A schedule makes plan lines, once for each reference. A laboratory's result goes into the inspection that it names. A
change order makes the draft of a new version of a master batch record; people submit, approve and make it effective. A
product definition asks for a change of bill of material and route; people analyse, approve, test and publish it.
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool

from api import configuration
from api import master_batch_records as records
from api.clock import now
from api.commands import WORK_ORDER
from api.deps import Caller
from api.documents import work_order_id
from api.errors import Problem
from api.looked_up import looked_up
from api.planning import PlanLineBody, import_lines
from api.product_definitions import ProductDefinition
from api.shapes import Body, CommandBody, Identifier, Reason, ResultEvidence, Text, storable
from api.signatures import meanings, policy_of
from db.queries import inbound as tables
from db.queries import master_batch_records as tables_of_records
from db.queries.inbound import Arrived
from db.session import reading
from domain.b2mml import PlannedRequest, planned
from domain.commands import EnterInspectionResults, Measurement
from domain.configuration_states import ConfigurationKind
from domain.errors import Blocker, Refused
from domain.master_batch_record import MasterBatchRecordBody

SCHEDULE, RESULT, CHANGE_ORDER = "operations-schedule", "laboratory-result", "plm-change-order"
DEFINITION: Final = "plm-product-definition"
KINDS: Final = (SCHEDULE, RESULT, CHANGE_ORDER, DEFINITION)
Effect = dict[str, Any]
_MOST_FAULTS: Final = 50


class Result(ResultEvidence):
    """One result: `value` as text, with its unit, and what it was measured with, where the plan asks for it (QL-03)."""

    name: Text
    value: Annotated[str, Field(min_length=1, max_length=200)]
    unit: Annotated[str, Field(min_length=1, max_length=40)]


class LaboratoryResult(Body):
    """Results of a sample: the inspection that asked for it, the lot that it was taken from."""

    inspection: Identifier
    lot: Identifier
    results: tuple[Result, ...] = Field(min_length=1, max_length=200)


class ChangeOrder(Body):
    """A change order of a PLM: the new version of a product's master batch record, and why it came to be."""

    model_config = ConfigDict(extra="forbid")
    change_order: Identifier
    reason_for_change: Reason
    product: Identifier
    version: Identifier
    content: MasterBatchRecordBody


class DefinitionOrder(ProductDefinition):
    """A change order of a PLM about what a product is made of and how: the parts that shall be other."""

    change_order: Identifier
    reason_for_change: Reason

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.bill_of_material is None and self.route is None:
            raise ValueError("a bill of material or a route is needed")
        return self


async def apply(who: Caller, message: Arrived) -> Effect:
    """What the message does. Raises `Refused` with everything that is against it; 503 when it cannot be said yet."""
    try:
        document = json.loads(message.body)
    except (ValueError, RecursionError):
        raise Refused((fault("NOT_JSON", "body", message.body[:40], "a JSON document in UTF-8"),)) from None
    if not storable(document):
        raise Refused((fault("SCHEMA", "body", "a character that cannot be stored", "texts without it"),))
    if message.kind == SCHEDULE:
        return await run_in_threadpool(_schedule, who, message.source, document)
    if message.kind == CHANGE_ORDER:
        return await run_in_threadpool(_change_order, who, message, document)
    if message.kind == DEFINITION:
        return await run_in_threadpool(_definition, who, message, document)
    return await _result(who, message, document)


def fault(code: str, place: str, found: str, required: str, who_can_fix: str = "sending system") -> Blocker:
    """One thing that is wrong with a message."""
    return Blocker(code=code, entity="message", id=place, found=found, required=required, who_can_fix=who_can_fix)


def _schedule(who: Caller, source: str, document: Any) -> Effect:
    requests, wrong = planned(document)
    if wrong:
        raise Refused(wrong)
    with reading(who.services.engine) as connection:
        sender = tables.system(connection, source)
    policy = None if sender is None else sender.policy
    faults: list[Blocker] = []
    if policy is None:
        faults.append(fault("POLICY_MISSING", source, "no policy", "a policy for its orders", "administrator"))
    lines = [line for request in requests if (line := _line(request, policy or "none", faults)) is not None]
    plants = who.session.plants
    faults += [
        fault("OUT_OF_SCOPE", line.reference, line.plant, f"one of {', '.join(plants or ())}", "administrator")
        for line in lines
        if plants is not None and line.plant not in plants
    ]
    if faults:
        raise Refused(tuple(faults))
    taken = import_lines(who, lines)
    return {"planLines": [own.reference for own in taken], "orders": [own.order_number for own in taken]}


def _line(request: PlannedRequest, policy: str, faults: list[Blocker]) -> PlanLineBody | None:
    try:
        return PlanLineBody.model_validate(request.model_dump() | {"policy": policy})
    except ValidationError as error:
        faults.extend(_of_shape(request.reference, error))
        return None


def _of_shape(place: str, error: ValidationError) -> Iterable[Blocker]:
    for found in error.errors()[:_MOST_FAULTS]:
        at = ".".join(str(part) for part in found["loc"])
        yield fault("SCHEMA", f"{place}.{at}".strip("."), str(found.get("input", ""))[:80], found["msg"])


def _change_order(who: Caller, message: Arrived, document: Any) -> Effect:
    """The draft, written by the sending system; what keeps it from review is told, and mended by people."""
    try:
        said = ChangeOrder.model_validate(document)
    except ValidationError as error:
        raise Refused(tuple(_of_shape("", error))) from None
    draft = records.Draft(
        product=said.product, version=said.version, change_control=said.change_order,
        reason_for_change=said.reason_for_change, content=said.content,
    )  # fmt: skip
    made = records.create(who, _command(message, said.reason_for_change), draft)
    with reading(who.services.engine) as connection:
        row = tables_of_records.find(connection, UUID(made["id"]))
        faults = () if row is None else records.found_faults(connection, row)
    return {
        "masterBatchRecord": made["id"], "product": said.product, "version": said.version, "state": made["state"],
        "changeOrder": said.change_order, "keptFromReview": [f"{own.code} {own.id}" for own in faults][:_MOST_FAULTS],
    }  # fmt: skip


def _command(message: Arrived, reason: str) -> CommandBody:
    """What a message asks for, once."""
    digest = hashlib.sha256(f"{message.source}/{message.message_id}".encode()).hexdigest()[:40]
    return CommandBody(command_id=f"inbound/{digest}", reason=reason)


def _definition(who: Caller, message: Arrived, document: Any) -> Effect:
    """The change that the sending system asks for. Nothing of it counts before people have published it."""
    try:
        said = DefinitionOrder.model_validate(document)
    except ValidationError as error:
        raise Refused(tuple(_of_shape("", error))) from None
    content = said.model_dump(mode="json", by_alias=True, include={"bill_of_material", "route"})
    draft = configuration.Draft(
        change_control=said.change_order, reason_for_change=said.reason_for_change, content=content
    )  # fmt: skip
    kind = ConfigurationKind.PRODUCT_DEFINITION
    made = configuration.create(who, _command(message, said.reason_for_change), kind, said.product, draft)
    return {
        "configurationChange": made["id"], "number": made["number"], "product": said.product, "state": made["state"],
        "changeOrder": said.change_order,
        "versions": {name: part["version"] for name, part in content.items() if part is not None},
    }  # fmt: skip


async def _result(who: Caller, message: Arrived, document: Any) -> Effect:
    try:
        said = LaboratoryResult.model_validate(document)
    except ValidationError as error:
        raise Refused(tuple(_of_shape("", error))) from None
    row = await run_in_threadpool(_sample, who, said)
    values = tuple(
        Measurement(
            name=own.name, text=own.value, unit=own.unit, instrument=own.instrument, method=own.method,
            method_version=own.method_version, reagents=own.reagents,
        )
        for own in said.results
    )  # fmt: skip
    key = f"inbound/{message.source}/{message.message_id}"[:200]
    if row.work_order is not None:
        return await _into_order(who, message.source, row, values, key)
    quality = who.services.quality
    answer = await run_in_threadpool(lambda: quality.enter_results(row.number, values, key=key, actor=message.source))
    if answer.deviations:
        with suppress(Problem):  # the results stand; what could not be begun now is begun later
            await who.services.cases.begin_unstarted()
    return {"inspection": row.number, "state": answer.state, "deviations": list(answer.deviations)}


def _sample(who: Caller, said: LaboratoryResult) -> Row[Any]:
    with reading(who.services.engine) as connection:
        row = tables.inspection(connection, said.inspection)
    if row is None:
        raise Refused((fault("UNKNOWN_SAMPLE", said.inspection, "no such inspection", "an inspection of this plant"),))
    if row.lot != said.lot:
        raise Refused((fault("LOT_MISMATCH", said.inspection, said.lot, f"{row.lot}, which was sampled"),))
    return row


async def _into_order(
    who: Caller, source: str, row: Row[Any], values: tuple[Measurement, ...], key: str
) -> Effect:  # fmt: skip
    """The inspection of a batch: its order judges the results. A machine cannot sign."""
    target = await run_in_threadpool(who.services.target, WORK_ORDER, work_order_id(row.work_order))
    if target is None:
        raise Refused((fault("UNKNOWN_SAMPLE", row.number, "its work order is not known", "a known work order"),))
    known = await run_in_threadpool(looked_up, who, EnterInspectionResults, {"values": values})
    command = EnterInspectionResults(
        command_id=key, actor=source, received_at=now(), work_order=row.work_order, values=known["values"],
        source=who.source,
    )  # fmt: skip
    meaning, _ = meanings(await run_in_threadpool(policy_of, who, target), command)
    if meaning is not None:
        required = f"a person's signature ({meaning}): enter the results by hand"
        raise Refused((fault("SIGNATURE_REQUIRED", row.number, "a machine", required, "qcAnalyst"),))
    outcome = await who.services.outcomes.wait(key, 0)
    if outcome is None:
        outcome = await who.services.outcomes.ask(key, lambda: who.services.cases.send(target, command))
    if outcome is None:
        raise Problem(503, "NO_VERDICT_YET", "the order has not decided yet; send the same message again")
    if not outcome.accepted:
        raise Refused(outcome.blockers)
    return {"inspection": row.number, "workOrder": row.work_order, "revision": outcome.revision}
