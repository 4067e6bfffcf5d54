"""What a refusal found and what it requires, in the language of its reader.

A refusal is written once, in the words of the code that refuses: `lot API-1 is onHold`. It is a template with values,
and `i18n/refusals/sentences.json` says every template in Chinese: `"lot {} is {}": "批次 {1} 为{2:lot}"`. `{1}` is the
first value; `{2:lot}` is the second, as a word of that group (`raw`: as it stands). A value is put into words as well:
a state, a role, a list of either, or a sentence of its own. A test reads all templates from the code, so that no
refusal comes without its words.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from wording.texts import FOLDER, Words, place_of

SENTENCES: Final = FOLDER / "refusals" / "sentences.json"
GROUPS: Final = (
    "state", "lot", "role", "command", "record", "axis", "choice", "zone", "meaning", "exception", "entity", "field",
)  # fmt: skip
"""Where a value without a group is looked for, first come first served."""
OF_ENTITY: Final = {
    "lot": "lot", "scan": "lot", "container": "lot", "batch record": "record", "equipment": "axis", "room": "axis",
    "configuration change": "configuration.state", "order change": "change",
}  # fmt: skip
"""What is looked through first, by what the refusal is about: a released lot is another word than a released order."""
DEPTH: Final = 3
LONGEST: Final = 2000
"""Characters of a text that are looked at: a longer one is shown as it is."""
_PLACE: Final = re.compile(r"\{(\d+)(?::(\w+))?\}")

_WITH_STATE: Final = re.compile(r"(\S+) \((\w+)\)")
"""`MIX (held)`: a thing and its state."""
_HAN: Final = r"\u3400-\u9fff"
_CHINESE_BESIDE: Final = re.compile(rf" / (?=[{_HAN}])(?:(?!, [A-Za-z]).)*", re.DOTALL)
_BEFORE_CHINESE: Final = re.compile(rf"(^|: |; |, )[^{_HAN}:;]*? / (?=[{_HAN}])")

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Sentence:
    """One template: what it looks like, and its Chinese words."""

    pattern: re.Pattern[str]
    chinese: str
    weight: tuple[int, int]
    """Letters and all characters that it fixes: of several that fit, the one that fixes most is meant."""


@lru_cache(maxsize=1)
def sentences() -> tuple[Sentence, ...]:
    """All templates, those that fix most first."""
    table: Mapping[str, str] = json.loads(SENTENCES.read_text(encoding="utf-8"))
    found = [_sentence(template, chinese) for template, chinese in table.items()]
    return tuple(sorted(found, key=lambda one: one.weight, reverse=True))


def _sentence(template: str, chinese: str) -> Sentence:
    fixed = template.split("{}")
    pattern = "(.*?)".join(re.escape(part) for part in fixed)
    weight = sum(char.isalnum() for part in fixed for char in part)
    return Sentence(re.compile(pattern, re.DOTALL), chinese, (weight, sum(map(len, fixed))))


def own(t: Words, said: object) -> str:
    """A text that says everything in two languages, `free of dust / 无尘`, in the language of its reader.

    Master data has such texts: items of a line clearance. In a list each is shortened by itself.
    """
    plain = str(said or "")
    if " / " not in plain or len(plain) > LONGEST:
        return plain
    return _BEFORE_CHINESE.sub(r"\1", plain) if t.language == "zh" else _CHINESE_BESIDE.sub("", plain)


def text(t: Words, said: object, entity: str = "") -> str:
    """A sentence of a refusal about `entity`. What nobody has a template for is somebody's own words: it stays."""
    plain = own(t, said)
    if t.language != "zh":
        return _word(t, plain, entity) or plain if plain.isidentifier() else plain
    return _said(t, plain, entity, DEPTH)


def _said(t: Words, plain: str, entity: str, depth: int) -> str:
    if not plain or len(plain) > LONGEST or plain.isdecimal():
        return plain
    if (word := _word(t, plain, entity)) is not None:
        return word
    if depth:
        for one in sentences():
            if (found := one.pattern.fullmatch(plain)) is not None:
                return _PLACE.sub(lambda at: _value(t, found[int(at[1])], at[2] or "", entity, depth - 1), one.chinese)
    return _several(t, plain, entity, depth)


def _several(t: Words, plain: str, entity: str, depth: int) -> str:
    """A list of things, each in its words; what is no list stays as it is."""
    for comma, written in (("; ", "；"), (", ", "、"), (" or ", " 或 "), (" and ", " 和 ")):
        if comma in plain and depth:
            return written.join(_said(t, part, entity, depth - 1) for part in plain.split(comma))
    if depth and (found := _WITH_STATE.fullmatch(plain)) is not None and _word(t, found[2], entity) is not None:
        return f"{found[1]}（{_said(t, found[2], entity, depth - 1)}）"
    return plain


def _value(t: Words, plain: str, group: str, entity: str, depth: int) -> str:
    if group == "raw":
        return plain
    if group and t.has(f"{group}.{plain}"):
        return t(f"{group}.{plain}")
    if group and ", " in plain:
        return "、".join(_value(t, part, group, entity, depth) for part in plain.split(", "))
    return _said(t, plain, entity, depth)


def _word(t: Words, plain: str, entity: str) -> str | None:
    first = OF_ENTITY.get(entity)
    for group in (*((first,) if first else ()), *GROUPS):
        if t.has(f"{group}.{plain}"):
            return t(f"{group}.{plain}")
    return None


def who(t: Words, named: str) -> str:
    """Who can remove what stands in the way: roles, or people."""
    return t.all("role", named.split(", ")) if t.language != "zh" else _value(t, named, "role", "", DEPTH)


def field(t: Words, fault: Mapping[str, Any]) -> str:
    """What is wrong with one field of a form, by the kind of the fault, with the limit that it names."""
    kind, problem = str(fault.get("kind") or ""), str(fault.get("problem") or "")
    if kind == "missing":
        return t("invalid.missing")
    if t.language != "zh" or not t.has(f"invalid.{kind}"):
        return text(t, problem.removeprefix("Value error, "))
    limits = _NUMBER.findall(problem)
    return t(f"invalid.{kind}") + (f"（{limits[0]}）" if len(limits) == 1 else "")


def place(t: Words, path: str) -> str:
    """The place of a field in what was sent, in words: `body.lines.0.quantity` → `Lines 1 › Quantity`."""
    return place_of(t, re.sub(r"^(body|query|path)\.", "", path))
