"""From what an order waits for to what a person does about it: a button, a form, or a screen of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from api.ui.ask import KINDS, REASONED, fields_of, route_of
from domain.base import uuid_for

SCREENS: Final = {
    "startOperation": "/ui/tasks/{work_order_id}/{operation}",
    "resumeOperation": "/ui/tasks/{work_order_id}/{operation}",
    "completeOperation": "/ui/tasks/{work_order_id}/{operation}",
    "reportProduction": "/ui/tasks/{work_order_id}/{operation}",
    "recordParameters": "/ui/tasks/{work_order_id}/{operation}",
    "checkParameters": "/ui/tasks/{work_order_id}/{operation}",
    "checkPrint": "/ui/tasks/{work_order_id}/{operation}",
    "verifyOperation": "/ui/tasks/{work_order_id}/{operation}",
    "releaseOperationHold": "/ui/exceptions?order={order_number}",
    "decideDeviation": "/ui/exceptions?order={order_number}",
    "allocateMaterials": "/ui/picks/{work_order_id}",
    "approvePickList": "/ui/picks/{work_order_id}",
    "issuePickList": "/ui/picks/{work_order_id}",
    "returnMaterials": "/ui/picks/{work_order_id}",
    "putAway": "/ui/put-away/{work_order_id}",
    "enterInspectionResults": "/ui/inspections/{work_order_id}",
    "decideInspection": "/ui/inspections/{work_order_id}",
    "decideInProcessInspection": "/ui/inspections/{work_order_id}",
    "approveRework": "/ui/inspections/{work_order_id}",
    "rejectRework": "/ui/inspections/{work_order_id}",
    "approveRecovery": "/ui/inspections/{work_order_id}#recovery",
    "introduceRecovery": "/ui/inspections/{work_order_id}#recovery",
    "reviewBatchRecord": "/ui/reviews/{work_order_id}",
    "approveBatchRecord": "/ui/reviews/{work_order_id}",
    "returnBatchRecord": "/ui/reviews/{work_order_id}",
    "resubmitBatchRecord": "/ui/reviews/{work_order_id}",
    "justifyException": "/ui/reviews/{work_order_id}",
    "certifyBatch": "/ui/reviews/{work_order_id}",
    "releaseBatch": "/ui/reviews/{work_order_id}",
    "approveOrderChange": "/ui/orders/{order_id}#changes",
}
"""Commands that are given on a screen of their own, where everything stands that they need."""


@dataclass(frozen=True)
class Step:
    """One thing to do. `href`: the screen where it is done; else `path` is the address of the command."""

    command: str
    what: str
    order_number: str
    order_id: str
    href: str = ""
    path: str = ""
    asks: bool = False
    row: Mapping[str, Any] = field(default_factory=dict)

    @property
    def form(self) -> str:
        """The address of the command's form."""
        return f"/ui/ask/{self.command}?{urlencode({'path': self.path})}"


def step_for(task: Mapping[str, Any]) -> Step:
    """The step of a task of `db.queries.waiting.tasks`."""
    return step(str(task["command"]), str(task["what"]), str(task["number"]), task)


def step(command: str, what: str, order_number: str, row: Mapping[str, Any] | None = None) -> Step:
    """How somebody gives a command about an order, a work order, or `<work order>/<operation>`."""
    work_order, _, operation = what.partition("/")
    order_id = str(uuid_for("production-order", order_number))
    names = {
        "order_id": order_id, "work_order_id": str(uuid_for("work-order", work_order)), "operation": operation,
        "code": operation, "order_number": order_number,
    }  # fmt: skip
    about = (command, what, order_number, order_id)
    if command in SCREENS:
        return Step(*about, href=SCREENS[command].format(**names), row=row or {})
    try:
        path = route_of(command).format(**names)
    except KeyError:  # it needs more than the order says, or is no command of ours
        return Step(*about, href=f"/ui/orders/{order_id}", row=row or {})
    asks = command in REASONED or (command in KINDS and any(one.required for one in fields_of(command)))
    return Step(*about, path=path, asks=asks, row=row or {})
