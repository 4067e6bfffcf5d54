"""Which requirement is proved by which tests: `make trace-matrix` prints one line per id.

A test names the ids that it proves with `@pytest.mark.accepts("A13", …)`; `tests/requirements.csv` lists the ids there
are: rows of the acceptance table, and GMP requirements with their priority. A marker with another id is an error.

The run fails when a P0 requirement has no passing test, unless `tests/later.csv` says why it waits; also when one that
is said to wait is proved (RC-05).

With `-n` the tests run in several processes: each of them collects all tests and tells at its end which ids they name;
what became of a test is told by the process that ran it. The first process puts both together.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

IDS: Final = Path(__file__).parent / "requirements.csv"
LATER: Final = Path(__file__).parent / "later.csv"
_PROVES: Final = "trace-matrix"


def known_ids(path: Path = IDS) -> list[str]:
    """Every id there is, in the order of the list."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["id"] for row in csv.DictReader(file)]


def must_be_proved(path: Path = IDS) -> list[str]:
    """The ids without which the product is none (P0), in the order of the list."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["id"] for row in csv.DictReader(file) if row["priority"] == "P0"]


def waiting(path: Path = LATER) -> dict[str, str]:
    """P0 ids that later work proves → what is missing."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["why"] for row in csv.DictReader(file)}


def verdict(results: Mapping[str, str], needed: Iterable[str], later: Mapping[str, str]) -> list[str]:
    """What keeps a build from being good: an id in each line. `results` are passed, failed or none by id."""
    needed = list(needed)
    unproved = [f"{name}: {results.get(name, 'none')}" for name in needed
                if results.get(name) != "passed" and name not in later]  # fmt: skip
    proved = [f"{name}: proved; take it off {LATER.name}" for name in later if results.get(name) == "passed"]
    wrong = [f"{name}: in {LATER.name}, and no P0 requirement" for name in later if name not in needed]
    return unproved + proved + wrong


def result_of(outcomes: Iterable[str]) -> tuple[str, int]:
    """`passed`, `failed` or `none`, and how many tests ran: one failure is a failure, a skipped test is none."""
    count = Counter(outcomes)
    ran = count["passed"] + count["failed"]
    return ("failed" if count["failed"] else "passed" if ran else "none"), ran


class TraceMatrix:
    """Gathers what became of each test with a marker."""

    def __init__(self, ids: list[str], told: dict[str, Any] | None = None) -> None:
        """`told` is what this process tells the one that started it; None for the first process."""
        self._ids, self._told = ids, told
        self._proves: dict[str, set[str]] = {}
        self._became: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note which test proves what. Raises UsageError for an id that is not in the list."""
        for item in items:
            named = {str(name) for marker in item.iter_markers("accepts") for name in marker.args}
            if unknown := sorted(named - set(self._ids)):
                raise pytest.UsageError(f"{item.nodeid} names {', '.join(unknown)}: not in {IDS.name}")
            self._proves[item.nodeid] = named
        if self._told is not None:
            self._told[_PROVES] = {node: sorted(named) for node, named in self._proves.items()}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Note what another process has collected. One that died has told nothing: the others have collected alike."""
        told: Mapping[str, list[str]] = getattr(node, "workeroutput", {}).get(_PROVES, {})
        self._proves.update({test: set(named) for test, named in told.items()})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended; a broken set-up or tear-down is a failure of the test."""
        counts = report.failed or (report.when == "call" and report.passed)
        if counts and self._became.get(report.nodeid) != "failed":
            self._became[report.nodeid] = report.outcome

    def results(self) -> dict[str, str]:
        """Id → passed, failed or none."""
        return {name: result for name, result, _ in (line.split(" ") for line in self.lines())}

    def lines(self) -> list[str]:
        """One line per id: the id, its result, the number of tests."""
        outcomes: dict[str, list[str]] = defaultdict(list)
        for node, named in self._proves.items():
            for name in named:
                outcomes[name].append(self._became.get(node, "skipped"))
        return [" ".join((name, *map(str, result_of(outcomes[name])))) for name in self._ids]


class _Printer:
    def __init__(self, matrix: TraceMatrix) -> None:
        self._matrix = matrix

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A P0 requirement without proof is a failure of the build."""
        if self._found() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _found(self) -> list[str]:
        return verdict(self._matrix.results(), must_be_proved(), waiting())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if found := self._found():
            terminalreporter.section("P0 requirements that are not proved")
            for line in found:
                terminalreporter.write_line(f"! {line}")
        terminalreporter.section("requirements")
        for line in self._matrix.lines():
            terminalreporter.write_line(line)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--trace-matrix", action="store_true", help="print which requirement is proved by how many tests")


def pytest_configure(config: pytest.Config) -> None:
    matrix = TraceMatrix(known_ids(), getattr(config, "workeroutput", None))
    config.pluginmanager.register(matrix, "trace-matrix")
    if config.getoption("--trace-matrix"):
        config.pluginmanager.register(_Printer(matrix), "trace-matrix-printer")
