"""Pictures that people upload: what is really in the file is looked at, then it is stored under its SHA-256.

Taken: PNG and JPEG, one still picture of RGB, grey or a palette. What a file calls itself, by name or by media type, is
not asked. SVG is refused: see `domain.pictures.TAKEN`.
"""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image
from sqlalchemy import Connection

from api.deps import Caller
from api.security import now
from db import audit
from db.queries import pictures as tables
from domain.errors import Blocker, Refused
from domain.pictures import MOST_BYTES, MOST_PIXELS, TAKEN

ENTITY: Final = "picture"
_MODES: Final = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})
"""How colours are written that browsers and the printer show alike: no CMYK, no 16 bits, no floating point."""
_REQUIRED: Final = "one still picture, PNG or JPEG, in RGB or grey"


@dataclass(frozen=True)
class Looked:
    """A picture that was looked at. `sha256` is of the bytes as they came: they are stored as they are."""

    sha256: str
    media_type: str
    width: int
    height: int
    content: bytes

    @property
    def shown(self) -> dict[str, Any]:
        """What the answer and the audit trail say of it."""
        return {
            "sha256": self.sha256, "mediaType": self.media_type, "width": self.width, "height": self.height,
            "size": len(self.content),
        }  # fmt: skip


def looked_at(content: bytes) -> Looked:
    """Decode a file to its last point. Raises `Refused`: PICTURE_TOO_LARGE, PICTURE_NOT_TAKEN. Call it in a thread."""
    digest = hashlib.sha256(content).hexdigest()
    if len(content) > MOST_BYTES:
        raise _no("PICTURE_TOO_LARGE", digest, f"{len(content)} bytes", f"at most {MOST_BYTES} bytes")
    if not content:
        raise _no("PICTURE_NOT_TAKEN", digest, "an empty file", _REQUIRED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what a decoder doubts is not put before operators
            with Image.open(BytesIO(content), formats=tuple(TAKEN)) as picture:
                _check(digest, picture)
                picture.load()
                media_type = TAKEN[str(picture.format)]
                return Looked(digest, media_type, picture.width, picture.height, content)
    except Refused:
        raise
    except Exception as error:  # Pillow raises whatever a broken file makes its decoders raise
        raise _no("PICTURE_NOT_TAKEN", digest, _called(content), _REQUIRED) from error


def _check(digest: str, picture: Image.Image) -> None:
    """Before anything is decoded: a small file can say that it is a very large picture."""
    width, height = picture.size
    if max(width, height) > MOST_PIXELS:
        required = f"at most {MOST_PIXELS} × {MOST_PIXELS} points"
        raise _no("PICTURE_TOO_LARGE", digest, f"{width} × {height} points", required)
    if getattr(picture, "n_frames", 1) != 1:
        raise _no("PICTURE_NOT_TAKEN", digest, "a picture that moves", _REQUIRED)
    if picture.mode not in _MODES:
        raise _no("PICTURE_NOT_TAKEN", digest, f"colours of the kind {picture.mode}", _REQUIRED)


def _called(content: bytes) -> str:
    start = content[:400].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return "a drawing as SVG, which can hold scripts"
    if content.startswith((b"\x89PNG", b"\xff\xd8\xff")):
        return "a picture that is damaged"
    return "a file that is neither PNG nor JPEG"


def _no(code: str, digest: str, found: str, required: str) -> Refused:
    return Refused(
        (
            Blocker(
                code=code, entity=ENTITY, id=digest[:12], found=found, required=required, who_can_fix="processEngineer"
            ),
        )
    )


def store(connection: Connection, who: Caller, picture: Looked) -> list[audit.Entry]:
    """Store it, if it is not there; answers the audit entries of what was stored."""
    at = now()
    row = {
        "sha256": picture.sha256, "media_type": picture.media_type, "width": picture.width, "height": picture.height,
        "size": len(picture.content), "content": picture.content, "added_by": who.id, "added_at": at,
    }  # fmt: skip
    if not tables.store(connection, row):
        return []
    told = {name: value for name, value in row.items() if name not in ("content", "added_at")}
    return [who.entry(f"{ENTITY}.added", f"{ENTITY}/{picture.sha256}", new=told)]


def upload(who: Caller, content: bytes) -> dict[str, Any]:
    """Look at a file and store it. What is sent again is there already: the hash is the key. Call it in a thread."""
    picture = looked_at(content)
    with who.services.engine.begin() as connection:
        audit.append(connection, store(connection, who, picture))
    return picture.shown


def brought(files: Mapping[str, bytes]) -> list[Looked]:
    """Pictures that an exported version brings: each is what its name says. Raises `Refused` with all that is not."""
    looked: list[Looked] = []
    wrong: list[Blocker] = []
    for digest, content in files.items():
        try:
            picture = looked_at(content)
        except Refused as no:
            wrong += no.blockers
            continue
        if picture.sha256 != digest:
            wrong += _no("CONTENT_CHANGED", digest, picture.sha256[:12], f"{digest[:12]}, as it was exported").blockers
        looked.append(picture)
    if wrong:
        raise Refused(tuple(wrong))
    return looked
