"""From the fields of a form to the body of a command.

The name of a field says where its value goes and what it is: `values.0.text`, `accept:bool`, `quantity:number`,
`dueAt:time`. An empty field is not sent; an empty `:entry` takes the whole row of its list out; a `:map` or `:items`
sends an empty one when no other field says anything of it.
"""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

_EMPTY: Final[dict[str, type]] = {"map": dict, "items": list}
"""Kinds of fields that stand for a whole map or list: when all of its own fields are empty, it is sent empty."""
OWN: Final = frozenset({"form_token", "back", "said", "method"})
"""Fields of the console itself."""


def number(text: str) -> str:
    """A number as somebody typed it, also with a Chinese keyboard: full-width digits, `。` and `，`, blanks."""
    plain = unicodedata.normalize("NFKC", text).replace("。", ".").replace("、", ".")
    return plain.replace(" ", "").replace(",", "")


def body_of(fields: Iterable[tuple[str, str]], zone: ZoneInfo) -> dict[str, Any]:
    """The body that the fields of a form say. Raises ValueError for a time that is none."""
    body: dict[str, Any] = {}
    left_out: set[tuple[str, ...]] = set()
    kept: dict[tuple[str, ...], type] = {}
    for name, text in fields:
        path_text, _, kind = name.partition(":")
        path = tuple(path_text.split("."))
        if path[0] in OWN:
            continue
        if kind in _EMPTY:
            kept[path] = _EMPTY[kind]
        elif kind == "entry" and not text.strip():
            left_out.add(path[:-1])
        elif text.strip() or kind == "bool":
            _put(body, path, _value(text, kind, zone))
    for path in left_out:
        _take(body, path)
    found = {key: _lists(part) for key, part in body.items() if part != {}}
    for path, kind_of in kept.items():
        _keep(found, path, kind_of())
    return found


def _keep(body: dict[str, Any], path: tuple[str, ...], empty: Any) -> None:
    """Say that nothing is left of a map or a list, where the form said nothing of it."""
    for part in path[:-1]:
        body = body.setdefault(part, {})
    body.setdefault(path[-1], empty)


def _value(text: str, kind: str, zone: ZoneInfo) -> Any:
    match kind:
        case "bool":
            return text == "true"
        case "int":
            return int(number(text)) if number(text).lstrip("-").isdigit() else text
        case "number" | "entry":
            # A measured value that is no number is a text and stays as it was typed.
            return number(text) if kind == "number" or _looks_like_a_number(text) else text.strip()
        case "time":
            return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
        case "list":
            return [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
        case "lines":
            return text.split()
        case "secret":
            return text  # a password is sent as it was typed
        case _:
            return text.strip()


def _looks_like_a_number(text: str) -> bool:
    return number(text).lstrip("+-").replace(".", "", 1).isdigit()


def _put(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        inner: Any = body.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ValueError(f"{'.'.join(path)} goes into something that has a value already")
        body = inner
    body[path[-1]] = value


def _take(body: dict[str, Any], path: tuple[str, ...]) -> None:
    for part in path[:-1]:
        inner: Any = body.get(part, {})
        if not isinstance(inner, dict):
            return
        body = inner
    body.pop(path[-1], None)


def _lists(value: Any) -> Any:
    """Objects whose keys are all numbers are lists."""
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(part) for key, part in value.items() if part != {}}
