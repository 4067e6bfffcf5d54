"""Every word of the console stands in both languages, and no template uses one that does not stand anywhere."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from api import permissions
from api.roles import Role
from api.ui.ask import KINDS
from domain import states
from domain.epcis_rules import BIZ_STEPS
from domain.exceptions import ExceptionType
from wording.texts import FOLDER, readable, texts

ROOT = Path(__file__).parent.parent.parent
CONSOLE = ROOT / "api" / "ui"
USED = re.compile(r"""\bt\(\s*['"]([\w.-]+)['"]\s*[,)]""")
CODE = re.compile(r"""\b(?:code=|refused\(|Problem\(\d+, )["']([A-Z]+(?:_[A-Z]+)*)["']""")


def used_keys() -> dict[str, str]:
    """Every key that stands as it is in a template or a page: key → file."""
    files = [*CONSOLE.rglob("*.html"), *CONSOLE.glob("*.py"), *(ROOT / "reporting").glob("*.py")]
    return {key: path.name for path in files for key in USED.findall(path.read_text(encoding="utf-8"))}


def test_what_is_used_has_a_text() -> None:
    known = texts("en")
    assert {key: file for key, file in used_keys().items() if key not in known} == {}


def test_both_languages_are_complete_and_a_key_stands_once() -> None:
    where: Counter[str] = Counter()
    for path in FOLDER.glob("*.json"):
        both = json.loads(path.read_text(encoding="utf-8"))
        where.update(both.keys())
        for key, (english, chinese) in both.items():
            assert english, (path.name, key)
            assert chinese, (path.name, key)
            assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese)), key
            is_name = re.fullmatch(r"[\x00-\x7f]*", chinese) is not None
            assert not is_name or english == chinese, f"{path.name}: {key} is not in Chinese"
    assert [key for key, count in where.items() if count > 1] == []


def test_what_the_domain_says_has_a_word() -> None:
    known = texts("zh")
    machines = [value for value in vars(states).values() if isinstance(value, states.StateMachine)]
    needed = {f"state.{state}" for machine in machines for state, _ in machine.transitions}
    needed |= {f"command.{name}" for name in KINDS}
    needed |= {f"role.{role}" for role in Role}
    assert sorted(needed - known.keys()) == []


def test_every_action_of_the_table_of_permissions_has_a_word() -> None:
    known = texts("zh")
    assert sorted(name for name in permissions.DIRECT if f"command.{name}" not in known) == []


def test_every_code_of_a_refusal_has_a_word_in_chinese() -> None:
    found: set[str] = set()
    for room in ("domain", "api", "adapters", "workflows", "db"):
        for path in (ROOT / room).rglob("*.py"):
            found |= set(
                re.findall(r"""\b(?:code=|refused\(|Problem\(\d+, )["']([A-Z]+(?:_[A-Z]+)*)["']""", path.read_text())
            )
    known = texts("zh")
    assert sorted(code for code in found if f"code.{code}" not in known) == []


def test_every_field_of_a_command_and_every_kind_of_exception_has_a_word() -> None:
    known = texts("zh")
    needed = {f"field.{info.alias or name}" for kind in KINDS.values() for name, info in kind.model_fields.items()}
    needed |= {f"exception.{one}" for one in ExceptionType}
    assert sorted(needed - known.keys()) == []


def test_every_kind_of_thing_that_a_refusal_names_has_a_word() -> None:
    found: set[str] = set()
    for room in ("domain", "api", "adapters", "workflows", "db"):
        for path in (ROOT / room).rglob("*.py"):
            found |= set(re.findall(r"""\bentity=["']([a-z][a-z -]+)["']""", path.read_text()))
    known = texts("zh")
    assert sorted(name for name in found if f"entity.{name}" not in known) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [("outOfSpecification", "Out of specification"), ("LOT_NOT_USABLE", "Lot not usable"), ("draft", "Draft")],
)
def test_a_name_without_a_text_can_be_read(name: str, text: str) -> None:
    assert readable(name) == text


def test_every_step_of_an_event_of_another_plant_has_a_word() -> None:
    known = texts("zh")
    assert sorted(step for step in BIZ_STEPS if f"epcis.step.{step}" not in known) == []
