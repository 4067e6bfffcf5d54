"""Where lots came from and went: every look is a row of the audit trail and stays inside one's scope (C7)."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from sqlalchemy import Connection

from api.deps import Caller, Who, writing
from api.gate import PREFIX
from db.queries import scopes
from db.queries.trace import Edge, Node, as_documents

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


def documents_inside(
    connection: Connection, who: Caller, nodes: Sequence[Node], edges: Sequence[Edge]
) -> dict[str, Any]:
    """Nodes and edges as JSON without what lies outside the caller's scope: `outsideScope` lots are left out."""
    if who.scope.is_everywhere:
        return as_documents(nodes, edges)
    inside = set(lots_inside(connection, who, [node.lot for node in nodes]))
    shown = [node for node in nodes if node.lot in inside]
    between = [edge for edge in edges if edge.source in inside and edge.target in inside]
    return as_documents(shown, between) | {"outsideScope": len(nodes) - len(shown)}
