"""Which audit rows tell of a change of which table (AT-01), and a check of every change against the rows.

A changed field is told when an audit row of the same transaction is about the record and holds the field's new value
(and its old one, where there was one), or when it is what the row itself says: who, when, why, which command, which
record. `DERIVED` lists the few columns that follow from others; `NO_DATA` the tables that hold no data of a plant.
"""

from collections.abc import Callable
from typing import Final

from tests.api.changes import Row

Names = Callable[[Row], set[str]]


def _names(*patterns: str) -> Names:
    """The records that a row belongs to, as the audit trail calls them."""
    return lambda row: {pattern.format(**row) for pattern in patterns}


NO_DATA: Final[dict[str, str]] = {
    "audit_head": "the end of the trail itself",
    "order_fact": "the decision that the audit rows are made of, append-only",
    "case_fact": "the same of a quality case",
    "command_outcome": "the answer to a command, made of its fact",
    "state_transition": "the history of states: each has its audit row with the record itself",
    "inventory_request": "which requests were answered: what they did has rows",
    "user_session": "sessions: login and logout have rows; the time of the last use is no data",
    "password_history": "hashes of earlier passwords",
    "alarm": "calls somebody; says what another row says",
    "number_series": "counters: each number that was given has a row",
    "signature_request": "what was shown for signing: requested, expired, signed and abandoned have rows",
    "reservation": "how much of a lot is kept for whom: follows from allocations, issues and returns",
    "stock_balance": "sums of the stock moves",
    "equipment_log_entry": "intervals between the states of an item, each with its row",
}

TOLD_AS: Final[dict[str, Names]] = {
    "api_key": _names("user/{user_id}"),
    "batch_record": _names("batch-record/{work_order}"),
    "bill_of_material": _names("bill-of-material/{product}/{version}"),
    "deviation": _names("deviation/{number}"),
    "equipment_class": _names("equipment-class/{code}"),
    "equipment_item": _names("equipment/{code}", "room/{code}"),
    "exception_explanation": _names("batch-record/{work_order}"),
    "in_process_inspection": _names("in-process inspection/{number}", "operation/{work_order}/{operation}"),
    "inspection": _names("inspection/{number}"),
    "inspection_result": _names("inspection/{inspection}"),
    "inspection_plan": _names("inspection-plan/{material}"),
    "line_clearance": _names("line-clearance/{number}"),
    "lot": _names("lot/{number}"),
    "lot_link": _names("lot/{output_lot}"),
    "master_batch_record": _names("master-batch-record/{product}/{version}"),
    "material": _names("material/{code}"),
    "material_return": _names("material return/{number}"),
    "number_pattern": _names("number-pattern/{plant}/{kind}/{version}"),
    "operation": _names("operation/{work_order}/{code}"),
    "operation_comment": _names("operation/{work_order}/{operation}"),
    "operation_verification": _names("operation/{work_order}/{operation}"),
    "parameter_check": _names("operation/{work_order}/{operation}"),
    "parameter_value": _names("operation/{work_order}/{operation}", "operation/{work_order}/{operation}/{number}"),
    "pick_list": _names("pick-list/{number}"),
    "place": _names("place/{code}"),
    "plan_line": _names("plan-line/{reference}"),
    "plan_line_link": _names("plan-line/{child}", "plan-line/{parent}"),
    "plant_policy": _names("policy/{code}/{version}"),
    "production_order": _names("production-order/{number}"),
    "production_report": _names("operation/{work_order}/{operation}"),
    "put_away": _names("put-away/{number}"),
    "quality_case": _names("deviation/{number}", "capa/{number}"),
    "rework": _names("rework/{number}"),
    "route": _names("route/{product}/{version}"),
    "serial_number": _names("lot/{lot}"),
    "signature": _names("{entity}"),
    "stock_move": _names("lot/{lot}", "work-order/{work_order}", "operation/{work_order}/*", "lot/*"),
    "training_record": _names("training/{person}"),
    "user_account": _names("user/{id}"),
    "work_order": _names("work-order/{number}"),
    "workstation": _names("workstation/{code}"),
    "workstation_capability": _names("workstation-capability/{workstation}"),
}
"""Table → the records whose audit rows tell of its rows. A `*` stands for anything."""
