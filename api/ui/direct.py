"""The forms of actions that no order judges: on equipment, papers, master batch records and accounts.

One line of `ACTS` is one form: its address, what a person fills in, whether a reason is needed. The answer, the
refusal and the audit row are the API's.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query, Request, Response

from api.errors import Problem
from api.roles import Role
from api.routing import Router
from api.ui.actions import safe_back
from api.ui.ask import Field, people, places_in
from api.ui.shell import PageRoute, may, page
from domain.equipment import CleaningLevel

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class Act:
    """A direct action. `path`: a pattern of its address; `action`: its name in the table of permissions.

    `reason`: `no` is not asked for, `may` be given, `must` be given. `signs`: user and password stand in the form.
    """

    path: str
    action: str
    fields: tuple[Field, ...] = ()
    reason: str = "may"
    signs: bool = False


def _field(name: str, kind: str = "text", *, required: bool = True, options: tuple[str, ...] = ()) -> Field:
    suffix = {
        "bool": ":bool",
        "time": ":time",
        "list": ":list",
        "secret": ":secret",
        "number": ":number",
        "lines": ":lines",
    }.get(kind, "")
    return Field(f"{name}{suffix}", f"field.{name}", kind, required, options)


def _equipment(step: str, action: str, *fields: Field, reason: str = "may") -> Act:
    return Act(rf"/equipment/[^/]+/{step}", action, fields, reason)


def _record(step: str, action: str, *fields: Field, reason: str = "may", signs: bool = False) -> Act:
    return Act(rf"/master-batch-records/[0-9a-f-]+/{step}", action, fields, reason, signs)


def _configuration(step: str, action: str, *fields: Field, reason: str = "no", signs: bool = False) -> Act:
    return Act(rf"/configuration-changes/[0-9a-f-]+/{step}", action, fields, reason, signs)


def _impact(*fields: Field) -> Act:
    return Act(r"/mes/orders/[0-9a-f-]+/impacts/[^/]+/decide", "decideImpact", fields, "must")


def _account(step: str, *fields: Field) -> Act:
    return Act(rf"/users/[^/]+/{step}", "manageUsers", fields, "must")


_LEVELS: Final = tuple(str(level) for level in CleaningLevel)
_ROLES: Final = tuple(str(role) for role in Role)
ACTS: Final[Mapping[str, Act]] = {
    "clean": _equipment("clean", "cleanEquipment", _field("level", "choice", options=_LEVELS)),
    "verifyCleaning": _equipment("verify-cleaning", "verifyCleaning", _field("accept", "bool")),
    "cleanRoom": _equipment(
        "clean", "cleanEquipment", _field("level", "choice", options=_LEVELS), _field("withEquipment", "bool"),
    ),
    "verifyRoom": _equipment(
        "verify-cleaning", "verifyCleaning", _field("accept", "bool"), _field("withEquipment", "bool")
    ),
    "calibrate": _equipment(
        "calibrate", "calibrateEquipment", _field("certificate"), _field("dueAt", "time"),
        _field("foundWithinTolerance", "bool"),
    ),
    "reviewCalibration": _equipment("review-calibration", "reviewCalibration", _field("accept", "bool")),
    "reportFault": _equipment("report-fault", "reportFault", reason="must"),
    "startMaintenance": _equipment("start-maintenance", "maintainEquipment"),
    "returnToService": _equipment("return-to-service", "maintainEquipment", _field("major", "bool"), reason="must"),
    "qualify": _equipment("qualify", "qualifyEquipment", _field("validUntil", "time", required=False)),
    "retire": _equipment("retire", "qualifyEquipment", reason="must"),
    "reserve": _equipment("reserve", "reserveEquipment", _field("batch")),
    "cancelReservation": _equipment("cancel-reservation", "reserveEquipment"),
    "registerEquipment": Act(
        "/equipment", "registerEquipment",
        (
            _field("code"), _field("name"), _field("kind", "choice", options=("equipment", "room")),
            _field("equipmentClass"), _field("workstation", required=False), _field("room", required=False),
            _field("line", required=False), _field("calibrated", "bool"),
        ),
    ),
    "checkClearance": Act(r"/line-clearances/[^/]+/check", "checkLineClearance", (_field("accept", "bool"),)),
    "registerTraining": Act(
        "/training-records", "registerTraining",
        (_field("person", "person"), _field("qualification"), _field("validUntil", "time")),
    ),
    "submitRecord": _record("submit", "writeMasterBatchRecord"),
    "approveRecord": _record("approve", "approveMasterBatchRecord", signs=True),
    "rejectRecord": _record("reject", "approveMasterBatchRecord", reason="must"),
    "makeRecordEffective": _record(
        "make-effective", "makeMasterBatchRecordEffective", _field("effectiveFrom", "time", required=False)
    ),
    "withdrawRecord": _record("withdraw", "makeMasterBatchRecordEffective", reason="must"),
    "keepOrderAsMade": _impact(),
    "holdForChange": _impact(),
    "reissueOrder": _impact(_field("disposition", "choice", options=("keepAsLot", "scrap"))),
    "analyseConfiguration": _configuration("analyse", "assessConfiguration", reason="must"),
    "approveConfiguration": _configuration("approve", "approveConfiguration", signs=True),
    "testConfiguration": _configuration("test", "assessConfiguration", _field("passed", "bool"), reason="must"),
    "publishConfiguration": _configuration("publish", "approveConfiguration"),
    "rejectConfiguration": _configuration("reject", "approveConfiguration", reason="must"),
    "addUser": Act(
        "/users", "manageUsers",
        (_field("id"), _field("fullName"), _field("password", "secret"), _field("roles", "many", options=_ROLES)),
        "must",
    ),
    "unlock": _account("unlock"),
    "disable": _account("disable"),
    "grantRoles": _account("roles", _field("roles", "many", options=_ROLES)),
    "resetPassword": _account("reset-password", _field("password", "secret")),
    "resetSecondFactor": _account("reset-second-factor"),
    "decideDestruction": Act("/quality/lots/[^/]+/decide-destruction", "decideDestruction", (), "must"),
    "destroyLot": Act("/quality/lots/[^/]+/destroy", "destroyLot", (_field("how"),)),
    "cancelShipment": Act("/wms/shipments/[^/]+/cancel", "shipGoods", (), "must"),
    "takeBackShipment": Act(
        "/wms/shipments/[^/]+/take-back", "takeBackGoods",
        (_field("quantity", "number"), _field("place", "place", options=("quarantine",))), "must",
    ),
    "registerSerials": Act(
        "/mes/traceabilities/serials", "registerSerials", (_field("serials", "lines"),), "no",
    ),
    "resetPin": _account("reset-pin"),
    "giveBadge": _account("badge", _field("badge", required=False)),
    "acknowledgeAlarm": Act(r"/alarms/[0-9]+/acknowledge", "acknowledgeAlarm", (_field("note", required=False),), "no"),
    "setAlarmRule": Act(
        "/alarm-rules", "setAlarmRule",
        (
            _field("code"), _field("name"), _field("topic", required=False),
            _field("severity", "choice", options=("critical", "warning", "info")),
            Field("escalateSeconds:int", "field.escalateSeconds", "text", True), _field("isActive", "bool"),
        ),
    ),
    "acceptProposal": Act("/maintenance-proposals/[^/]+/accept", "decideMaintenanceProposal"),
    "dismissProposal": Act(
        "/maintenance-proposals/[^/]+/dismiss", "decideMaintenanceProposal",
        (Field("quietDays:int", "field.quietDays", "text", True),), "must",
    ),
    "setCondition": Act(
        "/maintenance-conditions", "planMaintenance",
        (
            _field("code"), _field("equipment"), _field("kind", "choice", options=("runHours", "strokes", "trend")),
            _field("limit"), _field("tag", required=False),
            _field("direction", "choice", options=("above", "below")), _field("isActive", "bool"),
        ),
    ),
    "trainRiskModel": Act(
        "/quality/risk-models", "trainRiskModel",
        (
            _field("code"), _field("name"), _field("characteristic"), _field("limit"),
            _field("direction", "choice", options=("above", "below")), _field("product", required=False),
        ),
    ),
    "retryMessage": Act(r"/integration/outbound-messages/[^/]+/retry", "decideOutboundMessage", (), "must"),
    "discardMessage": Act(r"/integration/outbound-messages/[^/]+/discard", "decideOutboundMessage", (), "must"),
    "retryInbound": Act(r"/integration/inbound-messages/[0-9]+/retry", "decideInboundMessage", (), "must"),
    "discardInbound": Act(r"/integration/inbound-messages/[0-9]+/discard", "decideInboundMessage", (), "must"),
    "retryEvent": Act(r"/epcis/quarantine/[0-9]+/retry", "retryImportedEvent", (), "must"),
    "discardEvent": Act(r"/epcis/quarantine/[0-9]+/discard", "discardImportedEvent", (), "must"),
    "revokeKey": Act(r"/users/[^/]+/api-keys/[0-9a-f-]+/revoke", "manageUsers", (), "must"),
}  # fmt: skip


def may_act(request: Request, name: str) -> bool:
    """Whether the roles of the person allow it; the API asks again."""
    return may(request, ACTS[name].action)


def step_of(name: str) -> str:
    """The last part of an action's address: `verify-cleaning`."""
    return ACTS[name].path.rpartition("/")[2]


@router.get("/act/{name}")
def ask(
    name: str, request: Request, path: Annotated[str, Query(max_length=300)], back: str = "/ui/",
    about: Annotated[str, Query(max_length=200)] = "", chosen: Annotated[str, Query(max_length=400)] = "",
) -> Response:  # fmt: skip
    """The form of a direct action on `path`. Further parameters go along as they are; `chosen` is ticked already."""
    act = ACTS.get(name)
    if act is None or not re.fullmatch(act.path, path):
        raise Problem(404, "NOT_FOUND", f"{path} is no address of {name}")
    own = ("path", "back", "about", "chosen")
    return page(
        request, "act.html", act=act, name=name, action=path, back=safe_back(back), about=about,
        given={key: value for key, value in request.query_params.items() if key not in own},
        chosen=chosen.split(","), command_id=uuid.uuid4().hex,
        people=people(request) if any(one.kind == "person" for one in act.fields) else [],
        places={one.name: places_in(request, one.options) for one in act.fields if one.kind == "place"},
    )  # fmt: skip
