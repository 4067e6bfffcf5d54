"""The label of a dispensed container on paper: an A6 sheet with a GS1 DataMatrix (MT-08)."""

from collections.abc import Iterator

from adapters.printing.label_sheet import (
    MARGIN,
    WIDTH,
    Format,
    drawn,
    matrix,
    sheet,
    symbol,
    text_line,
    wrapped,
)
from domain.container_label import ContainerLabel, elements
from domain.gs1 import element_string, human_readable
from domain.quantities import plain

_COLOURS = {"voided": "#e04b3a", "voiding": "#e04b3a"}
_WORDS = {"voided": "作废 VOID", "voiding": "作废 VOID", "charged": "已投料 CHARGED"}


def draw(label: ContainerLabel, form: Format) -> bytes:
    """The label as a file; the same container gives the same bytes.

    Raises `Gs1Refused` when something cannot stand in the symbol.
    """
    said = elements(label)
    element_string(said)  # says everything that is wrong
    body = [*_words(label), *matrix(symbol(said, "dataMatrix"), human_readable(said))]
    return drawn(sheet(body), form, label.dispensed_at, label.container)


def _words(label: ContainerLabel) -> Iterator[str]:
    colour = _COLOURS.get(label.state, "#d9e8f5")
    yield f'<rect x="{MARGIN:g}" y="5" width="58" height="12" fill="{colour}" stroke="#000" stroke-width="0.6"/>'
    yield text_line(MARGIN + 2, 13.4, 5, 54, _WORDS.get(label.state, "已称量 DISPENSED"))
    yield text_line(MARGIN + 62, 13.4, 4, 76, label.container)
    lines, size = wrapped(label.name, WIDTH - 2 * MARGIN, 5, 1)
    yield from (text_line(MARGIN, 24, size, WIDTH, text) for text in lines)
    checked = f" / {label.checked_by}" if label.checked_by else ""
    facts = (
        ("物料 Material", label.material),
        ("批号 Lot", label.lot),
        ("净重 Net", f"{plain(label.net)} {label.unit}"),
        ("产品 Product", label.product),
        ("产品批号 Batch", label.batch),
        ("称量 Dispensed by", f"{label.dispensed_by}{checked}"),
        ("时间 Time (UTC)", label.dispensed_at.strftime("%Y-%m-%d %H:%M:%S")),
        ("有效期至 Expiry", "–" if label.expires_on is None else label.expires_on.isoformat()),
    )
    for place, (what, value) in enumerate(facts):
        yield text_line(MARGIN, 32 + place * 6, 3.2, 32, what)
        yield text_line(MARGIN + 34, 32 + place * 6, 4, 58, value)
