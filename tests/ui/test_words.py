"""The words of the console: every key that a template uses is there, in both languages, with the same gaps to fill."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from api.ui import cases, standing, texts
from api.ui.audit import ACTIONS, KINDS
from domain.exceptions import ExceptionType
from domain.states import LotStatus

TEMPLATES = texts.FOLDER.parent / "templates"
FILES = sorted(texts.FOLDER.glob("*.json"))
_KEY = re.compile(r"""\bt\(\s*'([^']+)'\s*([,)~])""")
_PLACE = re.compile(r"\{(\w+)\}")


def every() -> dict[str, list[str]]:
    """All texts of all files."""
    found: dict[str, list[str]] = {}
    for path in FILES:
        found |= json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: str(path.name))
def test_every_key_of_a_template_has_a_text(path: Path) -> None:
    known = every()
    for key, after in _KEY.findall(path.read_text(encoding="utf-8")):
        if after == "~":
            assert any(one.startswith(key) for one in known), key
        else:
            assert key in known, key


def test_both_languages_say_the_same_with_the_same_places_to_fill() -> None:
    for key, (english, chinese) in every().items():
        assert english.strip(), key
        assert chinese.strip(), key
        assert set(_PLACE.findall(english)) == set(_PLACE.findall(chinese)), key


def test_no_key_stands_in_two_files() -> None:
    counted = Counter(key for path in FILES for key in json.loads(path.read_text(encoding="utf-8")))
    assert [key for key, count in counted.items() if count > 1] == []


def test_names_that_come_from_the_code_have_words() -> None:
    needed = [
        *(f"exception.{kind}" for kind in ExceptionType),
        *(f"lot.{status}" for status in LotStatus),
        *(f"check.{key}" for key, _ in standing.CHECKS),
        *(f"check.{key}.no" for key, _ in standing.CHECKS),
        *(f"case.{kind}" for kind in cases.KINDS_SHOWN),
        *(f"state.{state}" for way in cases.LINES.values() for state in way),
        *(f"audit.{action}" for action in ACTIONS),
        *(f"entity.{kind}" for kind in KINDS),
    ]
    known = every()
    assert [key for key in needed if key not in known] == []
