"""Writes docs/states.md from the state tables; a test fails when the page is stale."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from domain import (  # noqa: E402
    batch_rework,
    case_states,
    change_states,
    configuration_states,
    container_states,
    equipment_states,
    hold_states,
    master_record_states,
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
from domain.states import StateMachine  # noqa: E402

MODULES = (
    states, change_states, rework_states, batch_rework, recovery_states, return_states, record_states,
    master_record_states, equipment_states, container_states, configuration_states,
    case_states, signing, hold_states, shipping_states, recall_states,
    report_states,
)  # fmt: skip
PAGE = ROOT / "docs" / "states.md"


def section(machine: StateMachine) -> str:  # type: ignore[type-arg]
    """One machine: a diagram and a table."""
    lines = [f"## {machine.name.capitalize()}", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {machine.initial}"]
    ways = (*machine.transitions.items(), *machine.unlisted.items())
    edges = [(origin, event, target) for (origin, event), target in ways]
    edges += [(origin, event, target) for (origin, event), targets in machine.returns.items() for target in targets]
    lines += [f"    {origin} --> {target}: {event}" for origin, event, target in edges]
    states = dict.fromkeys(state for origin, _, target in edges for state in (origin, target))
    lines += [f"    {state} --> [*]" for state in states if machine.is_final(state)]
    lines += ["```", "", "| state | possible events |", "|---|---|"]
    for state in states:
        events = (*machine.possible(state), *(event for origin, event in machine.unlisted if origin == state))
        lines.append(f"| {state} | {', '.join(events) or '(end)'} |")
    return "\n".join([*lines, ""])


def page() -> str:
    """The whole page."""
    head = "\n".join(
        [
            "# States",
            "",
            "Generated from the state tables in `domain/*states.py`; do not edit.",
            "Resuming leads back to the state before the hold.",
            "",
        ]
    )
    return "\n".join([head, *(section(machine) for module in MODULES for machine in module.MACHINES)])


if __name__ == "__main__":
    PAGE.write_text(page())
