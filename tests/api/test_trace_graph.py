"""The one graph question, on a planted history: exact sets for each filter and for combinations of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from sqlalchemy import Engine, event

from domain.base import uuid_for
from tests.api.company import Company
from tests.genealogy import History, day

GRAPH = "/mes/traceabilities/graph"
Edge = tuple[str, str, str, str]
EDGES: dict[tuple[str, str], Edge] = {
    (source, target): (source, target, quantity, f"W{target}")
    for source, target, quantity in (
        ("R1", "M1", "10"), ("R1", "M2", "5"), ("R2", "M2", "5"), ("M1", "F1", "6"), ("M1", "F2", "2"),
        ("M2", "F2", "6"),
    )
}  # fmt: skip


def plant(engine: Engine) -> None:
    """Two raw lots, two of MID cut from them, two of FIN; F2 is on the saw still. Days begin at midnight UTC."""
    with engine.begin() as connection:
        history = History(connection, "", actor="mover")
        for code in ("RAW", "MID", "FIN"):
            history.material(code)
        history.open_order("FIN")
        history.receive("R1", "RAW", 100, 0, actor="wil")
        history.receive("R2", "RAW", 100, 0.25, actor="wes")
        history.make("M1", "MID", 9, 1, ("R1", 10), operation="CUT")
        history.make("M2", "MID", 9, 2, ("R1", 5), ("R2", 4), operation="CUT")
        history.move("R2", "RAW", "LINE", 1, "issue", "M2", 2)
        history.move("R2", "LINE", "PROCESS", 1, "consume", "M2", 2, "pia")
        history.link("R2", "M2", 1, "M2", "CUT", 2)
        history.make("F1", "FIN", 5, 3, ("M1", 6), operation="FIT")
        history.make("F2", "FIN", 7, 4, ("M2", 6), ("M1", 3), operation="FIT")
        history.operation("M1", "CUT", "SAW-1", "olu", 1, 1.5)
        history.operation("M2", "CUT", "SAW-2", "sam", 1.9, 2.3)  # 21:36 to 07:12
        history.operation("F1", "FIT", "BENCH", "olu", 3, 3.25)
        history.operation("F1", "PACK", "BENCH", None, None, None)
        history.operation("F2", "FIT", "BENCH", "mia", 4, 4.2)
        history.operation("F2", "CUT", "SAW-1", "sam", 4.3, None)
        history.report("M1", "CUT", "SAW-1", ("olu", "W-77"), started=1.1, ended=1.2, reported=1.4)
        history.value("M1", "CUT", "weight", "110", "ana", 1.3)  # 07:12
        history.value("M2", "CUT", "weight", "120", "ana", 2.2)
        history.value("F1", "FIT", "weight", "n/a", "ben", 3.1)
        history.value("F2", "FIT", "torque", "5", "ben", 4.1)
        history.run("F1", "FIT", "BENCH", 3.05, 3.2)
        history.give_back("M1", "F2", 1, 5)
        history.flush()


@pytest.fixture(scope="module")
async def traced(company: Company, engine: Engine) -> Company:
    """The API on the history."""
    await asyncio.to_thread(plant, engine)
    return company


async def ask(company: Company, status: int = 200, **query: Any) -> dict[str, Any]:
    for name in ("from", "to", "since", "until"):
        if isinstance(query.get(name), int | float):
            query[name] = day(query[name]).isoformat()
    answer = await (await company.desk("dan")).get(GRAPH, **query)
    assert answer.status_code == status, answer.text
    return cast(dict[str, Any], answer.json())


def edges_of(found: dict[str, Any]) -> list[Edge]:
    return [(edge["from"], edge["to"], edge["quantity"], edge["workOrder"]) for edge in found["edges"]]


def expected(*ends: str) -> list[Edge]:
    return sorted(EDGES[(pair[:2], pair[2:])] for pair in ends)


MORNING, NIGHT = {"shiftStart": "06:00", "shiftEnd": "14:00"}, {"shiftStart": "22:00", "shiftEnd": "06:00"}
NOON = {"shiftStart": "12:00", "shiftEnd": "14:00"}
EVERYTHING: dict[str, Any] = {
    "batch": "M1", "operation": "CUT", "material": "MID", "person": "olu", "equipment": "SAW-1", "parameter": "weight",
    "low": "100", "high": "110", "from": 1, "to": 2, **MORNING,
}  # fmt: skip
QUESTIONS: list[tuple[dict[str, Any], str]] = [
    ({"batch": "M1"}, "M1"),
    ({"material": "MID"}, "M1 M2"),
    ({"material": str(uuid_for("material", "MID"))}, "M1 M2"),
    ({"batch": "M1", "material": "FIN"}, ""),
    ({"operation": "CUT"}, "F2 M1 M2"),
    ({"operation": "FIT"}, "F1 F2"),
    ({"operation": "PACK"}, ""),  # planned, never done
    ({"person": "olu"}, "F1 M1"),
    ({"person": "W-77"}, "M1"),
    ({"person": "wil"}, "R1"),
    ({"person": "ana"}, "M1 M2"),
    ({"person": "mover"}, "F1 F2 M1 M2 R1 R2"),
    ({"equipment": "SAW-1"}, "F2 M1"),
    ({"equipment": "SAW-2"}, "M2"),
    ({"equipment": "BENCH"}, "F1 F2"),
    ({"parameter": "weight"}, "F1 M1 M2"),
    ({"parameter": "weight", "low": "110.5"}, "M2"),
    ({"parameter": "weight", "high": "110"}, "M1"),
    ({"parameter": "weight", "low": "110", "high": "120"}, "M1 M2"),
    ({"parameter": "weight", "low": "121"}, ""),
    ({"parameter": "weight", "person": "olu"}, "F1 M1"),
    ({"parameter": "torque", "equipment": "BENCH"}, "F2"),
    ({"from": 0, "to": 0.2}, "R1"),
    ({"from": 2, "to": 2.5}, "M2 R1 R2"),
    ({"from": 2, "to": 2.5, "equipment": "SAW-2"}, "M2"),
    ({"from": 1.5, "to": 1.9}, ""),  # M1's cut ends when the window opens, M2's begins when it closes
    ({"from": 6}, "F2"),  # it runs still
    ({"to": 0.25}, "R1"),
    # One event has to satisfy everything: F2 was fitted on the bench and cut on the saw.
    ({"operation": "FIT", "equipment": "SAW-1"}, ""),
    ({"operation": "FIT", "person": "sam"}, ""),
    ({"person": "wil", "equipment": "SAW-1"}, ""),
    # Consumed lots are seeds where the question names them.
    ({"person": "pia"}, ""),
    ({"person": "pia", "material": "RAW"}, "R2"),
    ({"equipment": "SAW-1", "material": "RAW"}, "R1"),
    ({"equipment": "SAW-2", "material": "RAW"}, "R1 R2"),
    ({"equipment": "BENCH", "batch": "M1"}, "M1"),
    ({"equipment": "BENCH", "material": "RAW"}, ""),
    ({"equipment": "SAW-2", **NIGHT}, "M2"),
    ({"equipment": "SAW-2", "shiftStart": "08:00", "shiftEnd": "12:00"}, ""),
    ({"equipment": "SAW-1", "to": 2, **NOON}, ""),  # M1's cut ends at noon
    ({"equipment": "SAW-1", "to": 2, "timeZone": "Asia/Shanghai", **NOON}, "M1"),
    ({"equipment": "SAW-1", "to": 2, "timeZone": "America/New_York", **NIGHT}, "M1"),
    # The night of M2's cut is not in this window.
    ({"equipment": "SAW-2", "from": 2.26, **NIGHT}, ""),
    (EVERYTHING, "M1"),
    (EVERYTHING | {"high": "109.999"}, ""),
    (EVERYTHING | {"to": 1.3}, ""),
    (EVERYTHING | {"person": "sam"}, ""),
    (EVERYTHING | {"equipment": "SAW-2"}, ""),
    (EVERYTHING | NOON, ""),
    (EVERYTHING | {"operation": "FIT"}, ""),
]


@pytest.mark.accepts("C1")
@pytest.mark.parametrize(("question", "lots"), QUESTIONS, ids=lambda value: str(value)[:60])
async def test_the_seeds_are_exactly_those_lots(traced: Company, question: dict[str, Any], lots: str) -> None:
    found = await ask(traced, **question)
    assert found["seeds"] == lots.split()
    assert found["complete"]
    if not lots:
        assert (found["nodes"], found["edges"]) == ([], [])


@pytest.mark.accepts("C1")
@pytest.mark.parametrize(
    ("question", "nodes", "edges"),
    [
        ({"equipment": "SAW-2"}, "F2 M2 R1 R2", ("R1M2", "R2M2", "M2F2")),
        ({"equipment": "SAW-2", "direction": "upstream"}, "M2 R1 R2", ("R1M2", "R2M2")),
        ({"equipment": "SAW-2", "direction": "downstream"}, "F2 M2", ("M2F2",)),
        ({"person": "olu", "direction": "downstream"}, "F1 F2 M1", ("M1F1", "M1F2")),
        ({"person": "olu", "direction": "upstream"}, "F1 M1 R1", ("R1M1", "M1F1")),
        ({"person": "wes"}, "F2 M2 R2", ("R2M2", "M2F2")),
        ({"parameter": "torque", "direction": "upstream"}, "F2 M1 M2 R1 R2", ("M1F2", "M2F2", "R1M1", "R1M2", "R2M2")),
        ({"batch": "R1", "direction": "downstream", "until": 2}, "M1 R1", ("R1M1",)),
        ({"batch": "R1", "direction": "downstream", "since": 2, "until": 3}, "M2 R1", ("R1M2",)),
    ],
)
async def test_the_graph_is_exactly_what_is_up_and_down(
    traced: Company, question: dict[str, Any], nodes: str, edges: tuple[str, ...]
) -> None:
    found = await ask(traced, **question)
    assert [node["lot"] for node in found["nodes"]] == nodes.split()
    assert edges_of(found) == expected(*edges)  # M1 into F2: three, of which one came back


async def test_more_seeds_than_the_limit_are_told(traced: Company) -> None:
    found = await ask(traced, material="MID", limit=1, direction="upstream")
    assert (found["seeds"], found["complete"]) == (["M1"], False)
    assert edges_of(found) == expected("R1M1")
    assert found["filters"] == {"material": "MID"}


@contextmanager
def counted() -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.accepts("C1")
@pytest.mark.parametrize("question", [{"batch": "R2"}, {"person": "mover"}, EVERYTHING, {"from": 0}])
async def test_every_question_takes_five_statements(traced: Company, question: dict[str, Any]) -> None:
    await traced.desk("dan")
    with counted() as sent:
        await ask(traced, **question)
    own = [statement for statement in sent if "user_session" not in statement]
    assert len(own) <= 7, own  # five, and the two of the audit row


@pytest.mark.accepts("C1")
async def test_unknown_names_are_404_all_at_once(traced: Company) -> None:
    names = dict.fromkeys(("batch", "operation", "material", "person", "equipment", "parameter"), "GHOST")
    found = await ask(traced, 404, **names)
    assert {blocker["code"] for blocker in found["blockers"]} == {f"UNKNOWN_{name.upper()}" for name in names}
    found = await ask(traced, 404, person="GHOST", equipment="SAW-1")
    assert [(blocker["code"], blocker["id"]) for blocker in found["blockers"]] == [("UNKNOWN_PERSON", "GHOST")]


@pytest.mark.accepts("C1")
@pytest.mark.parametrize(
    ("question", "fields"),
    [
        ({}, {"batch"}),
        ({"direction": "upstream"}, {"batch"}),
        ({"low": "1"}, {"parameter"}),
        ({"parameter": "weight", "low": "2", "high": "1"}, {"high"}),
        ({"shiftStart": "06:00"}, {"shiftEnd"}),
        ({"shiftEnd": "06:00"}, {"shiftStart"}),
        ({"shiftStart": "06:00", "shiftEnd": "06:00", "timeZone": "Mars/Base"}, {"shiftEnd", "timeZone"}),
        ({"from": 2, "to": 2, "since": 3, "until": 2, "low": "1"}, {"to", "until", "parameter"}),
        ({"shiftStart": "24:00", "shiftEnd": "6"}, {"shiftStart", "shiftEnd"}),
        ({"from": "2026-01-01"}, {"from"}),
        ({"parameter": "weight", "low": "1e3"}, {"low"}),
        ({"machine": "SAW-1"}, {"machine"}),
        ({"batch": "M1", "direction": "sideways", "limit": 0}, {"direction", "limit"}),
        ({"batch": ""}, {"batch"}),
    ],
)
async def test_a_question_that_cannot_be_meant_is_422(
    traced: Company, question: dict[str, Any], fields: set[str]
) -> None:
    found = await ask(traced, 422, **question)
    assert found["code"] == "INVALID_REQUEST"
    assert {field["field"] for field in found["fields"]} == {f"query.{field}" for field in fields}
