"""Electronic signatures: ceremonies that show what is signed, what was signed, and whether it is still so."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field, JsonValue, ValidationError
from pydantic.alias_generators import to_snake

from api import ceremonies, signatures, signed_acts
from api.commands import CAPA, DEVIATION, MAINTENANCE, ORDER, PICK_LIST, WORK_ORDER, build
from api.deps import Caller, Reading, Who, only
from api.errors import Problem, not_found, of_refusal
from api.permissions import DIRECT
from api.routing import Router
from api.shapes import Body, Identifier, Reason
from api.signed_acts import BY_KIND, SignedAct
from db import signature_verification
from db.queries import reports, scopes, targets
from db.queries import signatures as record
from db.queries.targets import Target
from domain import case_commands as cc
from domain import commands as c
from domain import maintenance_commands as mc
from domain.errors import Refused

router = Router(prefix="/signatures", tags=["signatures"])
Verifier = Annotated[Caller, Depends(only("verifySignatures", "signature"))]
_KINDS = {kind.kind_name(): kind for kind in (*c.COMMANDS, *mc.LED_COMMANDS)}
_NOT_SENT = {
    name for field, info in c.Command.model_fields.items() if field != "reason" for name in (field, info.alias)
}
"""Fields of every command that the server fills in."""


class RequestBody(Body):
    """The command that is going to be signed, as it will be sent. `entity_id` stands in the command's address: the uuid
    of an order, a batch or a case; the number of a lot or a recall."""

    command: Identifier
    command_id: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[!-~]+$")]
    entity_id: Identifier
    reason: Annotated[str, Field(max_length=1000)] | None = None
    content: dict[str, JsonValue] = {}


class AbandonBody(Body):
    """Why it is not signed."""

    reason: Reason


@router.post("/requests", status_code=201)
def request(body: RequestBody, who: Who) -> dict[str, Any]:
    """Begin a ceremony: what is signed, with which meaning, at which revision, and the hash of it.

    The command that refers to it (`signature.requestId`) has five minutes. 409 NO_SIGNATURE_NEEDED when the policy asks
    for none.
    """
    if (act := BY_KIND.get(body.command)) is not None:
        return _of_act(who, act, body)
    kind = _KINDS.get(body.command)
    if kind is None:
        raise Problem(422, "INVALID_REQUEST", f"there is no command {body.command}")
    target = _target(who, kind, body.entity_id)
    who.may(body.command, target.entity, kind.roles)
    command = _command(who, kind, target, body)
    who.scope.check(who, target, command, who.id)
    first, second = signatures.meanings(signatures.policy_of(who, target), command)
    if first is None and second is None:
        raise Problem(409, "NO_SIGNATURE_NEEDED", f"{body.command} of {target.entity} needs no signature")
    _person(who)
    return ceremonies.begin(who, command, target.entity, target, first or second or "", second)


def _person(who: Caller) -> None:
    if not who.session.is_person:
        raise Problem(403, "SIGNER_NOT_A_PERSON", f"{who.id} is a machine account and cannot sign")


def _of_act(who: Caller, act: SignedAct, body: RequestBody) -> dict[str, Any]:
    """The ceremony of an act that no order judges."""
    number = body.entity_id
    entity = act.entity(number)
    who.may(act.action, entity, DIRECT[act.action])
    _refuse_outside(who, act.subject, number)
    content = {to_snake(name): value for name, value in body.content.items() if name not in _NOT_SENT}
    try:
        command = act.command(who, number, body.command_id, content | {"reason": body.reason})
    except ValidationError as error:
        raise _wrong(error) from None
    _person(who)
    try:
        act.check(who, command)
    except Refused as no:
        raise of_refusal(no, body.command_id) from None
    first, second = act.meanings(signed_acts.policy_of(who))
    return ceremonies.begin(who, command, entity, None, first or second or "", second)


def _refuse_outside(who: Caller, name: str, number: str) -> None:
    if who.scope.is_everywhere:
        return
    with who.services.engine.connect() as connection:
        place = scopes.named(connection, name, number)
    if place is not None:
        who.scope.refuse_outside(who, f"{name}/{number}", place, who.id)


def _target(who: Caller, kind: type[c.Command], entity_id: str) -> Target:
    try:
        identity = UUID(entity_id)
    except ValueError:
        raise Problem(422, "INVALID_REQUEST", f"entityId: {kind.kind_name()} needs the uuid of its address") from None
    if kind in mc.MAINTENANCE_COMMANDS:
        names: tuple[str, ...] = (MAINTENANCE,)
    elif kind in cc.CASE_COMMANDS:
        names = (DEVIATION,) if kind in cc.DEVIATION_COMMANDS else (CAPA,)
    else:
        names = (ORDER,) if "work_order" not in kind.model_fields else (WORK_ORDER, PICK_LIST)
    with who.services.engine.connect() as connection:
        for name in names:
            if (found := targets.find(connection, name, identity)) is not None:
                return found
    raise not_found(names[0].replace("-", " "), identity)


def _command(who: Caller, kind: type[c.Command], target: Target, body: RequestBody) -> c.Command:
    content: dict[str, Any] = {name: value for name, value in body.content.items() if name not in _NOT_SENT}
    if kind is c.ReverseReport:
        with who.services.engine.connect() as connection:
            found = reports.for_reversal(connection, str(content.get("reportNumber"))) or {}
        content |= {name: found[name] for name in ("operation", "good", "scrap", "review_board", "is_rework") if found}
    if body.reason is not None:
        content["reason"] = body.reason
    try:
        return build(who, kind, target, content | {"command_id": body.command_id})
    except ValidationError as error:
        raise _wrong(error) from None


def _wrong(error: ValidationError) -> Problem:
    """422 for a content that is no content of the command."""
    fields = [
        {"field": ".".join(("content", *map(str, one["loc"]))), "problem": one["msg"], "kind": one["type"]}
        for one in error.errors(include_input=False, include_url=False)[:50]
    ]
    detail = "; ".join(f"{field['field']}: {field['problem']}" for field in fields[:5])
    return Problem(422, "INVALID_REQUEST", detail[:1000], fields=fields)


@router.get("/requests/{request_id}")
def ceremony(request_id: UUID, reading: Reading, who: Who) -> dict[str, Any]:
    """One's own ceremony: what was shown, and what became of it."""
    found = record.find_request(reading, request_id)
    if found is None or found.requested_by != who.id:
        raise not_found("ceremony", request_id)
    return ceremonies.shown(found)


@router.post("/requests/{request_id}/abandon")
def abandon(request_id: UUID, body: AbandonBody, who: Who) -> dict[str, Any]:
    """Turn away without signing."""
    return ceremonies.abandon(who, request_id, body.reason)


@router.get("")
def listed(
    reading: Reading,
    who: Who,
    entity: Annotated[str, Query(min_length=3, max_length=200, pattern="^[a-z-]+/.+$")],
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    after: UUID | None = None,
) -> dict[str, Any]:
    """The signatures of an entity, such as `production-order/PO-1` or `deviation/PO-1-D1`, oldest first."""
    kind, _, number = entity.partition("/")
    if not who.scope.is_everywhere:
        of = {ORDER: scopes.of_order, DEVIATION: scopes.of_case, CAPA: scopes.of_case}.get(kind, scopes.of_work_order)
        if (place := of(reading, number)) is not None:
            who.scope.refuse_outside(who, entity, place, who.id)
    found = record.of_entity(reading, entity, limit, after)
    shown = [record.document(row) for row in found]
    return {"signatures": shown, "next": shown[-1]["id"] if len(found) == limit else None}


@router.get("/{signature_id}/verification")
def verification(signature_id: UUID, reading: Reading, who: Verifier) -> dict[str, Any]:
    """Whether a signature still fits what was signed: its hash is computed again from the record."""
    found = signature_verification.verify(reading, signature_id)
    if found is None:
        raise not_found("signature", signature_id)
    return found.document()
