"""Which tests run in one process after each other, and what is started first: for `pytest -n 3`, as `make test` does.

Each process has servers of its own, so that nothing is shared between two of them. A module stays whole, because its
database and its worker are made once; what shares something dearer stays together, too. What takes longest is started
first: at the end no process is left alone with a long one.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
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

TIMES: Final = Path(__file__).parent / "group_times.csv"
"""Seconds of a group, the longest first, of those of three and more: `make group-times` measures them again."""


def _known_seconds(path: Path = TIMES) -> dict[str, float]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["group"]: float(row["seconds"]) for row in csv.DictReader(file)}


_SECONDS_OF_A_TEST: Final = {"tests/kills/": 20.0, "tests/ui/": 3.0, "tests/workflows/": 1.0, "tests/api/": 0.7}
"""What a test takes in a module that was not measured yet; elsewhere a fifth of a second."""


def group_of(node: str) -> str:
    """The folder or the file that a test is run with."""
    file = node.split("::", 1)[0]
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def longest_first(nodes: Iterable[str]) -> list[str]:
    """The same tests: groups one after the other, the longest first; within a group as they were."""
    groups: dict[str, list[str]] = {}
    for node in nodes:
        groups.setdefault(group_of(node), []).append(node)

    known = _known_seconds()

    def seconds(group: str) -> float:
        each = next((own for folder, own in _SECONDS_OF_A_TEST.items() if group.startswith(folder)), 0.2)
        return known.get(group, each * len(groups[group]))

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
