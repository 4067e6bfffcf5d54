"""What rules and the record say in the words of the code, for people in their language.

The record keeps one text for all readers; here its known shapes are told apart and said again. A text of another
shape is somebody's own words, and is shown as it stands.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from api.ui import refusals
from wording.texts import Words

_COMMAND: Final = r"[a-z][A-Za-z]+"
_DETAILS: Final = tuple(
    (re.compile(f"^{pattern}$"), key)
    for pattern, key in (
        (rf"(?P<command>{_COMMAND}) refused: (?P<blockers>.+)", "refused"),
        (r"(?P<neighbour>\w+) did not answer: (?P<error>.*)", "silent"),
        (r"job (?P<job>\S+) (?P<state>\w+): (?P<why>.*)", "job"),
        (r"(?P<inspection>\S+): (?P<quantity>\S+ \S+) failed, (?P<defect>.*)", "failed"),
        (r"(?P<operation>\S+) aborted", "aborted"),
        (r"(?P<operation>\S+) opened again", "reopened"),
        (r"(?P<report>\S+) taken back by (?P<counter>\S+)", "reversed"),
        (r"(?P<report>\S+), reported by (?P<who>\S+), allowed beyond the ordered quantity", "over"),
        (r"(?P<report>\S+) was typed; the machine of (?P<station>\S+) did not report it", "typed"),
        (r"(?P<names>.+): measured (?P<at>\d{4}-\S+ ?\S*)", "late"),
        (r"signature\.(?P<what>\w+): ?(?P<why>.*)", "signature"),
        (r"signature\.(?P<what>\w+)(?P<why>)", "signature"),
        (r"(?P<count>\d+) readings not good between (?P<first>\S+) and (?P<last>\S+)", "gap"),
        (r"(?P<what>.+), limits (?P<low>\S*) … (?P<high>\S*?)(?P<unit> %)?", "limits"),
        (r"(?P<quantity>\S+ \S+) of (?P<report>\S+) for the review board", "board"),
    )
)
_EARLIER: Final = (
    (re.compile(r"^(?P<who>\S+) reviewed the record$"), "reviewed"),
    (re.compile(r"^(?P<who>\S+) certified the batch$"), "certified"),
    (re.compile(r"^(?P<who>\S+) entered the results$"), "entered"),
    (re.compile(r"^(?P<who>\S+) did (?P<what>.+)$"), "did"),
)
"""What a person did before, when one person may not do both."""


def alarm(t: Words, text: str, subject: str | None = None) -> str:
    """The detail of an alarm. That of a rule is the rule's own name, what it is about, and what its doer gave as
    reason; the others are sentences of the code."""
    name, found, reason = text.partition(f": {subject}") if subject else (text, "", "")
    if not found:
        return refusals.text(t, text)
    kind, _, identity = str(subject).partition("/")
    about, colon = f"{t.of('entity', kind)} {identity}", "：" if t.language == "zh" else ": "
    return f"{name}{colon}{about}{reason}"


def detail(t: Words, text: str) -> str:
    """The detail of an exception or a deviation."""
    for pattern, key in _DETAILS:
        if (found := pattern.match(text)) is not None:
            return t(f"detail.{key}", **{name: _part(t, name, value) for name, value in found.groupdict().items()})
    return text


def _part(t: Words, name: str, value: str | None) -> str:
    match name:
        case "command":
            return t.of("command", value)
        case "neighbour":
            return t.of("neighbour", value)
        case "state":
            return t.of("state", value)
        case "blockers":
            return _blockers(t, value or "")
        case "what" if t.has(f"signed.{value}"):
            return t(f"signed.{value}")
        case _:
            return value or ""


def _blockers(t: Words, text: str) -> str:
    """`CODE id: found; CODE id: found` → the codes in words, with what they are about."""
    said = []
    for part in text.split("; "):
        head, _, found = part.partition(": ")
        code, _, identity = head.partition(" ")
        earlier = because(t, found)
        said.append(f"{t.of('code', code)} ({identity}{': ' + earlier if earlier != found else ''})")
    return ("；" if t.language == "zh" else "; ").join(said)


def because(t: Words, found: str) -> str:
    """What a person did before that keeps him from this."""
    for pattern, key in _EARLIER:
        if (known := pattern.match(found)) is not None:
            return t(f"because.{key}", **known.groupdict())
    return found


def missing(t: Words, blocker: Any) -> str:
    """One thing that a condition of the release still lacks, in a line."""
    match blocker.code:
        case "EXCEPTION_OPEN":
            kind, _, text = blocker.found.partition(": ")
            return f"{t.of('exception', kind)}: {detail(t, text)}"
        case "RECORD_INCOMPLETE":
            return field(t, blocker.id.partition("/")[2].replace("operations/", "").replace("/", "."))
        case "RECORD_NOT_APPROVED":
            return t.of("record", blocker.found)
        case "DEVIATION_OPEN":
            return str(blocker.found)
        case "LOT_NOT_USABLE":
            return f"{blocker.id}: {t.of('lot', blocker.found)}"
        case "MATERIAL_ON_LINE":
            return f"{blocker.id}: {blocker.found.partition(' at the line')[0]}"
        case "SEPARATION_OF_DUTIES":
            return because(t, blocker.found)
        case "LOT_EXPIRED":
            return f"{blocker.id}: {blocker.required.rpartition(' ')[2]}"
        case "SIGNATURE_MISMATCH":
            return str(blocker.id)
        case _:
            return refusals.text(t, blocker.found, blocker.entity)


def field(t: Words, name: str) -> str:
    """The name of a field, with what it belongs to: `MIX.good` → `MIX: Good`."""
    before, _, own = name.rpartition(".")
    word = t.of("field", own) if t.has(f"field.{own}") or not before else own
    parts = [t.of("field", part) if t.has(f"field.{part}") else part for part in before.split(".") if part]
    return (": " if t.language == "en" else "：").join((*parts, word))


_ANSWERS: Final = {"yes": "yes", "no": "no", "true": "yes", "false": "no"}
_STATES: Final = {"holdState": "hold.state", "recallState": "recall.state", "destructionState": "destruction.state"}


def value(t: Words, name: str, text: Any) -> str:
    """The text of a field: states, choices and yes or no in words; everything else as it stands."""
    if isinstance(text, list):
        return ("；" if t.language == "zh" else "; ").join(value(t, name, own) for own in text)
    if isinstance(text, dict):
        parts = [f"{field(t, key)} {value(t, key, own)}" for key, own in text.items() if own not in (None, "", [], {})]
        return ("，" if t.language == "zh" else ", ").join(parts)
    own = name.rpartition(".")[2]
    if own == "lotStatus" or own == "status":
        return t.of("lot", text)
    if own in _STATES:
        return t.of(_STATES[own], text)
    if own == "state" or own.endswith("State"):
        return t.of("state", text)
    if own == "meaning":
        return t.of("meaning", text)
    if own in ("disposition", "classification") and text:
        return t.of("choice", text)
    if own in ("command", "kind") and t.has(f"command.{text}"):
        return t.of("command", text)
    if own in ("origin", "path", "direction"):
        return next((t(key) for key in (f"origin.{text}", f"way.{text}") if t.has(key)), text)
    return t(_ANSWERS[text]) if text in _ANSWERS else str(text)


def flat(value: Mapping[str, Any] | None, path: str = "") -> dict[str, str]:
    """A document as name → text, as far as it can be read in a line."""
    found: dict[str, str] = {}
    for name, part in (value or {}).items():
        key = f"{path}{name}"
        if isinstance(part, Mapping):
            found |= flat(part, f"{key}.")
        elif isinstance(part, list) and any(isinstance(one, Mapping | list) for one in part):
            found[key] = f"× {len(part)}"
        elif isinstance(part, list):
            found[key] = ", ".join(str(one) for one in part)
        elif part is not None and part != "":
            found[key] = str(part).lower() if isinstance(part, bool) else str(part)
    return found
