"""What a benchmark tells while it runs, on stderr: stdout is for the figures alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Advance = Callable[[int], None]


class Bars:
    """Steps as lines, long steps as bars that go when they are done."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen

    def say(self, step: str) -> None:
        """One line."""
        self._screen.print(f"[dim]· {step}[/dim]")

    @contextmanager
    def bar(self, name: str, total: int) -> Iterator[Advance]:
        """A bar; call what is given with the number of parts that are done."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._screen, transient=True) as progress:
            task = progress.add_task(name, total=total)
            yield lambda done: progress.advance(task, done)
