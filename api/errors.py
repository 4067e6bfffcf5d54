"""Problem documents (RFC 9457): what every "no" of the API looks like, whatever it came from.

`code` is stable and in CAPITALS; `blockers` names all that stands in the way; `possible` lists the commands that are
possible now. A body never holds a stack trace, and never what was sent (it may hold a password).
"""

import logging
import uuid
from collections.abc import Sequence
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy import exc
from starlette.exceptions import HTTPException

from domain.errors import AdapterRefused, AdapterUnknown, AdapterUnreachable, Blocker, Refused

log = logging.getLogger("api")

MEDIA_TYPE = "application/problem+json"
_OF_STATUS = {
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: "BODY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
}


class Problem(Exception):
    """An answer that is not what the caller hoped for. `extra` goes into the document as it is."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        blockers: Sequence[Blocker] = (),
        possible: Sequence[str] = (),
        command_id: str | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.blockers, self.possible, self.command_id, self.extra = tuple(blockers), tuple(possible), command_id, extra

    def document(self) -> dict[str, Any]:
        """The problem document as JSON data."""
        body: dict[str, Any] = {
            "type": f"urn:millwright:problem:{self.code.lower().replace('_', '-')}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "blockers": [blocker.model_dump(mode="json", by_alias=True) for blocker in self.blockers],
            "possible": list(self.possible),
        }
        if self.command_id is not None:
            body["commandId"] = self.command_id
        return body | self.extra


def answer(problem: Problem) -> JSONResponse:
    """The HTTP answer of a problem."""
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if problem.status == 503:
        headers["Retry-After"] = "1"
    if problem.status == 429:
        headers["Retry-After"] = str(problem.extra.get("retryAfterSeconds", 60))
    return JSONResponse(problem.document(), problem.status, headers, MEDIA_TYPE)


def not_found(entity: str, identity: object) -> Problem:
    """404 for one object."""
    return Problem(404, "NOT_FOUND", f"there is no {entity} {identity}")


def refused(code: str, entity: str, identity: str, found: str, required: str, who_can_fix: str = "") -> Refused:
    """A refusal with one blocker."""
    blocker = Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix=who_can_fix)
    return Refused((blocker,))


def of_refusal(refusal: Refused, command_id: str | None = None) -> Problem:
    """409 with all blockers of a refusal."""
    code = refusal.blockers[0].code if refusal.blockers else "REFUSED"
    return Problem(409, code, str(refusal), blockers=refusal.blockers, possible=refusal.possible, command_id=command_id)


def translate(error: BaseException) -> Problem:
    """The problem of any error; an error that nobody foresaw becomes 500 with an id that is in the log."""
    match error:
        case Problem():
            return error
        case Refused():
            return of_refusal(error)
        case AdapterRefused():
            return Problem(409, error.code, error.detail, blockers=error.blockers)
        case AdapterUnreachable() | AdapterUnknown():
            return Problem(503, "NEIGHBOUR_UNREACHABLE", f"{error.system} does not answer; send again later")
        case RequestValidationError():
            return _of_validation(error)
        case HTTPException():
            return _of_http(error)
        case _:
            return _of_database(error) or _internal(error)


def _of_validation(error: RequestValidationError) -> Problem:
    fields = [
        {"field": ".".join(str(part) for part in found["loc"]), "problem": found["msg"], "kind": found["type"]}
        for found in error.errors()[:50]
    ]
    detail = "; ".join(f"{field['field']}: {field['problem']}" for field in fields[:5])
    return Problem(422, "INVALID_REQUEST", detail[:1000], fields=fields)


def _of_http(error: HTTPException) -> Problem:
    if error.status_code == 400:  # a body that is no JSON: the caller's shape is wrong, as in every other 422
        return Problem(422, "INVALID_REQUEST", "the body is not valid JSON")
    code = _OF_STATUS.get(error.status_code, "HTTP_ERROR")
    return Problem(error.status_code, code, str(error.detail))


def _of_database(error: BaseException) -> Problem | None:
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, psycopg.errors.DiskFull):
        log.error("the record's disk is full")
        detail = "the record's disk is full: nothing was written; send again with the same commandId when there is room"
        return Problem(503, "RECORD_FULL", detail)
    if isinstance(cause, psycopg.errors.ReadOnlySqlTransaction):
        log.error("the record is read-only")
        detail = "the record can be read and not written: nothing was written; send again later with the same commandId"
        return Problem(503, "RECORD_READ_ONLY", detail)
    if isinstance(cause, psycopg.errors.DataError):
        return Problem(422, "INVALID_REQUEST", "a value does not fit into the record")
    if isinstance(cause, psycopg.errors.IntegrityError):
        log.warning("conflict in the record: %s", cause.diag.constraint_name)
        return Problem(409, "CONFLICT", f"the record refuses it: {cause.diag.constraint_name}")
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError | exc.TimeoutError | exc.InterfaceError):
        log.warning("record unavailable: %s", type(cause).__name__)
        detail = "the record cannot be reached; send again later with the same commandId"
        return Problem(503, "RECORD_UNAVAILABLE", detail)
    return None


def _internal(error: BaseException) -> Problem:
    error_id = uuid.uuid4().hex[:12]
    log.error("error %s", error_id, exc_info=error)
    return Problem(500, "INTERNAL", f"an error of this software; it is in the log as {error_id}", errorId=error_id)


async def _handle(request: Request, error: Exception) -> Response:
    return answer(translate(error))


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem document. What is not listed here the gate catches."""
    for kind in (Problem, Refused, AdapterRefused, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _handle)
