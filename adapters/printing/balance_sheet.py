"""What became of the issued material, and what stood on the packs, on paper."""

from collections.abc import Iterator

from adapters.printing.port import Document
from adapters.printing.sheet import Part, Reading, cell, heading, line, row, table

_FIGURES = ("issued", "consumed", "returned", "sampled", "scrapped", "difference")


def balance(document: Document, reading: Reading) -> Iterator[Part]:
    """Nothing for a batch whose record says nothing of it."""
    words = reading.words
    if found := document.get("materialBalance", ()):
        yield heading(words("materialBalance"), 1)
        columns = [(words("material"), 2.0), (words("operation"), 1.4)]
        columns += [(words(f"balance.{name}"), 1.1) for name in _FIGURES]
        columns += [(words("balance.accounted"), 1.3), (words("limits"), 1.4)]
        yield table(columns, [_row(own, reading) for own in found])
    if checks := document.get("printChecks", ()):
        yield heading(words("printChecks"), 1)
        widths = (("operation", 1.2), ("lot", 2.0), ("balance.expiry", 1.6), ("result", 2.2), ("entered", 2.4))
        yield table([(words(key), width) for key, width in widths], [
            row(cell(own["operation"]), cell(own["lotText"]), cell(own["expiryText"]),
                cell(words("balance.matches")) if own["matches"] else [
                    line(words("balance.wrong", lot=own["expectedLot"], expiry=own["expectedExpiry"]), "bad")],
                reading.by(own["checkedBy"], own["checkedAt"]))
            for own in checks
        ])  # fmt: skip


def _row(own: Document, reading: Reading) -> Part:
    words = reading.words
    name = [*cell(own["material"]), *([line(words("balance.printed"), "small")] if own["isPrinted"] else [])]
    limit = "" if own["limitPercent"] is None else f"± {own['limitPercent']} %"
    outside = [line(words("outOfLimits"), "bad")] if own["isOutside"] else []
    case = [line(own["deviation"], "small")] if own["deviation"] else []
    accounted = "" if own["accountedPercent"] is None else f"{own['accountedPercent']} %"
    return row(
        name, cell(own["operation"]), *(cell(f"{own[figure]} {own['unit']}") for figure in _FIGURES), cell(accounted),
        [*cell(limit), *outside, *case],
    )  # fmt: skip
