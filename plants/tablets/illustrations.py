"""Pictures beside the instructions, drawn for this plant: `pictures/*.svg`, and the PNG files made of them.

No word stands in a picture, so that one picture serves both languages; what it shows is said in `text`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).with_name("pictures")


@dataclass(frozen=True)
class Illustration:
    """A picture: the file, and what it shows in English and Chinese."""

    name: str
    en: str
    zh: str

    @property
    def content(self) -> bytes:
        """The PNG file."""
        return (FOLDER / f"{self.name}.png").read_bytes()

    @property
    def reference(self) -> dict[str, Any]:
        """What an instruction says of it."""
        return {"sha256": hashlib.sha256(self.content).hexdigest(), "text": {"en": self.en, "zh": self.zh}}


ILLUSTRATIONS: Final[Mapping[tuple[str, int], Illustration]] = {
    ("DISPENSE", 4): Illustration(
        "weighing",
        "A closed bag with its weighing label stands in the middle of the balance, below the down-flow.",
        "称量袋封口并贴有称量标签，放在天平中央，位于层流下方。",
    ),
    ("BLEND", 2): Illustration(
        "loading",
        "Cross-section of the bin: 1 excipients, 2 active ingredient, 3 excipients on top.",
        "料斗剖面：1 辅料，2 原料药，3 上层辅料。",
    ),
    ("COMPRESS", 2): Illustration(
        "cores",
        "Left, good cores: whole, smooth edges. Right, reject: broken, cracked, capped, with black specks.",
        "左：合格片芯，完整、边缘光滑。右：剔除——缺角、裂片、顶裂、有黑点。",
    ),
}
"""(operation, place of the instruction from 0) → what is shown beside it."""
