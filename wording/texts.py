"""The words of console and reports, in English and Chinese: files of `key: [English, 中文]`, one for each area."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "i18n"
LANGUAGES: Final = ("zh", "en")
COLUMNS: Final = ("en", "zh")


@lru_cache(maxsize=8)
def texts(language: str) -> dict[str, str]:
    """Every text of one language."""
    column = COLUMNS.index(language)
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.json")):
        found |= {key: both[column] for key, both in json.loads(path.read_text(encoding="utf-8")).items()}
    return found


class Words:
    """`t("nav.board")`: the text of a key, with `{names}` filled in."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = texts(language)

    def __call__(self, key: str, **values: Any) -> str:
        """The text. A key without one shows itself, so that somebody notices."""
        text = self._texts.get(key, key)
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Whether there is a text."""
        return key in self._texts

    def of(self, group: str, name: object) -> str:
        """The text of one of a group, such as a state; a name without one is made readable."""
        return self._texts.get(f"{group}.{name}") or readable(str(name))

    def all(self, group: str, names: Iterable[object]) -> str:
        """Several of a group, with the comma of the language."""
        return ("、" if self.language == "zh" else ", ").join(self.of(group, name) for name in names)


def readable(name: str) -> str:
    """`outOfSpecification` → `Out of specification`, `LOT_NOT_USABLE` → `Lot not usable`."""
    if name.isupper() or "_" in name:
        return name.replace("_", " ").capitalize()
    spaced = "".join(f" {char.lower()}" if char.isupper() else char for char in name)
    return spaced[:1].upper() + spaced[1:]


_PART: Final = re.compile(r"(\w+)((?:\[[^\]]*\])*)")


def place_of(t: Words, path: str) -> str:
    """A place in a document in words: `operations[MIX].expectedValues[speed].high` → `Operations MIX › …`."""
    # What has no name of its own is counted from 1; a form's path says so with a dot, a comparison's in brackets.
    path = re.sub(r"(?<=\bpictures)\[(\d+)\]", lambda at: f"[{int(at[1]) + 1}]", path)
    parts = [
        " ".join([t.of("field", name), *re.findall(r"\[([^\]]*)\]", keys)]).strip()
        for name, keys in _PART.findall(re.sub(r"\.(\d+)(?=\.|$)", lambda at: f"[{int(at[1]) + 1}]", path))
        if name not in ("content", "text")
    ]
    return " › ".join(parts)
