"""The benchmark makes whole orders, and what it says of them is so."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.run import percentiles

COMPONENTS, OPERATIONS, COUNTED = 3, 2, 2


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `mes bench order --json` prints, on a system that it starts itself."""
    options = {
        "components": COMPONENTS, "operations": OPERATIONS, "counted": COUNTED, "orders": 2, "clients": 2,
        "data-dir": tmp_path_factory.mktemp("bench") / "mes",
    }  # fmt: skip
    argv = [sys.executable, "-m", "cli", "bench", "order", "--json"]
    argv += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    outside = ("DATABASE_URL", "DATABASE_OWNER_URL", "TEMPORAL_ADDRESS")
    environment = {name: value for name, value in os.environ.items() if name not in outside}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(240)
def test_an_order_is_counted_from_its_plan_line_to_its_close(measured: dict[str, Any]) -> None:
    one = measured["perOrder"]
    assert one["commands"] == 11 + 3 * OPERATIONS
    rows = one["rowsAdded"]
    assert (rows["production_order"], rows["production_report"], rows["operation"]) == (1, OPERATIONS, OPERATIONS)
    # One move of each lot to the line, one into the product; the product is made, once, and put away.
    assert (rows["lot_link"], rows["reservation"], rows["lot"]) == (COMPONENTS, COMPONENTS, 1)
    assert rows["stock_move"] == 2 * COMPONENTS + 2
    assert one["historyEvents"] > one["commands"]
    assert measured["settings"]["components"] == COMPONENTS
    assert measured["versions"]["postgresql"].startswith("18")


@pytest.mark.timeout(240)
def test_what_an_order_costs_in_sql_has_a_limit(measured: dict[str, Any]) -> None:
    """The numbers are the same on every machine, but for session look-ups and for what a slow one has to wait for."""
    worker, api = measured["perOrder"]["sql"]["worker"], measured["perOrder"]["sql"]["api"]
    rows = measured["perOrder"]["rowsAdded"]
    # Every fact is a transaction of its own or shares one, and every request to warehouse and quality is another. The
    # watcher of control charts writes down where it is: once a second, however many orders there are.
    assert worker["transactions"]["wrote"] <= rows["order_fact"] + 8
    assert worker["transactions"]["onlyRead"] == worker["transactions"]["rolledBack"] == 0
    assert worker["statements"] <= 6 * worker["transactions"]["wrote"]
    assert api["transactions"]["wrote"] <= 4
    assert api["transactions"]["rolledBack"] == 0
    # The command's earlier answer and its verdict; the rest are the plan line, the order's start and the polls.
    assert api["statements"] <= 2 * measured["perOrder"]["commands"] + 100


@pytest.mark.timeout(240)
def test_orders_are_timed_step_by_step(measured: dict[str, Any]) -> None:
    for run in ("fullLoad", "paced"):
        timed = measured[run]
        assert timed["orders"] == 2
        assert timed["verdictMilliseconds"]["count"] == 2 * measured["perOrder"]["commands"]
        assert timed["stepMilliseconds"]["report"]["count"] == 2 * OPERATIONS
        spent = timed["cpuSecondsPerOrder"]
        assert {"worker", "api", "postgres", "temporal", "client", "system"} <= spent.keys()
        assert spent["system"] == pytest.approx(sum(spent.values()) - spent["system"] - spent["client"], abs=0.01)


def test_percentiles_are_measured_values() -> None:
    assert percentiles([0.1] * 98 + [0.2, 0.3]) == {
        "count": 100,
        "p50": 100.0,
        "p95": 100.0,
        "p99": 300.0,
        "max": 300.0,
    }
    assert percentiles([0.25]) == {"count": 1, "p50": 250.0, "p95": 250.0, "p99": 250.0, "max": 250.0}
    assert percentiles([]) == {"count": 0}
