"""The traces over the API, on a planted history of six levels: partial issues, splits, merges, rework and returns."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

import pytest
from sqlalchemy import Engine, event, text

from domain.base import uuid_for
from tests.api.company import Company
from tests.genealogy import History, day

TRACES = "/mes/traceabilities"
Edge = tuple[str, str, int, str]
MADE = {
    "R1": 100, "R2": 50, "G1": 9, "A1": 60, "A2": 50, "B1": 50, "B2": 15, "C1": 40, "D1": 26, "D2": 19, "K1": 5,
    "E1": 22, "E2": 4, "Z1": 7, "Z2": 3,
}  # fmt: skip
EDGES: list[tuple[Edge, int]] = [  # with the day
    (("R1", "A1", 60, "WA1"), 1),
    (("R1", "A2", 30, "WA2"), 1),  # R1 is split
    (("R2", "A2", 20, "WA2"), 1),  # A2 is a merge
    (("A1", "B1", 40, "WB1"), 2),  # 25 and 15
    (("A2", "B1", 10, "WB1"), 2),
    (("A1", "B2", 15, "WB2"), 2),  # 20, of which 5 came back on day 5
    (("B1", "C1", 30, "WC1"), 3),
    (("B2", "C1", 10, "WC1"), 3),
    (("C1", "D1", 20, "WD1"), 4),
    (("C1", "D2", 15, "WD2"), 4),
    (("D1", "K1", 5, "WK1"), 6),  # rework: some of D1 …
    (("K1", "D1", 5, "WD1"), 7),  # … comes back into D1: a loop
    (("D1", "E1", 10, "WE1"), 8),
    (("D2", "E1", 12, "WE1"), 8),
    (("D1", "E2", 4, "WE2"), 9),
]


def plant(engine: Engine) -> None:
    """The history, with a bad batch X1 whose moves and links differ on day 8."""
    with engine.begin() as connection:
        history = History(connection, "")
        for code in ("M0", "M1", "M2", "M3", "M4", "M5", "MX", "NONE"):
            history.material(code)
        history.open_order("M5")
        for lot, material in (("R1", "M0"), ("R2", "M0"), ("G1", "MX"), ("Z1", "M0")):
            history.receive(lot, material, MADE[lot], 0)
        for lot, own in (("A1", "M1"), ("A2", "M1"), ("B1", "M2"), ("B2", "M2"), ("C1", "M3"), ("D1", "M4"),
                         ("D2", "M4"), ("K1", "MX"), ("E1", "M5"), ("E2", "M5"), ("Z2", "M1")):  # fmt: skip
            made_on = {"A": 1, "B": 2, "C": 3, "D": 4, "K": 6, "E": 8 if lot == "E1" else 9, "Z": 1}[lot[0]]
            inputs = [
                (edge[0], edge[2])
                for edge, at in EDGES
                if edge[1] == lot and at == made_on and edge[:2] not in (("A1", "B1"), ("A1", "B2"))
            ]
            history.make(lot, own, MADE[lot], made_on, *inputs)
        history.consume("A1", "B1", 25, 2)
        history.consume("A1", "B1", 15, 2)
        history.consume("A1", "B2", 20, 2)
        history.issue_and_return("A2", "B2", 8, 2)
        history.give_back("A1", "B2", 5, 5)
        history.consume("K1", "D1", 5, 7)
        history.consume("G1", "E1", 3, 8)
        history.give_back("G1", "E1", 3, 9)
        history.consume("Z1", "Z2", 4, 1)
        history.make("X1", "M1", 5, 7, ("R2", 4))
        history.consume("R2", "X1", 1, 8, linked=False)
        history.flush()
        connection.execute(text("UPDATE lot SET status = 'rejected' WHERE number = 'Z2'"))


@pytest.fixture(scope="module")
async def traced(company: Company, engine: Engine) -> Company:
    """The API on the history."""
    await asyncio.to_thread(plant, engine)
    return company


async def get(company: Company, path: str, status: int = 200, **query: Any) -> dict[str, Any]:
    answer = await (await company.desk("dan")).get(TRACES + path, **query)
    assert answer.status_code == status, answer.text
    return cast(dict[str, Any], answer.json())


def edges_of(found: dict[str, Any]) -> list[Edge]:
    """The edges of an answer; every one once."""
    assert all(edge["unit"] == "kg" for edge in found["edges"])
    return [(edge["from"], edge["to"], int(edge["quantity"]), edge["workOrder"]) for edge in found["edges"]]


def nodes_of(found: dict[str, Any]) -> dict[str, int]:
    return {node["lot"]: int(node["quantity"]) for node in found["nodes"]}


def among(lots: Iterable[str], column: int) -> list[Edge]:
    """The expected edges that start (0) or end (1) in one of the lots."""
    wanted = set(lots)
    return sorted(edge for edge, _ in EDGES if edge[column] in wanted)


FORWARD = {
    "R1": "R1 A1 A2 B1 B2 C1 D1 D2 K1 E1 E2", "R2": "R2 A2 X1 B1 C1 D1 D2 K1 E1 E2", "B2": "B2 C1 D1 D2 K1 E1 E2",
    "D1": "D1 K1 E1 E2", "D2": "D2 E1", "G1": "G1", "E2": "E2",
}  # fmt: skip
BACKWARD = {
    "E1": "E1 D1 D2 K1 C1 B1 B2 A1 A2 R1 R2", "E2": "E2 D1 K1 C1 B1 B2 A1 A2 R1 R2", "B2": "B2 A1 R1", "A2": "A2 R1 R2",
    "K1": "K1 D1 C1 B1 B2 A1 A2 R1 R2", "R1": "R1",
}  # fmt: skip
QUANTITIES = MADE | {"X1": 5}
ALSO: list[Edge] = [("R2", "X1", 4, "WX1")]


@pytest.mark.accepts("A17", "TR-02")
@pytest.mark.parametrize("lot", FORWARD)
async def test_forward_gives_exactly_what_a_lot_went_into(traced: Company, lot: str) -> None:
    found = await get(traced, f"/forward-trace/{lot}")
    lots = FORWARD[lot].split()
    assert nodes_of(found) == {name: QUANTITIES[name] for name in lots}
    assert edges_of(found) == sorted(among(lots, 0) + (ALSO if "R2" in lots else []))


@pytest.mark.accepts("A17", "TR-02")
@pytest.mark.parametrize("lot", BACKWARD)
async def test_backward_gives_exactly_what_a_lot_was_made_from(traced: Company, lot: str) -> None:
    found = await get(traced, f"/backward-trace/{lot}")
    lots = BACKWARD[lot].split()
    assert nodes_of(found) == {name: QUANTITIES[name] for name in lots}
    assert edges_of(found) == among(lots, 1)


@pytest.mark.accepts("A17")
async def test_a_batch_is_traced_in_both_directions(traced: Company) -> None:
    found = await get(traced, "/batch/C1")
    before, after = ["C1", "B1", "B2", "A1", "A2", "R1", "R2"], ["C1", "D1", "D2", "K1", "E1", "E2"]
    assert nodes_of(found) == {name: QUANTITIES[name] for name in before + after}
    assert edges_of(found) == sorted({*among(before, 1), *among(after, 0)})
    assert {node["lot"]: (node["material"], node["status"]) for node in found["nodes"]}["R1"] == ("M0", "released")


@pytest.mark.accepts("A17")
@pytest.mark.parametrize("product", ["M1", str(uuid_for("material", "M1"))])
async def test_a_product_is_traced_by_all_its_lots(traced: Company, engine: Engine, product: str) -> None:
    sent: list[str] = []

    def note(_: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    event.listen(engine.__class__, "before_cursor_execute", note)
    try:
        found = await get(traced, f"/forward-trace/{product}")
    finally:
        event.remove(engine.__class__, "before_cursor_execute", note)
    assert len([statement for statement in sent if "lot_link" in statement]) == 1
    assert len(sent) <= 7
    assert sorted(found["lots"]) == ["A1", "A2", "X1", "Z2"]
    lots = ["A1", "A2", "X1", "Z2", "B1", "B2", "C1", "D1", "D2", "K1", "E1", "E2"]
    assert nodes_of(found) == {name: QUANTITIES[name] for name in lots}
    assert edges_of(found) == among(lots, 0)
    backward = await get(traced, f"/backward-trace/{product}")
    assert edges_of(backward) == sorted([*among(["A1", "A2"], 1), *ALSO, ("Z1", "Z2", 4, "WZ2")])


async def test_a_product_without_lots_is_an_empty_trace_and_an_unknown_one_is_404(traced: Company) -> None:
    found = await get(traced, "/forward-trace/NONE")
    assert (found["lots"], found["nodes"], found["edges"]) == ([], [], [])
    for path in ("/forward-trace/GHOST", "/backward-trace/GHOST", "/batch/GHOST", "/serial/GHOST",
                 "/batch/GHOST/summary"):  # fmt: skip
        assert (await get(traced, path, 404))["code"] == "NOT_FOUND"


RANGES: list[tuple[str, dict[str, datetime], list[Edge]]] = [
    ("/forward-trace/R1", {"until": day(2)}, [("R1", "A1", 60, "WA1"), ("R1", "A2", 30, "WA2")]),
    ("/forward-trace/R1", {"since": day(2)}, []),
    # Before the return of day 5, all 20 were in B2.
    ("/forward-trace/A1", {"until": day(3)}, [("A1", "B1", 40, "WB1"), ("A1", "B2", 20, "WB2")]),
    ("/backward-trace/B2", {"since": day(2), "until": day(2.5)}, [("A1", "B2", 20, "WB2")]),
    # Before the rework came back.
    ("/backward-trace/D1", {"since": day(4), "until": day(7)}, [("C1", "D1", 20, "WD1")]),
    ("/backward-trace/D1", {"since": day(6)}, [("D1", "K1", 5, "WK1"), ("K1", "D1", 5, "WD1")]),
    ("/forward-trace/G1", {"until": day(9)}, [("G1", "E1", 3, "WE1")]),
    ("/forward-trace/G1", {"since": day(9)}, []),
    ("/batch/D1", {"since": day(8)}, [("D1", "E1", 10, "WE1"), ("D1", "E2", 4, "WE2")]),
]


@pytest.mark.accepts("A17")
@pytest.mark.parametrize(("path", "times", "expected"), RANGES)
async def test_a_time_range_counts_what_was_linked_in_it(
    traced: Company, path: str, times: dict[str, datetime], expected: list[Edge]
) -> None:
    query: dict[str, Any] = {name: moment.isoformat() for name, moment in times.items()}
    assert edges_of(await get(traced, path, **query)) == expected


@pytest.mark.accepts("A17")
async def test_the_page_of_a_batch(traced: Company) -> None:
    found = await get(traced, "/batch/A1/summary")
    assert found == {
        "lot": "A1", "material": "M1", "unit": "kg", "status": "released", "origin": "produced", "quantity": "60",
        "onHand": "5", "workOrder": "WA1", "orderNumber": "PO", "orderState": "inProgress", "usedIn": 2,
        "deviations": 0, "serials": 0, "nonconforming": False,
        "inputs": [
            {"workOrder": "WA1", "lot": "R1", "material": "M0", "quantity": "60", "unit": "kg", "nonconforming": False}
        ],
    }  # fmt: skip
    early = await get(traced, "/batch/A1/summary", until=day(5).isoformat())
    assert (early["onHand"], early["quantity"], early["usedIn"]) == ("0", "60", 2)
    late = await get(traced, "/batch/A1/summary", since=day(3).isoformat())
    assert (late["quantity"], late["usedIn"], late["inputs"]) == ("0", 0, [])
    assert (await get(traced, "/batch/G1/summary"))["usedIn"] == 0
    assert (await get(traced, "/batch/D1/summary"))["inputs"] == [
        {"workOrder": "WD1", "lot": "C1", "material": "M3", "quantity": "20", "unit": "kg", "nonconforming": False},
        {"workOrder": "WD1", "lot": "K1", "material": "MX", "quantity": "5", "unit": "kg", "nonconforming": False},
    ]


@pytest.mark.accepts("A17")
@pytest.mark.parametrize(
    ("batch", "product", "times", "reasons"),
    [
        *((lot, material, {}, []) for lot, material in (("A2", "M1"), ("B2", "M2"), ("D1", "M4"), ("E1", "M5"))),
        ("R1", "M0", {}, []),
        ("E1", str(uuid_for("material", "M5")), {}, []),
        ("E1", "M4", {}, ["batch E1 is M5, not M4"]),
        ("X1", "M1", {}, ["R2: 5 consumed, 4 in the genealogy"]),
        ("X1", "M1", {"until": day(8)}, []),
        ("X1", "M0", {"since": day(8)}, ["batch X1 is M1, not M0", "R2: 1 consumed, 0 in the genealogy"]),
        ("Z2", "M1", {}, ["batch Z2 is rejected"]),
        ("GHOST", "M1", {}, ["there is no lot GHOST"]),
    ],
)
async def test_a_mismatch_is_not_valid_and_says_why(
    traced: Company, batch: str, product: str, times: dict[str, datetime], reasons: list[str]
) -> None:
    query: dict[str, Any] = {name: moment.isoformat() for name, moment in times.items()}
    found = await get(traced, f"/batch/{batch}/validate/{product}", **query)
    assert found == {"batchNo": batch, "valid": not reasons, "reasons": reasons}


async def register(company: Company, lot: str, *serials: str, status: int = 200, **more: Any) -> dict[str, Any]:
    answer = await (await company.desk("olu")).command(f"{TRACES}/serials", lot=lot, serials=serials, **more)
    assert answer.status_code == status, answer.text
    return cast(dict[str, Any], answer.json())


@pytest.mark.accepts("A17")
async def test_a_serial_number_is_traced_through_its_lot(traced: Company) -> None:
    made = await register(traced, "E1", "SN-1", "A/1%", commandId="serials-of-e1")
    assert (made["lot"], made["material"], made["workOrder"], made["serials"]) == ("E1", "M5", "WE1", ["A/1%", "SN-1"])
    found = await get(traced, "/serial/SN-1")
    assert (found["serialNo"], found["lot"], found["material"], found["registeredBy"]) == ("SN-1", "E1", "M5", "olu")
    lots = BACKWARD["E1"].split()
    assert nodes_of(found) == {name: QUANTITIES[name] for name in lots}
    assert edges_of(found) == among(lots, 1)
    assert edges_of(await get(traced, "/serial/A/1%25")) == among(lots, 1)
    then: dict[str, Any] = {"since": day(8).isoformat(), "until": day(9).isoformat()}
    assert edges_of(await get(traced, "/serial/SN-1", **then)) == [
        ("D1", "E1", 10, "WE1"), ("D2", "E1", 12, "WE1"), ("G1", "E1", 3, "WE1"),
    ]  # fmt: skip
    assert (await get(traced, "/batch/E1/summary"))["serials"] == 2
    assert edges_of(await get(traced, "/serial/E2")) == among(BACKWARD["E2"].split(), 1)


@pytest.mark.accepts("A17")
async def test_serial_numbers_are_registered_once(traced: Company, engine: Engine) -> None:
    first = await register(traced, "D2", "D-1", "D-2", commandId="serials-of-d2")
    again = await register(traced, "D2", "D-2", "D-1", commandId="serials-of-d2")
    assert first == again
    other = await register(traced, "D2", "D-3", commandId="serials-of-d2", status=409)
    assert other["code"] == "COMMAND_ID_REUSED"
    taken = await register(traced, "D1", "D-1", "D-9", "D-2", status=409)
    assert [(b["code"], b["id"], b["found"]) for b in taken["blockers"]] == [
        ("SERIAL_TAKEN", "D-1", "a piece of lot D2"), ("SERIAL_TAKEN", "D-2", "a piece of lot D2"),
    ]  # fmt: skip
    assert (await get(traced, "/serial/D-9", 404))["code"] == "NOT_FOUND"
    assert (await register(traced, "GHOST", "D-9", status=409))["code"] == "UNKNOWN_LOT"
    for bad in (["x" * 21], ["a b"], ["序"], [""], [], ["D-7", "D-7"]):
        assert (await register(traced, "D1", *bad, status=422))["code"] == "INVALID_REQUEST"
    with engine.connect() as connection:
        audited = "SELECT count(*), max(actor) FROM audit_row WHERE entity = 'lot/D2' AND command_id = 'serials-of-d2'"
        assert connection.execute(text(audited)).one() == (1, "olu")
        assert connection.execute(text("SELECT count(*) FROM serial_number WHERE lot = 'D2'")).scalar_one() == 2


@pytest.mark.accepts("A17")
async def test_a_lot_has_no_more_serial_numbers_than_pieces(traced: Company, engine: Engine) -> None:
    def three_pieces() -> None:
        with engine.begin() as connection:
            history = History(connection, "PCS-")
            history.material("M", "pcs")
            history.receive("L", "M", 3, 0, unit="pcs")
            history.flush()

    await asyncio.to_thread(three_pieces)
    await register(traced, "PCS-L", "P-1", "P-2")
    refused = await register(traced, "PCS-L", "P-3", "P-4", "P-1", status=409)
    assert [(b["code"], b["found"]) for b in refused["blockers"]] == [
        ("SERIAL_TAKEN", "a piece of lot PCS-L"), ("MORE_SERIALS_THAN_PIECES", "4 serial numbers, 3 pcs"),
    ]  # fmt: skip
    await register(traced, "PCS-L", "P-3")


async def test_two_lots_that_claim_one_serial_at_once(traced: Company) -> None:
    desk = await traced.desk("olu")
    claims = [desk.command(f"{TRACES}/serials", lot=lot, serials=["RACE"]) for lot in ("A1", "A2", "B1", "C1")]
    answers = await asyncio.gather(*claims)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"SERIAL_TAKEN"}
