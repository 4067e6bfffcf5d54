"""Commands that nobody can give: an order starts with its work orders, a work order is closed with its order.

People and programs ask for them all the same, so they are answered like any other refusal: what was found, what does
it instead, what is possible now; and the refusal stands in the audit trail.
"""

from typing import Final
from uuid import UUID

from api.commands import ORDER, WORK_ORDER
from api.deps import Caller
from api.errors import Problem, not_found, of_refusal
from api.permissions import DIRECT
from api.shapes import CommandBody
from db import audit
from db.queries import targets
from domain.errors import Blocker, Refused
from domain.rules.possible import possible_for

DONE_BY: Final = {
    ORDER: {
        "start": "its first work order that starts starts it",
        "pause": "a work order is paused, or the order is put on hold",
        "complete": "its last work order that is completed completes it",
    },
    WORK_ORDER: {
        "submit": "its order is submitted",
        "approve": "its order is approved",
        "reject": "its order is rejected",
        "release": "its order is released",
        "hold": "its order is put on hold, or one of its operations",
        "complete": "its last operation, inspection and put-away complete it",
        "cancel": "its order is cancelled",
        "close": "its order is closed",
    },
}
"""By object and command: what happens instead."""


def refuse(who: Caller, what: str, identity: UUID, command: str, body: CommandBody) -> Problem:
    """409 for a command of DONE_BY about the object of that uuid; 404 when there is none."""
    with who.services.engine.begin() as connection:
        target = targets.find(connection, what, identity)
        if target is None:
            raise not_found(what.replace("-", " "), identity)
        who.may(command, target.entity, DIRECT["askForTheImpossible"])
        with who.services.histories.current(connection, target.order_number) as folded:
            if folded is None:
                raise not_found(what.replace("-", " "), identity)
            process = folded.process
            possible = possible_for(process, target.work_order)
            own = process if target.work_order is None else process.work_orders[target.work_order]
            found = own.state
        blocker = Blocker(
            code="INVALID_TRANSITION", entity=what.replace("-", " "), id=target.work_order or target.order_number,
            found=found, required=f"{DONE_BY[what][command]}; possible now: {', '.join(possible) or 'nothing'}",
        )  # fmt: skip
        new = {"command": command, "blockers": [blocker.model_dump(mode="json", by_alias=True)]}
        entry = who.entry("command.refused", target.entity, new=new, reason=body.reason, command_id=body.command_id)
        audit.append(connection, [entry])
    return of_refusal(Refused((blocker,), possible), body.command_id)
