"""XML as a tree of elements, read without entities and written so that reading gives the same again. Pure.

A document with a type declaration is refused before anything of it is looked at: entities, external or nested, exist
only there. Depth and number of elements are limited; the size of what is sent is limited at the gate.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat
from xml.sax.saxutils import escape

DEEPEST: Final = 24
MOST_ELEMENTS: Final = 100_000
_SEPARATOR: Final = " "
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 cannot hold these, not even escaped."""


class NoXml(Exception):
    """The text is no XML that is taken; `line` is where."""

    def __init__(self, found: str, line: int) -> None:
        super().__init__(f"line {line}: {found}")
        self.found, self.line = found, line


@dataclass
class Element:
    """An element: its text as it stands, or its children. `language` is its `languageID`, `line` where it begins."""

    name: str
    text: str = ""
    children: list["Element"] = field(default_factory=list)
    language: str | None = None
    namespace: str = ""
    line: int = 0

    def of(self, name: str) -> Iterator["Element"]:
        """The children of that name."""
        return (own for own in self.children if own.name == name)

    def first(self, name: str) -> "Element | None":
        """The first child of that name."""
        return next(self.of(name), None)

    def said(self, name: str) -> str:
        """The text of the first child of that name."""
        return found.text if (found := self.first(name)) is not None else ""


def leaf(name: str, text: str, language: str | None = None) -> Element:
    """An element that holds a text."""
    return Element(name, text, language=language)


def node(name: str, *children: Element) -> Element:
    """An element that holds others."""
    return Element(name, children=list(children))


# Writing -------------------------------------------------------------------------------------------------------------


def unwritable(root: Element) -> Iterator[tuple[str, str]]:
    """Every text that XML cannot hold: the path of its element and the character."""
    for path, own in _walk(root, root.name):
        if found := _NO_XML.search(own.text):
            yield path, f"U+{ord(found.group()):04X}"


def _walk(own: Element, path: str) -> Iterator[tuple[str, Element]]:
    yield path, own
    for child in own.children:
        named = child.said("ID")
        yield from _walk(child, f"{path}/{child.name}{f'[{named}]' if named else ''}")


def written(root: Element, namespace: str) -> str:
    """The document. A text is written as it is: blanks and line ends of it come back."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _write(root, f' xmlns="{escape(namespace)}"', 0, lines)
    return "\n".join(lines) + "\n"


def _write(own: Element, attributes: str, depth: int, lines: list[str]) -> None:
    indent = "  " * depth
    if own.language is not None:
        attributes += f' languageID="{escape(own.language)}"'
    if not own.children:
        text = escape(own.text, {"\r": "&#13;"})
        lines.append(f"{indent}<{own.name}{attributes}>{text}</{own.name}>")
        return
    lines.append(f"{indent}<{own.name}{attributes}>")
    for child in own.children:
        _write(child, "", depth + 1, lines)
    lines.append(f"{indent}</{own.name}>")


# Reading -------------------------------------------------------------------------------------------------------------


def parsed(text: str) -> Element:
    """The root element. Raises `NoXml`."""
    return _Parsing().parse(text)


class _Parsing:
    def __init__(self) -> None:
        self._parser: Any = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._root: Element | None = None
        self._count = 0
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._declared
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def parse(self, text: str) -> Element:
        try:
            # As bytes of a known encoding: what the document says of its encoding was true of the file it came from.
            self._parser.Parse(re.sub(r"^\ufeff?\s*<\?xml[^>]*\?>", "", text).encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            raise NoXml("not well-formed", error.lineno) from None
        assert self._root is not None, "expat ends without a root only with an error"
        return self._root

    def _no(self, found: str) -> NoXml:
        return NoXml(found, self._parser.CurrentLineNumber)

    def _declared(self, *_: object) -> None:
        raise self._no("a document type declaration")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= DEEPEST:
            raise self._no(f"elements in more than {DEEPEST} levels")
        if self._count > MOST_ELEMENTS:
            raise self._no(f"more than {MOST_ELEMENTS} elements")
        namespace, _, local = name.rpartition(_SEPARATOR)
        language = attributes.get("languageID")
        own = Element(local, language=language, namespace=namespace, line=self._parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(own)
        else:
            self._root = own
        self._open.append(own)
        self._texts.append([])

    def _text(self, text: str) -> None:
        self._texts[-1].append(text)

    def _end(self, _: str) -> None:
        own = self._open.pop()
        text = "".join(self._texts.pop())
        own.text = text if text.strip() or not own.children else ""
