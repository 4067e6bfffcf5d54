"""Where lots came from and went: every look is a row of the audit trail and stays inside one's scope (C7)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from sqlalchemy import Connection

from api.deps import Caller, Who, writing
from api.gate import PREFIX
from db.queries import scopes, trace_across
from db.queries.trace import Direction
from db.queries.trace_across import EXTERNAL, Across

_BELOW: Final = f"{PREFIX}/mes/traceabilities/"


def looked_up(request: Request, who: Who) -> Caller:
    """Write down who asked what, whatever the answer will be. What is refused as outside the scope is `auth.denied`."""
    asked, _, of = request.url.path.removeprefix(_BELOW).partition("/")
    named = next(iter(request.path_params.values()), None) or request.query_params.get("batch") or asked
    new = {"path": asked + ("/" + of.partition("/")[2] if "/" in of else ""), **dict(request.query_params)}
    with writing(who, who.entry("trace.viewed", f"trace/{named}"[:200], new=new)):
        pass
    return who


Looking = Annotated[Caller, Depends(looked_up)]


def lots_inside(connection: Connection, who: Caller, lots: Sequence[str]) -> list[str]:
    """Those of the lots that lie in the caller's plants and at the caller's lines, or belong to no work order."""
    if who.scope.is_everywhere:
        return list(lots)
    inside = scopes.lots_inside(connection, who.scope.plants, who.scope.lines, lots)
    return [lot for lot in lots if lot in inside]


def traced(
    connection: Connection,
    who: Caller,
    lots: Sequence[str],
    direction: Direction,
    since: datetime | None,
    until: datetime | None,
) -> Across:
    """The lots with all that they went into, were made from, or both, here and in other plants."""
    return trace_across.closure(connection, who.services.settings.site, lots, direction, since, until)


def documents_inside(connection: Connection, who: Caller, found: Across) -> dict[str, Any]:
    """Nodes and edges as JSON without what lies outside the caller's scope: `outsideScope` lots are left out.

    A lot that only another plant knows is inside for accounts that are limited to that plant, or to none.
    """
    if who.scope.is_everywhere:
        return found.as_documents()
    inside = set(lots_inside(connection, who, [node.lot for node in found.nodes]))
    plants = who.scope.plants
    inside |= {
        node.lot
        for node in found.nodes
        if node.status == EXTERNAL and (plants is None or found.lots[node.lot].plant in plants)
    }
    shown = tuple(node for node in found.nodes if node.lot in inside)
    between = tuple(edge for edge in found.edges if edge.source in inside and edge.target in inside)
    told = Across(shown, between, found.lots, found.links).as_documents()
    return told | {"outsideScope": len(found.nodes) - len(shown)}
