"""`mes chaos`: kills everything at random while orders are made, and says whether the record noticed."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from chaos import plan as plans
from chaos.run import MOMENTS, PLANTS, Settings, Watch, run
from system import SystemRefusal

screen = Console(stderr=True)
DEFAULT_FOLDER = Path(".mes-chaos")
_SAMPLE = Settings(seed=0, kills=0, orders=0)


def chaos(
    kills: Annotated[int, typer.Option(min=0, max=10_000, help="SIGKILLs at random moments")] = 200,
    orders: Annotated[int, typer.Option(min=1, max=5_000, help="orders of all plants together")] = 100,
    seed: Annotated[int | None, typer.Option(help="what the dice are thrown with; left out: the time")] = None,
    plants: Annotated[
        str, typer.Option(help="plants with commas between, each with a weight if need be: tablets:1,jobshop:4")
    ] = ",".join(PLANTS),
    tablets: Annotated[Path, typer.Option(help="folder with laboratory.csv")] = _SAMPLE.tablets,
    jobshop: Annotated[Path, typer.Option(help="file with shop-floor reports")] = _SAMPLE.jobshop,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="orders of tablets at a time")] = 6,
    moments: Annotated[
        int, typer.Option(min=0, max=1_000, help="moments at which somebody looks at an order, and asks again later")
    ] = MOMENTS,
    long_orders: Annotated[
        int, typer.Option(min=0, max=9, help="orders of more than 10,000 events of Temporal, on top of the others")
    ] = 1,
    plan: Annotated[Path | None, typer.Option(help="kill by the plan of this file, or of an earlier result")] = None,
    report: Annotated[Path | None, typer.Option(help="write the result into this file, too")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="keep both data folders when all is well, too")] = False,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="where both runs keep their state")] = DEFAULT_FOLDER,
) -> None:
    """Full orders while worker, gateway, API, Temporal and PostgreSQL are killed; one JSON document, 0 if all is well.

    The same orders are made undisturbed first. Then a checker of its own compares states, stock, reservations, reports,
    signatures, genealogy and audit trail, every answer that a client got, and what is told of a moment later. A run is
    repeated with its seed, or with its result as `--plan`.
    """
    chosen = _weights(plants)
    thrown = int(time.time()) if seed is None else seed
    try:
        given = None if plan is None else plans.read(plan)
        settings = Settings(
            thrown, kills, orders, chosen, tablets, jobshop, concurrency, given, moments, long_orders
        )  # fmt: skip
        folder = data_dir / f"{thrown}-{time.strftime('%Y%m%dT%H%M%S')}"
        screen.print(f"seed {thrown}; both runs are in {folder}", highlight=False)
        with _shown() as watch:
            found = run(settings, folder, watch)
    except (plans.PlanUnreadable, OSError, SystemRefusal) as wrong:
        _end(str(wrong))
    more = f"--moments {moments} --long-orders {long_orders} --plants {plants} --tablets {tablets} --jobshop {jobshop}"
    _tell(found, folder, report, f"--seed {thrown} --orders {orders} --plan {folder / 'result.json'} {more}")
    if not keep:
        shutil.rmtree(folder)


def _tell(found: dict[str, Any], folder: Path, report: Path | None, again: str) -> None:
    """Write the result where it belongs; leave with 1 when the run has not passed."""
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (folder / "result.json").write_text(text + "\n", encoding="utf-8")
    if report is not None:
        report.write_text(text + "\n", encoding="utf-8")
    print(text)
    if not found["passed"]:
        _end(f"not as it should be; again: mes chaos {again}")


def _weights(plants: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in filter(None, map(str.strip, plants.split(","))):
        name, _, weight = part.partition(":")
        if name not in PLANTS or not (weight or "1").isdecimal() or int(weight or "1") < 1:
            _end(f"no plant {part!r}; there are: {', '.join(PLANTS)}, with a whole number above 0 behind a colon")
        found[name] = int(weight or "1")
    return found or dict.fromkeys(PLANTS, 1)


def _end(why: str) -> NoReturn:
    screen.print(f"[red]{why}[/red]", highlight=False, soft_wrap=True)
    raise typer.Exit(1)


class _Bars(Watch):
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._orders: TaskID | None = None
        self._kills: TaskID | None = None

    def step(self, what: str) -> None:
        self._bars.console.print(f"[dim]· {what}[/dim]")
        self._orders = self._kills = None

    def orders(self, done: int, total: int, what: str) -> None:
        if self._orders is None:
            self._orders = self._bars.add_task("orders", total=total, what="")
        self._bars.update(self._orders, completed=done, what=what)

    def kills(self, done: int, total: int) -> None:
        if self._kills is None:
            self._kills = self._bars.add_task("kills", total=total, what="")
        self._bars.update(self._kills, completed=done)


@contextmanager
def _shown() -> Iterator[Watch]:
    """A bar for orders and one for kills."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[what]}"), console=screen) as bars:
        yield _Bars(bars)
