"""What an electronic signature means, the life of its ceremony, and what a signer is shown of an order.

Sources: 21 CFR 11.50 (meaning), 11.70 (bound to the record); SM-15, ES-01, ES-04, ES-05 of the GMP requirements.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from domain.process import Operation, Process, Recovery, WorkOrder
from domain.quantities import plain
from domain.states import OrderState, StateMachine


class Meaning(StrEnum):
    """The controlled list of ES-01: what somebody says by signing."""

    PERFORMED = "performed"
    VERIFIED = "verified"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    RELEASED = "released"
    CERTIFIED = "certified"
    REJECTED = "rejected"
    WITNESSED = "witnessed"
    WITHDRAWN = "withdrawn"
    AUTHORED = "authored"


MEANING_ZH: Final[Mapping[str, str]] = {
    Meaning.PERFORMED: "执行", Meaning.VERIFIED: "复核", Meaning.REVIEWED: "审核", Meaning.APPROVED: "批准",
    Meaning.RELEASED: "放行", Meaning.CERTIFIED: "批放行认证", Meaning.REJECTED: "拒绝", Meaning.WITNESSED: "见证",
    Meaning.WITHDRAWN: "撤回", Meaning.AUTHORED: "编写",
}  # fmt: skip
"""The same for people who read Chinese."""


class CeremonyState(StrEnum):
    """A signature ceremony (SM-15)."""

    REQUESTED = "requested"
    AUTHENTICATED = "authenticated"
    EXECUTED = "executed"
    FAILED = "failed"
    EXPIRED = "expired"


class CeremonyEvent(StrEnum):
    """What can happen to a ceremony."""

    AUTHENTICATE = "authenticate"
    EXECUTE = "execute"
    FAIL = "fail"
    EXPIRE = "expire"


_S, _E = CeremonyState, CeremonyEvent
CEREMONY: Final = StateMachine(
    "signature ceremony",
    _S.REQUESTED,
    {
        (_S.REQUESTED, _E.AUTHENTICATE): _S.AUTHENTICATED,
        (_S.REQUESTED, _E.FAIL): _S.FAILED,
        (_S.REQUESTED, _E.EXPIRE): _S.EXPIRED,
        (_S.AUTHENTICATED, _E.EXECUTE): _S.EXECUTED,
        (_S.AUTHENTICATED, _E.FAIL): _S.FAILED,
    },
    {},
)

WHOLE_BATCH: Final = frozenset({"decideInspection", "certifyBatch", "releaseBatch"})
WHOLE_ORDER: Final = frozenset({"closeOrder", "cancelOrder"})
"""Commands whose signer answers for everything that was done; the others see only what they are about."""

Shown = dict[str, str]


def shown(process: Process, kind: str, work_order: str | None, operation: str | None) -> Shown:
    """What the signer of a command sees of its order: field → text, at the revision that `process` stands at.

    A signature is verified against this long after it was given: fields may be added, but the text of one that is
    there never changes its form. What does not matter to the signer is left out, so that its change does not matter.
    """
    if work_order is None or work_order not in process.work_orders:
        return _of_order(process, kind)
    found = _of_work_order(process, work_order)
    own = process.work_orders[work_order]
    if operation is not None and operation in own.operations:
        specification = process.specification.work_order(work_order).operation(operation)
        found["operation"] = operation if specification is None else f"{operation} {specification.name}"
        found |= _of_operation("", own.operations[operation])
    if kind == "approveRecovery":
        found |= {
            f"recovery.{one.number}": _recovery(one) for one in own.recoveries.values() if one.state == "requested"
        }
    if kind in WHOLE_BATCH:
        found["openDeviations"] = listed(process.open_deviations())
        found |= _batch("", own)
    return found


def _of_order(process: Process, kind: str) -> Shown:
    specification = process.specification
    found = {
        "productionOrder": specification.number,
        "product": f"{specification.product} {specification.product_name}",
        "quantity": f"{plain(specification.quantity)} {specification.unit}",
        "dueAt": "" if specification.due_at is None else specification.due_at.isoformat(),
        "policy": f"{specification.policy.code}/{specification.policy.version}",
        "orderState": process.state,
        "openDeviations": listed(process.open_deviations()),
    }
    if kind == "approveOrderChange" and (asked := process.open_change()) is not None:
        found |= {"change": asked.number, "changeReason": asked.reason, "changeBy": asked.requested_by}
        found |= {f"change.{own.field}": f"{own.before or '-'} → {own.after}" for own in asked.changes}
    if kind in WHOLE_ORDER:
        for number, own in process.work_orders.items():
            found |= _batch(f"{number}.", own)
    return found


def _of_work_order(process: Process, number: str) -> Shown:
    own, specification = process.work_order(number)
    return {
        "productionOrder": process.specification.number,
        "workOrder": number,
        "product": specification.material,
        "quantity": f"{plain(specification.quantity)} {specification.unit}",
        "lot": specification.output_lot,
        "orderHeld": "yes" if process.state == OrderState.HELD else "no",
        "workOrderState": own.state,
        "lotStatus": own.lot_status or "",
    }


def _recovery(own: Recovery) -> str:
    what = f"{plain(own.quantity)} {own.unit} of lot {own.lot} ({own.lot_status}) at {own.operation}"
    return f"{what}, asked for by {own.requested_by}: {own.reason}"


def _of_operation(prefix: str, operation: Operation) -> Shown:
    values = (f"{name}: {'within' if is_within else 'OUT OF'} limits" for name, is_within in operation.recorded.items())
    return {
        f"{prefix}operationState": operation.state,
        f"{prefix}good": plain(operation.good),
        f"{prefix}scrap": plain(operation.scrap),
        f"{prefix}reviewBoard": plain(operation.review_board),
        f"{prefix}recorded": listed(values),
        f"{prefix}operationDeviations": listed(operation.open_deviations),
    }


def _batch(prefix: str, own: WorkOrder) -> Shown:
    found = {f"{prefix}workOrderState": str(own.state), f"{prefix}lotStatus": own.lot_status or ""}
    for code, operation in own.operations.items():
        found |= _of_operation(f"{prefix}{code}.", operation)
    if own.inspection is not None:
        found |= {
            f"{prefix}inspection": f"{own.inspection.number} {own.inspection.state}",
            f"{prefix}inspectionFailed": listed(own.inspection.failed),
            f"{prefix}resultsEnteredBy": own.inspection.entered_by or "",
            f"{prefix}inspectionDecidedBy": own.inspection.decided_by or "",
        }
    found[f"{prefix}openRework"] = listed(own.open_rework())
    return found


def listed(values: Iterable[str]) -> str:
    """Several values as one text."""
    return ", ".join(values)


def changed(before: Mapping[str, object], now: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Field → (what it was, what it is), for every field that is not the same in both."""
    names = dict.fromkeys((*before, *now))
    return {
        name: (str(before.get(name, "")), str(now.get(name, ""))) for name in names if before.get(name) != now.get(name)
    }


MACHINES: Final = (CEREMONY,)
