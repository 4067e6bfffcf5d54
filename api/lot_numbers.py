"""Lot numbers: given once for ever, by a plant's pattern or by one that the caller writes; and parsed back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from api.deps import Caller
from api.errors import Problem, refused
from api.neighbours import once
from api.security import now
from db import audit
from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from db.queries import numbers, plan_lines
from domain.base import Message
from domain.errors import Blocker
from domain.numbering import NotOfPattern, NumberWrong, Parts, PartsRefused, Pattern, compile_pattern


class NumberParts(Message):
    """What a lot number says; a part that its pattern does not have is none."""

    date: date | None
    line: str | None
    process: str | None
    sequence: int


class FreeNumber(Message):
    """A lot number of a pattern that the caller wrote."""

    batch_no: str


class LotNumber(Message):
    """A lot number of a plant's pattern."""

    batch_no: str
    plant: str
    kind: str
    version: int
    pattern: str
    parts: NumberParts


def free(connection: Connection, who: Caller, pattern: str) -> str:
    """The next number of a pattern that the caller wrote: `{seq:6}`, `{yyyy}`, `{yy}`, `{mm}`, `{dd}`."""
    at = now()
    series = plan_lines.dated(pattern, at)
    return numbers.give(connection, series, lambda number: plan_lines.written(series, number), who.id, at)[0]


def of_text(who: Caller, pattern: str, command_id: str | None) -> str:
    """The next number of a pattern that the caller wrote, on record. The same command, the same number."""
    engine = who.services.engine

    def work(connection: Connection) -> Done[FreeNumber]:
        number = free(connection, who, pattern)
        new = {"batchNo": number, "pattern": pattern}
        entry = who.entry("lotNumber.given", f"lot-number/{number}", new=new, command_id=command_id)
        return Done(FreeNumber(batch_no=number), [entry])

    if command_id is None:
        with engine.begin() as connection:
            done = work(connection)
            audit.append(connection, done.entries)
        return done.answer.batch_no

    def ask(key: str) -> FreeNumber:
        request = Request("generateNumber", "number-pattern/free", key, who.id, now(), {"pattern": pattern})
        return answer_once(engine, "record", COMMAND_OUTCOMES, request, FreeNumber, work)

    return once(command_id, ask).batch_no


def of_plant(who: Caller, plant: str, kind: str, parts: Parts, command_id: str | None) -> LotNumber:
    """The next lot number of a plant and kind; `parts` without the running number. The same command, the same number.

    Raises 409 NO_PATTERN or SERIES_EXHAUSTED, and 422 PARTS_REFUSED with everything that the pattern misses.
    """
    engine = who.services.engine
    if command_id is None:
        with engine.begin() as connection:
            (number,), entries = by_pattern(connection, who, newest(connection, plant, kind), parts)
            audit.append(connection, entries)
        return number
    content = {"line": parts.line, "process": parts.process, "date": parts.day}

    def work(connection: Connection) -> Done[LotNumber]:
        row = newest(connection, plant, kind)
        (number,), entries = by_pattern(connection, who, row, parts, command_id=command_id)
        return Done(number, entries)

    def ask(key: str) -> LotNumber:
        request = Request("generateNumber", f"number-pattern/{plant}/{kind}", key, who.id, now(), content)
        return answer_once(engine, "record", COMMAND_OUTCOMES, request, LotNumber, work)

    return once(command_id, ask)


def newest(connection: Connection, plant: str, kind: str) -> Row[Any]:
    """The pattern that counts for new numbers of a plant and kind. Raises 409 NO_PATTERN."""
    row = numbers.newest_pattern(connection, plant, kind)
    if row is None:
        raise refused("NO_PATTERN", "number pattern", f"{plant}/{kind}", "none", "a pattern", "processEngineer")
    return row


def by_pattern(
    connection: Connection, who: Caller, row: Row[Any], parts: Parts, *, count: int = 1, command_id: str | None = None
) -> tuple[list[LotNumber], list[audit.Entry]]:
    """The next numbers of a pattern, a row of number_pattern, and what the audit trail has to say about them."""
    pattern = compile_pattern(row.pattern)
    wanted = _of_pattern(pattern, parts)
    if faults := pattern.faults(wanted):
        raise _parts_refused(row, faults)
    try:
        made = numbers.give(
            connection, pattern.series(wanted), lambda sequence: pattern.make(replace(wanted, sequence=sequence)),
            who.id, now(), count=count, largest=pattern.largest,
            of={"plant": row.plant, "kind": row.kind, "version": row.version},
        )  # fmt: skip
    except numbers.SeriesExhausted:
        found = f"{pattern.largest} numbers of {pattern.series(wanted)} were given"
        required = "a pattern with a wider {seq}"
        raise refused("SERIES_EXHAUSTED", "number pattern", _key(row), found, required, "processEngineer") from None
    shown = [_shown(number, row, pattern.parse(number)) for number in made]
    entries = [
        who.entry("lotNumber.given", f"lot-number/{own.batch_no}", new=own.model_dump(mode="json", by_alias=True),
                  command_id=command_id)
        for own in shown
    ]  # fmt: skip
    return shown, entries


def _of_pattern(pattern: Pattern, parts: Parts) -> Parts:
    """The parts that this pattern writes; what a caller says beyond it is left out."""
    names = pattern.parts
    return Parts(
        1,
        pattern.period(parts.day or now().date()),
        parts.line if "line" in names else None,
        parts.process if "process" in names else None,
    )


def parse(connection: Connection, number: str, plant: str | None) -> Mapping[str, Any]:
    """What a number says, by the pattern that gave it; a number of unknown origin by the patterns of the plant or all.

    Raises 404 NO_PATTERN_MATCHES, and 422 NUMBER_WRONG (a date or check character) or NUMBER_AMBIGUOUS.
    """
    given = numbers.given(connection, number)
    rows = numbers.patterns(connection, None if plant is None else {plant})
    if given is not None and given.plant is not None and plant in (None, given.plant):
        rows = [row for row in rows if (row.plant, row.kind, row.version) == (given.plant, given.kind, given.version)]
    readings, wrong = _readings(rows, number)
    if not readings and wrong:
        detail = "; ".join(f"{_key(row)}: {reason}" for row, reason in wrong)
        raise Problem(422, "NUMBER_WRONG", detail, blockers=[_wrong(number, row, reason) for row, reason in wrong])
    if not readings:
        detail = f"{number} is of the form of none of {len(rows)} patterns"
        raise Problem(404, "NO_PATTERN_MATCHES", detail)
    if len({row.plant for row, _ in readings}) > 1:
        plants = ", ".join(sorted({row.plant for row, _ in readings}))
        raise Problem(422, "NUMBER_AMBIGUOUS", f"{number} could be of {plants}: name the plant")
    row, parts = readings[0]
    return _shown(number, row, parts).model_dump(mode="json", by_alias=True) | {
        "given": given is not None,
        "givenBy": None if given is None else given.given_by,
        "givenAt": None if given is None else given.given_at.isoformat(),
    }


def _readings(rows: Any, number: str) -> tuple[list[tuple[Row[Any], Parts]], list[tuple[Row[Any], str]]]:
    readings: list[tuple[Row[Any], Parts]] = []
    wrong: list[tuple[Row[Any], str]] = []
    for row in rows:
        try:
            readings.append((row, compile_pattern(row.pattern).parse(number)))
        except NotOfPattern:
            continue
        except NumberWrong as error:
            wrong.append((row, str(error)))
    return readings, wrong


def _shown(number: str, row: Row[Any], parts: Parts) -> LotNumber:
    said = NumberParts(date=parts.day, line=parts.line, process=parts.process, sequence=parts.sequence)
    return LotNumber(
        batch_no=number, plant=row.plant, kind=row.kind, version=row.version, pattern=row.pattern, parts=said
    )


def _key(row: Row[Any]) -> str:
    return f"{row.plant}/{row.kind}/{row.version}"


def _wrong(number: str, row: Row[Any], reason: str) -> Blocker:
    return Blocker(code="NUMBER_WRONG", entity="lot number", id=number, found=reason, required=row.pattern)


def _parts_refused(row: Row[Any], faults: list[tuple[str, str]]) -> Problem:
    blockers = [
        Blocker(
            code="PARTS_REFUSED", entity="number pattern", id=_key(row), found=f"{part}: {reason}",
            required=row.pattern, who_can_fix="planner",
        )
        for part, reason in faults
    ]  # fmt: skip
    return Problem(422, "PARTS_REFUSED", str(PartsRefused(faults)), blockers=blockers)
