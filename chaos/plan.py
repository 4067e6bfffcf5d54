"""Which process is killed when: drawn from a seed, written down, and read again to repeat a run that failed."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

VICTIMS: Final = ("worker", "gateway", "api", "temporal", "postgres")
LAST_SHARE: Final = 0.92
"""No kill is due later in a run: the last ones still meet orders that are being made."""
LONGEST_PAUSE_SECONDS: Final = 0.5
TOGETHER: Final = (1, 1, 2, 3, 4)
"""How many processes are killed at one moment."""


class PlanUnreadable(ValueError):
    """A file that should hold a kill plan does not; the text says why."""


@dataclass(frozen=True)
class Kill:
    """SIGKILL for `victim`, `pause` seconds after `share` of all commands of the run have been answered.

    Progress and not the clock says when: so a plan meets the same stages of the orders on a slow machine, too.
    """

    share: float
    pause: float
    victim: str


def draw(seed: int, kills: int) -> list[Kill]:
    """So many kills, each victim equally often, at moments of chance: one alone, or up to four at the same moment."""
    dice = random.Random(f"kills/{seed}")
    victims = [VICTIMS[at % len(VICTIMS)] for at in range(kills)]
    dice.shuffle(victims)
    moments: list[float] = []
    while len(moments) < kills:
        moments += [dice.uniform(0.0, LAST_SHARE)] * dice.choice(TOGETHER)
    shares = sorted(moments[:kills])
    pauses = [dice.uniform(0.0, LONGEST_PAUSE_SECONDS) for _ in victims]
    return [
        Kill(round(share, 4), round(pause, 3), victim)
        for share, pause, victim in zip(shares, pauses, victims, strict=True)
    ]


def document(plan: Sequence[Kill]) -> list[dict[str, Any]]:
    """The plan as JSON data."""
    return [asdict(kill) for kill in plan]


def read(path: Path) -> list[Kill]:
    """The plan of a file: a list of kills, or the document of an earlier run. Raises PlanUnreadable, OSError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = content["plan"] if isinstance(content, dict) else content
        plan = [Kill(float(row["share"]), float(row["pause"]), str(row["victim"])) for row in rows]
    except (ValueError, KeyError, TypeError) as wrong:
        raise PlanUnreadable(f"{path} holds no kill plan: {wrong!r}") from None
    unknown = sorted({kill.victim for kill in plan} - set(VICTIMS))
    if unknown:
        raise PlanUnreadable(f"{path} kills {', '.join(unknown)}; there are: {', '.join(VICTIMS)}")
    if any(not 0 <= kill.share <= 1 or kill.pause < 0 for kill in plan):
        raise PlanUnreadable(f"{path}: a share is between 0 and 1, a pause not below 0")
    return sorted(plan, key=lambda kill: kill.share)
