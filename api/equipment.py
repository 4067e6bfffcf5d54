"""Direct commands to the equipment register: one effect, one answer, and one audit row when it says no."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from api.cases_door import opening
from api.deps import Caller
from api.errors import Problem, not_found
from api.neighbours import once
from api.shapes import CommandBody
from db import audit
from db.queries import equipment as tables
from domain.base import Message, uuid_for
from domain.equipment_acts import Act
from domain.errors import AdapterRefused
from workflows.equipment_clock import EquipmentClockWorkflow

_MOVES_DATES: Final = frozenset(
    {
        "defineEquipmentClass",
        "registerEquipment",
        "qualify",
        "performCalibration",
        "reviewCalibration",
        "planMaintenance",
    }
)
"""Nothing else tells the clock: what becomes clean or dirty now is not over before its next look (ADR 0014)."""


async def write(
    who: Caller, body: CommandBody, command: str, entity: str, ask: Callable[[str], Message]
) -> dict[str, Any]:
    """The register's answer to a command; then its clock is told, if a date may have come nearer."""
    answer = await run_in_threadpool(_write, who, body, command, entity, ask)
    if command in _MOVES_DATES:
        await who.services.orders.tell_clock(EquipmentClockWorkflow)
    return answer.model_dump(mode="json", by_alias=True) | {"commandId": body.command_id}


def _write(who: Caller, body: CommandBody, command: str, entity: str, ask: Callable[[str], Message]) -> Message:
    try:
        return once(body.command_id, ask)
    except AdapterRefused as refused:
        blockers = [blocker.model_dump(mode="json", by_alias=True) for blocker in refused.blockers]
        new = {"command": command, "code": refused.code, "blockers": blockers}
        entry = who.entry("command.refused", entity, new=new, reason=body.reason, command_id=body.command_id)
        with who.services.engine.begin() as connection:
            audit.append(connection, [entry])
        raise


async def perform(who: Caller, code: str, body: CommandBody, act: Act) -> dict[str, Any]:
    """Do something to an item. 404 when there is none of this code."""
    await run_in_threadpool(known, who, code)
    register = who.services.equipment
    return await write(
        who,
        body,
        act.kind,
        f"equipment/{code}",
        lambda key: register.act(code, act, key=key, actor=who.id, reason=body.reason),
    )


async def request(who: Caller, code: str, body: CommandBody, act: Act) -> dict[str, Any]:
    """The same of an act from which a process may follow: a maintenance order or a deviation. It begins at once.

    What could not be begun now is begun later, from what was written.
    """
    answer = await perform(who, code, body, act)
    number = answer.get("maintenanceOrder")
    with suppress(Problem):
        if number is None:
            await who.services.cases.begin_unstarted()
        else:
            answer["maintenanceOrderId"] = str(uuid_for("maintenance", number))
            await who.services.outcomes.ask(opening(number), who.services.cases.begin_unstarted)
    return answer


def known(who: Caller, code: str) -> None:
    """404 when the register has no item of this code."""
    with who.services.engine.connect() as connection:
        if tables.item(connection, code) is None:
            raise not_found("equipment", code)
