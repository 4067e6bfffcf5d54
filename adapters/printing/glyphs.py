"""Text as it can be printed: what the font has no shape for is written out, so that nothing is lost or hidden."""

import struct
from functools import cache
from typing import Final

from noto_cjk_sans_otc import FONT_PATH

LONGEST_WORD: Final = 18
"""Longer words without a blank get places where a line may break: a lot number must not run into the next column."""
_PLATFORM_WINDOWS, _FULL_UNICODE, _GROUPS = 3, 10, 12
BREAK: Final = "\u200b"


def printable(text: str) -> str:
    """One line of user text: what has no shape or cannot be seen as ‹U+1F600›, long words breakable."""
    shapes = _shapes()
    shown = "".join(_shown(character, shapes) for character in text)
    return " ".join(_breakable(word) for word in shown.split(" "))


def _shown(character: str, shapes: frozenset[int]) -> str:
    # Controls of direction and blanks of no width can make a record read otherwise than it was written.
    visible = character.isprintable() and ord(character) in shapes
    return character if visible else f"‹U+{ord(character):04X}›"


def _breakable(word: str) -> str:
    if len(word) <= LONGEST_WORD:
        return word
    return BREAK.join(word[at : at + LONGEST_WORD] for at in range(0, len(word), LONGEST_WORD))


@cache
def _shapes() -> frozenset[int]:
    """The code points that the font has a shape for, read from its `cmap` table (format 12)."""
    font: bytes = FONT_PATH.read_bytes()
    (start,) = struct.unpack_from(">I", font, 12)
    (tables,) = struct.unpack_from(">H", font, start + 4)
    for index in range(tables):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, start + 12 + 16 * index)
        if tag == b"cmap":
            return _mapped(font, offset)
    raise RuntimeError("the font has no cmap table")


def _mapped(font: bytes, cmap: int) -> frozenset[int]:
    (encodings,) = struct.unpack_from(">H", font, cmap + 2)
    for index in range(encodings):
        platform, encoding, offset = struct.unpack_from(">HHI", font, cmap + 4 + 8 * index)
        at = cmap + offset
        if (platform, encoding) == (_PLATFORM_WINDOWS, _FULL_UNICODE) and font[at : at + 2] == bytes((0, _GROUPS)):
            (groups,) = struct.unpack_from(">I", font, at + 12)
            spans = (struct.unpack_from(">III", font, at + 16 + 12 * group) for group in range(groups))
            return frozenset(point for first, last, _ in spans for point in range(first, last + 1))
    raise RuntimeError("the font's cmap has no table for all of Unicode")
