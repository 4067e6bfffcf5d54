"""Pictures of instructions: named by what is in them, described in words for whoever does not see them.

An instruction holds the SHA-256 of a picture, never its bytes: so the hash of a version, and of every order that copied
it, binds what the picture shows, and the bytes are stored once however many versions show them.
"""

from collections.abc import Sized
from typing import Annotated, Final, Literal

from pydantic import Field

from domain.base import Message

Language = Literal["en", "zh"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 as 64 hexadecimal digits."""
MOST_BYTES: Final = 1024 * 1024
"""Of one picture: a photograph of 1600 pixels, as JPEG, has a third of it."""
MOST_BYTES_OF_A_VERSION: Final = 12 * 1024 * 1024
"""Of all pictures of one version together: an export of it can still be sent in one request."""
MOST_PIXELS: Final = 4096
"""Of a side: what a tablet decodes without running out of memory."""
MOST_OF_AN_INSTRUCTION: Final = 4
TAKEN: Final = {"PNG": "image/png", "JPEG": "image/jpeg"}
"""Format → media type. No SVG: it is a document that can hold scripts and ask other hosts for things, and whoever draws
it (a browser, the printer) may draw it differently. What is printed and what is signed must be the same points."""


def is_empty(value: Sized) -> bool:
    """Whether there is nothing to say: instructions without pictures keep the hash of the time before pictures."""
    return len(value) == 0


class Picture(Message):
    """A picture of an instruction: which one, and what it shows, in each language."""

    sha256: Digest
    text: dict[Language, Annotated[str, Field(max_length=300)]] = {}
