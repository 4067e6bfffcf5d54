"""What the clients of a run sent, and everything that they were told."""

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

Content = dict[str, Any]
DEVIATIONS: Final = "/quality/deviations"
"""A door that tells what an order or the record has judged in words of its own."""
_NAMESPACE: Final = uuid.UUID("6d1c3f0e-6f0b-5d6e-9a57-3a1f1f1d9b10")
"""Of the addresses of everything; written out here once more on purpose."""


@dataclass(frozen=True)
class Sent:
    """A command as it went over the wire: who, where, what. `body` may hold a password; it never leaves the memory."""

    user: str
    path: str
    body: Content = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """A final answer to a command. `content` is what it says, without what is only said beside it."""

    accepted: bool
    content: Content


@dataclass(frozen=True)
class Sighting:
    """An order as somebody was shown it."""

    number: str
    revision: int
    state: str


@dataclass
class Told:
    """Command id → its answers in the order in which they came."""

    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, Sent] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    """Commands that were answered with 202."""
    sightings: set[Sighting] = field(default_factory=set)

    def answered(self) -> int:
        """How many commands have a final answer."""
        return len(self.answers)

    def note(self, method: str, path: str, command: str | None, status: int, body: Any) -> None:
        """Take down what came back; what is no answer about a command or an order is passed over."""
        if not isinstance(body, dict):
            return
        if method == "GET" and "/commands/" in path and status == 200:
            own = str(body.get("commandId") or path.rsplit("/", 1)[-1])
            self._answer(own, body, self.path(own))
        elif method == "GET" and "/mes/orders/" in path and status == 200 and "revision" in body:
            self.sightings.add(Sighting(str(body["number"]), int(body["revision"]), str(body["state"])))
        elif method == "POST" and command is not None:
            if status == 202:
                self.taken.add(command)
            elif status in (200, 201, 409):
                self._answer(command, body if status != 409 else {"accepted": False, **body}, path)

    def path(self, command: str) -> str:
        """Where a command was sent; empty for one that nobody here sent."""
        sent = self.sent.get(command)
        return "" if sent is None else sent.path

    def _answer(self, command: str, body: Content, path: str) -> None:
        self.answers[command].append(answer_of(body, path))


def answer_of(body: Content, path: str = "") -> Answer:
    """What an answer says: a verdict, the answer of a direct act, or a refusal with all that stands in the way.

    The same of a response's body and of a verdict as the record keeps it; `path` is where the command was sent.
    """
    if body.get("accepted", True) is False:
        return Answer(False, {"blockers": body.get("blockers") or [], "code": _code(body)})
    if "answer" in body:
        return Answer(True, _as_told_at(path, _without(body["answer"], "commandId")))
    if "accepted" in body and "revision" in body:
        return Answer(True, _as_told_at(path, {name: body.get(name) for name in ("revision", "result", "possible")}))
    return Answer(True, _without(body, "commandId", "accepted"))


def _as_told_at(path: str, content: Content) -> Content:
    """What a door with words of its own has to make of a verdict or an answer as it is recorded."""
    if not path.endswith(DEVIATIONS):
        return content
    if "result" in content:
        content = {"number": (content["result"] or {}).get("deviation"), "hasProcess": True}
    address = address_of("deviation", content.get("number"))
    return {**content, "id": address} if content.get("hasProcess") else content


def address_of(kind: str, number: object) -> str:
    """The id under which the API has a thing."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{number}"))


def _code(body: Content) -> str:
    """The code of a refusal; a verdict in the record has it in its first blocker."""
    blockers = body.get("blockers") or []
    return str(blockers[0].get("code", "")) if blockers else str(body.get("code", ""))


def _without(content: Any, *names: str) -> Content:
    return {key: value for key, value in content.items() if key not in names} if isinstance(content, dict) else {}
