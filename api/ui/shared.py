"""Parts of pages that are alike for all with the same roles, plants, lines and language: rendered once per change.

Fifty boards that hear of one change ask for the same part fifty times. What is a person's own in it (the token of the
session's forms, the ids of commands) is put in for each of them; a template that asks for more about the person than
roles and scope fails, because nothing else is known of them here.
"""

import uuid
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from api.ui import keeping
from api.ui.door import form_token
from api.ui.language import language_of
from api.ui.shell import FLASH, context, environment, page
from wording.texts import Words
from wording.values import Clock

_TOKEN: Final = "\x00form-token\x00"
_COMMAND: Final = "\x00command-id\x00"
Document = dict[str, Any]


async def shared_page(request: Request, template: str, read: Callable[[], Awaitable[Document]]) -> Response:
    """A page whose part is the same for everybody who may see the same; `read` answers what the template needs.

    A whole page, and a part that tells somebody about their last action, are rendered for that person alone.
    """
    if request.headers.get("x-fragment") is None or FLASH in request.cookies:
        return page(request, template, **await read())
    language = language_of(request)
    clock = Clock(request.app.state.services.settings.time_zone, Words(language))
    session, bell = request.state.session, request.app.state.bell
    key = (
        template, str(request.url.path), request.url.query, language, session.roles, session.plants, session.lines,
        bell.total, bell.is_critical, request.app.state.named.edition, clock.now().strftime("%H:%M"),
    )  # fmt: skip

    async def render() -> list[str]:
        having = context(request) | await read()
        mine = {"form_token": _TOKEN, "new_id": lambda: _COMMAND, "user": _anybody(session)}
        return environment().get_template(template).render(having | mine).split(_COMMAND)

    first, *rest = await request.app.state.changes.once(key, render)
    text = "".join((first, *(uuid.uuid4().hex + part for part in rest)))
    headers = keeping.mark(request, language, clock.stamp(clock.now()))
    return HTMLResponse(text.replace(_TOKEN, form_token(request.state.token)), headers=headers)


def _anybody(session: Any) -> SimpleNamespace:
    return SimpleNamespace(roles=session.roles, plants=session.plants, lines=session.lines)
