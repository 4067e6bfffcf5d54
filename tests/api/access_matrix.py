"""Every write of the API: what it needs in its body, and who may. Written by hand, compared with the routes."""

from typing import Any

from api import impossible
from api.roles import Role
from domain import case_commands as cc
from domain import commands as c
from domain import maintenance_commands as mc

R = Role
VALUES = [{"name": "x", "text": "1"}]


def denial_of(path: str) -> str:
    """With which code a route refuses who may not."""
    return "QP_REQUIRED" if path.endswith("/certify") else "NOT_AUTHORISED"


ORDER, WORK_ORDER = "/mes/orders/{order_id}", "/mes/work-orders/{work_order_id}"
OPERATION, PICK_LIST = f"{WORK_ORDER}/operations/{{code}}", "/wms/outbound-orders/{pick_list_id}"
COMMANDS: dict[str, tuple[type[c.Command], dict[str, Any]]] = {
    f"{ORDER}/submit": (c.SubmitOrder, {}),
    f"{ORDER}/approve": (c.ApproveOrder, {}),
    f"{ORDER}/reject": (c.RejectOrder, {}),
    f"{ORDER}/release": (c.ReleaseOrder, {}),
    f"{ORDER}/hold": (c.HoldOrder, {}),
    f"{ORDER}/resume": (c.ResumeOrder, {}),
    f"{ORDER}/cancel": (c.CancelOrder, {}),
    f"{ORDER}/close": (c.CloseOrder, {}),
    f"{ORDER}/retry-now": (c.RetryNow, {}),
    f"{ORDER}/decide-deviation": (c.DecideDeviation, {"deviation": "D", "decision": "scrap"}),
    f"{WORK_ORDER}/dispatch": (c.DispatchWorkOrder, {}),
    f"{WORK_ORDER}/start-execution": (c.StartWorkOrder, {}),
    f"{WORK_ORDER}/pause": (c.PauseWorkOrder, {"reason": "a break"}),
    f"{WORK_ORDER}/resume": (c.ResumeWorkOrder, {}),
    f"{WORK_ORDER}/certify": (c.CertifyBatch, {}),
    f"{WORK_ORDER}/put-away": (c.PutAway, {"place": "QUARANTINE"}),
    f"{WORK_ORDER}/release-batch": (c.ReleaseBatch, {"place": "FINISHED"}),
    f"{WORK_ORDER}/inspection/results": (c.EnterInspectionResults, {"values": VALUES}),
    f"{WORK_ORDER}/inspection/decision": (c.DecideInspection, {"accept": True}),
    f"{OPERATION}/start": (c.StartOperation, {}),
    f"{OPERATION}/pause": (c.PauseOperation, {"reason": "a break"}),
    f"{OPERATION}/resume": (c.ResumeOperation, {}),
    f"{OPERATION}/complete": (c.CompleteOperation, {}),
    f"{OPERATION}/release-hold": (c.ReleaseOperationHold, {}),
    f"{OPERATION}/parameters": (c.RecordParameters, {"values": VALUES}),
    f"{OPERATION}/parameters/check": (c.CheckParameters, {"numbers": ["V1"]}),
    f"{OPERATION}/parameters/{{number}}/correct": (c.CorrectParameter, {"text": "1", "reason": "misread it"}),
    f"{WORK_ORDER}/batch-record/review": (c.ReviewBatchRecord, {}),
    f"{WORK_ORDER}/batch-record/approve": (c.ApproveBatchRecord, {}),
    f"{WORK_ORDER}/batch-record/return": (c.ReturnBatchRecord, {"fields": ["x"], "reason": "look again"}),
    f"{WORK_ORDER}/batch-record/resubmit": (c.ResubmitBatchRecord, {}),
    f"{WORK_ORDER}/batch-record/exceptions/{{exception}}/explain": (c.JustifyException, {"reason": "known"}),
    f"{OPERATION}/verify": (c.VerifyOperation, {}),
    f"{OPERATION}/comment": (c.CommentOperation, {"text": "as seen"}),
    "/wms/inbound-orders/from-production-report": (c.PutAway, {"reportNumber": "R", "place": "QUARANTINE"}),
    f"{PICK_LIST}/preallocate-inventory": (c.AllocateMaterials, {}),
    f"{PICK_LIST}/choose-lots": (c.ChooseLots, {"choice": [{"line": 1, "lots": ["L"]}], "reason": "a customer's wish"}),
    f"{PICK_LIST}/approve": (c.ApprovePickList, {}),
    f"{PICK_LIST}/execute": (c.IssuePickList, {}),
    f"{PICK_LIST}/return": (
        c.ReturnMaterials,
        {"lines": [{"line": 1, "lot": "L", "quantity": "1", "unit": "kg"}], "reason": "too much issued"},
    ),
    f"{OPERATION}/weighings": (c.WeighMaterial, {"line": 1, "scale": "S", "unit": "kg", "scans": ["L"]}),
    f"{OPERATION}/charge": (c.ChargeMaterials, {"scans": ["K"]}),
    f"{WORK_ORDER}/containers/stage": (c.StageContainers, {"place": "BOOTH", "scans": ["K"]}),
    f"{WORK_ORDER}/containers/{{container}}/void": (c.VoidContainer, {"reason": "spilled it"}),
    f"{WORK_ORDER}/count": (
        c.CountMaterials,
        {"lines": [{"line": 1, "lot": "L", "quantity": "1", "unit": "kg"}], "reason": "counted it"},
    ),
    f"{OPERATION}/samples": (c.TakeSample, {"quantity": "1", "unit": "kg"}),
    f"{OPERATION}/print-checks": (c.CheckPrint, {"lotText": "L"}),
    f"{WORK_ORDER}/in-process-inspections/{{inspection}}/decision": (c.DecideInProcessInspection, {"failed": 0}),
    f"{WORK_ORDER}/recoveries": (c.RequestRecovery, {"operation": "MIX", "lot": "L", "quantity": 1}),
    f"{WORK_ORDER}/recoveries/{{recovery}}/approve": (c.ApproveRecovery, {}),
    f"{WORK_ORDER}/recoveries/{{recovery}}/reject": (c.RejectRecovery, {"reason": "not good enough"}),
    f"{WORK_ORDER}/recoveries/{{recovery}}/introduce": (c.IntroduceRecovery, {}),
    f"{WORK_ORDER}/reworks/{{rework}}/approve": (c.ApproveRework, {}),
    f"{WORK_ORDER}/reworks/{{rework}}/reject": (c.RejectRework, {"reason": "not worth it"}),
    f"{WORK_ORDER}/reworks/{{rework}}/start": (c.StartRework, {}),
    f"{WORK_ORDER}/reworks/{{rework}}/report": (c.ReportRework, {"good": 1, "scrap": 0}),
    f"{WORK_ORDER}/over-reports/{{over_report}}/decision": (c.DecideOverReport, {"accept": True}),
    "/mes/production-reports/reverse": (c.ReverseReport, {"reportNumber": "R"}),
    f"{ORDER}/change": (c.ChangeOrder, {"quantity": "1"}),
    f"{ORDER}/change-requests": (c.RequestOrderChange, {"quantity": "1"}),
    f"{ORDER}/change-requests/{{change}}/approve": (c.ApproveOrderChange, {}),
    f"{ORDER}/change-requests/{{change}}/reject": (c.RejectOrderChange, {}),
    f"{ORDER}/change-requests/{{change}}/withdraw": (c.WithdrawOrderChange, {}),
    f"{ORDER}/split": (c.SplitOrder, {"parts": [{"quantity": "1"}, {"quantity": "2"}]}),
    f"{ORDER}/reduce": (c.ReduceQuantity, {}),
    "/mes/production-reports/report": (c.ReportProduction, {"operation": "FIT", "good": 1}),
}
MAINTENANCE = "/maintenance-orders/{maintenance_id}"
DEVIATION, CAPA = "/quality/deviations/{deviation_id}", "/quality/capas/{capa_id}"
CONCLUSION = {"rootCause": "dust", "disposition": "accept", "needsCapa": False}
DAY = "2027-01-01T00:00:00Z"
COMMANDS |= {
    f"{DEVIATION}/classify": (cc.ClassifyDeviation, {"classification": "minor", "impact": "none"}),
    f"{DEVIATION}/assign": (cc.AssignDeviation, {"owner": "mia"}),
    f"{DEVIATION}/propose": (cc.ProposeConclusion, CONCLUSION),
    f"{DEVIATION}/send-back": (cc.SendBackConclusion, {"reason": "too thin"}),
    f"{DEVIATION}/approve": (cc.ApproveDeviation, {}),
    f"{DEVIATION}/approve-as-quality-manager": (cc.ApproveDeviationAsQualityManager, {}),
    f"{DEVIATION}/close": (cc.CloseDeviation, {}),
    f"{DEVIATION}/reopen": (cc.ReopenDeviation, {"reason": "seen again"}),
    f"{DEVIATION}/void": (cc.VoidDeviation, {"reason": "it was none"}),
    f"{DEVIATION}/investigate-laboratory": (cc.InvestigateLaboratory, {}),
    f"{DEVIATION}/prove-laboratory-error": (cc.ProveLaboratoryError, {"finding": "pH"}),
    f"{DEVIATION}/authorise-retest": (cc.AuthoriseRetest, {}),
    f"{DEVIATION}/begin-phase-two": (cc.BeginPhaseTwo, {"finding": "none"}),
    f"{DEVIATION}/conclude": (cc.ConcludeOutOfSpecification, {"confirmed": True, **CONCLUSION}),
    f"{MAINTENANCE}/approve": (mc.ApproveMaintenance, {}),
    f"{MAINTENANCE}/schedule": (mc.ScheduleMaintenance, {"assignee": "mia", "plannedAt": DAY}),
    f"{MAINTENANCE}/begin": (mc.BeginMaintenance, {}),
    f"{MAINTENANCE}/report-work": (mc.ReportMaintenanceWork, {"work": "oiled", "hours": "1", "major": False}),
    f"{MAINTENANCE}/verify": (mc.VerifyMaintenance, {}),
    f"{MAINTENANCE}/verify-as-quality": (mc.VerifyMaintenanceAsQuality, {}),
    f"{MAINTENANCE}/close": (mc.CloseMaintenance, {}),
    f"{MAINTENANCE}/cancel": (mc.CancelMaintenance, {"reason": "not needed"}),
    f"{CAPA}/plan": (cc.PlanCapa, {"action": "clean", "owner": "mia", "dueAt": DAY, "checkAt": DAY}),
    f"{CAPA}/approve": (cc.ApproveCapa, {}),
    f"{CAPA}/start": (cc.StartCapa, {}),
    f"{CAPA}/implement": (cc.ImplementCapa, {"evidence": "photo"}),
    f"{CAPA}/extend": (cc.ExtendCapa, {"dueAt": DAY, "reason": "late part"}),
    f"{CAPA}/decide-effectiveness": (cc.DecideCapaEffectiveness, {"effective": True, "evidence": "none since"}),
}
NEED_A_REPORT = {
    "/wms/inbound-orders/from-production-report", "/mes/production-reports/reverse",
    f"{OPERATION}/parameters/{{number}}/correct", f"{WORK_ORDER}/batch-record/exceptions/{{exception}}/explain",
}  # fmt: skip
"""Their roles are tested in the life of a report or of a value."""
QUALITY = (R.QC_ANALYST, R.QA_REVIEWER, R.QUALITY_MANAGER)
DIRECT: dict[str, tuple[tuple[str, ...], Any]] = {
    **{
        f"{base}/{path}": ((R.PLANNER, R.OPERATOR, R.SUPERVISOR), {})
        for base, what in ((ORDER, "production-order"), (WORK_ORDER, "work-order"))
        for path in impossible.DONE_BY[what]
    },
    "/mes/orders/from-plan/{plan_id}": ((R.PLANNER, R.INTEGRATION), {}),
    "/mes/work-orders/from-order/{order_id}": ((R.PLANNER, R.SUPERVISOR), {}),
    f"{ORDER}/backorder": ((R.PLANNER, R.INTEGRATION), {}),
    "/mes/plan-lines/{plan_id}/split": (
        (R.PLANNER, R.INTEGRATION), {"parts": [{"quantity": "1"}, {"quantity": "2"}]}
    ),
    "/mes/plan-lines": ((R.PLANNER, R.INTEGRATION), None),
    "/mes/plan-lines/import": ((R.PLANNER, R.INTEGRATION), None),
    "/mes/traceabilities/generate-batch-no": (
        (R.PLANNER, R.SUPERVISOR, R.PROCESS_ENGINEER, R.INTEGRATION), {"pattern": "B"}
    ),
    "/mes/traceabilities/serials": (
        (R.OPERATOR, R.SUPERVISOR, R.WAREHOUSE_KEEPER, R.INTEGRATION), {"lot": "L", "serials": ["S"]}
    ),
    "/master-data/import": ((R.PROCESS_ENGINEER,), {}),
    "/master-data/import-file": ((R.PROCESS_ENGINEER,), {}),
    "/master-batch-records": ((R.PROCESS_ENGINEER,), {}),
    "/master-batch-records/import": ((R.PROCESS_ENGINEER,), {}),
    "/master-batch-records/import-batchml": ((R.PROCESS_ENGINEER,), {"document": "<a/>"}),
    "/mes/orders/{order_id}/impacts/{number}/decide": (
        (R.PLANNER, R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER), {"decision": "keep", "reason": "as it was made"},
    ),
    "/master-batch-records/pictures": ((R.PROCESS_ENGINEER,), {}),
    "/master-batch-records/{record_id}": ((R.PROCESS_ENGINEER,), {}),
    "/master-batch-records/{record_id}/submit": ((R.PROCESS_ENGINEER,), {}),
    "/master-batch-records/{record_id}/approve": ((R.SUPERVISOR, R.QUALITY_MANAGER), {"contentHash": "0" * 64}),
    "/master-batch-records/{record_id}/reject": ((R.SUPERVISOR, R.QUALITY_MANAGER), {"reason": "not so"}),
    "/master-batch-records/{record_id}/make-effective": ((R.QUALITY_MANAGER,), {}),
    "/master-batch-records/{record_id}/withdraw": ((R.QUALITY_MANAGER,), {"reason": "not so"}),
    "/configuration-changes": ((R.PROCESS_ENGINEER,), {}),
    "/configuration-changes/{change_id}": ((R.PROCESS_ENGINEER,), {}),
    "/configuration-changes/{change_id}/analyse": ((R.PROCESS_ENGINEER, R.QA_REVIEWER), {"reason": "none"}),
    "/configuration-changes/{change_id}/test": ((R.PROCESS_ENGINEER, R.QA_REVIEWER), {"passed": True}),
    "/configuration-changes/{change_id}/approve": ((R.QUALITY_MANAGER,), {"contentHash": "0" * 64}),
    "/configuration-changes/{change_id}/publish": ((R.QUALITY_MANAGER,), {}),
    "/configuration-changes/{change_id}/reject": ((R.QUALITY_MANAGER,), {"reason": "not so"}),
    "/users": (
        (R.ADMINISTRATOR,),
        {"id": "x", "fullName": "X", "password": "x" * 12, "roles": ["operator"], "reason": "new here"},
    ),
    "/andon-displays": ((R.ADMINISTRATOR, R.SUPERVISOR), {"kind": "line", "area": "A", "name": "wall"}),
    "/andon-displays/{display_id}/revoke": ((R.ADMINISTRATOR, R.SUPERVISOR), {}),
    "/report-schedules": (
        (R.PLANNER, R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER, R.DATA_ANALYST),
        {"name": "N", "report": "scrap", "rhythm": "daily", "recipients": ["nobody"]},
    ),
    "/report-schedules/{schedule_id}/stop": (
        (R.PLANNER, R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER, R.DATA_ANALYST), {},
    ),
    **{
        f"/scheduled-reports/{{report_id}}/{path}": (
            (R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER), {"reason": "not so good"},
        )
        for path in ("review", "reject", "distribute", "archive")
    },
    "/users/{user_id}/unlock": ((R.ADMINISTRATOR,), {"reason": "phoned in"}),
    "/users/{user_id}/disable": ((R.ADMINISTRATOR,), {"reason": "has left"}),
    "/users/{user_id}/roles": ((R.ADMINISTRATOR,), {"roles": ["operator"], "reason": "a new job"}),
    "/users/{user_id}/scope": ((R.ADMINISTRATOR,), {"plants": None, "lines": None, "reason": "a new job"}),
    "/users/{user_id}/reset-password": ((R.ADMINISTRATOR,), {"password": "x" * 12, "reason": "forgot it"}),
    "/users/{user_id}/reset-second-factor": ((R.ADMINISTRATOR,), {"reason": "lost telephone"}),
    "/users/{user_id}/reset-pin": ((R.ADMINISTRATOR,), {"reason": "forgot it"}),
    "/users/{user_id}/badge": ((R.ADMINISTRATOR,), {"badge": "4711", "reason": "a new card"}),
    "/users/{user_id}/api-keys": ((R.ADMINISTRATOR,), {"name": "erp", "reason": "a new ERP"}),
    "/users/{user_id}/api-keys/{key_id}/revoke": ((R.ADMINISTRATOR,), {"reason": "an old ERP"}),
    "/wms/receipts": (
        (R.WAREHOUSE_KEEPER,), {"lot": "L", "material": "API", "quantity": 1, "unit": "kg"}
    ),
    "/quality/inspections": ((*QUALITY, R.WAREHOUSE_KEEPER), {"lot": "L"}),
    "/quality/inspections/{number}/results": ((R.QC_ANALYST,), {"values": VALUES}),
    "/quality/inspections/{number}/samples": ((R.QC_ANALYST, R.WAREHOUSE_KEEPER), {"quantity": "1", "unit": "kg"}),
    "/quality/inspections/{number}/decision": ((R.QC_ANALYST, R.QUALITY_MANAGER), {"accept": True}),
    "/quality/inspections/{inspection}/release-record": (
        (R.QC_ANALYST, R.QUALITY_MANAGER), {"accept": True, "conclusion": "fit for use"}
    ),
    "/equipment-classes": ((R.PROCESS_ENGINEER,), {"code": "C", "name": "C"}),
    "/equipment": ((R.PROCESS_ENGINEER,), {"code": "E", "name": "E", "equipmentClass": "C"}),
    "/integration/endpoints": (
        (R.ADMINISTRATOR,), {"code": "ERP", "name": "ERP", "url": "https://erp.example", "topics": ["lot.*"]}
    ),
    "/integration/outbound-messages/{message_id}/retry": (
        (R.PLANNER, R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER), {"reason": "it is up again"}
    ),
    "/integration/outbound-messages/{message_id}/discard": (
        (R.PLANNER, R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER), {"reason": "told by telephone"}
    ),
    "/epcis/quarantine/{number}/retry": (
        (R.WAREHOUSE_KEEPER, R.QA_REVIEWER, R.QUALITY_MANAGER), {"reason": "mended it"}
    ),
    "/epcis/quarantine/{number}/discard": ((R.QA_REVIEWER, R.QUALITY_MANAGER), {"reason": "of a test system"}),
    "/epcis/capture": ((R.WAREHOUSE_KEEPER, R.QA_REVIEWER, R.QUALITY_MANAGER, R.INTEGRATION), {"any": "thing"}),
    "/integration/systems": (
        (R.ADMINISTRATOR,), {"account": "erp", "name": "ERP", "kinds": ["operations-schedule"]}
    ),
    "/integration/messages/{kind}": ((R.INTEGRATION,), {"any": "thing"}),
    "/integration/inbound-messages/{number}/retry": (
        (R.PLANNER, R.SUPERVISOR, R.QC_ANALYST, R.QA_REVIEWER, R.QUALITY_MANAGER), {"reason": "it is known now"}
    ),
    "/integration/inbound-messages/{number}/discard": (
        (R.PLANNER, R.SUPERVISOR, R.QC_ANALYST, R.QA_REVIEWER, R.QUALITY_MANAGER), {"reason": "a test message"}
    ),
    "/alarms/{alarm_id}/acknowledge": (
        (R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER, R.MAINTENANCE, R.PROCESS_ENGINEER), {}
    ),
    "/alarm-rules": ((R.PROCESS_ENGINEER, R.QUALITY_MANAGER), {"code": "LOUD", "name": "Loud"}),
    "/maintenance-conditions": (
        (R.PROCESS_ENGINEER, R.MAINTENANCE),
        {"code": "T-1", "equipment": "NONE", "kind": "runHours", "limit": 5},
    ),
    "/maintenance-proposals/{proposal}/accept": ((R.MAINTENANCE, R.PROCESS_ENGINEER, R.SUPERVISOR), {}),
    "/maintenance-proposals/{proposal}/dismiss": (
        (R.MAINTENANCE, R.PROCESS_ENGINEER, R.SUPERVISOR), {"reason": "not now"}
    ),
    "/quality/risk-models": (
        (R.PROCESS_ENGINEER, R.DATA_ANALYST),
        {"code": "test", "name": "T", "characteristic": "x", "limit": 1, "direction": "above"},
    ),
    "/devices": ((R.PROCESS_ENGINEER,), {"code": "T", "name": "T", "kind": "terminal"}),
    "/equipment/{code}/qualify": ((R.QUALITY_MANAGER,), {}),
    "/equipment/{code}/calibrate": (
        (R.METROLOGY,), {"certificate": "X", "dueAt": "2030-01-01T00:00:00Z", "foundWithinTolerance": True}
    ),
    "/equipment/{code}/review-calibration": ((R.METROLOGY, R.QA_REVIEWER), {"accept": True}),
    "/equipment/{code}/clean": ((R.OPERATOR,), {"level": "full"}),
    "/equipment/{code}/verify-cleaning": ((R.OPERATOR, R.SUPERVISOR, R.QA_REVIEWER), {"accept": True}),
    "/equipment/{code}/report-fault": (
        (R.OPERATOR, R.SUPERVISOR, R.MAINTENANCE, R.METROLOGY, R.INTEGRATION), {"reason": "it is stuck"}
    ),
    "/equipment/{code}/request-maintenance": (
        (R.OPERATOR, R.SUPERVISOR, R.MAINTENANCE, R.METROLOGY, R.INTEGRATION), {"reason": "it whistles"}
    ),
    "/equipment/{code}/plan-maintenance": ((R.PROCESS_ENGINEER, R.MAINTENANCE), {"intervalSeconds": 86400}),
    "/equipment/{code}/start-maintenance": ((R.MAINTENANCE,), {}),
    "/equipment/{code}/return-to-service": ((R.MAINTENANCE,), {"reason": "repaired", "major": True}),
    "/equipment/{code}/retire": ((R.QUALITY_MANAGER,), {"reason": "worn out"}),
    "/equipment/{code}/reserve": ((R.PLANNER, R.SUPERVISOR), {"batch": "B"}),
    "/equipment/{code}/cancel-reservation": ((R.PLANNER, R.SUPERVISOR), {}),
    "/line-clearances": (
        (R.OPERATOR, R.SUPERVISOR),
        {"room": "R", "product": "TAB", "batch": "B", "operation": "MIX", "items": [{"item": "x", "passed": True}]},
    ),
    "/line-clearances/{number}/check": ((R.OPERATOR, R.SUPERVISOR, R.QA_REVIEWER), {"accept": True}),
    "/training-records": (
        (R.SUPERVISOR, R.QA_REVIEWER, R.QUALITY_MANAGER),
        {"person": "olu", "qualification": "Q", "validUntil": "2030-01-01T00:00:00Z"},
    ),
    "/wms/shipments": (
        (R.WAREHOUSE_KEEPER,),
        {"lot": "L", "quantity": 1, "unit": "pcs", "place": "P", "consignee": "C", "address": "A", "contact": "T",
         "transport": "truck"},
    ),
    "/wms/shipments/{shipment}/dispatch": ((R.WAREHOUSE_KEEPER,), {}),
    "/wms/shipments/{shipment}/cancel": ((R.WAREHOUSE_KEEPER,), {"reason": "not wanted"}),
    "/wms/shipments/{shipment}/take-back": ((R.WAREHOUSE_KEEPER,), {"reason": "too much", "quantity": 1, "place": "P"}),
    "/quality/recalls": (
        (R.QA_REVIEWER, R.QUALITY_MANAGER, R.QUALIFIED_PERSON), {"lot": "L", "reason": "glass was found"}
    ),
    "/quality/recalls/{recall}/scope": ((R.QA_REVIEWER, R.QUALITY_MANAGER), {}),
    "/quality/recalls/{recall}/approve": ((R.QUALITY_MANAGER, R.QUALIFIED_PERSON), {"scopeHash": "0" * 64}),
    "/quality/recalls/{recall}/execute": ((R.QA_REVIEWER, R.QUALITY_MANAGER), {}),
    "/quality/recalls/{recall}/told": ((R.QA_REVIEWER, R.QUALITY_MANAGER), {"consignee": "C", "note": "by telephone"}),
    "/quality/recalls/{recall}/account": (
        (R.QA_REVIEWER, R.QUALITY_MANAGER), {"shipment": "S", "quantity": 1, "note": "used up"}
    ),
    "/quality/recalls/{recall}/reconcile": ((R.QA_REVIEWER, R.QUALITY_MANAGER), {}),
    "/quality/recalls/{recall}/close": ((R.QUALITY_MANAGER,), {"effective": True, "conclusion": "all was found"}),
    "/quality/lots/{lot}/move": (
        (R.WAREHOUSE_KEEPER,), {"reason": "a better place", "quantity": 1, "fromPlace": "A", "toPlace": "B"}
    ),
    "/quality/lots/{lot}/decide-destruction": ((R.QUALITY_MANAGER,), {"reason": "it is rejected"}),
    "/quality/lots/{lot}/destroy": ((R.WAREHOUSE_KEEPER, R.QA_REVIEWER), {"destruction": "X", "how": "burnt"}),
    "/quality/lots/{lot}/propose-rework": (
        (*QUALITY, R.SUPERVISOR), {"reason": "only chipped", "operation": "MIX"}
    ),
    "/quality/lots/{lot}/approve-rework": ((R.QUALITY_MANAGER,), {"reason": "risk assessed", "rework": "X"}),
    "/quality/lots/{lot}/reject-rework": ((R.QUALITY_MANAGER,), {"reason": "not worth it", "rework": "X"}),
    "/quality/lots/{lot}/hold": (
        (R.QA_REVIEWER, R.QUALITY_MANAGER),
        {"reason": "glass was found", "lots": 1, "orders": 0, "shipped": "0"},
    ),
    "/quality/lots/{lot}/release-hold": ((R.QA_REVIEWER, R.QUALITY_MANAGER), {"reason": "no glass", "hold": "H"}),
    "/quality/capas": (
        (*QUALITY, R.SUPERVISOR, R.PROCESS_ENGINEER, R.MAINTENANCE), {"source": "audit", "action": "clean"}
    ),
    "/quality/deviations": (
        (*QUALITY, R.OPERATOR, R.SUPERVISOR, R.WAREHOUSE_KEEPER, R.MAINTENANCE, R.INTEGRATION),
        {"lot": "L", "code": "X", "detail": "y"},
    ),
}  # fmt: skip
REPLACES = {"/master-batch-records/{record_id}", "/configuration-changes/{change_id}"}
"""Written with PUT."""
FOR_EVERYBODY = {
    "/auth/login", "/auth/logout", "/auth/password", "/auth/pin", "/auth/take-over", "/auth/second-factor",
    "/auth/second-factor/confirm", "/signatures/requests", "/signatures/requests/{request_id}/abandon",
    "/saved-views", "/saved-views/{view_id}/share", "/saved-views/{view_id}/remove",
}  # fmt: skip
