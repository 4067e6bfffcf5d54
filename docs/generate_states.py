"""Writes docs/states.md from the state tables; a test fails when the page is stale."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from domain.case_states import MACHINES as CASE_MACHINES  # noqa: E402
from domain.rework_states import MACHINES as REWORK_MACHINES  # noqa: E402
from domain.states import MACHINES, StateMachine  # noqa: E402

PAGE = ROOT / "docs" / "states.md"


def section(machine: StateMachine) -> str:  # type: ignore[type-arg]
    """One machine: a diagram and a table."""
    lines = [f"## {machine.name.capitalize()}", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {machine.initial}"]
    edges = [(origin, event, target) for (origin, event), target in machine.transitions.items()]
    edges += [(origin, event, target) for (origin, event), targets in machine.returns.items() for target in targets]
    lines += [f"    {origin} --> {target}: {event}" for origin, event, target in edges]
    states = dict.fromkeys(state for origin, _, target in edges for state in (origin, target))
    lines += [f"    {state} --> [*]" for state in states if machine.is_final(state)]
    lines += ["```", "", "| state | possible events |", "|---|---|"]
    lines += [f"| {state} | {', '.join(machine.possible(state)) or '(end)'} |" for state in states]
    return "\n".join([*lines, ""])


def page() -> str:
    """The whole page."""
    head = "\n".join(
        [
            "# States",
            "",
            "Generated from `domain/states.py`, `domain/rework_states.py` and `domain/case_states.py`; do not edit.",
            "Resuming leads back to the state before the hold.",
            "",
        ]
    )
    return "\n".join([head, *(section(machine) for machine in (*MACHINES, *REWORK_MACHINES, *CASE_MACHINES))])


if __name__ == "__main__":
    PAGE.write_text(page())
