"""Tables of reports: which columns there are, what a cell says, where it leads. For a page and for a file."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from wording.texts import Words
from wording.values import Clock, quantity

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One column. `kind`: text, day, time, number, percent, seconds, state, order; `group`: whose words its values are;
    `unit`: the column that has the unit; `href`: where a cell leads ("" nowhere)."""

    key: str
    label: str
    kind: str = "text"
    group: str = ""
    unit: str = ""
    href: Callable[[Row], str] | None = None

    @property
    def is_right(self) -> bool:
        """Numbers stand at the right."""
        return self.kind in ("number", "percent", "seconds")


@dataclass(frozen=True)
class Cell:
    """One cell as people read it."""

    text: str
    href: str = ""
    kind: str = "text"
    value: Any = None
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a report."""

    columns: tuple[Column, ...]
    rows: Sequence[Row] = field(default=())

    def cells(self, row: Row, t: Words, clock: Clock) -> list[Cell]:
        """The cells of one row."""
        return [
            Cell(
                said(column, row, t, clock), column.href(row) if column.href else "", column.kind, row.get(column.key),
                str(row[column.unit]) if column.unit and row.get(column.unit) else "",
            )
            for column in self.columns
        ]  # fmt: skip


def said(column: Column, row: Row, t: Words, clock: Clock) -> str:
    """A value in words; what there is not is a dash."""
    value = row.get(column.key)
    if value is None or value == "":
        return t.of(column.group, "none") if column.group and t.has(f"{column.group}.none") else "–"
    match column.kind:
        case "number":
            return quantity(rounded(value))
        case "percent":
            return percent(value)
        case "seconds":
            return lasting(value, t)
        case "time":
            return clock.short(value)
        case "day":
            return value.isoformat() if isinstance(value, date) else str(value)
        case _:
            return t.of(column.group, value) if column.group else str(value)


def percent(value: Any) -> str:
    """`98.4 %`, or a dash."""
    return "–" if value is None else f"{Decimal(value) * 100:.1f} %"


def lasting(seconds: Any, t: Words) -> str:
    """`3 d 4 h`, `2 h 05 min`, `40 s`: the two largest parts; a minus in front of what is early."""
    whole = round(Decimal(seconds))
    sign, whole = ("−" if whole < 0 else ""), abs(whole)
    day, hour, minute = t("unit.day"), t("unit.hour"), t("unit.minute")
    if whole >= 86400:
        return f"{sign}{whole // 86400} {day} {whole % 86400 // 3600} {hour}"
    if whole >= 3600:
        return f"{sign}{whole // 3600} {hour} {whole % 3600 // 60:02d} {minute}"
    if whole >= 60:
        return f"{sign}{whole // 60} {minute}"
    return f"{sign}{whole} {t('unit.second')}"


def rounded(value: Any) -> Any:
    """At most six decimals."""
    return value.quantize(Decimal("0.000001")) if isinstance(value, Decimal) and value.is_finite() else value


def as_csv(table: Table, t: Words) -> str:
    """The table as a file: exact values, a heading in the reader's language, a byte order mark for spreadsheets."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow([t(column.label) for column in table.columns])
    for row in table.rows:
        writer.writerow([_exact(column, row, t) for column in table.columns])
    return "\ufeff" + made.getvalue()


def _exact(column: Column, row: Row, t: Words) -> str:
    value = row.get(column.key)
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case str() if column.group:
            return safe(t.of(column.group, value or "none"))
        case str():
            return safe(value)
        case _:
            return str(value)


def safe(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
