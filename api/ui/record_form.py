"""The form of a master batch record: rows to fill in, and the content that the filled rows say. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from domain.pictures import MOST_OF_AN_INSTRUCTION

SPARE: Final = 2
"""Empty rows at the end of every list; saved again, there are as many more."""
_STEP: Final = 10
_MARK: Final = "row"
Values = dict[str, Any]


def rows(content: Mapping[str, Any], operations: Iterable[str], lines: Mapping[int, str]) -> Values:
    """The content with every operation of the route and every line of the bill of material, and with empty rows."""
    said = list(content.get("operations") or ())
    known = {own.get("operation") for own in said}
    said += [{"operation": code} for code in operations if code not in known]
    materials = list(content.get("materials") or ())
    named = {int(own.get("line") or 0) for own in materials}
    materials += [{"line": line, "material": code} for line, code in sorted(lines.items()) if line not in named]
    return dict(content) | {"operations": [_operation(own) for own in said], "materials": materials}


def _operation(own: Mapping[str, Any]) -> Values:
    told = [{"text": {}, "number": ""} | one for one in own.get("instructions") or ()]
    told = [one | {"pictures": _with_a_spare(one)} for one in told]
    last = max((int(one["number"]) for one in told if str(one["number"]).isdigit()), default=0)
    spare = SPARE - sum(_is_empty_instruction(one) for one in told)
    told += [{"number": last + _STEP * (n + 1), "text": {}, "pictures": []} for n in range(spare)]
    values = [{key: value for key, value in one.items() if key != _MARK} for one in own.get("expectedValues") or ()]
    values += [{} for _ in range(SPARE - sum(_is_empty_value(one) for one in values))]
    seconds, checks = own.get("longestWaitSeconds"), own.get("printCheckSeconds")
    return dict(own) | {
        "instructions": told, "expectedValues": values,
        "longestWaitMinutes": own.get("longestWaitMinutes") or (_minutes(seconds) if seconds else ""),
        "printCheckMinutes": own.get("printCheckMinutes") or (_minutes(checks) if checks else ""),
    }  # fmt: skip


def _with_a_spare(one: Mapping[str, Any]) -> list[Values]:
    """The pictures of an instruction, and room for one more."""
    kept = [dict(own) for own in one.get("pictures") or () if not _is_empty_picture(own)]
    return kept + [{}] * (len(kept) < MOST_OF_AN_INSTRUCTION)


_IN_MINUTES: Final = {"longestWaitMinutes": "longestWaitSeconds", "printCheckMinutes": "printCheckSeconds"}
"""Fields that people see in minutes."""


def _minutes(seconds: Any) -> str:
    return f"{(Decimal(str(seconds)) / 60).normalize():f}"


def content_of(form: Mapping[str, Any]) -> tuple[Values, dict[str, str]]:
    """The content without empty rows, and where each kept row stands in the form: path here → path there."""
    content, places = dict(form), {}
    for list_name, clean, is_empty in (
        ("operations", _said, _is_empty_operation), ("materials", _material, _is_empty_material),
    ):  # fmt: skip
        kept: list[Values] = []
        for place, own in enumerate(form.get(list_name) or ()):
            inner: dict[str, str] = {}
            cleaned = clean(own, inner)
            if is_empty(cleaned):
                continue
            here, there = f"{list_name}.{len(kept)}", f"{list_name}.{place}"
            places[here] = there
            places |= {f"{here}.{key}": f"{there}.{value}" for key, value in inner.items()}
            kept.append(cleaned)
        content[list_name] = kept
    return content, places


def _said(own: Mapping[str, Any], places: dict[str, str]) -> Values:
    cleaned = {key: value for key, value in own.items() if key not in (_MARK, *_IN_MINUTES)}
    for name, is_empty in (("instructions", _is_empty_instruction), ("expectedValues", _is_empty_value)):
        kept: list[Values] = []
        for place, row in enumerate(own.get(name) or ()):
            bare = {key: value for key, value in row.items() if key != _MARK}
            if is_empty(bare):
                continue
            here = f"{name}.{len(kept)}"
            places[here] = f"{name}.{place}"
            if name == "instructions":
                bare["text"] = bare.get("text", {})
                bare["pictures"] = _pictures(bare, places, here, f"{name}.{place}")
            kept.append(bare)
        cleaned[name] = kept
    for shown, kept_as in _IN_MINUTES.items():
        if minutes := own.get(shown):
            cleaned[kept_as] = _seconds(minutes)
    return cleaned


def _pictures(one: Mapping[str, Any], places: dict[str, str], here: str, there: str) -> list[Values]:
    """The pictures that stay; a row with words and no file stays too, and is refused at its place."""
    kept: list[Values] = []
    for place, own in enumerate(one.get("pictures") or ()):
        if own.get("gone") or _is_empty_picture(own):
            continue
        places[f"{here}.pictures.{len(kept)}"] = f"{there}.pictures.{place}"
        kept.append({"sha256": own.get("sha256", ""), "text": own.get("text", {})})
    return kept


def _seconds(minutes: Any) -> Any:
    """Minutes as they were typed, in seconds; what is no number goes on as it is and is refused at its place."""
    try:
        found = Decimal(str(minutes)) * 60
    except InvalidOperation:
        return minutes
    return int(found) if found == found.to_integral_value() else str(found)


def _material(own: Mapping[str, Any], places: dict[str, str]) -> Values:
    return {key: value for key, value in own.items() if key != _MARK}


def _is_empty_operation(own: Mapping[str, Any]) -> bool:
    """Whether nothing is said about it: an operation that only the route names."""
    return not any(value for key, value in own.items() if key != "operation")


def _is_empty_material(own: Mapping[str, Any]) -> bool:
    return not any(own.get(name) for name in ("weighingTolerancePercent", "balanceLimitPercent", "printed"))


def _is_empty_instruction(own: Mapping[str, Any]) -> bool:
    return not any((own.get("text") or {}).values()) and all(map(_is_empty_picture, own.get("pictures") or ()))


def _is_empty_picture(own: Mapping[str, Any]) -> bool:
    return not own.get("sha256") and not any((own.get("text") or {}).values())


def _is_empty_value(own: Mapping[str, Any]) -> bool:
    return not any(own.values())


def at_the_place(fields: Iterable[Mapping[str, str]], places: Mapping[str, str]) -> dict[str, str]:
    """The API's field errors by the path of the form: `operations.1.expectedValues.3.low` → what is wrong."""
    found = {}
    for one in fields:
        path = one["field"].removeprefix("body.").removeprefix("content.")
        best = max((here for here in places if path == here or path.startswith(f"{here}.")), key=len, default="")
        there = places[best] + path[len(best) :] if best else path
        for shown, kept_as in _IN_MINUTES.items():
            there = there.replace(kept_as, shown)
        found[there] = one["problem"]
    return found


def faults_at(faults: Iterable[Mapping[str, str]], root: str) -> dict[str, list[Mapping[str, str]]]:
    """The faults of a version (`root`: `TAB/2`) by what they are about: `MIX`, `MIX/20`, `PRESS/weight`, `line/1`."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for fault in faults:
        parts = [part for part in fault["id"].removeprefix(root).split("/") if part]
        key = "/".join(parts[:2]) if parts[:1] != ["line"] and len(parts) > 2 else "/".join(parts)
        found.setdefault(key, []).append(fault)
    return found
