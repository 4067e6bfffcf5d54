"""Every section of `mes bench`, very small: what its figures mean, never how large they are."""

import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import wiring
from benchmarks.fefo import QUANTITY
from benchmarks.fefo import Settings as Fefo
from benchmarks.floor import Settings as Floor
from benchmarks.open_orders import Settings as Open
from benchmarks.paper import Settings as Paper
from benchmarks.progress import Bars
from benchmarks.run import Life
from benchmarks.suite import FULL, QUICK, SECTIONS, Board, Sizes, Suite, Surroundings, failed
from benchmarks.trace import Settings as Trace
from benchmarks.values import Settings as Values

TINY = Sizes(
    life=Life(components=2, operations=1, counted=1, orders=1, clients=(1, 2), rates=(5.0,), seconds=2),
    trace=Trace(sizes=(400,), samples=2, cold=0, hot_descendants=20),
    fefo=Fefo(orders=20, lots=4, clients=4),
    paper=Paper(rows=160, prints=1),
    board=Board(clients=3),
    values=Values(values=1_000, tags=9, pages=(50,)),
    floor=Floor(count=2, clients=2, events=60, transactions=5, rows=12),
    open=Open(orders=4, workers=2, cached=2, pollers=2, rests_after_seconds=1),
)
Document = dict[str, Any]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """All sections in one document, on systems that the benchmark starts itself."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "TEMPORAL_ADDRESS"):
            environment.delenv(name, raising=False)
        around = Surroundings(wiring.children(None), wiring.migrate, wiring.people)
        folder = tmp_path_factory.mktemp("suite") / "mes"
        found = Suite(folder, TINY, around, Bars(Console(stderr=True))).run(SECTIONS)
    left = sorted(path.name for path in folder.parent.iterdir())
    assert {name: found["sections"][name]["failed"] for name in failed(found)} == {}
    assert left == ["mes"], "a section left its own system behind"
    return found


@pytest.fixture(scope="module")
def sections(document: Document) -> Document:
    """Section → its figures."""
    found: Document = document["sections"]
    return found


pytestmark = pytest.mark.timeout(600)


def test_one_document_says_what_was_measured_on_what(document: Document) -> None:
    assert document["benchmark"] == "all"
    assert list(document["sections"]) == list(SECTIONS) == list(document["settings"])
    assert document["versions"]["postgresql"].startswith("18")
    assert document["machine"]["cores"] >= 1
    assert len(document["machine"]["loadAfter"]) == 3
    assert document["settings"]["fefo"] == {"orders": 20, "lots": 4, "clients": 4}
    assert all({"seconds", "load"} <= own.keys() for own in document["sections"].values())


def test_orders_are_timed_at_every_load_and_pace(sections: Document) -> None:
    life = sections["life"]
    commands = 11 + 3 * TINY.life.operations
    assert life["perOrder"]["commands"] == commands
    assert {clients: own["orders"] for clients, own in life["clients"].items()} == {"1": 1, "2": 2}
    paced = life["confirmationsPerSecond"]["5"]
    assert paced["orders"] == TINY.life.orders_at(5.0) == 1
    for own in (*life["clients"].values(), paced):
        assert own["orderMilliseconds"]["count"] == own["orders"]
        assert own["verdictMilliseconds"]["count"] == own["orders"] * commands
        # An order is as long as its steps together, or longer.
        assert own["orderMilliseconds"]["max"] >= own["verdictMilliseconds"]["max"]


def test_traces_agree_with_the_bare_sql(sections: Document) -> None:
    found = sections["trace"]["perSize"]["400"]
    assert found["rows"] == {"lot": 400, "stock_move": 1_600, "lot_link": 1_200}
    assert [found[name]["differences"] for name in ("forward", "backward", "both", "hotLot")] == [0, 0, 0, 0]
    assert "coldProduct" not in found["hotLot"]


def test_all_stock_is_reserved_once_and_what_expires_first_goes_first(sections: Document) -> None:
    found = sections["fefo"]
    assert found["reserved"] == found["needed"] == 20 * QUANTITY
    assert found["lotsOutOfOrder"] == 0
    assert found["oneMoreIsShort"]
    assert found["allocationMilliseconds"]["count"] == 20


def test_the_printed_record_has_all_values(sections: Document) -> None:
    found = sections["paper"]
    assert found["rows"] == 160
    assert found["en"]["isPdf"]
    assert found["zh"]["isPdf"]
    assert (found["en"]["count"], found["zh"]["count"]) == (1, 1)


def test_every_open_board_has_its_fragment(sections: Document) -> None:
    found = sections["board"]
    assert found["clients"] == 3
    assert found["boardMilliseconds"]["count"] == 15
    assert found["bytesOfAFragment"] > 100


def test_machine_values_are_counted_in_the_record(sections: Document) -> None:
    (page,) = sections["values"]["readingsOfATransaction"].values()
    assert page["readings"] == 112
    assert page["values"] == 112 * 9
    assert page["transactionMilliseconds"]["count"] == 3


def test_the_floor_has_the_size_of_an_order(sections: Document) -> None:
    empty, bare = sections["floor"]["emptyWorkflow"], sections["floor"]["bareTransactions"]
    assert 60 <= empty["historyEvents"] < 90
    assert empty["signals"] >= 60 / 8
    assert {"temporal", "worker", "client"} == empty["cpuSecondsPerWorkflow"].keys()
    assert bare["transactionMilliseconds"]["count"] == 2 * 5
    assert bare["rowsWritten"] == 2 * 12


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_every_order_answers_after_all_workers_were_killed(sections: Document) -> None:
    found = sections["open"]
    assert found["killed"] == ["gateway", "worker", "worker-2"]
    assert found["answeredWarm"] == found["answered"] == found["orders"] == 4
    assert list(found["openingSecondsByRound"]) == ["made", "submitted", "approved", "released"]
    assert found["rest"]["newRuns"] == 3, "all but the first, which was made by the API and rests after a plant's time"
    assert found["historyEventsOfAnOrder"] == 4
    assert {name: own["count"] for name, own in found["meanwhile"].items()} == {
        "readMilliseconds": 2, "verdictMilliseconds": 2,
    }  # fmt: skip
    assert found["memoryBytesOfAllWorkers"] == sum(found["memoryBytes"][name] for name in found["killed"])
    assert min(found["memoryBytes"].values()) > 0


def test_a_section_that_fails_says_so_and_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    blocked = tmp_path / "mes-trace"
    blocked.write_text("a file where the section wants a folder")
    around = Surroundings(wiring.children(None), wiring.migrate, wiring.people)
    suite = Suite(tmp_path / "mes", TINY, around, Bars(Console(stderr=True)))
    found = suite.section("trace", lambda: suite.alone("trace"))
    assert "failed" in found
    assert failed({"sections": {"trace": found, "fefo": {"reserved": 1}}}) == ["trace"]


def test_the_quick_run_has_every_section_and_none_is_larger() -> None:
    assert QUICK.trace.sizes == FULL.trace.sizes[:1]
    assert set(QUICK.life.clients) < set(FULL.life.clients)
    assert QUICK.open.orders < FULL.open.orders == 10_000
