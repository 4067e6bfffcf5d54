"""Plan lines as a CSV file, as planners keep them in a spreadsheet.

Taken: UTF-8, with or without a byte order mark; comma or semicolon between cells, whichever the heading uses; quotes
as in RFC 4180; a heading with the names of the fields in any order, where case, blanks and underscores do not count.
Quantities have a decimal point. A time has an offset (`2026-12-31T14:00:00Z`); a date alone is the end of that day in
UTC. `fixedLots` is JSON: `{"API": ["API-1"]}`. Empty cells and empty lines say nothing.
"""

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic.alias_generators import to_snake
from pydantic_core import ErrorDetails

from api.planning import MOST_LINES, Fault, Placed, PlanLineBody, Sketch
from api.shapes import storable

COLUMNS: Final = tuple(str(field.alias) for field in PlanLineBody.model_fields.values())
REQUIRED: Final = tuple(str(f.alias) for f in PlanLineBody.model_fields.values() if f.is_required())
_BY_NAME: Final = {column.lower(): column for column in COLUMNS}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_WHOLE_FILE: Final = "file"
Cells = dict[str, Any]


@dataclass(frozen=True)
class Parsed:
    """What was read: the lines whose cells make sense, and what is wrong with the others."""

    placed: tuple[Placed, ...]
    faults: tuple[Fault, ...]
    others: tuple[Sketch, ...] = ()
    """What can be read of the lines that are wrong."""


def template(separator: str = ",") -> str:
    """The heading of a file; a byte order mark tells spreadsheets that it is UTF-8."""
    return "\ufeff" + separator.join(COLUMNS) + "\r\n"


def written(lines: Sequence[PlanLineBody]) -> str:
    """The lines as a file that can be sent as it is."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in lines:
        cells = line.model_dump(mode="json", by_alias=True)
        if cells["fixedLots"] is not None:
            cells["fixedLots"] = json.dumps(cells["fixedLots"], ensure_ascii=False)
        writer.writerow(["" if cells[column] is None else cells[column] for column in COLUMNS])
    return out.getvalue()


def read(content: bytes) -> Parsed:
    """Read a file. Everything that is wrong is told with its line, at once."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte {content[error.start]:#04x} is not UTF-8"
        return _of_file(line, "NOT_UTF8", found, "save the file as UTF-8")
    faults: list[Fault] = []
    records: list[tuple[int, list[str]]] = []
    try:
        records += records_of(text)
    except csv.Error as error:
        return _of_file(text.count("\n") + 1, "NOT_CSV", str(error), "quotes that are closed, as in RFC 4180")
    if not records:
        return _of_file(1, "NO_LINES", "an empty file", "a heading and at least one plan line")
    (heading_line, heading), rows = records[0], records[1:]
    columns = [_BY_NAME.get(re.sub(r"[\s_]", "", name).lower(), name) for name in heading]
    if wrong := tuple(_heading(heading_line, columns)):
        return Parsed((), wrong)
    if not 0 < len(rows) <= MOST_LINES:
        return _counted(len(rows))
    cells: list[tuple[int, Cells]] = []
    for line, row in rows:
        if len(row) != len(columns):
            found, required = f"{len(row)} cells", f"{len(columns)}, as the heading has"
            faults.append(Fault(line, "", "WRONG_NUMBER_OF_CELLS", found, required))
        else:
            cells.append((line, {column: cell for column, cell in zip(columns, row, strict=True) if cell}))
    parsed = checked(cells, of_cells=True)
    return Parsed(parsed.placed, (*faults, *parsed.faults), parsed.others)


def checked(lines: Sequence[tuple[int, Any]], *, of_cells: bool = False) -> Parsed:
    """Lines of names and values, each with its number. Raw cells of a file are read as values first."""
    placed: list[Placed] = []
    faults: list[Fault] = []
    others: list[Sketch] = []
    for number, values in lines:
        body, wrong = _line(number, values, of_cells)
        if body is not None:
            placed.append(Placed(number, body))
            continue
        columns = {fault.column for fault in wrong}
        faults += {(fault.column, fault.code): fault for fault in reversed(wrong)}.values()  # a cell has many lots
        others.append(_sketch(number, values, columns))
    return Parsed(tuple(placed), tuple(faults), tuple(others))


def _line(number: int, values: Any, of_cells: bool) -> tuple[PlanLineBody | None, list[Fault]]:
    if wrong := [*_unstorable(number, values)]:
        return None, wrong
    content, wrong = _values(number, values) if of_cells else (values, [])
    try:
        body = PlanLineBody.model_validate(content)
    except ValidationError as error:
        return None, wrong + [_fault(number, detail, content) for detail in error.errors(include_url=False)]
    return (None, wrong) if wrong else (body, [])


def _sketch(number: int, values: Any, wrong: Collection[str]) -> Sketch:
    known = values if isinstance(values, Mapping) else {}
    asked = {"reference", "product", "unit", "policy", "orderNumber", "batchNumber"} - set(wrong)
    texts = {to_snake(column): known[column] for column in asked if isinstance(known.get(column), str)}
    return Sketch(number, **texts)


def listed(lines: object) -> Parsed:
    """Lines of a JSON list, counted from 1."""
    if not isinstance(lines, list):
        return _of_file(1, "NOT_A_LIST", "", "a list of plan lines")
    if not 0 < len(lines) <= MOST_LINES:
        return _counted(len(lines))
    return checked(list(enumerate(lines, 1)))


def _counted(count: int) -> Parsed:
    if count:
        return _of_file(1, "TOO_MANY_LINES", f"{count} lines", f"at most {MOST_LINES} in one request: divide it")
    return _of_file(1, "NO_LINES", "no plan line", "at least one plan line")


def _of_file(line: int, code: str, found: str, required: str) -> Parsed:
    return Parsed((), (Fault(line, _WHOLE_FILE, code, found, required),))


def records_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that say something, each with the line on which it begins."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield before + 1, cells
        before = reader.line_num


def _heading(line: int, columns: Sequence[str]) -> Iterator[Fault]:
    for column in REQUIRED:
        if column not in columns:
            yield Fault(line, column, "MISSING_COLUMN", "", f"a column {column}")
    for column in sorted({column for column in columns if columns.count(column) > 1}):
        yield Fault(line, column, "COLUMN_TWICE", f"{columns.count(column)} columns", "each column once")
    for column in columns:
        if column not in COLUMNS:
            shown = column if storable(column) else ""
            yield Fault(line, shown[:80], "UNKNOWN_COLUMN", "", f"one of {', '.join(COLUMNS)}")


def _unstorable(line: int, values: Any) -> Iterator[Fault]:
    if isinstance(values, Mapping):
        for column, value in values.items():
            if column in COLUMNS and not storable(value):
                found = "a character that cannot be stored"
                yield Fault(line, column, "INVALID_VALUE", found, "text without NUL and half characters")


def _values(line: int, cells: Cells) -> tuple[Cells, list[Fault]]:
    """Cells as values: a date alone is the whole day, from its start until its end; lots are JSON."""
    values, wrong = dict(cells), []
    for column, time in (("startAt", "00:00:00Z"), ("dueAt", "23:59:59Z")):
        if _DATE.fullmatch(cells.get(column, "")):
            values[column] = f"{cells[column]}T{time}"
    if "fixedLots" in cells:
        try:
            values["fixedLots"] = json.loads(cells["fixedLots"])
        except (ValueError, RecursionError):
            required = 'JSON: {"material": ["lot"]}'
            wrong.append(Fault(line, "fixedLots", "INVALID_VALUE", "not JSON", required))
            del values["fixedLots"]
    return values, wrong


def _fault(line: int, detail: ErrorDetails, values: Any) -> Fault:
    column = str(detail["loc"][0]) if detail["loc"] else ""
    value = values.get(column) if isinstance(values, Mapping) else None
    found = str(value)[:80] if isinstance(value, str | int | float) else ""
    message = detail["msg"].removeprefix("Value error, ")
    match column, detail["type"]:
        case _, "missing":
            return Fault(line, column, "VALUE_MISSING", "", "a value is needed")
        case "quantity", "greater_than":
            return Fault(line, column, "QUANTITY_NOT_POSITIVE", found, "more than 0")
        case "startAt" | "dueAt", _:
            required = "a date or a time with its offset: 2026-12-31, 2026-12-31T14:00:00Z"
            return Fault(line, column, "INVALID_DATE", found, required)
        case _:
            return Fault(line, column, "INVALID_VALUE", found, message[:200])
