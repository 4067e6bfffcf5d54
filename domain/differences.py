"""What differs between two documents: for each place its path, what stood there before, and what stands there after."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from domain.base import Message

KEYS: Final = ("operation", "name", "number", "line", "code", "id")
"""What tells the entries of a list apart, best first: an entry that is put between two others moves neither."""


class Change(StrEnum):
    """What happened at a place."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"


class Difference(Message):
    """One place that differs: `operations[MIX].expectedValues[speed].high`. JSON values; none where nothing stood."""

    path: str
    change: Change
    before: Any = None
    after: Any = None


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Every difference between two JSON documents, in the order of the first, additions last.

    None at all exactly when the two are the same.
    """
    match before, after:
        case dict(), dict():
            yield from _of_entries(before, after, path, "{}.{}" if path else "{}{}")
        case list(), list():
            yield from _of_lists(before, after, path)
        case _ if type(before) is not type(after) or before != after:
            yield Difference(path=path, change=Change.CHANGED, before=before, after=after)


def _of_entries(before: Mapping[str, Any], after: Mapping[str, Any], path: str, form: str) -> Iterator[Difference]:
    for name, value in before.items():
        place = form.format(path, name)
        if name in after:
            yield from differences(value, after[name], place)
        else:
            yield Difference(path=place, change=Change.REMOVED, before=value)
    for name, value in after.items():
        if name not in before:
            yield Difference(path=form.format(path, name), change=Change.ADDED, after=value)


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Difference]:
    key = _key_of(before, after)
    if key is None:
        yield from _of_entries(_numbered(before), _numbered(after), path, "{}[{}]")
        return
    old, new = ({str(entry[key]): entry for entry in entries} for entries in (before, after))
    kept = [[name for name in names if name in old and name in new] for names in (old, new)]
    if kept[0] != kept[1]:
        yield Difference(path=f"{path}[]", change=Change.REORDERED, before=kept[0], after=kept[1])
    yield from _of_entries(old, new, path, "{}[{}]")


def _numbered(entries: Sequence[Any]) -> dict[str, Any]:
    return {str(index): entry for index, entry in enumerate(entries)}


def _key_of(*lists: Sequence[Any]) -> str | None:
    """The field that all entries of all lists have, different in each of a list; none if there is no such field."""
    return next((key for key in KEYS if all(_tells_apart(key, entries) for entries in lists)), None)


def _tells_apart(key: str, entries: Sequence[Any]) -> bool:
    if not all(isinstance(entry, dict) and isinstance(entry.get(key), str | int) for entry in entries):
        return False
    return len({str(entry[key]) for entry in entries}) == len(entries)
