"""Who may do what: the one table. `docs/roles.md` is made from it, and a test calls every route with every role.

The roles of a command stand on the command (`domain/commands.py`, `domain/case_commands.py`), because the replay and
the worker know it too; the roles of everything that no order or case judges stand here, with the route of each action.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.roles import Role
from domain import case_commands as cc
from domain import commands as c
from domain import maintenance_commands as mc

R = Role
QUALITY: Final = (R.QC_ANALYST, R.QA_REVIEWER, R.QUALITY_MANAGER)
ADMINISTRATION: Final = frozenset({"manageUsers", "readUsers", "manageDisplays", "manageInterfaces"})
"""All that an administrator may do: nothing of it touches production data (AC-07)."""

DIRECT: Final[Mapping[str, tuple[Role, ...]]] = {
    "askForTheImpossible": (R.PLANNER, R.OPERATOR, R.SUPERVISOR),
    "createOrder": (R.PLANNER, R.INTEGRATION),
    "createWorkOrders": (R.PLANNER, R.SUPERVISOR),
    "importPlanLines": (R.PLANNER, R.INTEGRATION),
    "generateNumber": (R.PLANNER, R.SUPERVISOR, R.PROCESS_ENGINEER, R.INTEGRATION),
    "registerSerials": (R.OPERATOR, R.SUPERVISOR, R.WAREHOUSE_KEEPER, R.INTEGRATION),
    "importMasterData": (R.PROCESS_ENGINEER,),
    "receive": (R.WAREHOUSE_KEEPER,),
    "requestInspection": (*QUALITY, R.WAREHOUSE_KEEPER),
    "takeSampleOfLot": (R.QC_ANALYST, R.WAREHOUSE_KEEPER),
    "enterResults": (R.QC_ANALYST,),
    "decideInspection": (R.QC_ANALYST, R.QUALITY_MANAGER),
    "decideMaterialRelease": (R.QC_ANALYST, R.QUALITY_MANAGER),
    "openDeviation": (*QUALITY, R.OPERATOR, R.SUPERVISOR, R.WAREHOUSE_KEEPER, R.MAINTENANCE, R.INTEGRATION),
    "openCapa": (*QUALITY, R.SUPERVISOR, R.PROCESS_ENGINEER, R.MAINTENANCE),
    "makeBackorder": (R.PLANNER, R.INTEGRATION),
    "splitPlanLine": (R.PLANNER, R.INTEGRATION),
    "decideImpact": (R.PLANNER, R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER),
    "writeMasterBatchRecord": (R.PROCESS_ENGINEER,),
    "approveMasterBatchRecord": (R.SUPERVISOR, R.QUALITY_MANAGER),
    "makeMasterBatchRecordEffective": (R.QUALITY_MANAGER,),
    "requestConfiguration": (R.PROCESS_ENGINEER,),
    "assessConfiguration": (R.PROCESS_ENGINEER, R.QA_REVIEWER),
    "approveConfiguration": (R.QUALITY_MANAGER,),
    "registerEquipment": (R.PROCESS_ENGINEER,),
    "registerDevice": (R.PROCESS_ENGINEER,),
    "qualifyEquipment": (R.QUALITY_MANAGER,),
    "calibrateEquipment": (R.METROLOGY,),
    "reviewCalibration": (R.METROLOGY, R.QA_REVIEWER),
    "cleanEquipment": (R.OPERATOR,),
    "verifyCleaning": (R.OPERATOR, R.SUPERVISOR, R.QA_REVIEWER),
    "reportFault": (R.OPERATOR, R.SUPERVISOR, R.MAINTENANCE, R.METROLOGY, R.INTEGRATION),
    "maintainEquipment": (R.MAINTENANCE,),
    "planMaintenance": (R.PROCESS_ENGINEER, R.MAINTENANCE),
    "reserveEquipment": (R.PLANNER, R.SUPERVISOR),
    "recordLineClearance": (R.OPERATOR, R.SUPERVISOR),
    "checkLineClearance": (R.OPERATOR, R.SUPERVISOR, R.QA_REVIEWER),
    "registerTraining": (R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER),
    "shipGoods": (R.WAREHOUSE_KEEPER,),
    "takeBackGoods": (R.WAREHOUSE_KEEPER,),
    "openRecall": (R.QA_REVIEWER, R.QUALITY_MANAGER, R.QUALIFIED_PERSON),
    "approveRecall": (R.QUALITY_MANAGER, R.QUALIFIED_PERSON),
    "runRecall": (R.QA_REVIEWER, R.QUALITY_MANAGER),
    "closeRecall": (R.QUALITY_MANAGER,),
    "moveStock": (R.WAREHOUSE_KEEPER,),
    "decideDestruction": (R.QUALITY_MANAGER,),
    "destroyLot": (R.WAREHOUSE_KEEPER, R.QA_REVIEWER),
    "proposeBatchRework": (*QUALITY, R.SUPERVISOR),
    "approveBatchRework": (R.QUALITY_MANAGER,),
    "holdLot": (R.QA_REVIEWER, R.QUALITY_MANAGER),
    "releaseLotHold": (R.QA_REVIEWER, R.QUALITY_MANAGER),
    "scheduleReport": (R.PLANNER, R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER, R.DATA_ANALYST),
    "reviewReport": (R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER),
    "readAudit": (R.AUDITOR, R.QA_REVIEWER, R.QUALITY_MANAGER),
    "exportAudit": (R.AUDITOR, R.QA_REVIEWER, R.QUALITY_MANAGER),
    "verifySignatures": (R.AUDITOR, R.QA_REVIEWER, R.QUALITY_MANAGER, R.QUALIFIED_PERSON),
    "manageUsers": (R.ADMINISTRATOR,),
    "manageDisplays": (R.ADMINISTRATOR, R.SUPERVISOR),
    "manageInterfaces": (R.ADMINISTRATOR,),
    "decideOutboundMessage": (R.PLANNER, R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER),
    "sendMessage": (R.INTEGRATION,),
    "decideInboundMessage": (R.PLANNER, R.SUPERVISOR, R.QC_ANALYST, R.QA_REVIEWER, R.QUALITY_MANAGER),
    "exportEvents": (R.PLANNER, R.WAREHOUSE_KEEPER, R.QA_REVIEWER, R.QUALITY_MANAGER, R.AUDITOR, R.INTEGRATION),
    "importEvents": (R.WAREHOUSE_KEEPER, R.QA_REVIEWER, R.QUALITY_MANAGER, R.INTEGRATION),
    "retryImportedEvent": (R.WAREHOUSE_KEEPER, R.QA_REVIEWER, R.QUALITY_MANAGER),
    "discardImportedEvent": (R.QA_REVIEWER, R.QUALITY_MANAGER),
    "acknowledgeAlarm": (R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER, R.MAINTENANCE, R.PROCESS_ENGINEER),
    "decideMaintenanceProposal": (R.MAINTENANCE, R.PROCESS_ENGINEER, R.SUPERVISOR),
    "trainRiskModel": (R.PROCESS_ENGINEER, R.DATA_ANALYST),
    "setAlarmRule": (R.PROCESS_ENGINEER, R.QUALITY_MANAGER),
    "readUsers": (R.ADMINISTRATOR, R.AUDITOR, R.QA_REVIEWER, R.QUALITY_MANAGER),
}  # fmt: skip

OWN: Final = "own"
"""Everybody with a session, about themselves alone; a ceremony asks for the roles of its command."""
READ: Final = "read"
"""Everybody with a session may read; what lies outside the caller's plants and lines is refused."""
OPEN: Final = "open"
"""No session."""

_ORDER, _WORK_ORDER = "/mes/orders/{order_id}", "/mes/work-orders/{work_order_id}"
_DEVIATION, _CAPA = "/quality/deviations/{deviation_id}", "/quality/capas/{capa_id}"
_MAINTENANCE = "/maintenance-orders/{maintenance_id}"
_OPERATION, _PICK_LIST = f"{_WORK_ORDER}/operations/{{code}}", "/wms/outbound-orders/{pick_list_id}"
COMMAND_ROUTES: Final[Mapping[str, type[c.Command]]] = {
    f"{_ORDER}/submit": c.SubmitOrder,
    f"{_ORDER}/approve": c.ApproveOrder,
    f"{_ORDER}/reject": c.RejectOrder,
    f"{_ORDER}/release": c.ReleaseOrder,
    f"{_ORDER}/hold": c.HoldOrder,
    f"{_ORDER}/resume": c.ResumeOrder,
    f"{_ORDER}/cancel": c.CancelOrder,
    f"{_ORDER}/close": c.CloseOrder,
    f"{_ORDER}/retry-now": c.RetryNow,
    f"{_ORDER}/decide-deviation": c.DecideDeviation,
    f"{_WORK_ORDER}/dispatch": c.DispatchWorkOrder,
    f"{_WORK_ORDER}/start-execution": c.StartWorkOrder,
    f"{_WORK_ORDER}/pause": c.PauseWorkOrder,
    f"{_WORK_ORDER}/resume": c.ResumeWorkOrder,
    f"{_WORK_ORDER}/certify": c.CertifyBatch,
    f"{_WORK_ORDER}/put-away": c.PutAway,
    f"{_WORK_ORDER}/release-batch": c.ReleaseBatch,
    f"{_WORK_ORDER}/inspection/results": c.EnterInspectionResults,
    f"{_WORK_ORDER}/inspection/decision": c.DecideInspection,
    f"{_OPERATION}/start": c.StartOperation,
    f"{_OPERATION}/pause": c.PauseOperation,
    f"{_OPERATION}/resume": c.ResumeOperation,
    f"{_OPERATION}/complete": c.CompleteOperation,
    f"{_OPERATION}/release-hold": c.ReleaseOperationHold,
    f"{_OPERATION}/parameters": c.RecordParameters,
    f"{_OPERATION}/parameters/check": c.CheckParameters,
    f"{_OPERATION}/parameters/{{number}}/correct": c.CorrectParameter,
    f"{_OPERATION}/verify": c.VerifyOperation,
    f"{_OPERATION}/comment": c.CommentOperation,
    f"{_WORK_ORDER}/batch-record/review": c.ReviewBatchRecord,
    f"{_WORK_ORDER}/batch-record/approve": c.ApproveBatchRecord,
    f"{_WORK_ORDER}/batch-record/return": c.ReturnBatchRecord,
    f"{_WORK_ORDER}/batch-record/resubmit": c.ResubmitBatchRecord,
    f"{_WORK_ORDER}/batch-record/exceptions/{{exception}}/explain": c.JustifyException,
    f"{_ORDER}/change": c.ChangeOrder,
    f"{_ORDER}/change-requests": c.RequestOrderChange,
    f"{_ORDER}/change-requests/{{change}}/approve": c.ApproveOrderChange,
    f"{_ORDER}/change-requests/{{change}}/reject": c.RejectOrderChange,
    f"{_ORDER}/change-requests/{{change}}/withdraw": c.WithdrawOrderChange,
    f"{_ORDER}/split": c.SplitOrder,
    f"{_ORDER}/reduce": c.ReduceQuantity,
    f"{_PICK_LIST}/return": c.ReturnMaterials,
    f"{_OPERATION}/weighings": c.WeighMaterial,
    f"{_OPERATION}/charge": c.ChargeMaterials,
    f"{_WORK_ORDER}/containers/stage": c.StageContainers,
    f"{_WORK_ORDER}/count": c.CountMaterials,
    f"{_OPERATION}/samples": c.TakeSample,
    f"{_OPERATION}/print-checks": c.CheckPrint,
    f"{_WORK_ORDER}/containers/{{container}}/void": c.VoidContainer,
    "/wms/inbound-orders/from-production-report": c.PutAway,
    f"{_PICK_LIST}/preallocate-inventory": c.AllocateMaterials,
    f"{_PICK_LIST}/choose-lots": c.ChooseLots,
    f"{_PICK_LIST}/approve": c.ApprovePickList,
    f"{_PICK_LIST}/execute": c.IssuePickList,
    f"{_WORK_ORDER}/in-process-inspections/{{inspection}}/decision": c.DecideInProcessInspection,
    f"{_WORK_ORDER}/reworks/{{rework}}/approve": c.ApproveRework,
    f"{_WORK_ORDER}/reworks/{{rework}}/reject": c.RejectRework,
    f"{_WORK_ORDER}/reworks/{{rework}}/start": c.StartRework,
    f"{_WORK_ORDER}/reworks/{{rework}}/report": c.ReportRework,
    f"{_WORK_ORDER}/recoveries": c.RequestRecovery,
    f"{_WORK_ORDER}/recoveries/{{recovery}}/approve": c.ApproveRecovery,
    f"{_WORK_ORDER}/recoveries/{{recovery}}/reject": c.RejectRecovery,
    f"{_WORK_ORDER}/recoveries/{{recovery}}/introduce": c.IntroduceRecovery,
    f"{_WORK_ORDER}/over-reports/{{over_report}}/decision": c.DecideOverReport,
    "/mes/production-reports/reverse": c.ReverseReport,
    "/mes/production-reports/report": c.ReportProduction,
    f"{_DEVIATION}/classify": cc.ClassifyDeviation,
    f"{_DEVIATION}/assign": cc.AssignDeviation,
    f"{_DEVIATION}/propose": cc.ProposeConclusion,
    f"{_DEVIATION}/send-back": cc.SendBackConclusion,
    f"{_DEVIATION}/approve": cc.ApproveDeviation,
    f"{_DEVIATION}/approve-as-quality-manager": cc.ApproveDeviationAsQualityManager,
    f"{_DEVIATION}/close": cc.CloseDeviation,
    f"{_DEVIATION}/reopen": cc.ReopenDeviation,
    f"{_DEVIATION}/void": cc.VoidDeviation,
    f"{_DEVIATION}/investigate-laboratory": cc.InvestigateLaboratory,
    f"{_DEVIATION}/prove-laboratory-error": cc.ProveLaboratoryError,
    f"{_DEVIATION}/authorise-retest": cc.AuthoriseRetest,
    f"{_DEVIATION}/begin-phase-two": cc.BeginPhaseTwo,
    f"{_DEVIATION}/conclude": cc.ConcludeOutOfSpecification,
    f"{_CAPA}/plan": cc.PlanCapa,
    f"{_CAPA}/approve": cc.ApproveCapa,
    f"{_CAPA}/start": cc.StartCapa,
    f"{_CAPA}/implement": cc.ImplementCapa,
    f"{_CAPA}/extend": cc.ExtendCapa,
    f"{_CAPA}/decide-effectiveness": cc.DecideCapaEffectiveness,
    f"{_MAINTENANCE}/approve": mc.ApproveMaintenance,
    f"{_MAINTENANCE}/schedule": mc.ScheduleMaintenance,
    f"{_MAINTENANCE}/begin": mc.BeginMaintenance,
    f"{_MAINTENANCE}/report-work": mc.ReportMaintenanceWork,
    f"{_MAINTENANCE}/verify": mc.VerifyMaintenance,
    f"{_MAINTENANCE}/verify-as-quality": mc.VerifyMaintenanceAsQuality,
    f"{_MAINTENANCE}/close": mc.CloseMaintenance,
    f"{_MAINTENANCE}/cancel": mc.CancelMaintenance,
}
"""POST routes that send a command to an order or a quality case."""

DIRECT_ROUTES: Final[Mapping[str, str]] = {
    **{f"POST {_ORDER}/{path}": "askForTheImpossible" for path in ("start", "pause", "complete")},
    **{
        f"POST {_WORK_ORDER}/{path}": "askForTheImpossible"
        for path in ("submit", "approve", "reject", "release", "hold", "complete", "cancel", "close")
    },
    "POST /mes/orders/from-plan/{plan_id}": "createOrder",
    "POST /mes/work-orders/from-order/{order_id}": "createWorkOrders",
    "POST /mes/plan-lines": "importPlanLines",
    "POST /mes/plan-lines/import": "importPlanLines",
    "POST /mes/traceabilities/generate-batch-no": "generateNumber",
    "POST /mes/traceabilities/serials": "registerSerials",
    "POST /master-data/import": "importMasterData",
    "POST /master-data/import-file": "importMasterData",
    "POST /wms/receipts": "receive",
    "POST /quality/inspections": "requestInspection",
    "POST /quality/inspections/{number}/results": "enterResults",
    "POST /quality/inspections/{number}/samples": "takeSampleOfLot",
    "POST /quality/inspections/{number}/decision": "decideInspection",
    "POST /quality/inspections/{inspection}/release-record": "decideMaterialRelease",
    "POST /quality/deviations": "openDeviation",
    "POST /quality/capas": "openCapa",
    "POST /wms/shipments": "shipGoods",
    "POST /wms/shipments/{shipment}/dispatch": "shipGoods",
    "POST /wms/shipments/{shipment}/cancel": "shipGoods",
    "POST /wms/shipments/{shipment}/take-back": "takeBackGoods",
    "POST /quality/recalls": "openRecall",
    "POST /quality/recalls/{recall}/approve": "approveRecall",
    **{
        f"POST /quality/recalls/{{recall}}/{path}": "runRecall"
        for path in ("scope", "execute", "told", "account", "reconcile")
    },
    "POST /quality/recalls/{recall}/close": "closeRecall",
    "POST /quality/lots/{lot}/move": "moveStock",
    "POST /quality/lots/{lot}/decide-destruction": "decideDestruction",
    "POST /quality/lots/{lot}/destroy": "destroyLot",
    "POST /quality/lots/{lot}/propose-rework": "proposeBatchRework",
    "POST /quality/lots/{lot}/approve-rework": "approveBatchRework",
    "POST /quality/lots/{lot}/reject-rework": "approveBatchRework",
    "POST /quality/lots/{lot}/hold": "holdLot",
    "POST /quality/lots/{lot}/release-hold": "releaseLotHold",
    f"POST {_ORDER}/backorder": "makeBackorder",
    f"POST {_ORDER}/impacts/{{number}}/decide": "decideImpact",
    "POST /mes/plan-lines/{plan_id}/split": "splitPlanLine",
    "POST /master-batch-records": "writeMasterBatchRecord",
    "POST /master-batch-records/import": "writeMasterBatchRecord",
    "POST /master-batch-records/import-batchml": "writeMasterBatchRecord",
    "POST /master-batch-records/pictures": "writeMasterBatchRecord",
    "GET /master-batch-records/pictures/{digest}": "writeMasterBatchRecord",
    "PUT /master-batch-records/{record_id}": "writeMasterBatchRecord",
    "POST /master-batch-records/{record_id}/submit": "writeMasterBatchRecord",
    "POST /master-batch-records/{record_id}/approve": "approveMasterBatchRecord",
    "POST /master-batch-records/{record_id}/reject": "approveMasterBatchRecord",
    "POST /master-batch-records/{record_id}/make-effective": "makeMasterBatchRecordEffective",
    "POST /master-batch-records/{record_id}/withdraw": "makeMasterBatchRecordEffective",
    "POST /configuration-changes": "requestConfiguration",
    "PUT /configuration-changes/{change_id}": "requestConfiguration",
    "POST /configuration-changes/{change_id}/analyse": "assessConfiguration",
    "POST /configuration-changes/{change_id}/test": "assessConfiguration",
    "POST /configuration-changes/{change_id}/approve": "approveConfiguration",
    "POST /configuration-changes/{change_id}/publish": "approveConfiguration",
    "POST /configuration-changes/{change_id}/reject": "approveConfiguration",
    "POST /equipment-classes": "registerEquipment",
    "POST /equipment": "registerEquipment",
    "POST /devices": "registerDevice",
    "POST /equipment/{code}/qualify": "qualifyEquipment",
    "POST /equipment/{code}/retire": "qualifyEquipment",
    "POST /equipment/{code}/calibrate": "calibrateEquipment",
    "POST /equipment/{code}/review-calibration": "reviewCalibration",
    "POST /equipment/{code}/clean": "cleanEquipment",
    "POST /equipment/{code}/verify-cleaning": "verifyCleaning",
    "POST /equipment/{code}/report-fault": "reportFault",
    "POST /equipment/{code}/request-maintenance": "reportFault",
    "POST /equipment/{code}/plan-maintenance": "planMaintenance",
    "POST /equipment/{code}/start-maintenance": "maintainEquipment",
    "POST /equipment/{code}/return-to-service": "maintainEquipment",
    "POST /equipment/{code}/reserve": "reserveEquipment",
    "POST /equipment/{code}/cancel-reservation": "reserveEquipment",
    "POST /line-clearances": "recordLineClearance",
    "POST /line-clearances/{number}/check": "checkLineClearance",
    "POST /training-records": "registerTraining",
    "POST /saved-views": OWN,
    "POST /saved-views/{view_id}/share": OWN,
    "POST /saved-views/{view_id}/remove": OWN,
    "POST /report-schedules": "scheduleReport",
    "POST /report-schedules/{schedule_id}/stop": "scheduleReport",
    **{
        f"POST /scheduled-reports/{{report_id}}/{path}": "reviewReport"
        for path in ("review", "reject", "distribute", "archive")
    },
    "GET /epcis/events": "exportEvents",
    "POST /epcis/capture": "importEvents",
    "POST /epcis/quarantine/{number}/retry": "retryImportedEvent",
    "POST /epcis/quarantine/{number}/discard": "discardImportedEvent",
    "GET /audit": "readAudit",
    "GET /audit/export": "exportAudit",
    "GET /audit/verify": "readAudit",
    "GET /signatures/{signature_id}/verification": "verifySignatures",
    "GET /andon-displays": "manageDisplays",
    "POST /andon-displays": "manageDisplays",
    "POST /andon-displays/{display_id}/revoke": "manageDisplays",
    "POST /integration/endpoints": "manageInterfaces",
    "POST /integration/outbound-messages/{message_id}/retry": "decideOutboundMessage",
    "POST /integration/outbound-messages/{message_id}/discard": "decideOutboundMessage",
    "POST /integration/systems": "manageInterfaces",
    "POST /integration/messages/{kind}": "sendMessage",
    "POST /integration/inbound-messages/{number}/retry": "decideInboundMessage",
    "POST /integration/inbound-messages/{number}/discard": "decideInboundMessage",
    "POST /alarms/{alarm_id}/acknowledge": "acknowledgeAlarm",
    "POST /alarm-rules": "setAlarmRule",
    "POST /maintenance-conditions": "planMaintenance",
    "POST /maintenance-proposals/{proposal}/accept": "decideMaintenanceProposal",
    "POST /maintenance-proposals/{proposal}/dismiss": "decideMaintenanceProposal",
    "POST /quality/risk-models": "trainRiskModel",
    "GET /users": "readUsers",
    "POST /users": "manageUsers",
    "POST /users/{user_id}/unlock": "manageUsers",
    "POST /users/{user_id}/disable": "manageUsers",
    "POST /users/{user_id}/roles": "manageUsers",
    "POST /users/{user_id}/scope": "manageUsers",
    "POST /users/{user_id}/reset-password": "manageUsers",
    "POST /users/{user_id}/reset-second-factor": "manageUsers",
    "POST /users/{user_id}/reset-pin": "manageUsers",
    "POST /users/{user_id}/badge": "manageUsers",
    "GET /users/{user_id}/api-keys": "readUsers",
    "POST /users/{user_id}/api-keys": "manageUsers",
    "POST /users/{user_id}/api-keys/{key_id}/revoke": "manageUsers",
    "POST /auth/login": OPEN,
    "POST /auth/password": OPEN,
    "POST /auth/take-over": OPEN,
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "POST /auth/logout": OWN,
    "POST /auth/pin": OWN,
    "POST /auth/second-factor": OWN,
    "POST /auth/second-factor/confirm": OWN,
    "POST /signatures/requests": OWN,
    "GET /signatures/requests/{request_id}": OWN,
    "POST /signatures/requests/{request_id}/abandon": OWN,
    "GET /auth/me": OWN,
}
"""`METHOD path` → action. Every other GET is `READ`; a write that is not listed is a mistake that a test finds."""


@dataclass(frozen=True)
class Separation:
    """Two acts that one person may not both do on the same thing; `where` says when it is asked for."""

    first: str
    second: str
    where: str


SEPARATIONS: Final = (
    Separation("createOrder, submitOrder", "approveOrder", "policy approverDiffersFromCreator"),
    Separation("requestOrderChange", "approveOrderChange", "always"),
    Separation("whoever wrote a configuration change", "approve or publish it", "always"),
    Separation("dispatchWorkOrder", "approvePickList", "policy pickListApproverDiffers"),
    Separation("enterInspectionResults", "decideInspection", "policy resultsReviewedBySecondPerson"),
    Separation("enterResults", "decideInspection of a received lot, decideMaterialRelease", "always"),
    Separation("reviewBatchRecord", "approveBatchRecord", "always"),
    Separation(
        "startOperation, completeOperation", "reviewBatchRecord, approveBatchRecord", "policy recordJudgedByOthers"
    ),
    Separation("certifyBatch", "releaseBatch", "always"),
    Separation("decideInProcessInspection", "approveRework", "always"),
    Separation("requestRecovery", "approveRecovery", "always"),
    Separation("proposeBatchRework", "approveBatchRework", "always"),
    Separation("reportProduction", "decideOverReport", "always"),
    Separation("the owner of a deviation or corrective action", "approve or close it", "always"),
    Separation("the requester of a maintenance order", "approveMaintenance", "always"),
    Separation("reportMaintenanceWork", "verifyMaintenance, verifyMaintenanceAsQuality", "always"),
    Separation("verifyMaintenance", "verifyMaintenanceAsQuality", "always"),
    Separation("approveDeviation", "approveDeviationAsQualityManager", "always"),
    Separation("the signer of a command", "its second person", "always"),
    Separation("role administrator", "any other role", "one account"),
    Separation("role supervisor (production head)", "role qualityManager (quality head)", "one account, CN 20"),
)
"""Held by person id, never by role (AC-03)."""


def action_of(method: str, path: str) -> str:
    """The action of a route (path without prefix). Raises KeyError for a write that stands in no table."""
    if method == "POST" and path in COMMAND_ROUTES:
        return COMMAND_ROUTES[path].kind_name()
    known = DIRECT_ROUTES.get(f"{method} {path}")
    if known is None and method == "GET":
        return READ
    return DIRECT_ROUTES[f"{method} {path}"] if known is None else known


def roles_of(method: str, path: str) -> tuple[str, ...]:
    """Who may call a route: the roles of its action, or everybody. Raises KeyError as `action_of` does."""
    if method == "POST" and path in COMMAND_ROUTES:
        return COMMAND_ROUTES[path].roles
    action = action_of(method, path)
    return DIRECT[action] if action in DIRECT else tuple(Role)
