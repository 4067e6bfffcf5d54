"""Which tests run in one process after each other, and what is started first: for `pytest -n 3`, as `make test` does.

Each process has servers of its own, so that nothing is shared between two of them. A module stays whole, because its
database and its worker are made once; what shares something dearer stays together, too. What takes longest is started
first: at the end no process is left alone with a long one.
"""

from collections.abc import Iterable
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TOGETHER: Final = {
    "tests/contracts/equipment/": "one press, whose start takes seconds",
    "tests/system/": "one data folder that was started once, to be copied",
    "tests/domain/": "no servers at all",
    "tests/house/": "no servers at all",
    "tests/plants/": "no servers at all",
}
"""Folders that are run by one process, and why."""

SECONDS: Final = {
    "tests/kills/test_chaos_in_small.py": 180,
    "tests/chaos/": 15,
    "tests/benchmarks/test_sections.py": 80,
    "tests/benchmarks/test_trace.py": 30,
    "tests/kills/test_between_commit_and_answer.py": 90,
    "tests/api/test_permissions.py": 45,
    "tests/kills/test_dispatch.py": 60,
    "tests/kills/test_order_changes.py": 25,
    "tests/api/test_order_changes.py": 15,
    "tests/api/test_configuration.py": 12,
    "tests/ui/test_order_changes.py": 20,
    "tests/ui/test_configuration.py": 15,
    "tests/kills/test_lot_holds.py": 80,
    "tests/workflows/test_long_order.py": 90,
    "tests/api/test_readiness.py": 15,
    "tests/replay/": 25,
    "tests/workflows/test_equipment_clock.py": 40,
    "tests/workflows/test_start_gate.py": 12,
    "tests/api/test_devices.py": 12,
    "tests/api/test_fuzz.py": 63,
    "tests/api/test_states.py": 59,
    "tests/safety/test_backup.py": 52,
    "tests/ui/test_warehouse.py": 68,
    "tests/ui/test_quality_desk.py": 45,
    "tests/api/test_access.py": 43,
    "tests/kills/test_weighing.py": 50,
    "tests/system/": 38,
    "tests/contracts/equipment/": 36,
    "tests/api/test_shop_floor.py": 34,
    "tests/api/test_audit_trail.py": 15,
    "tests/api/test_last_routes.py": 20,
    "tests/api/test_watching.py": 6,
    "tests/workflows/test_encryption.py": 6,
    "tests/api/test_nonconforming.py": 24,
    "tests/api/test_shipments.py": 20,
    "tests/workflows/test_lot_dates.py": 16,
    "tests/api/test_lot_holds.py": 20,
    "tests/api/test_recalls.py": 24,
    "tests/db/test_recall_scope.py": 12,
    "tests/replay_client/test_replay.py": 33,
    "tests/workflows/test_cancel_anywhere.py": 28,
    "tests/safety/test_migrations.py": 28,
    "tests/db/test_trace_graph.py": 23,
    "tests/api/test_master_data.py": 21,
    "tests/api/test_planning_and_outcomes.py": 21,
    "tests/api/test_reports.py": 19,
    "tests/workflows/test_one_order.py": 17,
    "tests/api/test_reporting.py": 20,
    "tests/ui/test_andon.py": 30,
    "tests/ui/test_weighing.py": 35,
    "tests/ui/test_recalls.py": 15,
    "tests/ui/test_holds.py": 15,
    "tests/ui/test_figures.py": 18,
    "tests/api/test_spc.py": 16,
    "tests/domain/": 17,
    "tests/api/test_scans.py": 15,
    "tests/workflows/test_weighing.py": 14,
    "tests/api/test_weighing.py": 25,
    "tests/api/test_put_away.py": 13,
    "tests/house/": 12,
    "tests/workflows/test_neighbour_down.py": 11,
    "tests/api/test_problems.py": 10,
    "tests/api/test_plan_import.py": 30,
    "tests/api/test_labels.py": 8,
    "tests/contracts/inventory/test_allocation.py": 7,
    "tests/api/test_from_order.py": 15,
    "tests/api/test_order_life.py": 7,
    "tests/contracts/inventory/test_ledger.py": 6,
    "tests/api/test_lot_numbers.py": 5,
}
"""How long a group takes, by `pytest -n 3 --group-times`: those of five seconds and more. Correct it now and then."""

_SECONDS_OF_A_TEST: Final = 0.2


def group_of(node: str) -> str:
    """The folder or the file that a test is run with."""
    file = node.split("::", 1)[0]
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def longest_first(nodes: Iterable[str]) -> list[str]:
    """The same tests: groups one after the other, the longest first; within a group as they were."""
    groups: dict[str, list[str]] = {}
    for node in nodes:
        groups.setdefault(group_of(node), []).append(node)

    def seconds(group: str) -> float:
        return SECONDS.get(group, _SECONDS_OF_A_TEST * len(groups[group]))

    return [node for group in sorted(groups, key=seconds, reverse=True) for node in groups[group]]


class Groups(LoadScopeScheduling):
    """Gives groups to processes in the order in which the processes have collected them."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)

    def remove_node(self, node: WorkerController) -> str | None:
        """A process has ended. What it ran when it died has failed, and is given back; the rest goes to others.

        The base class would run that test again, and might give others a group of which nothing is left to do: they
        would wait for ever.
        """
        groups = self.assigned_work[node]
        died = next((test for tests in groups.values() for test, done in tests.items() if not done), None)
        for name, tests in list(groups.items()):
            tests.pop(died or "", None)
            if all(tests.values()):
                del groups[name]
        super().remove_node(node)
        return died

    def schedule(self) -> None:
        """Hand out what there is. A process that took a dead one's place gets two groups, as all did at first.

        A process starts a test only when it knows the next one, or that there is none.
        """
        late = self.collection is not None
        super().schedule()
        if late:
            for node in self.nodes:
                self._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Whatever `--dist` says: tests of one module in two processes would each make its database."""
    config.option.loadscopereorder = False
    return Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process of several, the order in which groups are given out; alone, tests run as they stand."""
    if hasattr(config, "workerinput"):
        place = {node: number for number, node in enumerate(longest_first(item.nodeid for item in items))}
        items.sort(key=lambda item: place[item.nodeid])


class GroupTimes:
    """How long each group took, set-up and tear-down included."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of a test."""
        group = group_of(report.nodeid)
        self._seconds[group] = self._seconds.get(group, 0.0) + report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line per group, the longest first."""
        terminalreporter.section("seconds of each group")
        for group, seconds in sorted(self._seconds.items(), key=lambda one: -one[1]):
            terminalreporter.write_line(f"{seconds:7.1f} {group}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--group-times", action="store_true", help="print how long each group of tests/spread.py took")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--group-times"):
        config.pluginmanager.register(GroupTimes(), "group-times")
