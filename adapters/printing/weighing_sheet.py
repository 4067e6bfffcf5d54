"""What was weighed for a batch, on paper: each container with what the scale said and what was needed."""

from collections.abc import Iterator

from adapters.printing.port import Document
from adapters.printing.sheet import Part, Reading, cell, heading, line, paragraph, row, table, when


def weighing(document: Document, reading: Reading) -> Iterator[Part]:
    """Nothing for a batch that nothing was weighed for."""
    words, found = reading.words, document.get("containers", ())
    if found:
        yield heading(words("weighing"), 1)
        columns = (("container", 1.7), ("material", 1.1), ("lot", 1.4), ("tareGross", 1.2), ("net", 1.1),
                   ("needed", 1.5), ("scale", 1.6), ("weighed", 1.6), ("stagedCharged", 1.6))  # fmt: skip
        yield table([(words(key), width) for key, width in columns], [_row(own, reading) for own in found])
        for own in found:
            if (potency := own["potency"]) is not None:
                yield paragraph(words("potency", container=own["number"], **potency), "small")
    if charges := document.get("charges", ()):
        yield heading(words("charges"), 1)
        widths = (("operation", 1.2), ("charged", 4.0), ("chargedBy", 2.0))
        yield table([(words(key), width) for key, width in widths], [
            row(cell(own["operation"]), cell(", ".join((*own["containers"], *own["lots"]))),
                cell(*reading.by(own["chargedBy"], own["chargedAt"])))
            for own in charges
        ])  # fmt: skip


def _row(own: Document, reading: Reading) -> Part:
    words, unit = reading.words, own["unit"]
    source = words.of("readBy", own["source"])
    checked = f" / {reading.who(own['verifiedBy'])}" if own["verifiedBy"] else ""
    where = [line(words("voided", reason=own["voidReason"] or ""), "bad")] if own["state"] == "voided" else [
        *cell(own["place"], when(own["stagedAt"])), *reading.by(own["chargedBy"], own["chargedAt"]),
    ]  # fmt: skip
    return row(
        [line(own["number"], "strong")], cell(own["material"]), cell(own["lot"]),
        cell(own["tareText"], own["grossText"]), [line(f"{own['net']} {unit}", "strong")],
        cell(f"{own['low']} … {own['high']} {unit}"), cell(own["scale"], own["certificate"], source),
        cell(f"{reading.who(own['weighedBy'])}{checked}", when(own["weighedAt"])), where,
        marked=own["state"] == "voided",
    )  # fmt: skip
