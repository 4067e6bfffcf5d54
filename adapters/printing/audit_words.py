"""A row of the audit trail as a sentence that needs no knowledge of programs, in English and Chinese.

"Sam (sam) approved production order PO-1: state: submitted → approved. Reason: as planned." Fingerprints and internal
identities are left out of the sentence; the row itself has them.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from adapters.printing.audit_field_texts import FIELDS, VALUES
from adapters.printing.audit_texts import ACTS, KINDS
from adapters.printing.port import LANGUAGES, Language

SHOWN: Final = 6
"""So many things of a list are named; how many more there are is said."""
_INTERNAL: Final = frozenset({"uuid", "contentHash", "sha256", "signatureId", "signature", "requestId", "hash"})
_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_OURS: Final[dict[str, tuple[str, str]]] = {
    "system": ("The system", "系统"),
    "nothing": ("nothing", "无"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "more": ("and {n} more", "等，另有 {n} 项"),
    "reason": (" Reason: {reason}", "原因：{reason}"),
    "colon": (": ", "："),
    "semicolon": ("; ", "；"),
    "comma": (", ", "，"),
    "stop": (".", "。"),
}


def in_words(row: Mapping[str, Any]) -> dict[str, str]:
    """The sentence of a row in each language."""
    return {language: Sentence(language).of(row) for language in LANGUAGES}


class Sentence:
    """Makes the sentences of one language."""

    def __init__(self, language: Language) -> None:
        self._column = LANGUAGES.index(language)
        self._is_english = language == "en"

    def of(self, row: Mapping[str, Any]) -> str:
        """Who did what to which record; what became of it; why."""
        said = self._who(row) + (" " if self._is_english else "") + self._what(row["action"], row["entity"])
        changes = self.changes(row)
        if changes:
            said = said.removesuffix(self._our("stop")) + self._our("colon") + changes
        said = said if said.endswith(self._our("stop")) else said + self._our("stop")
        return said + self._our("reason").format(reason=row["reason"]) if row["reason"] else said

    def changes(self, row: Mapping[str, Any]) -> str:
        """`state: submitted → approved; quantity: 5`: every field that the row names."""
        old, new = row["old"] or {}, row["new"] or {}
        said = []
        for field in (*old, *(name for name in new if name not in old)):
            if field in _INTERNAL:
                continue
            after = self._value(new.get(field))
            shown = f"{self._value(old[field])} → {after}" if field in old else after
            said.append(self._field(field) + self._our("colon") + shown)
        return self._our("semicolon").join(said)

    def _who(self, row: Mapping[str, Any]) -> str:
        actor, name = row["actor"], row.get("actorName")
        if actor == "system":
            return self._our("system")
        return f"{name} ({actor})" if name and name != actor else str(actor)

    def _what(self, action: str, entity: str) -> str:
        """The act and what it was done to. What has no words of its own is told by those of its name."""
        found = ACTS.get(action) or ACTS.get(action.partition(".")[2])
        act = found[self._column] if found else f"{words_of(action.partition('.')[2] or action)}:"
        if act.endswith(self._our("stop")):
            return act
        kind, _, identity = entity.partition("/")
        named = KINDS.get(kind)
        what = named[self._column] if named else words_of(kind)
        space = " " if self._is_english or act[-1].isascii() else ""
        return f"{act}{space}{what}{' ' + identity if identity else ''}"

    def _field(self, name: str) -> str:
        words = words_of(name)
        return words if self._is_english else FIELDS.get(name) or FIELDS.get(words, words)

    def _value(self, value: Any) -> str:
        match value:
            case None | "":
                return self._our("nothing")
            case bool():
                return self._our("yes" if value else "no")
            case str() if value in VALUES:
                return words_of(value) if self._is_english else VALUES[value]
            case Mapping():
                shown = [f"{self._field(name)} {self._value(own)}" for name, own in value.items() if own is not None]
                return self._some(shown, self._our("comma"))
            case list():
                return self._some([self._value(own) for own in value], self._our("semicolon"))
            case _:
                return str(value)

    def _some(self, shown: list[str], between: str) -> str:
        if not shown:
            return self._our("nothing")
        if len(shown) <= SHOWN:
            return between.join(shown)
        return between.join([*shown[:SHOWN], self._our("more").format(n=len(shown) - SHOWN)])

    def _our(self, key: str) -> str:
        return _OURS[key][self._column]


def words_of(name: str) -> str:
    """`validUntil` and `valid_until` are "valid until"; a name with signs in it stays as it is."""
    if not name.replace("_", "").replace("-", "").isalnum() or name.isupper():
        return name
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in _WORD.findall(name)) or name


def is_known(action: str, entity: str) -> bool:
    """Whether there are words for an act and for a kind of record."""
    has_act = action in ACTS or action.partition(".")[2] in ACTS
    return has_act and entity.partition("/")[0] in KINDS
