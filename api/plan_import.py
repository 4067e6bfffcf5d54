"""Import of plan lines from a file or a list: all of it, or nothing and every reason why.

The good lines of a refused import come back, as a list and as a file that can be sent as they are. An import has one
effect and one answer per command id; without one, per content.
"""

import hashlib
import json
from collections.abc import Sequence
from email.message import Message as Mail
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Final

from pydantic import Field
from sqlalchemy import Connection

from api import plan_file
from api.deps import Caller, writing
from api.errors import Problem
from api.neighbours import once
from api.plan_file import Parsed
from api.planning import Fault, PlanLineBody, TakenLine, faults, store
from api.security import now
from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from domain.base import Message

SUBJECT: Final = "plan-lines"
MEDIA_TYPES: Final = ("text/csv", "multipart/form-data", "application/json")


class ImportAnswer(Message):
    """What an import came to: every line of it, in its order, as it stands in the record."""

    accepted: int = Field(ge=1)
    plan_lines: tuple[TakenLine, ...]


def run(who: Caller, content_type: str, content: bytes, command_id: str | None) -> ImportAnswer:
    """Import what was sent. Raises 415, and 422 PLAN_IMPORT_REFUSED with every fault and the good lines."""
    parsed = _parsed(content_type, content)
    lines = [own.body.model_dump(mode="json", by_alias=True) for own in parsed.placed]
    digest = hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()
    key = command_id or f"plan-import/{digest}"
    told = {"fileSha256": hashlib.sha256(content).hexdigest(), "lines": len(lines)}
    request = Request("importPlanLines", SUBJECT, key, who.id, now(), {"lines": lines})

    def work(connection: Connection) -> Done[ImportAnswer]:
        _check(connection, parsed)
        taken, entries = store(connection, who, parsed.placed)
        answer = ImportAnswer(accepted=len(taken), plan_lines=tuple(taken))
        new = told | {"new": len(entries)}
        entry = who.entry("plan-lines.imported", f"plan-import/{key}", new=new, command_id=key)
        return Done(answer, [*entries, entry])

    try:
        if parsed.faults:
            with who.services.engine.connect() as connection:
                _check(connection, parsed)
        return once(
            key,
            lambda _: answer_once(who.services.engine, "record", COMMAND_OUTCOMES, request, ImportAnswer, work),
        )
    except Problem as problem:
        _audit_refusal(who, key, told, problem)
        raise


def _audit_refusal(who: Caller, key: str, told: dict[str, Any], problem: Problem) -> None:
    codes = sorted({blocker.code for blocker in problem.blockers}) or [problem.code]
    new = told | {"refused": codes, "faults": len(problem.blockers)}
    with writing(who, who.entry("plan-lines.import-refused", f"plan-import/{key}", new=new, command_id=key)):
        pass


def _check(connection: Connection, parsed: Parsed) -> None:
    """Raise `PLAN_IMPORT_REFUSED` if anything is wrong, in the file or against the record."""
    found = sorted((*parsed.faults, *faults(connection, parsed.placed, parsed.others)), key=lambda fault: fault.line)
    if found:
        bad = {fault.line for fault in found}
        raise _refused(found, [own.body for own in parsed.placed if own.line not in bad])


def _refused(found: Sequence[Fault], good: Sequence[PlanLineBody]) -> Problem:
    bad = len({fault.line for fault in found})
    detail = (
        f"{bad} bad lines: nothing was imported; the {len(good)} good ones are under `good`, to be sent as they are"
    )
    return Problem(
        422, "PLAN_IMPORT_REFUSED", detail,
        blockers=[fault.blocker() for fault in found],
        rows=[fault.shown() for fault in found],
        good={
            "planLines": [line.model_dump(mode="json", by_alias=True, exclude_none=True) for line in good],
            "csv": plan_file.written(good) if good else "",
        },
    )  # fmt: skip


# What was sent -------------------------------------------------------------------------------------------------------


def _parsed(content_type: str, content: bytes) -> Parsed:
    header = Mail()
    header["Content-Type"] = content_type
    kind = header.get_content_type() if content_type else ""
    charset = str(header.get_param("charset", "utf-8")).lower()
    if kind not in MEDIA_TYPES or charset not in ("utf-8", "utf8", "us-ascii"):
        detail = f"send {', '.join(MEDIA_TYPES)}, in UTF-8"
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", detail)
    if kind == "application/json":
        try:
            return plan_file.listed(json.loads(content))
        except (ValueError, RecursionError):
            raise Problem(422, "INVALID_REQUEST", "the body is not valid JSON") from None
    return plan_file.read(_file_of(content_type, content) if kind == "multipart/form-data" else content)


def _file_of(content_type: str, content: bytes) -> bytes:
    """The one file of a form. A form is a MIME message whose heading stands in the request's heading."""
    form = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + content)
    parts = [part for part in form.iter_parts() if part.get_filename() is not None] if form.is_multipart() else []
    if len(parts) != 1:
        raise Problem(422, "INVALID_REQUEST", f"a form with one file is needed; this one has {len(parts)}")
    content_of = parts[0].get_payload(decode=True)
    return content_of if isinstance(content_of, bytes) else b""
