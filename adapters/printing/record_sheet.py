"""A batch record as the parts that are printed, in the order in which people read it."""

from collections.abc import Iterator
from typing import Any

from adapters.printing.balance_sheet import balance
from adapters.printing.operation_sheet import MARK, operation
from adapters.printing.port import PrintJob
from adapters.printing.quality_sheet import cases, deviations, exceptions, in_process, inspection, review, signatures
from adapters.printing.sheet import (
    DASH,
    Part,
    Reading,
    cell,
    facts,
    heading,
    line,
    paragraph,
    row,
    table,
    when,
)
from adapters.printing.texts import Words
from adapters.printing.weighing_sheet import weighing


def sheet(job: PrintJob) -> dict[str, Any]:
    """Everything that the template needs: the words of each page, and the parts in their order."""
    words = Words(job.language)
    reading = Reading(words, job.people)
    document = job.document
    product = document["productName"] or document["product"]
    return {
        "language": job.language,
        "title": words("title"),
        "head": [
            line(f"{words('batch')} {document['batch']}"),
            line(product if product == document["product"] else f"{product} ({document['product']})"),
        ],
        "page": [words("page"), words("page.of"), words("page.end")],
        "foot": line(_foot(job, words)),
        "watermark": words("draft") if job.is_draft else "",
        "badge": {"text": words.of("record", document["review"]["state"] or "none"), "isDraft": job.is_draft},
        "parts": [
            *_batch(job, reading), *_materials(job, reading), *weighing(document, reading),
            *balance(document, reading), *_operations(job, reading),
            *in_process(document, reading), *inspection(document, reading), *deviations(document, reading),
            *cases(document, reading), *exceptions(document, reading), *review(document, reading),
            *signatures(document, reading),
            *_people(job, reading), *_integrity(job, reading),
        ],
    }  # fmt: skip


def _foot(job: PrintJob, words: Words) -> str:
    at = when(job.printed_at.isoformat())
    if job.for_archive is None:
        return words("printed", at=at, by=job.printed_by)
    return words(f"archive.{job.for_archive}", at=at)


def _batch(job: PrintJob, reading: Reading) -> Iterator[Part]:
    """The first page: what this is, and what there is to be looked at."""
    words, document = reading.words, job.document
    record = document["masterBatchRecord"]
    by_record = words("masterBatchRecord.none") if record is None else f"{record['product']} {record['version']}"
    yield {"kind": "glance", "title": words("glance"), "tiles": list(_tiles(job, words))}
    yield facts([
        (words("batch"), [line(document["batch"], "strong")]),
        (words("product"), cell(line(document["productName"] or document["product"], "strong"),
                                line(document["product"], "small"))),
        (words("quantity"), cell(f"{document['quantity']} {document['unit']}")),
        (words("good"), cell(f"{document['goodQuantity']} {document['unit']}")),
        (words("order"), cell(document["orderNumber"])),
        (words("workOrder"), cell(document["workOrder"])),
        (words("plant"), cell(document["plant"])),
        (words("policy"), cell(words("policy.value", **document["policy"]))),
        (words("masterBatchRecord"), cell(by_record)),
        (words("versions"), cell(words("versions.value", bom=document["billOfMaterialVersion"] or DASH,
                                       route=document["routeVersion"] or DASH))),
        (words("createdBy"), cell(reading.who(document["createdBy"]))),
        (words("approvedBy"), cell(reading.everybody(document["approvedBy"]))),
        (words("started"), cell(when(document["startedAt"]))),
        (words("ended"), cell(when(document["endedAt"]))),
        (words("recordState"), cell(words.of("record", document["review"]["state"] or "none"))),
        (words("lotStatus"), cell(words.of("lot", document["release"]["status"]))),
    ])  # fmt: skip
    yield paragraph(words("utc"), "small")
    yield paragraph(words("marks"), "small")


def _tiles(job: PrintJob, words: Words) -> Iterator[dict[str, Any]]:
    document = job.document
    found = document["exceptions"]
    still_open = sum(own["isOpen"] for own in found)
    corrected = sum(value["isCorrected"] for own in document["operations"] for value in own["values"])
    said = words("glance.open", n=still_open) if still_open else words("glance.closed") if found else ""
    undecided = sum(own["decision"] is None for own in document["deviations"])
    yield _tile(len(found), words("glance.exceptions"), said, still_open > 0)
    yield _tile(len(document["deviations"]), words("glance.deviations"),
                words("glance.open", n=undecided) if undecided else "", undecided > 0)  # fmt: skip
    yield _tile(corrected, words("glance.corrections"), "", False)
    yield _tile(len(document["signatures"]), words("glance.signatures"), "", False)


def _tile(number: int, label: str, said: str, is_bad: bool) -> dict[str, Any]:
    return {"number": str(number), "label": label, "said": said, "isBad": is_bad}


def _materials(job: PrintJob, reading: Reading) -> Iterator[Part]:
    words, found = reading.words, job.document["materials"]
    yield heading(words("materials"), 1)
    if not found:
        yield paragraph(words("none"))
        return
    columns = (("material", 1.5), ("lot", 2.0), ("required", 1.3), ("used", 1.3), ("operation", 1.4), ("supplier", 1.6),
               ("expires", 1.2), ("usedAt", 1.6))  # fmt: skip
    yield table([(words(key), width) for key, width in columns], [
        row(cell(own["material"]), [line(own["lot"], "strong")],
            cell(None if own["required"] is None else f"{own['required']} {own['unit']}"),
            cell(f"{own['quantity']} {own['unit']}"), cell(own["operation"]), cell(own["supplier"]),
            cell(own["expiresOn"]), cell(when(own["consumedAt"])))
        for own in found
    ])  # fmt: skip


def _operations(job: PrintJob, reading: Reading) -> Iterator[Part]:
    yield heading(reading.words("operations"), 1)
    for own in job.document["operations"]:
        yield from operation(own, job.language, reading)


def _people(job: PrintJob, reading: Reading) -> Iterator[Part]:
    """Who is who: everybody that the record names by user id."""
    if job.people:
        yield heading(reading.words("people"), 1)
        yield facts([(user_id, cell(name)) for user_id, name in sorted(job.people.items())])


def _integrity(job: PrintJob, reading: Reading) -> Iterator[Part]:
    """The hash of what is printed, and whether quality approved exactly that."""
    words, document = reading.words, job.document
    approved = [own["contentHash"] for own in document["review"]["steps"] if own["event"] == "approve"]
    yield heading(words("integrity"), 1)
    rows = [row(cell(words("contentHash")), [line(document["contentHash"], "mono")])]
    if job.is_draft or not approved:
        said = line(words("integrity.open"), "warn")
    else:
        rows.append(row(cell(words("approvedHash")), [line(approved[-1], "mono")]))
        same = approved[-1] == document["contentHash"]
        said = line(words("integrity.same"), "good") if same else line(words("integrity.other"), "bad")
    rows.append(row(cell(words("revision")), cell(document["revision"])))
    yield table([("", 1.0), ("", 3.0)], rows)
    yield {"kind": "paragraph", "lines": [said]}


__all__ = ["MARK", "sheet"]
