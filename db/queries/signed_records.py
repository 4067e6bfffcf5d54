"""What the signer of an act that no order judges is shown: the lot with its stock, the hold, the recall, the decision.

Texts by field, as `domain.signing.shown` has them of an order: forms can be added, never changed, or signatures that
were given before would not fit their content any more.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from db.queries import lot_holds, recalls, stock
from db.tables import AuditRow, BatchReworkRow, Destruction, InspectionResult, InspectionRow, core
from domain.batch_rework import ApproveBatchRework
from domain.command_base import Command
from domain.disposal_commands import DecideDestruction, DestroyLot, MoveRejectedStock
from domain.evidence import DecideMaterialRelease
from domain.hold_commands import HoldLot, ReleaseLotHold
from domain.quantities import plain
from domain.recall_commands import ApproveRecall
from domain.signing import Shown, listed

DESTRUCTIONS, AUDIT, REWORKS = core(Destruction), core(AuditRow), core(BatchReworkRow)
INSPECTIONS, RESULTS = core(InspectionRow), core(InspectionResult)
NOTHING: Final[Shown] = {}


def shown(connection: Connection, command: Command) -> Shown:
    """What the signer of the command sees of the record; nothing when its subject is not there, or has no such page."""
    match command:
        case DecideMaterialRelease():
            return _inspection(connection, command.inspection)
        case ApproveRecall():
            return _recall(connection, command.recall)
        case (
            HoldLot()
            | ReleaseLotHold()
            | DecideDestruction()
            | MoveRejectedStock()
            | DestroyLot()
            | ApproveBatchRework()
        ):
            lot = _lot(connection, command.lot)
            return lot | _about(connection, command) if lot else NOTHING
        case _:
            return NOTHING


def _about(connection: Connection, command: Command) -> Shown:
    match command:
        case HoldLot():
            reach = lot_holds.reach(connection, command.lot, command.downstream)
            return {
                "heldLots": listed(reach.lots), "runningOrders": listed(reach.orders), "shipped": plain(reach.shipped),
            }  # fmt: skip
        case ReleaseLotHold():
            return _hold(connection, command.hold)
        case ApproveBatchRework():
            return _rework(connection, command.rework)
        case DestroyLot():
            return _decision(connection, command.destruction)
        case _:
            return NOTHING


def _lot(connection: Connection, number: str) -> Shown:
    own = stock.lot(connection, number)
    if own is None:
        return NOTHING
    places = (
        f"{line['place']} {line['onHand']} {line['unit']}"
        + (f" ({line['reserved']} reserved)" if line["reserved"] != "0" else "")
        for line in own["stock"]
    )
    return {
        "material": own["material"], "lotStatus": own["status"],
        "expiresOn": own["expiresOn"] or "", "stock": listed(places),
    }  # fmt: skip


def _hold(connection: Connection, number: str) -> Shown:
    own = lot_holds.detail(connection, number)
    if own is None:
        return NOTHING
    return {
        "hold": own["number"], "holdState": own["state"], "holdReason": own["reason"], "placedBy": own["placedBy"],
        "recall": own["recall"] or "", "heldLots": listed(line["lot"] for line in own["lots"]),
        "heldOrders": listed(line["orderNumber"] for line in own["orders"]),
    }  # fmt: skip


def _decision(connection: Connection, number: str) -> Shown:
    row = connection.execute(select(DESTRUCTIONS).where(DESTRUCTIONS.c.number == number)).one_or_none()
    if row is None:
        return NOTHING
    return {
        "destruction": row.number, "destructionState": row.state, "decidedBy": row.decided_by,
        "decisionReason": row.reason,
    }  # fmt: skip


def _rework(connection: Connection, number: str) -> Shown:
    row = connection.execute(select(REWORKS).where(REWORKS.c.number == number)).one_or_none()
    if row is None:
        return NOTHING
    return {
        "batchRework": row.number, "reworkState": row.state, "reworkQuantity": f"{plain(row.quantity)} {row.unit}",
        "reworkFrom": row.operation, "reworkMethod": row.method, "reworkReason": row.reason,
        "proposedBy": row.proposed_by,
    }  # fmt: skip


def _inspection(connection: Connection, number: str) -> Shown:
    row = connection.execute(select(INSPECTIONS).where(INSPECTIONS.c.number == number)).one_or_none()
    if row is None:
        return NOTHING
    statement = select(RESULTS).where(RESULTS.c.inspection == number).order_by(RESULTS.c.id)
    results = (
        f"{one.name} {one.text} {one.unit}{'' if one.within_limits else ' OUT OF LIMITS'}"
        for one in connection.execute(statement)
    )
    return {
        "lot": row.lot, "material": row.material, "inspectionState": row.state,
        "resultsEnteredBy": row.entered_by or "",
        "results": listed(results),
    }  # fmt: skip


def _recall(connection: Connection, number: str) -> Shown:
    own = recalls.detail(connection, number)
    if own is None:
        return NOTHING
    scope = own["scope"] or {"lots": [], "orders": [], "customers": []}
    return {
        "recall": own["number"], "isMock": "yes" if own["isMock"] else "no", "recallState": own["state"],
        "recallReason": own["reason"], "scopeHash": own["scopeHash"] or "",
        "affectedLots": listed(line["lot"] for line in scope["lots"]),
        "affectedOrders": listed(line["orderNumber"] for line in scope["orders"]),
        "customers": listed(line["consignee"] for line in scope["customers"]),
    }  # fmt: skip


def last_actor(connection: Connection, entity: str, since: datetime) -> str:
    """Who wrote about an entity last, since a time; `somebody` when only what belongs to it has changed."""
    own = (AUDIT.c.entity == entity) & (AUDIT.c.at > since) & ~AUDIT.c.action.startswith("signature.")
    found = connection.execute(
        select(AUDIT.c.actor).where(own).order_by(AUDIT.c.at.desc(), AUDIT.c.seq.desc()).limit(1)
    )
    return found.scalar_one_or_none() or "somebody"
