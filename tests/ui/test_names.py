"""Names that come from the code have words: kinds of exception, conditions of a release, stages of a case."""

from api.ui import cases, standing
from api.ui.audit import ACTIONS, KINDS
from api.ui.severity import RANK, of_exception
from api.ui.texts import texts
from domain.exceptions import ExceptionType
from domain.states import LotStatus


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


def test_every_exception_has_a_severity_that_can_be_sorted() -> None:
    assert all(of_exception(kind) in RANK for kind in ExceptionType)
    assert of_exception("outOfSpecification") == "critical"
    assert of_exception("comment") == "minor"
