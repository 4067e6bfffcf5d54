"""What quality has to say about a batch, on paper: tests, deviations, exceptions, review, release, signatures."""

from collections.abc import Iterator

from adapters.printing.port import Document
from adapters.printing.sheet import (
    Part,
    Reading,
    between,
    cell,
    facts,
    heading,
    line,
    lines,
    local,
    paragraph,
    precisely,
    row,
    table,
    when,
)


def in_process(document: Document, reading: Reading) -> Iterator[Part]:
    """Inspections while the order ran, and rework."""
    words = reading.words
    if found := document["inProcessInspections"]:
        yield heading(words("inProcess"), 1)
        columns = (("inspection.number", 2.0), ("operation", 1.2), ("report", 2.0), ("pieces.short", 1.1),
                   ("failed", 1.0), ("defect", 1.6), ("state", 1.1), ("decidedBy", 1.6))  # fmt: skip
        yield table([(words(key), width) for key, width in columns], [
            row(cell(own["number"]), cell(own["operation"]), cell(own["reportNumber"]), cell(own["quantity"]),
                cell(own["failed"]), cell(own["defect"]), cell(words.of("inProcess", own["state"])),
                cell(reading.who(own["decidedBy"])))
            for own in found
        ])  # fmt: skip
    if found := document["reworks"]:
        yield heading(words("reworks"), 1)
        columns = (("number", 2.0), ("operation", 1.2), ("pieces.short", 1.1), ("state", 1.1), ("outcome", 1.3),
                   ("proposedBy", 1.6), ("allowedBy", 1.6), ("doneBy", 1.6))  # fmt: skip
        yield table([(words(key), width) for key, width in columns], [
            row(cell(own["number"]), cell(own["operation"]), cell(own["quantity"]),
                cell(words.of("rework", own["state"])), cell(f"{own['good']} / {own['scrap']}"),
                cell(reading.who(own["proposedBy"])), cell(reading.who(own["approvedBy"])),
                cell(reading.who(own["doneBy"])))
            for own in found
        ])  # fmt: skip
    yield from _reworked_lots(document, reading)
    yield from _recovered(document, reading)


def _recovered(document: Document, reading: Reading) -> Iterator[Part]:
    """Material of earlier batches: how much of which lot, who wanted, permitted and introduced it, and why it may."""
    words, found = reading.words, document.get("recoveries", ())
    if not found:
        return
    yield heading(words("recoveries"), 1)
    columns = (("number", 1.8), ("lot", 2.2), ("operation", 1.2), ("state", 1.2), ("requestedBy", 2.0),
               ("allowedBy", 2.4), ("introducedBy", 1.4))  # fmt: skip
    yield table([(words(key), width) for key, width in columns], [
        row(cell(own["number"]), cell(own["lot"], line(f"{own['quantity']} {own['unit']}", "small")),
            cell(own["operation"]), cell(words.of("recovery", own["state"])),
            [*cell(reading.who(own["requestedBy"])), *lines(own["reason"])],
            [*cell(reading.who(own["decidedBy"])), *lines(own["procedure"]), *lines(own["assessment"])],
            cell(reading.who(own["introducedBy"])))
        for own in found
    ])  # fmt: skip


def _reworked_lots(document: Document, reading: Reading) -> Iterator[Part]:
    """Lots of reworked pieces: from which lot, by which procedure, and what the tests that quality set have shown."""
    words = reading.words
    found = [own for own in document["reworks"] if own.get("ownLot")]
    if not found:
        return
    results = {own["rework"]: own for own in document["inProcessInspections"] if own.get("testResults")}
    columns = (("lot", 2.0), ("parentLot", 2.0), ("reworkMethod", 1.4), ("procedure", 1.8), ("tests", 4.4))
    yield table([(words(key), width) for key, width in columns], [
        row(cell(own["ownLot"]), cell(own.get("parentLot") or document["batch"]),
            cell(words.of("reworkMethod", own["method"])), cell(own["procedure"]),
            _tests(own, results.get(own["number"]), reading))
        for own in found
    ])  # fmt: skip


def _tests(own: Document, inspected: Document | None, reading: Reading) -> list[Part]:
    entered = {} if inspected is None else {value["name"]: value for value in inspected["testResults"]}
    parts: list[Part] = []
    for test in own["tests"]:
        limits = f"{between(test['low'], test['high'])} {test['unit']}".strip()
        parts.append(line(f"{test['name']} ({limits})", "small"))
        if (value := entered.get(test["name"])) is not None:
            parts += _result(value, reading)
    return parts


def inspection(document: Document, reading: Reading) -> Iterator[Part]:
    """The inspection that the batch was released by."""
    words, found = reading.words, document["inspection"]
    yield heading(words("inspection"), 1, words.of("inspection", found and found["state"]) if found else "")
    if found is None:
        yield paragraph(words("none"))
        return
    yield facts([
        (words("inspection.number"), cell(found["number"])),
        (words("state"), cell(words.of("inspection", found["state"]))),
        (words("enteredBy"), cell(reading.who(found["enteredBy"]))),
        (words("decidedBy"), cell(reading.who(found["decidedBy"]))),
    ])  # fmt: skip
    columns = (("characteristic", 2.4), ("result", 1.6), ("limits", 1.6), ("entered", 2.2))
    yield table([(words(key), width) for key, width in columns], [
        row(cell(own["name"]), _result(own, reading), cell(f"{between(own['low'], own['high'])} {own['unit']}".strip()),
            reading.by(own["enteredBy"], own["enteredAt"]))
        for own in found["results"]
    ])  # fmt: skip


def _result(own: Document, reading: Reading) -> list[Part]:
    text = f"{own['text']} {own['unit']}".strip()
    shown = [line(text, "strong")] if own["withinLimits"] else [
        line(text, "bad"), line(reading.words("outOfLimits"), "bad")
    ]  # fmt: skip
    return shown + _measured_with(own.get("measuredWith"), reading)


def _measured_with(own: Document | None, reading: Reading) -> list[Part]:
    """Instrument with its certificate, method, lots of reagents: one line each, where they were said."""
    if own is None:
        return []
    words, parts = reading.words, []
    if (instrument := own["instrument"]) is not None:
        certificate = f", {instrument['certificate']}" if instrument["certificate"] else ""
        parts.append(f"{words('instrument')} {instrument['code']}{certificate}")
    if own["method"]:
        parts.append(f"{words('method')} {own['method']} {own['methodVersion']}".strip())
    if own["reagents"]:
        parts.append(f"{words('reagents')} {', '.join(reagent['lot'] for reagent in own['reagents'])}")
    return [line(text, "small") for text in parts]


def deviations(document: Document, reading: Reading) -> Iterator[Part]:
    """Everything that was not as it should be, with what was decided."""
    words, found = reading.words, document["deviations"]
    yield heading(words("deviations"), 1, str(len(found)))
    if not found:
        yield paragraph(words("none"))
        return
    columns = (("number", 1.5), ("operation", 1.1), ("description", 3.2), ("opened", 1.9), ("decision", 3.0))
    yield table([(words(key), width) for key, width in columns], [
        row(cell(own["number"]), cell(own["operation"]), [line(own["code"], "small"), *lines(own["detail"])],
            reading.by(own["openedBy"], own["openedAt"]), _decision(own, reading))
        for own in found
    ])  # fmt: skip


def cases(document: Document, reading: Reading) -> Iterator[Part]:
    """How each deviation came to its decision: every step with its person. Older records in the archive have none."""
    words = reading.words
    columns = (("number", 1.6), ("step", 2.0), ("who", 2.0), ("when", 1.7), ("description", 3.7))
    rows = [
        row(cell(own["number"]), cell(words.of("case", step["step"])), cell(reading.who(step["by"])),
            cell(when(step["at"])), [part for text in (*step["said"], step["reason"]) if text for part in lines(text)])
        for own in document.get("cases", ())
        for step in own["steps"]
    ]  # fmt: skip
    if rows:
        yield heading(words("cases"), 1)
        yield table([(words(key), width) for key, width in columns], rows)


def _decision(own: Document, reading: Reading) -> list[Part]:
    if own["decision"] is None:
        return [line(reading.words("undecided"), "bad")]
    return [*lines(own["decision"]), *reading.by(own["decidedBy"], own["decidedAt"])]


def exceptions(document: Document, reading: Reading) -> Iterator[Part]:
    """The list that the review looks at (EB-07): nothing else of the batch was out of the ordinary."""
    words, found = reading.words, document["exceptions"]
    yield heading(words("exceptions"), 1, str(len(found)))
    if not found:
        yield paragraph(words("none"))
        return
    columns = (("what", 1.8), ("operation", 1.1), ("description", 3.4), ("recorded", 1.9), ("explanation", 2.8))
    yield table([(words(key), width) for key, width in columns], [
        row(cell(words.of("exception", own["type"])), cell(own["operation"]), lines(own["detail"]),
            reading.by(own["actor"], own["at"]), _explanation(own, reading))
        for own in found
    ])  # fmt: skip


def _explanation(own: Document, reading: Reading) -> list[Part]:
    found = [line(own["deviation"], "small")] if own["deviation"] else []
    if own["isOpen"]:
        return [*found, line(reading.words("open"), "bad")]
    return [*found, *lines(own["decision"]), line(reading.who(own["decidedBy"]), "small")]


def review(document: Document, reading: Reading) -> Iterator[Part]:
    """The way through review, then the certificate and the release."""
    words = reading.words
    yield heading(words("review"), 1, words.of("record", document["review"]["state"] or "none"))
    columns = (("step", 2.0), ("state", 1.8), ("who", 2.0), ("when", 1.7), ("reason", 3.0))
    if steps := document["review"]["steps"]:
        yield table([(words(key), width) for key, width in columns], [
            row(cell(words.of("step", own["event"])), cell(words.of("record", own["state"])),
                cell(reading.who(own["by"])), cell(when(own["at"])), _reason(own, reading))
            for own in steps
        ])  # fmt: skip
    else:
        yield paragraph(words("none"))
    found = document["release"]
    yield heading(words("release"), 1, words.of("lot", found["status"]))
    yield facts([
        (words("certified"), _done(found["certifiedBy"], found["certifiedAt"], reading)),
        (words("released"), _done(found["releasedBy"], found["releasedAt"], reading)),
    ])  # fmt: skip


def _reason(own: Document, reading: Reading) -> list[Part]:
    found = lines(own["reason"])
    if own["fields"]:
        found.append(line(reading.words("fields", fields=", ".join(own["fields"])), "small"))
    return found


def _done(by: str | None, at: str | None, reading: Reading) -> list[Part]:
    return reading.by(by, at) if by else cell(reading.words("notYet"))


def signatures(document: Document, reading: Reading) -> Iterator[Part]:
    """Every signature with full name, user id, time and meaning (ES-01, ES-07)."""
    words, found = reading.words, document["signatures"]
    yield heading(words("signatures"), 1, str(len(found)))
    if not found:
        yield paragraph(words("none"))
        return
    columns = (("fullName", 1.8), ("userId", 2.0), ("meaning", 1.4), ("signedAt", 2.9), ("signed", 2.8))
    yield table([(words(key), width) for key, width in columns], [
        row([line(own["fullName"], "strong")], cell(own["signer"]),
            [line(words.of("meaning", own["meaning"]), "strong")], _signed_at(own),
            cell(own["entity"], line(f"SHA-256 {own['contentHash'][:16]}…", "small")))
        for own in found
    ])  # fmt: skip


def _signed_at(own: Document) -> list[Part]:
    """UTC with milliseconds; below it the time on the clock of the place, where the signature says which that was."""
    found = cell(precisely(own["signedAt"]))
    if offset := own.get("localOffset"):
        found.append(line(local(own["signedAt"], offset), "small"))
    return found
