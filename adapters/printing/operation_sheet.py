"""The operations of a batch on paper: what was to be done, what was recorded, who did it, what came out."""

from collections.abc import Iterator

from adapters.printing.port import Document, Language
from adapters.printing.sheet import (
    DASH,
    Part,
    Reading,
    between,
    cell,
    duration,
    facts,
    heading,
    line,
    lines,
    numbered,
    picture,
    remarks,
    row,
    table,
    when,
)

MARK = "▲"
"""Stands beside every value that was changed after its first entry (AT-06), and nowhere else but in its legend."""


def operation(own: Document, language: Language, reading: Reading) -> Iterator[Part]:
    """All parts of one operation."""
    words = reading.words
    yield heading(f"{own['sequence']}  {own['name']} ({own['code']})", 2, words.of("operation", own["state"]))
    yield facts(list(_facts(own, reading)))
    if own["instructions"]:
        yield numbered(
            words("instructions"),
            [
                (str(entry["number"]), _in(entry["text"], language, reading), _pictures(entry, language, reading))
                for entry in own["instructions"]
            ],
        )
    if rows := [*_values(own, reading), *_missing(own, reading)]:
        columns = (("number", 0.75), ("parameter", 1.8), ("value", 1.5), ("limits", 1.7), ("recorded", 2.1),
                   ("checked", 2.1))  # fmt: skip
        yield table([(words(key), width) for key, width in columns], rows, words("values"))
    if own["reports"]:
        yield _reports(own["reports"], reading)
    if own["verifications"]:
        yield remarks(words("verifications"), [cell(_verification(entry, reading)) for entry in own["verifications"]])
    if own["comments"]:
        yield remarks(words("comments"), [_comment(entry, reading) for entry in own["comments"]])


def _facts(own: Document, reading: Reading) -> Iterator[tuple[str, list[Part]]]:
    words = reading.words
    yield words("workstation"), cell(own["workstation"])
    if own["equipmentClass"] or own["room"]:
        yield (
            f"{words('equipmentClass')} / {words('room')}",
            cell(f"{own['equipmentClass'] or DASH} / {own['room'] or DASH}"),
        )
    yield words("startedBy"), reading.by(own["startedBy"], own["startedAt"])
    yield words("completedBy"), [line(reading.everybody(own["completedBy"])), line(when(own["endedAt"]), "small")]
    yield words("netTime"), cell(duration(own["netSeconds"]))
    if own["job"]:
        yield words("job"), cell(own["job"], line(own["jobState"], "small"))
    if own["countsPieces"]:
        yield words("pieces"), cell(f"{own['good']} / {own['scrap']} / {own['reviewBoard']}")
    if own["yieldPercent"] is not None:
        limits = words("limits.value", limits=between(*own["yieldLimits"]))
        yield words("yield"), cell(f"{own['yieldPercent']} %", line(limits, "small"))
    if own["balancePercent"] is not None:
        yield words("balance"), cell(f"{own['balancePercent']} %")
    if own["verifiedBy"]:
        yield words("verified"), cell(reading.who(own["verifiedBy"]))
    elif own["isVerified"]:
        yield words("verified"), [line(words("verification.missing"), "bad")]


def _in(text: dict[str, str], language: Language, reading: Reading) -> str:
    """An instruction in the language of the print; in the other one, and said so, when nobody wrote it in this one."""
    if language in text:
        return text[language]
    return " ".join([*text.values(), reading.words("instruction.other")])


def _pictures(entry: Document, language: Language, reading: Reading) -> list[Part]:
    return [picture(own["sha256"], _in(own["text"], language, reading)) for own in entry.get("pictures", ())]


# Values ------------------------------------------------------------------------------------------------------------


def _values(own: Document, reading: Reading) -> Iterator[Part]:
    asked = {value["name"]: value for value in own["parameters"]}
    for value in own["values"]:
        *earlier, last = value["versions"]
        later = bool(earlier)
        yield row(
            cell(*([line(MARK, "mark")] if later else ()), value["number"]),
            cell(value["name"]),
            _texts(value, reading),
            _limits(last, asked.get(value["name"], {}), reading),
            _recorded(last, reading),
            reading.by(last.get("checkedBy"), last.get("checkedAt")),
            marked=later,
            notes=_history(value, reading) if later else (),
        )


def _texts(value: Document, reading: Reading) -> list[Part]:
    """Every text that stood there, struck through but for the last one; then what is to be said of it."""
    *before, last = (f"{version['text']} {value['unit']}".strip() for version in value["versions"])
    judged = value["versions"][-1]
    style = "bad" if not judged["withinLimits"] else "warn" if judged["isWarning"] else "strong"
    found = [line(text, "struck") for text in before] + [line(last, style)]  # type: ignore[arg-type]
    if not judged["withinLimits"]:
        found.append(line(reading.words("outOfLimits"), "bad"))
    elif judged["isWarning"]:
        found.append(line(reading.words("inWarning"), "warn"))
    return found


def _limits(version: Document, asked: Document, reading: Reading) -> list[Part]:
    found = cell(between(version["low"], version["high"]))
    if asked.get("target") is not None:
        found.append(line(reading.words("target", value=asked["target"]), "small"))
    if asked.get("warningLow") is not None or asked.get("warningHigh") is not None:
        warning = between(asked.get("warningLow"), asked.get("warningHigh"))
        found.append(line(reading.words("warning", limits=warning), "small"))
    return found


def _recorded(version: Document, reading: Reading) -> list[Part]:
    found = reading.by(version["recordedBy"], version["recordedAt"])
    if not version["isTyped"]:
        found.append(line(reading.words("machine"), "small"))
    if version["isLate"]:
        found.append(line(reading.words("late", at=when(version["measuredAt"])), "warn"))
    elif version["measuredAt"] and when(version["measuredAt"]) != when(version["recordedAt"]):
        found.append(line(reading.words("measured", at=when(version["measuredAt"])), "small"))
    return found


def _history(value: Document, reading: Reading) -> list[str]:
    """Every version with who, when and why, the first entry first."""
    words, (first, *later) = reading.words, value["versions"]
    found = [
        words("firstEntry", number=value["number"], text=first["text"], **_by(first, reading)) + _check(first, reading)
    ]
    for old, new in zip([first, *later], later, strict=False):
        said = words(
            "corrected", n=new["version"] - 1, number=value["number"], old=old["text"], new=new["text"],
            reason=new["reason"] or DASH, **_by(new, reading),
        )  # fmt: skip
        found.append(said + (_check(new, reading) if new is not later[-1] else ""))
    return found


def _by(version: Document, reading: Reading) -> dict[str, str]:
    return {"who": reading.who(version["recordedBy"]), "at": when(version["recordedAt"])}


def _check(version: Document, reading: Reading) -> str:
    """The second check of a version that does not count any more; the last one has a column of its own."""
    if not version.get("checkedBy"):
        return ""
    said = reading.words("checkedToo", who=reading.who(version["checkedBy"]), at=when(version["checkedAt"]))
    return f"; {said}"


def _missing(own: Document, reading: Reading) -> Iterator[Part]:
    """What had to be recorded and was not: it must not look as if nobody had asked for it."""
    there = {value["name"] for value in own["values"]}
    for asked in own["parameters"]:
        if asked["required"] and asked["name"] not in there:
            missing = [line(reading.words("notRecorded"), "bad")]
            limits = cell(between(asked["low"], asked["high"]))
            yield row(cell(DASH), cell(asked["name"]), missing, limits, cell(DASH), cell(DASH))


# Reports, verifications, remarks -------------------------------------------------------------------------------------


def _reports(reports: list[Document], reading: Reading) -> Part:
    words = reading.words
    taken_back = {own["reverses"]: own["number"] for own in reports if own["reverses"]}
    columns = (("number", 2.0), ("good.short", 1.1), ("scrap", 1.4), ("reviewBoard", 1.1), ("source", 1.3),
               ("labour", 1.0), ("reported", 2.1))  # fmt: skip
    rows = [_report(own, taken_back.get(own["number"]), reading) for own in reports]
    return table([(words(key), width) for key, width in columns], rows, words("reports"))


def _report(own: Document, taken_back: str | None, reading: Reading) -> Part:
    words = reading.words
    style = "struck" if taken_back else "plain"
    number = cell(own["number"])
    if taken_back:
        number.append(line(words("takenBack", number=taken_back), "small"))
    if own["reverses"]:
        number.append(line(words("takesBack", number=own["reverses"]), "small"))
    if own["isRework"]:
        number.append(line(words("rework"), "small"))
    scrap = cell(line(own["scrap"], style))  # type: ignore[arg-type]
    if own["scrapReason"]:
        scrap.append(line(own["scrapReason"], "small"))
    return row(
        number,
        cell(line(f"{own['good']} {own['unit']}", style)),  # type: ignore[arg-type]
        scrap,
        cell(line(own["reviewBoard"], style)),  # type: ignore[arg-type]
        cell(words.of("source", own["source"]), line(own["workstation"], "small")),
        cell(duration(own["labourSeconds"])),
        reading.by(own["worker"] or own["operator"], own["reportedAt"]),
    )


def _verification(own: Document, reading: Reading) -> str:
    return reading.words(
        "verification", who=reading.who(own["verifiedBy"]), at=when(own["verifiedAt"]),
        doers=reading.everybody(own["doneBy"]),
    )  # fmt: skip


def _comment(own: Document, reading: Reading) -> list[Part]:
    said = line(f"{reading.who(own['writtenBy'])}, {when(own['writtenAt'])}", "small")
    return [*lines(own["text"]), said]
