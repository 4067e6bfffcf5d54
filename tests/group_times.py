"""What each group of tests/spread.py costs: `pytest -n 3 --group-times`; `=write` renews tests/group_times.csv, too.

Seconds that passed, and seconds of a core: of the process that runs the tests and of everything it has started, servers
and browser included. On a busy machine the second figure is the one that can be compared.
"""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.spread import TIMES, group_of

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_FROM_SECONDS: Final = 3.0
"""Groups that take less are not written: their place makes no difference."""


def cpu_seconds(root: int) -> float:
    """CPU seconds of a process, of those it has started and waited for, and of those that are still there (Linux)."""
    ticks: dict[int, int] = {}
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        ticks[int(folder.name)] = sum(int(field) for field in fields[11:15])
    own, found = {root}, {root}
    while found:
        found = {pid for pid, parent in parents.items() if parent in found}
        own |= found
    return sum(ticks.get(pid, 0) for pid in own) / _TICKS


class Here:
    """In a process that runs tests: what each group has used."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.used: dict[str, float] = {}
        self._before = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
        """A group's last test tears down what the group has set up."""
        group = group_of(item.nodeid)
        if group not in self.used:
            self._before = cpu_seconds(os.getpid())
            self.used[group] = 0.0
        yield
        if nextitem is not None and group_of(nextitem.nodeid) != group:
            self._note(group)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """After the last test of all the servers end: what a browser's orphans have used nobody can tell then."""
        if nextitem is None:
            self._note(group_of(item.nodeid))

    def _note(self, group: str) -> None:
        self.used[group] += cpu_seconds(os.getpid()) - self._before

    def pytest_sessionfinish(self) -> None:
        """Tell the first process."""
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["group_times"] = self.used


class GroupTimes:
    """In the first process: both figures of all groups."""

    def __init__(self, alone: Here | None, path: Path | None) -> None:
        self._seconds: dict[str, float] = {}
        self._used: dict[str, float] = {} if alone is None else alone.used
        self._path = path

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A process has ended."""
        self._used |= getattr(node, "workeroutput", {}).get("group_times", {})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of a test."""
        group = group_of(report.nodeid)
        self._seconds[group] = self._seconds.get(group, 0.0) + report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line per group, the longest first."""
        rows = [(group, round(seconds, 1), round(self._used.get(group, 0.0), 1))
                for group, seconds in sorted(self._seconds.items(), key=lambda one: -one[1])]  # fmt: skip
        terminalreporter.section("seconds of each group: passed, of a core")
        for group, seconds, used in rows:
            terminalreporter.write_line(f"{seconds:8.1f} {used:8.1f} {group}")
        terminalreporter.write_line(f"{sum(row[1] for row in rows):8.1f} {sum(row[2] for row in rows):8.1f} all")
        if self._path is not None:
            self._write(rows)

    def _write(self, rows: list[tuple[str, float, float]]) -> None:
        assert self._path is not None
        with self._path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("group", "seconds"))
            writer.writerows((group, round(seconds)) for group, seconds, _ in rows if seconds >= _FROM_SECONDS)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--group-times", nargs="?", const="print", choices=("print", "write"),
        help="print how long each group of tests/spread.py took; =write: also into tests/group_times.csv",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    asked = config.getoption("--group-times")
    if asked is None:
        return
    runs_tests = hasattr(config, "workerinput") or not config.getoption("numprocesses", None)
    here = Here(config) if runs_tests else None
    if here is not None:
        config.pluginmanager.register(here, "group-times-here")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(GroupTimes(here, TIMES if asked == "write" else None), "group-times")
