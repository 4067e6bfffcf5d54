"""The fonts that paper is set in: those of the package, whatever the machine has."""

from functools import cache

import typst
from noto_cjk_sans_otc import FONT_PATH


@cache
def fonts() -> typst.Fonts:
    """Read once for each process."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(FONT_PATH.parent)],  # type: ignore[attr-defined]
    )
