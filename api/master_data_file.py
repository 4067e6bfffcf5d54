"""Master data as a sheet: one row for each material, place, workstation or characteristic of an inspection plan.

Taken: CSV as `api.plan_file` takes it (UTF-8, comma or semicolon, a heading in any order). Several capabilities of a
workstation stand in one cell, with blanks or semicolons between them. The rows of one material together are its
inspection plan, in the order in which they stand; a material that has rows has no other characteristics afterwards.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError

from api.master_data_document import (
    DisplayNameEntry,
    InspectionPlanEntry,
    MasterDataDocument,
    MaterialEntry,
    PlaceEntry,
    PlannedCharacteristicEntry,
    WorkstationEntry,
)
from api.plan_file import records_of
from api.planning import Fault
from api.shapes import Body, Identifier, storable
from domain.errors import Blocker

Kind = Literal["materials", "places", "workstations", "inspectionPlans", "displayNames"]
MOST_ROWS: Final = 5000


class CharacteristicRow(PlannedCharacteristicEntry):
    """A characteristic with the material that it is measured on."""

    material: Identifier


ROWS: Final[dict[Kind, type[Body]]] = {
    "materials": MaterialEntry, "places": PlaceEntry, "workstations": WorkstationEntry,
    "inspectionPlans": CharacteristicRow, "displayNames": DisplayNameEntry,
}  # fmt: skip
_LEFT_OUT: Final = frozenset({"approvedSuppliers", "connection"})
"""What is no cell: it is imported as JSON."""
_LISTS: Final = frozenset({"capabilities"})


@dataclass(frozen=True)
class Sheet:
    """What a file says: the document, or what is wrong with which cell; `lines`: key of an object → its line."""

    document: MasterDataDocument
    faults: tuple[Fault, ...]
    lines: dict[str, int]
    given: frozenset[str] = frozenset()
    """The columns that the file has: what it does not have stays as it is."""


def columns(kind: Kind) -> tuple[str, ...]:
    """The columns of a sheet; what is needed stands first."""
    fields = ROWS[kind].model_fields.values()
    named = [(not field.is_required(), str(field.alias)) for field in fields if field.alias not in _LEFT_OUT]
    return tuple(name for _, name in sorted(named, key=lambda own: own[0]))


def template(kind: Kind, separator: str = ",") -> str:
    """The heading of a file; a byte order mark tells spreadsheets that it is UTF-8."""
    return "\ufeff" + separator.join(columns(kind)) + "\r\n"


def read(kind: Kind, content: bytes) -> Sheet:
    """Read a file; everything that is wrong is told with line and column, at once."""
    try:
        rows = list(records_of(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _wrong(Fault(line, "", "NOT_UTF8", f"byte {content[error.start]:#04x}", "save the file as UTF-8"))
    except csv.Error as error:
        return _wrong(Fault(1, "", "NOT_CSV", str(error), "quotes that are closed, as in RFC 4180"))
    if len(rows) < 2:
        return _wrong(Fault(1, "", "NO_LINES", "no row", "a heading and at least one row"))
    if len(rows) - 1 > MOST_ROWS:
        return _wrong(Fault(1, "", "TOO_MANY_LINES", f"{len(rows) - 1} rows", f"at most {MOST_ROWS}: divide the file"))
    (line, heading), *others = rows
    known = {name.lower(): name for name in columns(kind)}
    names = [known.get(re.sub(r"[\s_]", "", cell).lower(), cell) for cell in heading]
    if wrong := _heading(kind, line, names):
        return _wrong(*wrong)
    return _sheet(kind, names, others)


def _wrong(*faults: Fault) -> Sheet:
    return Sheet(MasterDataDocument(), faults, {})


def _heading(kind: Kind, line: int, names: Sequence[str]) -> list[Fault]:
    known = columns(kind)
    needed = [str(field.alias) for field in ROWS[kind].model_fields.values() if field.is_required()]
    found = [Fault(line, name, "MISSING_COLUMN", "", f"a column {name}") for name in needed if name not in names]
    found += [
        Fault(line, name[:80] if storable(name) else "", "UNKNOWN_COLUMN", "", f"one of {', '.join(known)}")
        for name in names if name not in known
    ]  # fmt: skip
    found += [
        Fault(line, name, "COLUMN_TWICE", f"{names.count(name)} columns", "each column once")
        for name in dict.fromkeys(names) if names.count(name) > 1
    ]  # fmt: skip
    return found


def _sheet(kind: Kind, names: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> Sheet:
    faults: list[Fault] = []
    entries: list[Any] = []
    lines: dict[str, int] = {}
    for line, cells in rows:
        if len(cells) != len(names):
            required = f"{len(names)}, as the heading has"
            faults.append(Fault(line, "", "WRONG_NUMBER_OF_CELLS", f"{len(cells)} cells", required))
            continue
        values: dict[str, Any] = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
        values |= {name: re.split(r"[;\s]+", values[name]) for name in _LISTS if name in values}
        try:
            entry: Any = ROWS[kind].model_validate(values)
        except ValidationError as error:
            faults += [_fault(line, dict(detail), values) for detail in error.errors(include_url=False)]
            continue
        entries.append(entry)
        lines.setdefault(_key(kind, entry), line)
    return Sheet(_document(kind, entries), tuple(faults), lines, frozenset(names))


def _fault(line: int, detail: dict[str, Any], values: dict[str, Any]) -> Fault:
    column = str(detail["loc"][0]) if detail["loc"] else ""
    if detail["type"] == "missing":
        return Fault(line, column, "VALUE_MISSING", "", "a value is needed")
    found = str(values.get(column, ""))[:80]
    return Fault(line, column, "INVALID_VALUE", found, str(detail["msg"]).removeprefix("Value error, ")[:200])


def _document(kind: Kind, entries: Sequence[Any]) -> MasterDataDocument:
    if kind != "inspectionPlans":
        return MasterDataDocument(**{kind: tuple(entries)})
    plans: dict[str, list[PlannedCharacteristicEntry]] = defaultdict(list)
    for row in entries:
        plans[row.material].append(PlannedCharacteristicEntry(**row.model_dump(exclude={"material"})))
    made = [InspectionPlanEntry(material=code, characteristics=tuple(own)) for code, own in plans.items()]
    return MasterDataDocument(inspection_plans=tuple(made))


def completed(sheet: Sheet, known: Callable[[str, Sequence[str]], dict[str, dict[str, Any]]]) -> MasterDataDocument:
    """The document with everything that the file has no column for as it is known: (kind, codes) → code → fields."""
    update: dict[str, Any] = {}
    for kind in ("materials", "workstations"):
        entries = getattr(sheet.document, kind)
        before = known(kind, [entry.code for entry in entries]) if entries else {}
        update[kind] = tuple(
            entry.model_copy(
                update={
                    name: value
                    for name, value in before.get(entry.code, {}).items()
                    if str(type(entry).model_fields[name].alias) not in sheet.given
                }
            )
            for entry in entries
        )
    return sheet.document.model_copy(update=update)


def _key(kind: Kind, entry: Any) -> str:
    match kind:
        case "inspectionPlans":
            return str(entry.material)
        case "displayNames":
            return str(entry.key)
        case _:
            return str(entry.code)


def of_blocker(sheet: Sheet, blocker: Blocker) -> Fault:
    """What the record says against the document, at the line of the object that it is about."""
    return Fault(sheet.lines.get(blocker.id, 1), "", blocker.code, blocker.found, blocker.required)


def blocker(fault: Fault) -> Blocker:
    """A fault as every refusal shows it."""
    where = f"line {fault.line}, {fault.column}" if fault.column else f"line {fault.line}"
    return Blocker(
        code=fault.code, entity="master data", id=where, found=fault.found, required=fault.required,
        who_can_fix="processEngineer",
    )  # fmt: skip
