"""Where somebody may act: the plants and lines that an account is limited to (B20, C7).

An account without limits acts everywhere, as before. With plants, an order is inside when its plant is one of them.
With lines, an operation is inside when its station's line is one of them, a work order or an order when one of its
operations is.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.errors import Problem
from db import audit
from db.queries import scopes as record
from db.queries.targets import Target
from domain.errors import Blocker

if TYPE_CHECKING:
    from api.deps import Caller


@dataclass(frozen=True)
class Scope(record.Limits):
    """What an account is limited to, and the refusal of what lies outside; None: not limited."""

    def check(self, who: "Caller", target: Target, command: object, user_id: str) -> None:
        """Raise 403 OUT_OF_SCOPE, audited, when what a command is about lies outside."""
        if self.is_everywhere:
            return
        operation = getattr(command, "operation", None)
        with who.services.engine.connect() as connection:
            number = target.order_number
            if target.is_case:
                place = record.of_case(connection, number)
            else:
                place = record.of_order(connection, number, target.work_order, operation)
        if place is not None:
            self.refuse_outside(who, target.entity, place, user_id)

    def refuse_outside(self, who: "Caller", entity: str, place: record.Place, user_id: str) -> None:
        """Raise 403 OUT_OF_SCOPE, audited, unless the place is inside."""
        if self.has(place):
            return
        with who.services.engine.begin() as connection:
            new = {"user": user_id, "plant": place.plant, "lines": sorted(place.lines), "code": "OUT_OF_SCOPE"}
            audit.append(connection, [who.entry("auth.denied", entity, new=new)])
        raise outside(self, entity, place, user_id)


def outside(scope: Scope, entity: str, place: record.Place, user_id: str) -> Problem:
    """403 that names where it is and where the person may act."""
    kind, _, identity = entity.partition("/")
    limits = [f"plants {', '.join(scope.plants)}"] if scope.plants is not None else []
    limits += [f"lines {', '.join(scope.lines)}"] if scope.lines is not None else []
    found = f"plant {place.plant or 'none'}, lines {', '.join(sorted(place.lines)) or 'none'}"
    blocker = Blocker(
        code="OUT_OF_SCOPE", entity=kind, id=identity, found=found, required=f"{user_id}: {'; '.join(limits)}",
        who_can_fix="administrator",
    )  # fmt: skip
    return Problem(403, "OUT_OF_SCOPE", f"{entity} lies outside the scope of {user_id}", blockers=(blocker,))
