"""One table: which rule judges which command."""

from collections.abc import Callable
from typing import Any, Final

from domain import commands as c
from domain.process import Process
from domain.rules import (
    batch_record,
    charging,
    equipment_faults,
    line_side,
    lot_holds,
    material_balance,
    materials,
    operations,
    order_changes,
    order_deviations,
    orders,
    print_checks,
    record_review,
    recovery,
    release,
    replanning,
    reports,
    rework,
    start_gate,
    weighing,
)
from domain.rules.common import Events
from domain.rules.devices import device_blockers
from domain.rules.scans import all_at_once

Rule = Callable[[Process, Any], Events]

RULES: Final[dict[type[c.Command], Rule]] = {
    c.SubmitOrder: orders.submit_order,
    c.ApproveOrder: orders.approve_order,
    c.RejectOrder: orders.reject_order,
    c.ReleaseOrder: orders.release_order,
    c.HoldOrder: orders.hold_order,
    c.ResumeOrder: orders.resume_order,
    c.CancelOrder: orders.cancel_order,
    c.CloseOrder: orders.close_order,
    c.RetryNow: orders.retry_now,
    c.DispatchWorkOrder: materials.dispatch_work_order,
    c.AllocateMaterials: materials.allocate_materials,
    c.ApprovePickList: materials.approve_pick_list,
    c.IssuePickList: materials.issue_pick_list,
    c.StartWorkOrder: operations.start_work_order,
    c.PauseWorkOrder: operations.pause_work_order,
    c.ResumeWorkOrder: operations.resume_work_order,
    c.StartOperation: start_gate.start_operation,
    c.PauseOperation: operations.pause_operation,
    c.ResumeOperation: operations.resume_operation,
    c.CompleteOperation: operations.complete_operation,
    c.ReleaseOperationHold: operations.release_operation_hold,
    c.DecideDeviation: orders.decide_deviation,
    c.OpenDeviation: order_deviations.open_deviation,
    c.NoteDeviation: order_deviations.note_deviation,
    c.NoteFault: equipment_faults.note_fault,
    c.ReportProduction: reports.report_production,
    c.RecordParameters: batch_record.record_parameters,
    c.EnterInspectionResults: release.enter_inspection_results,
    c.DecideInspection: release.decide_inspection,
    c.PutAway: release.put_away,
    c.CertifyBatch: release.certify_batch,
    c.ReleaseBatch: release.release_batch,
    c.DecideInProcessInspection: rework.decide_in_process_inspection,
    c.ApproveRework: rework.approve_rework,
    c.RejectRework: rework.reject_rework,
    c.StartRework: rework.start_rework,
    c.ReportRework: rework.report_rework,
    c.ReverseReport: rework.reverse_report,
    c.DecideOverReport: reports.decide_over_report,
    c.CheckParameters: batch_record.check_parameters,
    c.CorrectParameter: batch_record.correct_parameter,
    c.VerifyOperation: batch_record.verify_operation,
    c.CommentOperation: batch_record.comment_operation,
    c.ReviewBatchRecord: record_review.review_batch_record,
    c.ApproveBatchRecord: record_review.approve_batch_record,
    c.ReturnBatchRecord: record_review.return_batch_record,
    c.ResubmitBatchRecord: record_review.resubmit_batch_record,
    c.JustifyException: record_review.justify_exception,
    c.ReturnMaterials: line_side.return_materials,
    c.SplitOrder: replanning.split_order,
    c.ReduceQuantity: replanning.reduce_quantity,
    c.PlaceLotHold: lot_holds.place_lot_hold,
    c.LiftLotHold: lot_holds.lift_lot_hold,
    c.ChooseLots: materials.choose_lots,
    c.WeighMaterial: weighing.weigh_material,
    c.StageContainers: charging.stage_containers,
    c.ChargeMaterials: charging.charge_materials,
    c.VoidContainer: weighing.void_container,
    c.CountMaterials: material_balance.count_materials,
    c.TakeSample: material_balance.take_sample,
    c.CheckPrint: print_checks.check_print,
    c.ChangeOrder: order_changes.change_order,
    c.RequestOrderChange: order_changes.request_order_change,
    c.ApproveOrderChange: order_changes.approve_order_change,
    c.RejectOrderChange: order_changes.reject_order_change,
    c.WithdrawOrderChange: order_changes.withdraw_order_change,
    c.RequestRecovery: recovery.request_recovery,
    c.ApproveRecovery: recovery.approve_recovery,
    c.RejectRecovery: recovery.reject_recovery,
    c.IntroduceRecovery: recovery.introduce_recovery,
}


def judge(process: Process, command: c.Command) -> Events:
    """The events of an accepted command. Raises `Refused` with every blocker; `process` is not changed."""
    return all_at_once(device_blockers(process, command), lambda: RULES[type(command)](process, command))
