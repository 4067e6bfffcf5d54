"""Each audit row tells every field that its transaction writes on its record (AT-01).

What a row is about is named by the act ("released"), but the act's words do not say every column that changes with it.
So the columns that are written are added to the row about the same record, or to that of the record which it is a part
of. Identities and sums are left out: they follow from what is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from pydantic.alias_generators import to_camel
from sqlalchemy import Table

from db.audit import Entry, timestamp
from domain.quantities import plain

_OPERATION: Final = "operation/{work_order}/{operation}"
RECORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "batch_record": ("batch-record/{work_order}",),
    "deviation": ("deviation/{number}",),
    "exception_explanation": ("batch-record/{work_order}",),
    "in_process_inspection": ("in-process inspection/{number}", "operation/*"),
    "inspection": ("inspection/{number}",),
    "inspection_result": ("inspection/{inspection}",),
    "lot": ("lot/{number}",),
    "lot_link": ("lot/{output_lot}",),
    "material_return": ("material return/{number}",),
    "operation": ("operation/{work_order}/{code}", "production-order/*"),
    "operation_comment": (_OPERATION,),
    "operation_verification": (_OPERATION,),
    "parameter_check": (_OPERATION,),
    "parameter_value": (f"{_OPERATION}/{{number}}", _OPERATION),
    "pick_list": ("pick-list/{number}",),
    "print_check": (_OPERATION,),
    "production_order": ("production-order/{number}",),
    "production_report": (_OPERATION,),
    "put_away": ("put-away/{number}",),
    "quality_case": ("deviation/{number}", "capa/{number}", "maintenance/{number}"),
    "recovery": ("recovery/{number}",),
    "rework": ("rework/{number}",),
    "stock_move": ("lot/{lot}", "operation/{work_order}/*", "rework/{work_order}-*", "*"),
    "work_order": ("work-order/{number}", "production-order/*"),
}
"""Table → the records that its rows are told with, the nearest first. A `*` at the end stands for anything."""
_MANY: Final = frozenset(
    {"inspection_result", "lot_link", "operation", "parameter_check", "parameter_value", "stock_move", "work_order"}
)
"""Several rows may be told with one record: they are a list under the table's name."""
_OWN: Final = frozenset({"operation", "work_order"})
"""Those of them that are records themselves; in another record's row they are parts of it."""
LEFT_OUT: Final = frozenset({"id", "uuid", "key", "revision", "body", "tasks", "waiting", "changed_at"})


def told(entries: Sequence[Entry], written: Sequence[tuple[Table, Mapping[str, Any]]]) -> list[Entry]:
    """The entries with all that was written. A row of a table that is not listed is told by its own entry."""
    found = list(entries)
    for table, row in written:
        at = _place(found, RECORDS.get(table.name, ()), row)
        if at is None:
            continue
        entry = found[at]
        new = dict(entry.new or {})
        said = _fields(row, entry)
        name = _camel(table.name)
        if table.name in _MANY and not (table.name in _OWN and _is_about(entry, RECORDS[table.name][0], row)):
            new[name] = [*new.get(name, ()), said]
        else:
            # What the act calls by the same name and means otherwise stays, and the column stands beside it.
            other = {field: value for field, value in said.items() if field in new and new[field] != value}
            new |= {field: value for field, value in said.items() if field not in new}
            new |= {name: other} if other else {}
        found[at] = replace(entry, new=new)
    return found


def _place(entries: Sequence[Entry], patterns: Sequence[str], row: Mapping[str, Any]) -> int | None:
    """The last entry about the nearest record."""
    for pattern in patterns:
        try:
            name = pattern.format(**row)
        except KeyError:
            continue
        begins = name.removesuffix("*") if pattern.endswith("*") else None
        for at in reversed(range(len(entries))):
            if entries[at].entity == name or (begins is not None and entries[at].entity.startswith(begins)):
                return at
    return None


def _is_about(entry: Entry, pattern: str, row: Mapping[str, Any]) -> bool:
    try:
        return entry.entity == pattern.format(**row)
    except KeyError:
        return False


def _fields(row: Mapping[str, Any], entry: Entry) -> dict[str, Any]:
    """The columns of a row. Who, when and which record are those of the entry; what is empty is not told."""
    known = (entry.at, entry.actor, entry.command_id, *entry.entity.split("/"))
    return {
        _camel(name): _plain(value)
        for name, value in row.items()
        if name not in LEFT_OUT and value is not None and value not in known
    }


@lru_cache(maxsize=2048)
def _camel(name: str) -> str:
    """The name of a table or column as documents write it; kept, because it is made by searching and replacing."""
    return to_camel(name)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return timestamp(value)
        case Decimal():
            return plain(value)
        case UUID():
            return str(value)
        case str() | bool() | int() | float():
            return str(value) if isinstance(value, str) else value
        case _:
            return value
