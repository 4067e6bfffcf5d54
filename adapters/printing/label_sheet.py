"""The label of a lot on paper: an A6 sheet, drawn as SVG with real text, and from that as PNG and PDF.

The symbols come from zint (every check of its own turned to an error), the pictures from typst with one font that has
Chinese, so that they do not depend on what is installed on the server.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, Literal
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

import typst
import zint

from adapters.printing.fonts import fonts
from domain.gs1 import Element, human_readable
from domain.lot_label import LotLabel, elements, of_gs1_128
from domain.quantities import plain
from domain.states import LotStatus

Symbology = Literal["dataMatrix", "gs1-128"]
Format = Literal["svg", "png", "pdf"]
Symbol = list[list[bool]]

WIDTH, HEIGHT, MARGIN = 148.0, 105.0, 5.0
"""Millimetres: A6, landscape."""
PIXELS_PER_INCH: Final = 300
FONTS: Final = "'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
STATUS: Final[dict[str, tuple[str, str, str]]] = {
    LotStatus.QUARANTINE: ("QUARANTINE", "待验", "#f5c400"),
    LotStatus.RELEASED: ("RELEASED", "合格", "#3fa34d"),
    LotStatus.REJECTED: ("REJECTED", "不合格", "#e04b3a"),
    LotStatus.ON_HOLD: ("ON HOLD", "冻结", "#f5c400"),
    LotStatus.RETEST_DUE: ("RETEST DUE", "待复验", "#f5c400"),
    LotStatus.EXPIRED: ("EXPIRED", "过期", "#e04b3a"),
    LotStatus.RECALLED: ("RECALLED", "召回", "#e04b3a"),
    LotStatus.RETURNED: ("RETURNED", "退货", "#f5c400"),
    LotStatus.DESTROYED: ("DESTROYED", "已销毁", "#e04b3a"),
}
"""Words and colour of a status: green may be used, yellow waits, red must not be used."""
_SHEET: Final = (
    f"#set page(width: {WIDTH}mm, height: {HEIGHT}mm, margin: 0pt)\n"
    f'#image(bytes(sys.inputs.svg), format: "svg", width: {WIDTH}mm, alt: "label of a lot")'
).encode()


def elements_of(label: LotLabel, symbology: Symbology) -> tuple[Element, ...]:
    """What a symbol of that kind says about the lot. Raises `Gs1Refused`."""
    return of_gs1_128(label) if symbology == "gs1-128" else elements(label)


def symbol(said: tuple[Element, ...], symbology: Symbology) -> Symbol:
    """The modules of a symbol without quiet zone, row by row; true is dark. A GS1-128 has one row."""
    made = zint.Symbol()
    made.symbology = zint.Symbology.GS1_128 if symbology == "gs1-128" else zint.Symbology.DATAMATRIX
    made.input_mode = zint.InputMode.GS1
    made.warn_level = zint.WarningLevel.FAIL_ALL
    made.show_text = False
    # Brackets are in no value: they are not in GS1 set 82.
    made.encode("".join(f"[{ai}]{value}" for ai, value in said))
    packed = made.encoded_data
    return [[bool(packed[row, at // 8] >> at % 8 & 1) for at in range(made.width)] for row in range(made.rows)]


def draw(label: LotLabel, symbology: Symbology, form: Format, made_at: datetime) -> bytes:
    """The label as a file. `made_at` is the time that a PDF is stamped with: the same lot gives the same bytes.

    Raises `Gs1Refused` when the lot cannot stand on a label.
    """
    return drawn(_svg(label, symbology), form, made_at, label.lot)


def drawn(picture: str, form: Format, made_at: datetime, of: str) -> bytes:
    """A label's SVG as a file; `of` names it when it cannot be drawn."""
    if form == "svg":
        return picture.encode()
    compiler = typst.Compiler(_SHEET, font_paths=fonts(), ignore_system_fonts=True)
    file, warnings = compiler.compile_with_warnings(
        sys_inputs={"svg": picture}, format=form, ppi=PIXELS_PER_INCH, timestamp=made_at.replace(microsecond=0)
    )
    if warnings or not isinstance(file, bytes):
        raise RuntimeError(f"the label of {of} could not be drawn: {[str(warning) for warning in warnings]}")
    return file


def _svg(label: LotLabel, symbology: Symbology) -> str:
    said = elements_of(label, symbology)
    modules = symbol(said, symbology)
    body = [*_words(label), *(_bars if symbology == "gs1-128" else matrix)(modules, human_readable(said))]
    return sheet(body)


def sheet(body: Iterable[str]) -> str:
    """The SVG of a label with this in it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}mm" height="{HEIGHT:g}mm" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" font-family="{FONTS}">'
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fff"/>{"".join(body)}</svg>'
    )


def _words(label: LotLabel) -> Iterator[str]:
    english, chinese, colour = STATUS[label.status]
    yield f'<rect x="{MARGIN:g}" y="5" width="58" height="12" fill="{colour}" stroke="#000" stroke-width="0.6"/>'
    yield text_line(MARGIN + 2, 13.4, 5, 54, f"{chinese} {english}")
    yield text_line(MARGIN + 62, 13.4, 4, 76, f"工厂 Plant  {label.plant or '–'}")
    lines, size = wrapped(label.name, WIDTH - 2 * MARGIN, 6, 2)
    yield from (text_line(MARGIN, 25 + place * size * 1.25, size, WIDTH, text) for place, text in enumerate(lines))
    expiry = "–" if label.expires_on is None else label.expires_on.isoformat()
    facts = [
        ("物料 Material", label.material),
        ("批号 Lot", label.lot),
        ("数量 Quantity", f"{plain(label.quantity)} {label.unit}"),
        ("有效期至 Expiry", expiry),
    ]
    if label.certified_by is not None:
        facts.append(("受权人 QP", label.certified_by))
    step = 28 / len(facts)
    for place, (what, value) in enumerate(facts):
        yield text_line(MARGIN, 42 + place * step, 3.4, 30, what)
        yield text_line(MARGIN + 32, 42 + place * step, 4.6, 64, value)


def matrix(modules: Symbol, readable: str) -> Iterator[str]:
    """A DataMatrix at the right, with a quiet zone of one module; modules of at most 0.99 mm."""
    side = min(36 / len(modules), 0.99)
    yield _path(modules, WIDTH - MARGIN - side * (len(modules[0]) + 1), 36, side, side)
    lines, size = wrapped(readable, WIDTH - 2 * MARGIN, 3.4, 5)
    yield from (text_line(MARGIN, 80 + place * size * 1.3, size, WIDTH, text) for place, text in enumerate(lines))


def _bars(modules: Symbol, readable: str) -> Iterator[str]:
    """A GS1-128 along the foot, with a quiet zone of ten modules; modules of at most 0.495 mm."""
    side = min((WIDTH - 4) / (len(modules[0]) + 20), 0.495)
    yield _path(modules, (WIDTH - side * len(modules[0])) / 2, 68, side, 28)
    lines, size = wrapped(readable, WIDTH - 2 * MARGIN, 3.4, 1)
    yield from (text_line(MARGIN, 101, size, WIDTH, text) for text in lines)


def _path(modules: Symbol, left: float, top: float, width: float, height: float) -> str:
    """One path of all dark modules; those side by side are one rectangle, so that no gap can show."""
    pieces = [
        f"M{left + start * width:.4f} {top + row * height:.4f}h{length * width:.4f}v{height:.4f}h{-length * width:.4f}z"
        for row, cells in enumerate(modules)
        for start, length in _runs(cells)
    ]
    return f'<path shape-rendering="crispEdges" d="{"".join(pieces)}"/>'


def _runs(cells: list[bool]) -> Iterator[tuple[int, int]]:
    start: int | None = None
    for at, is_dark in enumerate([*cells, False]):
        if is_dark and start is None:
            start = at
        elif not is_dark and start is not None:
            yield start, at - start
            start = None


def text_line(x: float, y: float, size: float, width: float, text: str) -> str:
    """One line of text, smaller if it would not fit."""
    size = min(size, size * width / max(_length(text) * size, 0.01))
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:.3g}" xml:space="preserve">{escape(_printable(text))}</text>'


def wrapped(text: str, width: float, size: float, most: int) -> tuple[list[str], float]:
    """The text in at most `most` lines, smaller if it would not fit: nothing is left out."""
    while True:
        lines, line = [], ""
        for character in text:
            if line and (_length(line) + _length(character)) * size > width:
                lines.append(line)
                line = ""
            line += character
        lines.append(line)
        if len(lines) <= most:
            return lines, size
        size *= 0.92


def _length(text: str) -> float:
    """The width of a text in units of its size: a Chinese character is a square, others are at most two thirds."""
    return sum(1.0 if east_asian_width(character) in "WFA" else 0.66 for character in text)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
