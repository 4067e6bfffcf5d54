"""Which machine and which shift made the bad ones (D6): counted from the record, ranked, each with a test of chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final, Literal

from sqlalchemy import Connection, Subquery

from db.queries import suspects as tables
from domain.suspects import SHIFTS, Answer, Group, Suspect, ranked, shift_name
from reporting.figures import Asked

By = Literal["both", "machine", "shift"]
BYS: Final[tuple[By, ...]] = ("both", "machine", "shift")
OFS: Final[tuple[tables.Of, ...]] = ("pieces", "batches")
Document = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """Of which period and product; counted in pieces or batches; by machine and shift, or one of them; at which
    operation ("" the one with most bad ones): only who does the same work is compared."""

    asked: Asked
    of: tables.Of = "pieces"
    by: By = "both"
    operation: str = ""
    begins: tuple[time, ...] = SHIFTS


@dataclass(frozen=True)
class Found:
    """The answer at one operation; `operations` are those that there is anything of, with most bad ones first.

    `answer` is None where nothing was made, or what was made is weighed and not counted."""

    operations: tuple[Document, ...]
    operation: str
    unit: str
    answer: Answer | None
    batches: dict[tuple[str, ...], int]


def rows(question: Question) -> Subquery:
    """The rows that everything is counted from."""
    asked = question.asked
    return tables.made(
        question.of, *asked.bounds, asked.period.zone.key, question.begins, asked.scope.orders(), asked.scope.lines,
        asked.product,
    )  # fmt: skip


def find(connection: Connection, question: Question) -> Found:
    """Count and rank. One statement."""
    groups = tables.groups(connection, rows(question))
    operations = _operations(groups)
    chosen = next((own for own in operations if own["operation"] == question.operation), None)
    if chosen is None:
        chosen = operations[0] if operations else {"operation": "", "unit": "", "is_counted": False}
    own = [row for row in groups if (row["operation"], row["unit"]) == (chosen["operation"], chosen["unit"])]
    counted: dict[tuple[str, ...], list[int]] = {}
    for row in own if chosen["is_counted"] else ():
        sums = counted.setdefault(_key(row, question), [0, 0, 0])
        for at, name in enumerate(("bad", "good", "batches")):
            sums[at] += int(row[name])
    # A counter-report of another day can leave less than nothing; what is not there is not compared.
    usable = [Group(key, bad, good) for key, (bad, good, _) in counted.items() if bad >= 0 and good >= 0]
    answer = ranked(usable) if usable else None
    batches = {key: sums[2] for key, sums in counted.items()}
    return Found(tuple(operations), chosen["operation"], chosen["unit"], answer, batches)


def _operations(groups: Sequence[Document]) -> list[Document]:
    found: dict[tuple[str, str], Document] = {}
    for row in groups:
        own = found.setdefault(
            (row["operation"], row["unit"]),
            {"operation": row["operation"], "unit": row["unit"], "bad": 0, "made": 0, "is_counted": True},
        )
        own["bad"] += row["bad"]
        own["made"] += row["bad"] + row["good"]
        own["is_counted"] = own["is_counted"] and row["is_counted"]
    return sorted(found.values(), key=lambda own: (-own["bad"], -own["made"], own["operation"]))


def _key(row: Document, question: Question) -> tuple[str, ...]:
    """(workstation, shift); the one that is not asked for is empty."""
    station = "" if question.by == "shift" else str(row["workstation"])
    shift = "" if question.by == "machine" else shift_name(question.begins, row["shift"])
    return station, shift


def row_of(own: Suspect, found: Found) -> Document:
    """One group as a row of a report."""
    station, shift = own.group.key
    return {
        "rank": own.rank, "workstation": station, "shift": shift, "bad": own.group.bad, "made": own.group.made,
        "share": own.share, "times": own.times, "probability": own.probability, "test": own.test,
        "verdict": "standsOut" if own.stands_out else "chance", "batches": found.batches[own.group.key],
        "operation": found.operation, "unit": found.unit,
    }  # fmt: skip


def listed(connection: Connection, question: Question, limit: int, workstation: str, shift: str) -> list[Document]:
    """The rows behind a group, those with bad ones first."""
    names = [shift_name(question.begins, number) for number in range(len(question.begins))]
    found = tables.rows_of(
        connection, rows(question), limit, operation=question.operation or None, workstation=workstation or None,
        shift=names.index(shift) if shift in names else None,
    )  # fmt: skip
    return [row | {"shift": names[row["shift"]]} for row in found]
