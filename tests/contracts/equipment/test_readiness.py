"""The readiness sheet is complete, and every exemption says why."""

from pathlib import Path

import yaml

import adapters.equipment.port

SHEET = Path(adapters.equipment.port.__file__).with_name("readiness.yaml")
QUESTIONS = {"idempotent", "says_refused", "says_unreachable", "says_unknown", "reconnects", "lossless_readings"}


def accepted(answer: str) -> bool:
    """`done`, `todo`, or `exempt – ` and a reason of a few words at least."""
    word, dash, reason = answer.partition(" – ")
    return answer in {"done", "todo"} or (word == "exempt" and bool(dash) and len(reason.split()) >= 2)


def test_every_implementation_answers_every_question() -> None:
    sheet = yaml.safe_load(SHEET.read_text(encoding="utf-8"))
    assert set(sheet) == {"opcua", "press_simulator", "manual", "job_control"}
    for name, answers in sheet.items():
        assert set(answers) >= QUESTIONS, name
        for question, answer in answers.items():
            assert accepted(answer), f"{name}.{question}: {answer!r}"


def test_an_exemption_without_a_reason_is_not_accepted() -> None:
    assert not accepted("exempt")
    assert not accepted("exempt – ")
    assert not accepted("maybe")
