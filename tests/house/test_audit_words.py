"""The audit trail speaks both languages: there are words for every act and every kind of record that code can write."""

import ast
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from adapters.printing.audit_field_texts import VALUES
from adapters.printing.audit_texts import ACTS, KINDS
from adapters.printing.audit_words import words_of
from domain import (
    batch_rework,
    case_states,
    container_states,
    equipment_acts,
    equipment_states,
    hold_states,
    master_record_states,
    quality_cases,
    recall_states,
    record_states,
    recovery_states,
    report_states,
    return_states,
    rework_states,
    shipping_states,
    signing,
    states,
)
from domain.base import Message
from domain.equipment import ItemKind

ROOT = Path(__file__).parent.parent.parent
MACHINES = [
    machine
    for module in (
        states, batch_rework, case_states, container_states, equipment_states, hold_states, master_record_states,
        recall_states, record_states, recovery_states, report_states, return_states, rework_states, shipping_states,
        signing,
    )
    for machine in module.MACHINES
]  # fmt: skip
WRITERS = {"Entry", "entry", "audit"}


def written() -> Iterator[str]:
    """Every act that stands as a plain text where an audit row is made."""
    for path in [p for room in ("api", "db", "adapters") for p in (ROOT / room).rglob("*.py")] + [ROOT / "records.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in WRITERS:
                yield from (
                    argument.value
                    for argument in node.args[:3]
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and "." in argument.value
                )


def test_every_act_has_words() -> None:
    acts = set(written())
    assert {"lot.received", "audit.exported", "operation.report"} <= acts
    assert sorted(act for act in acts if act not in ACTS and act.partition(".")[2] not in ACTS) == []


def test_every_kind_of_record_has_words() -> None:
    kinds = {
        str(node.args[0].value)
        for path in (ROOT / "db" / "projection").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "transition"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert {"lot", "in-process inspection", "material return"} <= kinds
    assert sorted(kinds - KINDS.keys()) == []


def test_every_event_and_every_state_has_words() -> None:
    events = {str(event) for machine in MACHINES for _, event in machine.transitions}
    assert sorted(events - ACTS.keys()) == []
    known = {
        str(state) for machine in MACHINES for pair in machine.transitions.items() for state in (pair[0][0], pair[1])
    }
    assert sorted(known - VALUES.keys()) == []
    cases = {
        str(kind.model_fields["kind"].default)
        for kind in vars(quality_cases).values()
        if isinstance(kind, type) and issubclass(kind, Message) and "kind" in kind.model_fields
    }
    told_as_events = {"deviationMoved", "outOfSpecificationMoved", "capaMoved", "deviationRaised", "capaRaised"}
    assert sorted(cases - ACTS.keys() - told_as_events - {"deviation", "capa", "commandRefused"}) == []
    acts = {
        kind.model_fields["kind"].default
        for kind in vars(equipment_acts).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel) and "kind" in kind.model_fields
    } - set(ItemKind)
    assert "qualify" in acts
    assert sorted(acts - ACTS.keys()) == []


def test_there_are_no_empty_words() -> None:
    for words in (*KINDS.values(), *ACTS.values()):
        assert all(word.strip() == word and word for word in words)
    assert words_of("validUntil") == words_of("valid_until") == "valid until"
    assert words_of("OUT_OF_LIMIT") == "OUT_OF_LIMIT"
