"""The press's memory between two starts: one small JSON file, replaced whole."""

import os
from pathlib import Path

from adapters.equipment.press_model import PressState


class StateUnreadable(ValueError):
    """The state file is there but is none of ours. Starting without it would run a job twice, so nothing starts."""


def load_state(path: Path) -> PressState:
    """What the file holds; an empty state if there is no file. Raises `StateUnreadable`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return PressState()
    try:
        return PressState.model_validate_json(text)
    except ValueError as error:
        raise StateUnreadable(f"{path}: {error}") from error


def save_state(path: Path, state: PressState) -> None:
    """Write the state and wait until it is on the disk; a kill at any moment leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(state.model_dump_json(by_alias=True))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
