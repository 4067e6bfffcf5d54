"""Which audit rows tell of a change of which table, and a check of every change against them (AT-01).

A changed field is told when an audit row of the same transaction is about the record and holds the new value, or when
it is what the row itself says: who, when, why, by which command, about which record. The value before stands in the
same row, or was told by the row before. `FOLLOWS` lists the few columns that follow from what is told; `NO_DATA` the
tables that hold nothing of a plant.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from tests.api.changes import Change, Row, Transaction, leaves, plainly

Names = Callable[[Row], set[str]]


def _names(*patterns: str) -> Names:
    """The records that a row belongs to, as the audit trail calls them; a `*` stands for anything."""
    return lambda row: {pattern.format(**row) for pattern in patterns}


NO_DATA: Final[dict[str, str]] = {
    "audit_head": "the end of the trail itself",
    "order_fact": "the decision that the audit rows are made of, append-only",
    "case_fact": "the same of a quality case",
    "command_outcome": "the answer to a command, made of its fact",
    "state_transition": "the history of states: each is in the audit row of the record itself",
    "inventory_request": "which requests were answered: what they did has rows",
    "user_session": "login and logout have rows; the time of the last use is no data",
    "password_history": "hashes of earlier passwords",
    "alarm": "calls somebody; says what another row says",
    "number_series": "counters: each number that was given has a row",
    "given_number": "which numbers are used up: the record that has the number has a row",
    "signature_request": "what was shown for signing: requested, expired, signed and abandoned have rows",
    "reservation": "how much of a lot is kept for whom: the sum of allocations, issues and returns",
    "stock_balance": "sums of the stock moves",
    "outbound_message": "what other rows say, on its way out; what a person decides about one has a row",
    "watch_position": "how far something that watches the record has looked",
    "machine_state_change": "what a machine said of itself, as readings are: append-only, no person wrote it",
    "equipment_log_entry": "intervals between the states of an item, each with its row",
    "archived_record": "a copy of what the row of the archiving is about",
    "archived_print": "the same on paper",
    "epcis_document": "what another system has said, as it came: its fingerprint, source and events are told",
    "epcis_event": "one event of such a document: its id is told",
    "epcis_item": "what such an event is about",
    "epcis_retry": "that one of them was tried again and taken: told with its event and reason",
    "epcis_discard": "that one of them was discarded: told with its event and reason",
    "epcis_rejection": "what of such a document was put aside: told with its reasons",
    "report_file": "a copy of figures: its fingerprint is told, and by whom it was made",
}
_OPERATION: Final = "operation/{work_order}/{operation}"
TOLD_AS: Final[dict[str, Names]] = {
    "api_key": _names("user/{user_id}"),
    "batch_record": _names("batch-record/{work_order}"),
    "bill_of_material": _names("bill-of-material/{product}/{version}"),
    "bill_of_material_line": _names("bill-of-material/*"),
    "deviation": _names("deviation/{number}"),
    "destruction": _names("lot/{lot}"),
    "device": _names("device/{code}"),
    "dispensed_container": _names("container/{number}", "lot/{lot}"),
    "equipment_class": _names("equipment-class/{code}"),
    "equipment_item": _names("equipment/{code}", "room/{code}"),
    "exception_explanation": _names("batch-record/{work_order}"),
    "in_process_inspection": _names("in-process inspection/{number}", _OPERATION),
    "inspection": _names("inspection/{number}"),
    "inspection_result": _names("inspection/{inspection}"),
    "inspection_plan": _names("inspection-plan/{material}"),
    "line_clearance": _names("line-clearance/{number}"),
    "lot": _names("lot/{number}"),
    "lot_hold": _names("lot/{lot}"),
    "lot_hold_lot": _names("lot/{lot}", "lot/*"),
    "lot_hold_order": _names("production-order/{order_number}", "lot/*"),
    "lot_link": _names("lot/{output_lot}"),
    "maintenance_request": _names("maintenance/{number}"),
    "configuration_change": _names("configuration-change/{number}"),
    "display_name": _names("display-name/{name}"),
    "master_batch_record": _names("master-batch-record/{product}/{version}"),
    "material": _names("material/{code}"),
    "material_return": _names("material return/{number}"),
    "number_pattern": _names("number-pattern/{plant}/{kind}/{version}"),
    "operation": _names("operation/{work_order}/{code}", "production-order/*", "in-process inspection/{work_order}-*"),
    "operation_comment": _names(_OPERATION),
    "operation_parameter": _names("route/*"),
    "operation_verification": _names(_OPERATION),
    "outbound_endpoint": _names("endpoint/{code}"),
    "inbound_system": _names("interface-system/{account}"),
    "inbound_message": _names("inbound-message/{source}/{message_id}"),
    "alarm_rule": _names("alarm-rule/{code}"),
    "maintenance_condition": _names("maintenance-condition/{code}"),
    "maintenance_proposal": _names("maintenance-proposal/{number}"),
    "risk_model": _names("risk-model/{code}"),
    "equipment_gap": _names("equipment-run/{job}"),
    "parameter_check": _names(_OPERATION),
    "parameter_value": _names(_OPERATION, f"{_OPERATION}/{{number}}"),
    "master_data_impact": _names("impact/{number}"),
    "picture": _names("picture/{sha256}"),
    "pick_list": _names("pick-list/{number}"),
    "place": _names("place/{code}"),
    "plan_line": _names("plan-line/{reference}"),
    "plan_line_link": _names("plan-line/{child}", "plan-line/{parent}"),
    "plant_policy": _names("policy/{code}/{version}"),
    "print_check": _names(_OPERATION),
    "production_order": _names("production-order/{number}"),
    "production_report": _names(_OPERATION),
    "put_away": _names("put-away/{number}"),
    "quality_case": _names("deviation/{number}", "capa/{number}", "maintenance/{number}"),
    "recall": _names("recall/{number}"),
    "recall_entry": _names("recall/{recall}"),
    "recovery": _names("recovery/{number}"),
    "batch_rework": _names("lot/{lot}"),
    "rework": _names("rework/{number}"),
    "route": _names("route/{product}/{version}"),
    "route_operation": _names("route/*"),
    "report_schedule": _names("report-schedule/{id}"),
    "saved_view": _names("saved-view/{id}"),
    "scheduled_report": _names("scheduled-report/{id}"),
    "serial_number": _names("lot/{lot}"),
    "shipment": _names("shipment/{number}"),
    "shipment_return": _names("shipment/{shipment}"),
    "signature": _names("{entity}"),
    "stock_move": _names("lot/{lot}", "shipment/{lot}-S*", "work-order/{work_order}", "operation/{work_order}/*",
                         "rework/{work_order}-*", "lot/*"),
    "training_record": _names("training/{person}"),
    "user_account": _names("user/{id}"),
    "wall_display": _names("wall-display/{id}"),
    "work_order": _names("work-order/{number}", "production-order/*"),
    "workstation": _names("workstation/{code}"),
    "workstation_capability": _names("workstation-capability/{workstation}"),
}  # fmt: skip
"""Table → the records whose audit rows tell of its rows."""
IDENTITIES: Final = frozenset({"id", "uuid", "key", "revision", "route", "bill_of_material", "position", "created_at"})
"""How the database names rows and counts their changes; when a row was made is when it was told."""
FOLLOWS: Final[dict[tuple[str, str], str]] = {
    ("production_order", "tasks"): "who can do what now, for boards: follows from the states",
    ("production_order", "waiting"): "what is waited for, for boards: neighbour.waiting tells it",
    ("production_order", "changed_at"): "when the last row was written",
    ("quality_case", "body"): "the fold of the case's facts, for reading",
    ("production_report", "good"): "of a counter-report: minus what it takes back",
    ("production_report", "scrap"): "the same",
    ("operation", "good"): "the sum of reports, failed and reworked pieces",
    ("operation", "scrap"): "the same",
    ("operation", "review_board"): "the same",
    ("operation", "sampled"): "the same",
    **dict.fromkeys(
        (
            (table, "record_version")
            for table in (
                "work_order",
                "operation",
                "production_report",
                "parameter_value",
                "parameter_check",
                "operation_verification",
            )
        ),
        "the master batch record that the order was made by, which the row of the order's creation tells",
    ),
    ("picture", "content"): "its hash, which is its name, is told",
    ("plan_line_link", "part"): "the place of a part among the parts, which its row lists",
    ("configuration_change", "base"): "the version that is changed, as the row of its own publication tells it",
    ("master_batch_record", "body"): "told place by place: which, what was there, what is there",
    ("master_batch_record", "authors"): "the person of the row, beside those before",
    ("stock_move", "kind"): "the kind of the act",
    ("stock_move", "from_place"): "where a kind of act takes from",
    ("stock_move", "to_place"): "where it brings to",
    ("api_key", "key_hash"): "a fingerprint of a secret",
    ("wall_display", "token_hash"): "a fingerprint of a secret",
    ("inbound_message", "body"): "the message as it came: its checksum is told",
    ("inbound_message", "number"): "how the database counts them",
    ("inbound_message", "received_at"): "when it came is when it was told",
    ("recall_entry", "kind"): "the kind of the act",
    ("recall", "scope"): "the frozen report: its fingerprint is told, and what is in it can be read",
    ("user_account", "password_hash"): "a fingerprint of a secret",
    ("user_account", "totp_secret"): "a sealed secret",
    ("user_account", "pin_hash"): "a fingerprint of a secret",
    ("user_account", "pin_failed_attempts"): "counted by the rows of the failures, forgotten with the next success",
    ("user_account", "totp_last_counter"): "which one-time code was used last",
    ("user_account", "failed_attempts"): "counted by the rows of the failures, forgotten with the next success",
    ("user_account", "is_active"): "how an account begins",
    ("user_account", "is_person"): "follows from its roles",
    ("equipment_item", "maintenance_order"): "the request of a maintenance order says of which equipment",
    ("maintenance_request", "specification"): "what the order begins with: its row says the same",
    ("equipment_item", "batches_since_full"): "how many occupations there were since a full cleaning",
}
_OWN: Final = ("at", "actor", "reason", "command_id", "source")


def untold(seen: Sequence[Transaction]) -> Iterator[str]:
    """Everything that changed without the audit trail saying so, in words."""
    before: dict[str, set[str]] = defaultdict(set)
    for transaction in seen:
        for row in transaction.told:
            missing = [name for name in ("at", "actor", "action", "entity", "source") if not row[name]]
            if missing:
                yield f"the row {row['action']} {row['entity']} has no {', '.join(missing)}"
        for change in transaction.changes:
            if change.table not in NO_DATA and not _is_our_own_place(change):
                yield from _of(change, transaction.told, before)
        for row in transaction.told:
            before[row["entity"]].update(leaves(row["new"]), leaves(row["old"]), (plainly(row[name]) for name in _OWN))


def _is_our_own_place(change: Change) -> bool:
    """Places that the product has for what is with customers or in containers: no person made or chose them."""
    return change.table == "place" and change.row["code"] in ("CUSTOMER", "DISPENSED", "SAMPLE", "DIFFERENCE")


def _of(change: Change, told: Sequence[Row], before: dict[str, set[str]]) -> Iterator[str]:
    if change.table not in TOLD_AS:
        yield f"{change.table}: no rule says which record its rows belong to"
        return
    fields = {
        name: values
        for name, values in change.fields.items()
        if name not in IDENTITIES and (change.table, name) not in FOLLOWS
    }
    names = TOLD_AS[change.table](change.row)
    rows = [row for row in told if any(fnmatchcase(row["entity"], name) for name in names)]
    if fields and not rows:
        yield f"{change.table} {sorted(names)[0]}: {sorted(fields)} changed, and no row is about it"
        return
    said, earlier = set[str](), set[str]()
    for row in rows:
        said |= set(leaves(row["new"])) | {plainly(row[name]) for name in _OWN} | set(row["entity"].split("/"))
        said.add(_second_before(row["at"]))
        earlier |= set(leaves(row["old"])) | before[row["entity"]] | set(row["entity"].split("/"))
    for name, (old, new) in fields.items():
        if _empty(new) is False and not set(leaves(new)) <= said | {"null", ""}:
            yield f"{change.table}.{name}: {new!r} is not told by {[row['action'] for row in rows]}"
        if _empty(old) is False and not set(leaves(old)) <= earlier | {"null", "", "0"}:
            yield f"{change.table}.{name}: {old!r} before is not told by {[row['action'] for row in rows]}"


def _second_before(at: str | datetime) -> str:
    """What was stored at .999 is told of at .000: a value's time and its row's are of one second, or of the next."""
    return plainly(datetime.fromisoformat(str(at)) - timedelta(seconds=1))


def _empty(value: object) -> bool:
    return value is None or value in ("", [], {}, False)
