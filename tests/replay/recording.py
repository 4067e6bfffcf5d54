"""Where recorded histories are kept: one folder per release, one file per path."""

from pathlib import Path

HISTORIES = Path(__file__).parent / "histories"
