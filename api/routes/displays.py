"""Wall displays: screens that show an area without a person behind them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends

from api import displays
from api.deps import Caller, only
from api.routing import Router
from api.shapes import CommandBody, Identifier, Text

router = Router(prefix="/andon-displays", tags=["displays"])
Manager = Annotated[Caller, Depends(only("manageDisplays", "wall-display"))]


class DisplayBody(CommandBody):
    """A display of a line of workstations, or of a plant."""

    kind: Literal["line", "plant"] = "line"
    area: Identifier
    name: Text


@router.get("")
def listed(who: Manager) -> dict[str, Any]:
    """The displays inside the caller's scope, revoked ones too; never their tokens."""
    return {"displays": displays.listed(who)}


@router.post("", status_code=201)
def make(body: DisplayBody, who: Manager) -> dict[str, Any]:
    """A display. `address` opens it without a log-in and is shown this once."""
    return displays.make(who, body.kind, body.area, body.name, body.command_id)


@router.post("/{display_id}/revoke")
def revoke(display_id: UUID, body: CommandBody, who: Manager) -> dict[str, Any]:
    """The display's address opens nothing any more."""
    return displays.revoke(who, display_id, body.command_id)
