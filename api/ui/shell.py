"""What every page stands in: its frame, its words, and what its templates may use."""

import base64
import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api import permissions
from api.errors import Problem, translate
from api.ui import keeping, missing, refusals, said, severity, words
from api.ui.calls import Unanswered
from api.ui.door import form_token
from api.ui.language import language_of
from api.ui.nav import nav
from api.ui.svg import charts
from api.ui.told import told
from api.ui.ways_out import way_out
from wording.texts import Words, place_of
from wording.values import Clock, quantity

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
FLASH: Final = "mes_flash"
BUNDLES: Final = {
    "console.js": ("runtime.js", "scanner.js", "graph.js", "marks.js", "keypad.js", "outbox.js", "offline.js"),
}
"""Scripts that every page needs, in the order in which they run: one request instead of seven."""


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates, with everything they may use that no request changes."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals |= {
        "asset": asset, "tone": words.tone, "icon_of": words.icon, "quantity": quantity, "inside": words.inside,
        "share": words.share, "duration": words.duration, "new_id": lambda: uuid.uuid4().hex, "charts": charts,
        "pairs": lambda names: [(name, name) for name in names],
        "labels": lambda rows: [(row["code"], f"{row['code']} {row['name']}") for row in rows],
        "day_spans": lambda t, spans: [(days, t("period.days", days=days)) for days in spans],
        "labelled": labelled, "place_of": place_of,
        "named": lambda t, names: [(name, t.of("choice", name)) for name in names],
        "states_of": lambda t, names: [(str(name), t.of("state", name)) for name in names],
        "groups_of": lambda t, group, names: [(name, t.of(group, name)) for name in names],
        "said": said, "told": told, "refusals": refusals, "tones": severity.TONES, "lot_icons": words.LOT_ICONS,
        "way_out": way_out,
        "reasons": lambda t, names: [(name, t.of("scrap", name)) for name in names],
    }  # fmt: skip
    return made


def labelled(t: Words, about: str, names: Iterable[str]) -> list[tuple[str, str]]:
    """Options with their texts: those of `choice.<about>` where there are, else those of `choice`."""
    own = f"choice.{about}"
    return [(name, t.of(own if t.has(f"{own}.{name}") else "choice", name)) for name in names]


def content_of(name: str) -> bytes:
    """A static file, or several as one. Raises FileNotFoundError for a name that there is not."""
    parts = BUNDLES.get(name, (name,))
    paths = [STATIC / part for part in parts]
    if any(path.parent != STATIC for path in paths):
        raise FileNotFoundError(name)
    return b"\n".join(path.read_bytes() for path in paths)


@lru_cache(maxsize=32)
def asset(name: str) -> str:
    """The address of a static file: another content, another address."""
    digest = hashlib.sha256(content_of(name)).hexdigest()[:12]
    return f"/ui/static/{name}?v={digest}"


def context(request: Request) -> dict[str, Any]:
    """What every template gets."""
    session = getattr(request.state, "session", None)
    language = language_of(request)
    clock = Clock(request.app.state.services.settings.time_zone, Words(language))
    return {
        "t": Words(language),
        "language": language,
        "clock": clock,
        "name_of": request.app.state.named.of(language),
        "user": session,
        "form_token": form_token(request.state.token),
        "nav": nav(session.roles) if session else (),
        # The number is that of all plants: who is limited to some is not told it.
        "bell": request.app.state.bell if session and session.plants is None and session.lines is None else None,
        "here": request.url.path,
        "url": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "is_fragment": request.headers.get("x-fragment") is not None,
        "flash": _flash(request),
        "idle_seconds": int(request.app.state.services.sessions.idle.total_seconds()),
        "live": "",
        "may": lambda *commands: may(request, *commands),
    }


def may(request: Request, *commands: str) -> bool:
    """Whether the roles of the person allow one of these actions; the API asks again."""
    session = request.state.session
    return session is not None and any(not roles_of(name).isdisjoint(session.roles) for name in commands)


@lru_cache(maxsize=256)
def roles_of(action: str) -> frozenset[str]:
    """The roles that may do an action, by its name: a command, or a direct action of the table of permissions."""
    for kind in permissions.COMMAND_ROUTES.values():
        if kind.kind_name() == action:
            return frozenset(str(role) for role in kind.roles)
    return frozenset(str(role) for role in permissions.DIRECT.get(action, ()))


def page(request: Request, template: str, status: int = 200, **more: Any) -> HTMLResponse:
    """A page, or only what changes of it when the browser already has its frame."""
    having = context(request) | more
    response = HTMLResponse(environment().get_template(template).render(having), status)
    if status == HTTPStatus.OK:
        clock = having["clock"]
        response.headers.update(keeping.mark(request, having["language"], clock.stamp(clock.now())))
    if having["flash"]:
        response.delete_cookie(FLASH, path="/ui")
    return response


def flash(response: Response, kind: str, text: str) -> None:
    """Say something on the next page, once."""
    said = base64.urlsafe_b64encode(json.dumps([kind, text[:600]]).encode()).decode()
    response.set_cookie(FLASH, said, max_age=30, path="/ui", httponly=True, samesite="lax")


def _flash(request: Request) -> tuple[str, str] | None:
    try:
        kind, text = json.loads(base64.urlsafe_b64decode(request.cookies.get(FLASH, "")))
    except (ValueError, TypeError):
        return None
    return (str(kind), str(text)) if kind in ("good", "later", "bad") else None


def refused(request: Request, problem: dict[str, Any]) -> HTMLResponse:
    """A "no" for people: everything that stands in the way, and what is possible now."""
    lacking = missing.lacking(request, problem)
    listed, search = missing.ways(request) if lacking or missing.is_missing(request, problem) else (None, "")
    return page(
        request, "refused.html", int(problem.get("status", 500)), problem=problem, listed=listed,
        search="" if lacking else search, lacking=lacking, is_missing=missing.is_missing(request, problem),
    )  # fmt: skip


class PageRoute(APIRoute):
    """A route whose errors are pages, too."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """See APIRoute."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Unanswered as no:
                if no.answer.status == 401:
                    return Response("", 401, {"x-session": "ended"})
                return refused(request, no.answer.document or Problem(502, "NO_ANSWER", "no answer").document())
            except RequestValidationError as wrong:
                return refused(request, (missing.of_address(wrong) or translate(wrong)).document())
            except Exception as error:
                return refused(request, translate(error).document())

        return handled
