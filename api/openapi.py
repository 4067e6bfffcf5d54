"""What the OpenAPI document says about every "no": one shape, one media type."""

import threading
from typing import Any, Final

from fastapi import FastAPI

from api.errors import MEDIA_TYPE
from domain.commands import Command

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_BLOCKER: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One thing in the way: what it is about, what is, what would have to be, who can fix it.",
    "required": ["code", "entity", "id", "found", "required", "whoCanFix"],
    "properties": dict.fromkeys(("code", "entity", "id", "found", "required", "whoCanFix"), _TEXT),
}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A problem document (RFC 9457). `code` is stable; `possible` names commands that are possible now.",
    "required": ["type", "title", "status", "code", "detail", "blockers", "possible"],
    "properties": {
        **dict.fromkeys(("type", "title", "code", "detail", "commandId", "errorId"), _TEXT),
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "blockers": {"type": "array", "items": {"$ref": "#/components/schemas/Blocker"}},
        "possible": {"type": "array", "items": _TEXT},
        "fields": {
            "type": "array",
            "description": "Which fields are wrong, with 422.",
            "items": {"type": "object", "properties": dict.fromkeys(("field", "problem", "kind"), _TEXT)},
        },
    },
}


def _no(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": _no("Refused. 401 no session, 403 not your role, 404 unknown, 409 the rules, 413 too long, 422 the shape."),
    "503": _no("The record, the process or a neighbour cannot be reached: send again, with the same commandId."),
}
LATER: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "Taken and not judged yet; `outcomeUrl` has the verdict when there is one. Nothing is lost."}
}


def of_command(kind: type[Command]) -> dict[str, Any]:
    """What the document says about the route of a command: which one, for whom, and that it may be judged later."""
    return {"description": f"Command `{kind.kind_name()}`, for: {', '.join(kind.roles)}.", "responses": LATER}


def install(app: FastAPI) -> None:
    """Let the document define the shapes that `PROBLEMS` names."""
    made = app.openapi
    one_at_a_time = threading.Lock()

    def document() -> dict[str, Any]:
        # Forms are made from it, in threads: two first ones at the same time would take each other's shapes away.
        with one_at_a_time:
            found = made()
            schemas = found.setdefault("components", {}).setdefault("schemas", {})
            schemas |= {"Blocker": _BLOCKER, "Problem": _PROBLEM}
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            return found

    app.openapi = document  # type: ignore[method-assign]
