"""Small pictures for the tests: good ones, and files that only look like one."""

import hashlib
from io import BytesIO
from typing import Any

from PIL import Image


def drawn(
    colour: tuple[int, ...] = (30, 90, 160), size: tuple[int, int] = (48, 32), form: str = "PNG", **more: Any
) -> bytes:
    """A picture of one colour."""
    mode = {3: "RGB", 4: "RGBA"}[len(colour)]
    file = BytesIO()
    Image.new(mode, size, colour).save(file, form, **more)
    return file.getvalue()


def digest(content: bytes) -> str:
    """What a picture is called."""
    return hashlib.sha256(content).hexdigest()


def moving() -> bytes:
    """A PNG of two pictures, one after the other."""
    first, second = (Image.new("RGB", (20, 20), colour) for colour in ((0, 0, 0), (255, 0, 0)))
    file = BytesIO()
    first.save(file, "PNG", save_all=True, append_images=[second])
    return file.getvalue()


def in_inks() -> bytes:
    """A JPEG in the colours of a printing press."""
    file = BytesIO()
    Image.new("CMYK", (20, 20)).save(file, "JPEG")
    return file.getvalue()


def shown(content: bytes, en: str = "The balance", zh: str = "天平") -> dict[str, Any]:
    """What an instruction says of a picture."""
    return {"sha256": digest(content), "text": {"en": en, "zh": zh}}
