"""Pictures of instructions on paper: printed with their words and hash, the same bytes each time, nothing else read."""

import hashlib
import io
from typing import Any

import pypdf
import pytest

from adapters.printing.port import Language, PrintFailed, PrintJob
from adapters.printing.typst_printer import TypstPrinter
from plants.tablets.illustrations import ILLUSTRATIONS
from tests.api.pictures import drawn
from tests.printing.paper import job, record

PRINTER = TypstPrinter()
CORES = ILLUSTRATIONS["COMPRESS", 2]
PHOTO = drawn((90, 40, 10), (640, 480), "JPEG")
GREY = drawn((9, 9, 9, 120), (64, 64))


def with_pictures(language: Language = "en", *files: bytes, **more: Any) -> PrintJob:
    """The record with pictures beside its first instruction."""
    document = record()
    told = document["operations"][0]["instructions"] = [{"number": 10, "text": {"en": "Look.", "zh": "看。"}}]
    told[0]["pictures"] = [
        {"sha256": hashlib.sha256(content).hexdigest(), "text": {"en": CORES.en, "zh": CORES.zh}} for content in files
    ]
    there = {hashlib.sha256(content).hexdigest(): content for content in files}
    return job(document, language, pictures=there | more)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pictures_stand_beside_their_instruction_with_words_and_hash(language: Language) -> None:
    printed = with_pictures(language, CORES.content, PHOTO, GREY)
    made = PRINTER.print(printed)
    pages = pypdf.PdfReader(io.BytesIO(made)).pages
    # Some pictures have a mask of their own.
    assert sum(len(page.images) for page in pages) >= 3
    text = "".join(page.extract_text() for page in pages).replace("\n", "")
    assert (CORES.en[:30] if language == "en" else CORES.zh[:10]) in text
    assert hashlib.sha256(PHOTO).hexdigest()[:32] in text
    assert PRINTER.print(printed) == made


def test_a_picture_that_is_not_there_is_no_silent_gap() -> None:
    missing = with_pictures("en", CORES.content)
    missing = job(missing.document, "en", pictures={})
    with pytest.raises(PrintFailed):
        PRINTER.print(missing)
