"""Acts that no order judges: done once in one transaction, with the signatures that they ask for, refusals audited."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from api import signatures
from api.deps import Caller, writing
from api.errors import of_refusal
from api.neighbours import once
from api.signatures import Signing
from db import audit
from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from domain.base import Message
from domain.errors import AdapterRefused, Blocker, Refused

A = TypeVar("A", bound=Message)
Work = Callable[[Connection, tuple[str, ...]], tuple[A, Sequence[audit.Entry]]]
"""From the ids of the signatures to the answer and the audit entries."""


def act(who: Caller, request: Request, model: type[A], work: Work[A], *signings: Signing) -> A:
    """Do `work` once under the request's key. The signatures are stored with its effect, or not at all.

    Each costs 50 ms: call it in a thread. Raises what `signatures.authenticate` raises, and the refusal of `work`,
    which leaves one audit row.
    """
    signers = [signatures.authenticate(who, signing) for signing in signings]

    def work_once(connection: Connection) -> Done[A]:
        given, signed = signatures.store_with(connection, who, signers) if signers else ([], [])
        answer, entries = work(connection, tuple(given))
        return Done(answer, [*signed, *entries])

    try:
        return once(
            request.key,
            lambda _: answer_once(who.services.engine, "record", COMMAND_OUTCOMES, request, model, work_once),
        )
    except Refused as no:
        _note(who, request, no.blockers)
        raise of_refusal(no, request.key) from None
    except AdapterRefused as no:
        _note(who, request, no.blockers)
        raise


def _note(who: Caller, request: Request, blockers: Sequence[Blocker]) -> None:
    told = [blocker.model_dump(mode="json", by_alias=True) for blocker in blockers]
    new = {"command": request.kind, "blockers": told}
    reason = request.content.get("reason")
    entry = who.entry(
        "command.refused", request.subject, new=new, reason=reason if isinstance(reason, str) else None,
        command_id=request.key,
    )  # fmt: skip
    with writing(who, entry):
        pass
