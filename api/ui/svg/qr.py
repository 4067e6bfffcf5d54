"""A QR code as a picture of whole modules."""

import zint
from markupsafe import Markup, escape

QUIET = 4
"""Modules of white around it (ISO/IEC 18004)."""


def qr(text: str, label: str) -> Markup:
    """The code of a text. Raises ValueError when the text is too long for one."""
    made = zint.Symbol()
    made.symbology = zint.Symbology.QRCODE
    made.encode(text)
    packed = made.encoded_data
    size = made.width + 2 * QUIET
    dark = "".join(
        f"M{at + QUIET} {row + QUIET}h1v1h-1z"
        for row in range(made.rows)
        for at in range(made.width)
        if packed[row, at // 8] >> at % 8 & 1
    )
    return Markup(
        f'<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-label="{escape(label)}" '
        f'shape-rendering="crispEdges"><rect width="{size}" height="{size}" fill="#fff"/><path d="{dark}"/></svg>'
    )
