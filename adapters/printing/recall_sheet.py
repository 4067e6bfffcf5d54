"""The evidence of a recall as the parts that are printed: one file tells all of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.printing.port import RecallJob
from adapters.printing.sheet import (
    DASH,
    Part,
    Reading,
    cell,
    duration,
    facts,
    heading,
    line,
    paragraph,
    row,
    table,
    when,
)
from adapters.printing.texts import Words

Document = dict[str, Any]


def recall_sheet(job: RecallJob) -> dict[str, Any]:
    """Everything that the template needs."""
    words = Words(job.language)
    reading, document = Reading(words, job.people), job.document
    is_mock = document["isMock"]
    start = document["lot"] or words("recall.supplierLot", lot=document["supplierLot"])
    return {
        "language": job.language,
        "title": words("recall.mockTitle" if is_mock else "recall.title"),
        "head": [line(document["number"]), line(start)],
        "page": [words("page"), words("page.of"), words("page.end")],
        "foot": line(words("printed", at=when(job.printed_at.isoformat()), by=job.printed_by)),
        "watermark": words("recall.mock") if is_mock else "",
        "badge": {"text": words.of("recallState", document["state"]), "isDraft": document["state"] != "closed"},
        "parts": [
            *_head(document, reading, start), *_quantities(document, words), *_reconciliation(document, words),
            *_effect(document, words), *_signatures(document, reading), *_lots(document, words),
            *_stock(document, words), *_orders(document, words), *_customers(document, words),
            *_entries(document, reading),
        ],
    }  # fmt: skip


def _head(document: Document, reading: Reading, start: str) -> Iterator[Part]:
    words, scope = reading.words, document["scope"] or {}
    counts = (("lots", "lots"), ("orders", "orders"), ("customers", "customers"), ("shipments", "shipments"))
    yield {
        "kind": "glance", "title": "",
        "tiles": [
            {"number": str(len(scope.get(key, ()))), "label": words(f"recall.{name}"), "said": "", "isBad": False}
            for key, name in counts
        ],
    }  # fmt: skip
    acts = [
        (words(f"recall.{act}"), reading.by(document[f"{act}By"], _text(document[f"{act}At"])))
        for act in ("opened", "scoped", "approved", "executed", "reconciled", "closed")
    ]
    yield facts([
        (words("recall.number"), [line(document["number"], "strong")]),
        (words("recall.state"), cell(words.of("recallState", document["state"]))),
        (words("recall.start"), cell(start)),
        (words("recall.reason"), cell(document["reason"])),
        *acts,
        (words("recall.hold"), cell(document["hold"])),
        (words("recall.hash"), [line(document["scopeHash"], "mono")]),
    ])  # fmt: skip
    yield paragraph(words("utc"), "small")


def _text(at: Any) -> str | None:
    return at if at is None or isinstance(at, str) else str(at.isoformat())


def _shares(totals: Mapping[str, Any], words: Words) -> Part:
    columns = [("", 2.0), (words("recall.quantity"), 1.5), (words("recall.unit"), 1.0), (words("recall.percent"), 1.0)]
    return table(columns, [
        row(cell(words(f"quantity.{name}")), cell(own["quantity"]), cell(unit), cell(f"{own['percent']} %"),
            marked=name in ("missing", "unexplained") and own["quantity"] != "0")
        for unit, parts in totals.items()
        for name, own in parts.items()
    ])  # fmt: skip


def _quantities(document: Document, words: Words) -> Iterator[Part]:
    if document["scope"]:
        yield heading(words("recall.quantities"), 1)
        yield _shares(document["scope"]["totals"], words)


def _reconciliation(document: Document, words: Words) -> Iterator[Part]:
    found = document["reconciliation"]
    if not found:
        return
    yield heading(words("recall.reconciliation"), 1)
    yield _shares(found["totals"], words)
    names = ("shipped", "returned", "accounted", "missing")
    columns = [(words("recall.shipment"), 2.0), (words("recall.consignee"), 2.0), (words("recall.unit"), 0.7),
               *((words(f"quantity.{name}"), 1.0) for name in names)]  # fmt: skip
    yield table(columns, [
        row(cell(own["shipment"]), cell(own["consignee"]), cell(own["unit"]), *(cell(own[name]) for name in names),
            marked=own["missing"] != "0")
        for own in found["shipments"]
    ])  # fmt: skip


def _effect(document: Document, words: Words) -> Iterator[Part]:
    found = document["effectiveness"]
    if not found:
        return
    yield heading(words("recall.effect"), 1)
    is_good = found["effective"]
    yield paragraph(words("recall.effective" if is_good else "recall.notEffective"), "good" if is_good else "bad")
    yield paragraph(found["conclusion"])
    times = ("secondsToExecute", "secondsUntilAllWereTold", "secondsToReconcile")
    yield facts([(words("recall.seconds"), cell(" / ".join(duration(found[name]) for name in times)))])


def _signatures(document: Document, reading: Reading) -> Iterator[Part]:
    words = reading.words
    yield heading(words("recall.signatures"), 1)
    if not document["signatures"]:
        yield paragraph(words("none"))
    for own in document["signatures"]:
        meaning = words.of("meaning", own["meaning"])
        yield paragraph(
            words("recall.said", name=f"{own['fullName']} ({own['signer']})", meaning=meaning, at=own["signedAt"]),
            "strong",
        )
        yield paragraph(own["contentHash"], "mono")


def _lots(document: Document, words: Words) -> Iterator[Part]:
    names = ("made", "inStock", "withCustomers", "used", "scrapped", "unexplained")
    columns = [(words("recall.lot"), 2.4), (words("recall.material"), 1.2), (words("recall.status"), 1.2),
               (words("recall.unit"), 0.7), *((words(f"quantity.{name}"), 1.0) for name in names)]  # fmt: skip
    rows = [
        row([line(own["lot"], "strong")], cell(own["material"]), cell(words.of("lot", own["status"])),
            cell(own["unit"]), *(cell(own[name]) for name in names))
        for own in _scope(document, "lots")
    ]  # fmt: skip
    yield from _section(words, "recall.affectedLots", columns, rows)


def _stock(document: Document, words: Words) -> Iterator[Part]:
    columns = [(words("recall.lot"), 2.4), (words("recall.place"), 1.5), (words("recall.quantity"), 1.2),
               (words("recall.unit"), 0.7)]  # fmt: skip
    rows = [
        row(cell(own["lot"]), cell(own["place"]), cell(own["onHand"]), cell(own["unit"]))
        for own in _scope(document, "stock")
    ]
    yield from _section(words, "recall.affectedStock", columns, rows)


def _orders(document: Document, words: Words) -> Iterator[Part]:
    columns = [(words("recall.order"), 1.6), (words("recall.product"), 1.2), (words("recall.state"), 1.0),
               (words("recall.lot"), 3.0)]  # fmt: skip
    rows = [
        row(cell(own["orderNumber"]), cell(own["product"]), cell(own["state"]), cell(", ".join(own["lots"])))
        for own in _scope(document, "orders")
    ]
    yield from _section(words, "recall.affectedOrders", columns, rows)


def _customers(document: Document, words: Words) -> Iterator[Part]:
    columns = [(words("recall.consignee"), 1.6), (words("recall.address"), 2.4), (words("recall.contact"), 2.0),
               (words("quantity.withCustomers"), 1.2)]  # fmt: skip
    rows = [
        row([line(own["consignee"], "strong")], cell(own["address"]), cell(own["contact"]),
            cell(", ".join(f"{one['quantity']} {one['unit']}" for one in own["quantities"])))
        for own in _scope(document, "customers")
    ]  # fmt: skip
    yield from _section(words, "recall.contacts", columns, rows)


def _entries(document: Document, reading: Reading) -> Iterator[Part]:
    words = reading.words
    columns = [(words("recall.kind"), 1.0), (words("recall.consignee"), 1.5), (words("recall.shipment"), 1.6),
               (words("recall.quantity"), 0.9), (words("recall.note"), 2.4), (words("recall.by"), 1.6),
               (words("recall.at"), 1.5)]  # fmt: skip
    rows = [
        row(cell(words.of("recallEntry", own["kind"])), cell(own["consignee"]), cell(own["shipment"] or DASH),
            cell(own["quantity"] or DASH), cell(own["note"]), cell(reading.who(own["by"])),
            cell(when(_text(own["at"]))))
        for own in document["entries"]
    ]  # fmt: skip
    yield from _section(words, "recall.entries", columns, rows)


def _scope(document: Document, part: str) -> list[Document]:
    found: list[Document] = (document["scope"] or {}).get(part, [])
    return found


def _section(words: Words, title: str, columns: list[tuple[str, float]], rows: list[Part]) -> Iterator[Part]:
    yield heading(words(title), 1)
    yield table(columns, rows) if rows else paragraph(words("none"))
