"""Names that come from the code have words: kinds of exception, conditions of a release, stages of a case."""

from typing import Any, get_args

import pytest

from api.ui import cases, standing
from api.ui.audit import ACTIONS, KINDS
from api.ui.said import detail
from api.ui.severity import RANK, of_exception
from api.ui.told import told
from domain.exceptions import ExceptionType
from domain.quality_cases import CaseEvent
from domain.states import LotStatus
from wording.texts import LANGUAGES, Words, texts


def test_names_that_come_from_the_code_have_words() -> None:
    needed = [
        *(f"exception.{kind}" for kind in ExceptionType),
        *(f"severity.{of_exception(kind)}" for kind in ExceptionType),
        *(f"lot.{status}" for status in LotStatus),
        *(f"check.{key}" for key, _ in standing.CHECKS),
        *(f"check.{key}.no" for key, _ in standing.CHECKS),
        *(f"case.{kind}" for kind in cases.KINDS_SHOWN),
        *(f"state.{state}" for way in cases.LINES.values() for state in way),
        *(f"audit.{action}" for action in ACTIONS),
        *(f"entity.{kind}" for kind in KINDS),
    ]
    known = texts("zh")
    assert [key for key in needed if key not in known] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_happen_to_a_case_can_be_told(language: str) -> None:
    t = Words(language)
    for kind in get_args(get_args(CaseEvent)[0]):
        fields: dict[str, Any] = {
            info.alias or name: f"{name}?" for name, info in kind.model_fields.items() if name != "kind"
        }
        if "specification" in fields:
            fields["specification"] = {"detail": "as found"}
        said = told(t, {"kind": kind.model_fields["kind"].default, **fields}, {})
        assert said
        assert "{" not in said


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("weight 119 mg, limits 108 … 118", "weight 119 mg, limits 108 – 118", "weight 119 mg，限度 108 – 118"),
        ("signature.failed", "The password was wrong", "签名密码错误"),
        ("signature.refused: wrong password", "The signature was refused wrong password", "签名被拒绝 wrong password"),
        (
            "approveBatchRecord refused: SEPARATION_OF_DUTIES PO-1-01: jo did MIX",
            "Approve the batch record was refused: Another person has to do this (PO-1-01: jo has worked on MIX)",
            "批准批记录被拒绝：须由另一人执行 (PO-1-01: jo 执行过 MIX)",
        ),
        ("MIX aborted", "MIX was aborted", "MIX 已中止"),
        ("die 7 was polished", "die 7 was polished", "die 7 was polished"),
    ],
)
def test_texts_of_the_record_are_said_in_both_languages(text: str, english: str, chinese: str) -> None:
    assert detail(Words("en"), text).strip() == english
    assert detail(Words("zh"), text).strip() == chinese


def test_every_exception_has_a_severity_that_can_be_sorted() -> None:
    assert all(of_exception(kind) in RANK for kind in ExceptionType)
    assert of_exception("outOfSpecification") == "critical"
    assert of_exception("comment") == "minor"
