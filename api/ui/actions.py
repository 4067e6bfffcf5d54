"""Every action of the console: a form becomes a call of the API, and the API's answer a page.

`POST /ui/do/{path}` calls `POST /api/v1/{path}`. Where the policy asks for a signature, the API says so; then a
ceremony is begun and its dialog shown, which sends the same command again, with what its signer gives.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from api.errors import Problem
from api.permissions import COMMAND_ROUTES, DIRECT_ROUTES
from api.routing import Router
from api.signed_acts import BY_ACTION
from api.ui.calls import Answer, call
from api.ui.door import form_token
from api.ui.forms import OWN, body_of
from api.ui.shell import PageRoute, context, flash, page, refused

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

MOST_FIELDS: Final = 10_000
"""A master batch record has some hundred rows, each with several fields."""
ASK: Final = frozenset({"REAUTH_REQUIRED", "SECOND_PERSON_REQUIRED", "CONTENT_NOT_SHOWN"})
ASK_AGAIN: Final = frozenset(
    {
        "SIGNATURE_FAILED", "SECOND_FACTOR_REQUIRED", "SECOND_FACTOR_FAILED", "CONTENT_CHANGED",
        "SIGNATURE_REQUEST_EXPIRED", "SIGNATURE_REQUEST_ENDED", "SEPARATION_OF_DUTIES", "SIGNER_NOT_A_PERSON",
    }
)  # fmt: skip
"""What is wrong with a signature: nothing else is lost, so the dialog stays, with another ceremony."""


async def checked_form(request: Request) -> FormData:
    """The fields of a form of this session. Raises 403 for one of another session or site."""
    form = await request.form(max_fields=MOST_FIELDS)
    if form.get("form_token") != form_token(request.state.token):
        raise Problem(403, "FORM_OF_ANOTHER_SESSION", "this form was made for another session; load the page again")
    return form


Form = Annotated[FormData, Depends(checked_form)]


def safe_back(text: object) -> str:
    """Where to go afterwards: a page of the console and nowhere else."""
    back = str(text or "")
    return back if back.startswith("/ui/") and "\\" not in back and "\n" not in back else "/ui/"


@router.post("/do/{path:path}")
async def do(path: str, request: Request, form: Form) -> Response:
    """Call the API; answer with the page where the form stood, or with what stands in the way."""
    fields = [(name, str(value)) for name, value in form.multi_items()]
    zone = ZoneInfo(request.app.state.services.settings.time_zone)
    try:
        body = body_of(fields, zone)
    except ValueError as error:
        raise Problem(422, "INVALID_REQUEST", str(error)) from None
    answer = await call(request, str(form.get("method") or "POST"), f"/{path}", body)
    if answer.accepted:
        return _done(request, f"/{path}", form, answer)
    problem = problem_of(answer)
    if problem["code"] in ASK or _asks_again(body, problem["code"]):
        return await _ceremony(request, f"/{path}", fields, body, problem)
    return refused(request, problem)


def _asks_again(body: Mapping[str, Any], code: str) -> bool:
    """Whether another signature can help. Without a ceremony, changed content is what stood on the page behind it."""
    signature = body.get("signature") or {}
    is_page = code == "CONTENT_CHANGED" and "requestId" not in signature
    return bool(signature) and code in ASK_AGAIN and not is_page


def problem_of(answer: Answer) -> dict[str, Any]:
    """What stands in the way, as the API said it."""
    if isinstance(answer.document, dict) and "code" in answer.document:
        return answer.document
    return Problem(answer.status, "NO_ANSWER", f"the API answered {answer.status}").document()


def _done(request: Request, path: str, form: Mapping[str, Any], answer: Answer) -> Response:
    t = context(request)["t"]
    name, _ = action(path)
    response = RedirectResponse(safe_back(form.get("back")), 303)
    if answer.status == 202:
        flash(response, "later", t("said.later", what=t.of("command", name)))
    else:
        made = (answer.document or {}).get("result") if isinstance(answer.document, dict) else None
        numbers = ", ".join(str(value) for value in made.values()) if isinstance(made, dict) else ""
        said = str(form.get("said") or t("said.done", what=t.of("command", name)))
        flash(response, "good", f"{said} {numbers}".strip())
    return response


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str, bool], ...]:
    def pattern(route: str) -> re.Pattern[str]:
        return re.compile("^" + re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(route)) + "$")

    commands = [(pattern(route), kind.kind_name(), True) for route, kind in COMMAND_ROUTES.items()]
    direct = [
        (pattern(route.partition(" ")[2]), name, False)
        for route, name in DIRECT_ROUTES.items()
        if not route.startswith("GET")
    ]
    return (*commands, *direct)


def action(path: str) -> tuple[str, UUID | str | None]:
    """The command of an address, and what it is about: the uuid when an order or a case judges it, the number of the
    lot or the recall when it is a signed act that none judges."""
    for pattern, name, is_command in _patterns():
        if (found := pattern.match(path)) is None:
            continue
        named, act = found.groupdict(), BY_ACTION.get(name)
        return name, _first_uuid(named) if is_command else None if act is None else named[act.subject]
    return path.rpartition("/")[2], None


def _first_uuid(named: Mapping[str, str]) -> UUID | None:
    for value in named.values():
        try:
            return UUID(value)
        except ValueError:
            continue
    return None


_LOOKED_UP: Final = {"reverseReport": "reportNumber", "reportProduction": "workOrderId"}
"""Commands whose address names no uuid: the field of the body that leads to it."""


_OF_DECISION: Final = {"hold": "holdOrder", "reissue": "cancelOrder"}


async def _ceremony(
    request: Request, path: str, fields: list[tuple[str, str]], body: dict[str, Any], problem: dict[str, Any]
) -> Response:
    """Show what is signed. What was typed so far goes along as hidden fields; what was secret does not."""
    name, entity = action(path)
    if name == "decideImpact":
        # What is signed is the order's own command.
        name, entity = _OF_DECISION.get(str(body.get("decision")), name), _first_uuid({"id": path.split("/")[3]})
        body = {key: value for key, value in body.items() if key != "decision"}
    if entity is None and name in _LOOKED_UP:
        entity = _first_uuid({"id": str(body.get(_LOOKED_UP[name], ""))})
    shown: dict[str, Any] = {}
    if entity is not None:
        parts = path.strip("/").split("/")
        own = {"operation": parts[4]} if len(parts) > 4 and parts[3] == "operations" else {}
        if len(parts) > 4 and parts[3] == "change-requests":
            own = {"change": parts[4]}
        if len(parts) > 4 and parts[3] == "recoveries":
            own = {"recovery": parts[4]}
        content = {
            key: value for key, value in body.items() if key not in ("commandId", "reason", "signature", "second")
        }
        asked = {
            "command": BY_ACTION[name].kind.kind_name() if name in BY_ACTION else name,
            "commandId": body.get("commandId"), "entityId": str(entity), "reason": body.get("reason"),
            "content": own | content,
        }  # fmt: skip
        answer = await call(request, "POST", "/signatures/requests", asked)
        if not answer.accepted:
            return refused(request, problem_of(answer))
        shown = answer.document
    kept = [
        (key, value) for key, value in fields if not key.startswith(("signature.", "second.")) and key != "form_token"
    ]
    return page(
        request, "sign.html", 200 if problem["code"] in ASK else 409, action=path, command=name, ceremony=shown,
        kept=kept, problem=problem, failed=problem["code"] if problem["code"] in ASK_AGAIN else "",
        asks_second=shown.get("secondMeaning") is not None or problem["code"] == "SECOND_PERSON_REQUIRED",
        second_user=str(dict(fields).get("second.userId", "")), own_fields=OWN,
        asks_code=problem["code"] in ("SECOND_FACTOR_REQUIRED", "SECOND_FACTOR_FAILED"),
    )  # fmt: skip
