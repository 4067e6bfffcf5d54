"""Every refusal speaks Chinese: all that the code can find and require has its sentence, and no letter of English stays
in it but the values."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Final

import pytest

import domain
from api.ui import refusals
from domain.states import StateMachine
from tests.ui.refusal_sentences import ROOMS, Sentence, sentences
from wording.texts import Words, texts

CHINESE: Final = Words("zh")
TABLE: Final[dict[str, str]] = json.loads(refusals.SENTENCES.read_text(encoding="utf-8"))
NAMES: Final = re.compile(
    r"--[a-z-]+|SHA-256|MES_SECRET_KEY(_FILE)?|MES_SITE|UTF-8|CAPA|GMP|PIN|GS1|JSON|PDF|PNG|JPEG|SVG|RGB|CSV|RFC|NUL|API"
    r"|commandId|isOutput|\{seq\}|"
    r'\{"material": \["lot"\]\}|\b[TZ]\b|\d+T\d+'
    r"|HTTP|Message-Id|Content-SHA256|OperationsRequest|MaterialRequirement|MaterialUse|（Production）"
    r"|EPCIS(Document)?|CBV|URI|UN/ECE|KGM|ADD|OBSERVE|DELETE|@context|schemaVersion|creationDate|epcisBody\.eventList"
    r"|eventTimeZoneOffset|bizTransactionList|epcClass|quantityList|quantity|uom|transformationID|ilmd|epcList|parentID"
    r"|BatchInformation|MasterRecipe|languageID|\bID\b|\bValue\b|pictureFile|clearance|XML"
    r"|childEPCs|childQuantityList|\.type|\{\"id\""
)
"""Names that are the same in every language: settings, formats, fields of the API and of outside messages."""
SAID_ELSEWHERE: Final = {"POST {}/results or {}/decision"}
"""Addresses of the API: people are told the place in the console instead."""


@pytest.fixture(scope="module")
def said() -> list[Sentence]:
    """All sentences. To read them takes three seconds of a core: not when the tests are collected, in each process."""
    return sentences()


def test_there_is_something_to_walk(said: list[Sentence]) -> None:
    places = {one.place.partition("/")[0] for one in said}
    assert places == set(ROOMS)
    assert len(said) > 600


def test_every_sentence_of_a_refusal_stands_in_chinese(said: list[Sentence]) -> None:
    known = {*TABLE, *(one.text for one in said if refusals.text(CHINESE, one.text) != one.text)}
    assert [f"{one.place}: {one.text}" for one in said if one.text not in known] == []


def test_no_value_is_lost_on_the_way_to_chinese() -> None:
    lost = {
        template: chinese for template, chinese in TABLE.items()
        if {int(at) for at, _ in _places(chinese)} != set(range(1, template.count("{}") + 1))
    }  # fmt: skip
    assert lost.keys() == SAID_ELSEWHERE


def test_the_groups_that_values_are_looked_up_in_exist() -> None:
    groups = {key.partition(".")[0] for key in texts("zh")} | {"raw"}
    assert {group for chinese in TABLE.values() for _, group in _places(chinese) if group} - groups == set()


def _places(chinese: str) -> list[tuple[str, str]]:
    return re.findall(r"\{(\d+)(?::(\w+))?\}", chinese)


@pytest.mark.parametrize("room", ROOMS)
def test_a_refusal_is_said_in_chinese_and_keeps_its_values(said: list[Sentence], room: str) -> None:
    own = [one for one in said if one.place.startswith(f"{room}/")]
    assert own
    assert [f"{one.place}: {fault}" for one in own for fault in _faults(one)] == []


def _faults(one: Sentence) -> Iterator[str]:
    """English that stays in the Chinese sentence, and values that do not."""
    first, *others = one.text.split("{}")
    values = [f"7{number}1" for number in range(len(others))]
    filled = first + "".join(value + other for value, other in zip(values, others, strict=True))
    said = refusals.text(CHINESE, filled)
    if re.search(r"[A-Za-z]{2,}", NAMES.sub("", said)) is not None:
        yield f"{filled!r} is said in English, too: {said!r}"
    if one.text not in SAID_ELSEWHERE and not all(value in said for value in values):
        yield f"{filled!r} loses a value: {said!r}"


def test_every_state_and_every_step_of_every_life_has_a_word() -> None:
    modules = [importlib.import_module(f"domain.{own.name}") for own in pkgutil.iter_modules(domain.__path__)]
    machines = {id(own): own for module in modules for own in vars(module).values() if isinstance(own, StateMachine)}
    assert len(machines) > 20
    names = {str(name) for own in machines.values() for at, by in own.transitions for name in (at, by)}
    names |= {str(target) for own in machines.values() for target in own.transitions.values()}
    assert sorted(name for name in names if refusals.text(CHINESE, name) == name) == []


@pytest.mark.parametrize(
    ("said", "entity", "chinese"),
    [
        ("released", "lot", "合格"),
        ("released", "production order", "已下达"),
        ("container C-1 (lot API-2 of API) for batch FCT-1", "scan", "容器 C-1（API 批次 API-2），用于批次 FCT-1"),
        ("olu did completeOperation, startOperation", "batch record", "olu 做了 完成工序、开始工序"),
        ("a state that allows start; possible now: nothing", "work order", "允许“开始”的状态；当前可执行：无"),
        ("onHold by olu: start", "lot", "冻结，olu：start"),  # the reason is somebody's own word
        ("rejected", "configuration change", "已驳回"),
        ("quantity, dueAt of an order that is released", "production order", "数量、交期（订单为已下达）"),
        ("dueAt: 2026-12-01, changed by olu", "production order", "交期：2026-12-01，由 olu 更改"),
        ("gibt es nicht", "lot", "gibt es nicht"),
        ("LOT 2026/11", "lot", "LOT 2026/11"),
    ],
)
def test_values_are_words_where_there_are_words(said: str, entity: str, chinese: str) -> None:
    assert refusals.text(CHINESE, said, entity) == chinese


def test_english_readers_are_told_what_the_record_says() -> None:
    english = Words("en")
    assert refusals.text(english, "line 2 asks for 5 kg") == "line 2 asks for 5 kg"
    assert refusals.text(english, "inProgress") == "In progress"
    assert refusals.who(english, "qaReviewer, supervisor") == "QA reviewer, Supervisor"


def test_a_text_that_is_too_long_to_be_a_sentence_is_left_alone() -> None:
    long = "a, " * 1000
    assert refusals.text(CHINESE, long) == long


def test_a_wrong_field_is_named_by_the_kind_of_its_fault() -> None:
    fault = {"field": "body.quantity", "problem": "Field required", "kind": "missing"}
    assert refusals.field(CHINESE, fault) == "必填"
    short = {"problem": "String should have at least 5 characters", "kind": "string_too_short"}
    assert refusals.field(CHINESE, short) == "内容过短（5）"
    assert refusals.field(Words("en"), short) == short["problem"]
    assert refusals.field(CHINESE, fault | {"kind": "of_no_kind", "problem": "plain"}) == "plain"
    assert refusals.place(CHINESE, "body.quantity") == "数量"
