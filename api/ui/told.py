"""What has happened to a quality case, event by event, in words."""

from collections.abc import Mapping
from typing import Any, Final

from api.ui import said
from wording.texts import Words

Event = Mapping[str, Any]
_MOVES: Final = frozenset({"deviationMoved", "outOfSpecificationMoved", "capaMoved"})


def told(t: Words, event: Event, people: Mapping[str, str]) -> str:
    """One event of a case."""
    kind = str(event["kind"])
    if kind in _MOVES:
        return t("told.moved", origin=t.of("state", event["origin"]), target=t.of("state", event["target"]))
    key = f"told.{kind}"
    return t(key, **_values(t, event, people)) if t.has(key) else t.of("event", kind)


def _values(t: Words, event: Event, people: Mapping[str, str]) -> dict[str, str]:
    """The fields of an event as text: choices, roles and people by their names."""
    found = {name: str(value) for name, value in event.items() if not isinstance(value, dict | list)}
    for name, group in (
        ("classification", "severity"), ("disposition", "choice"), ("function", "approval"), ("about", "evidence"),
        ("phase", "phase"), ("step", "deadline"), ("message", "standing"),
    ):  # fmt: skip
        if name in found:
            found[name] = t.of(group, event[name])
    if event.get("owner"):
        found["owner"] = people.get(str(event["owner"]), str(event["owner"]))
    specification = event.get("specification") or {}
    found["detail"] = said.detail(t, str(specification.get("detail") or specification.get("action") or ""))
    found["answer"] = "" if not event.get("answer") else f": {event['answer']}"
    found["needs"] = t("yes") if event.get("needsCapa") else t("no")
    return found
