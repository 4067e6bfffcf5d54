"""Wall displays: made by an administrator or supervisor, known by a token of which only the SHA-256 is kept."""

import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import Engine, Row

from api.clock import now
from api.deps import Caller
from api.errors import Problem, not_found
from api.security import token_hash
from db import audit
from db.queries import andon
from db.queries.scopes import Place
from db.session import reading
from domain.base import uuid_for

PREFIX: Final = "mwd_"
"""What the token of a display begins with: so one that lies in a file is known for what it is."""


def place_of(kind: str, area: str) -> Place:
    """Where an area is."""
    return Place(area) if kind == "plant" else Place(None, frozenset({area}))


def make(who: Caller, kind: str, area: str, name: str, command_id: str) -> dict[str, Any]:
    """A display of an area, with the address that opens it: shown this once. The same command again makes no other
    display, and gives another address, because the first one was not kept. Raises 404 for an area that there is not,
    403 for one outside the caller's scope."""
    who.scope.refuse_outside(who, f"{kind}/{area}", place_of(kind, area), who.id)
    token, identity = PREFIX + secrets.token_urlsafe(32), uuid_for("wall-display", command_id)
    with who.services.engine.begin() as connection:
        if (kind, area) not in andon.areas(connection):
            raise not_found(kind, area)
        before = andon.put(connection, identity, kind, area, name, token_hash(token), command_id, who.id, now())
        if before is not None:
            if (before.kind, before.area, before.name, before.created_by) != (kind, area, name, who.id):
                raise Problem(409, "COMMAND_ID_REUSED", f"{command_id} has made another display")
            andon.readdress(connection, identity, token_hash(token))
        action = "wallDisplay.created" if before is None else "wallDisplay.readdressed"
        new = {"kind": kind, "area": area, "name": name}
        audit.append(connection, [who.entry(action, f"wall-display/{identity}", new=new, command_id=command_id)])
    return {
        "id": str(identity), "kind": kind, "area": area, "name": name,
        "address": f"/ui/andon/{quote(area, safe='')}?token={token}",
    }  # fmt: skip


def revoke(who: Caller, identity: UUID, command_id: str) -> dict[str, Any]:
    """Its address opens nothing any more, and an open screen goes dark. Raises 404, 403 outside the scope."""
    with who.services.engine.begin() as connection:
        row = andon.by_id(connection, identity)
        if row is None:
            raise not_found("wall display", identity)
    who.scope.refuse_outside(who, f"wall-display/{identity}", place_of(row.kind, row.area), who.id)
    with who.services.engine.begin() as connection:
        if andon.revoke(connection, identity, who.id, now()):
            new = {"kind": row.kind, "area": row.area, "name": row.name}
            entry = who.entry("wallDisplay.revoked", f"wall-display/{identity}", new=new, command_id=command_id)
            audit.append(connection, [entry])
    return {"id": str(identity)}


def listed(who: Caller) -> list[dict[str, Any]]:
    """The displays inside the caller's scope; never their tokens."""
    with reading(who.services.engine) as connection:
        rows = andon.displays(connection)
    return [_document(row._mapping) for row in rows if who.scope.has(place_of(row.kind, row.area))]


def _document(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]), "kind": row["kind"], "area": row["area"], "name": row["name"],
        "createdBy": row["created_by"], "createdAt": row["created_at"].isoformat(), "revokedBy": row["revoked_by"],
        "revokedAt": row["revoked_at"] and row["revoked_at"].isoformat(),
    }  # fmt: skip


def known(engine: Engine, area: str, token: str) -> Row[Any] | None:
    """The display that an address is of; None for another area's token, a revoked one, or none."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    with reading(engine) as connection:
        row = andon.by_token(connection, token_hash(token))
    return row if row is not None and row.area == area else None
