"""`mes bench [SECTION]`: what the system costs on this machine, as one JSON document."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import wiring
from benchmarks import console as screens
from benchmarks.progress import Bars
from benchmarks.run import Document, Settings, measure
from benchmarks.suite import FULL, QUICK, SECTIONS, Sizes, Suite, Surroundings, failed
from settings import DEFAULT_DATA_DIR
from system import attach_or_start

app = typer.Typer(invoke_without_command=True, help="What the system costs on this machine, as one JSON document.")
screen = Console(stderr=True)
bars = Bars(screen)
Some = typer.Option(min=1)


def _several(text: str) -> str:
    if not all(part.strip().isdecimal() and int(part) > 0 for part in text.split(",")):
        raise typer.BadParameter("whole numbers above 0, with commas between them")
    return text


Quick = Annotated[bool, typer.Option("--quick", help="small sizes: at most two minutes on a quiet machine")]
Folder = Annotated[Path, typer.Option("--data-dir", help="where the system keeps its state")]
Several = typer.Option(callback=lambda text: None if text is None else _several(text), metavar="N,N,…")


@app.callback()
def everything(context: typer.Context, quick: Quick = False, data_dir: Folder = DEFAULT_DATA_DIR) -> None:
    """All sections, one after the other; each also runs alone, with its sizes as options."""
    if context.invoked_subcommand is None:
        _run(SECTIONS, QUICK if quick else FULL, data_dir)


@app.command()
def life(
    components: Annotated[int | None, Some] = None,
    operations: Annotated[int | None, Some] = None,
    counted: Annotated[int | None, typer.Option(min=1, help="orders whose SQL statements are counted")] = None,
    orders: Annotated[int | None, typer.Option(min=1, help="orders that are timed at each load, at least")] = None,
    clients: Annotated[str | None, Several] = None,
    rates: Annotated[str | None, Several] = None,
    seconds: Annotated[float | None, typer.Option(min=1, help="how long each rate is kept up")] = None,
    quick: Quick = False,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """Full orders over the public API, by number of clients and by confirmations a second."""
    given = _given(
        components=components, operations=operations, counted=counted, orders=orders, clients=_numbers(clients),
        rates=None if rates is None else tuple(map(float, _numbers(rates) or ())), seconds=seconds,
    )  # fmt: skip
    _one("life", given, quick, data_dir)


@app.command()
def trace(
    sizes: Annotated[str | None, Several] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="traces of each direction")] = None,
    cold: Annotated[int | None, typer.Option(min=0, help="of them, repeated from a cold start")] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    hot_descendants: Annotated[int | None, Some] = None,
    quick: Quick = False,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """Traces through seeded lots (`--sizes`), beside the bare recursive SQL."""
    given = _given(sizes=_numbers(sizes), samples=samples, cold=cold, seed=seed, hot_descendants=hot_descendants)
    _one("trace", given, quick, data_dir)


@app.command()
def fefo(
    orders: Annotated[int | None, Some] = None,
    lots: Annotated[int | None, Some] = None,
    clients: Annotated[int | None, Some] = None,
    quick: Quick = False,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """Orders that reserve from the same few lots, first expired first out, at the same time."""
    _one("fefo", _given(orders=orders, lots=lots, clients=clients), quick, data_dir)


@app.command()
def paper(
    rows: Annotated[int | None, Some] = None,
    prints: Annotated[int | None, Some] = None,
    quick: Quick = False,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """A batch record of hundreds of values as PDF, in both languages."""
    _one("paper", _given(rows=rows, prints=prints), quick, data_dir)


@app.command()
def board(
    clients: Annotated[int | None, typer.Option(min=1, max=500)] = None,
    quick: Quick = False,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """The board's fragment while so many boards are open and live."""
    _one("board", _given(clients=clients), quick, data_dir)


@app.command()
def values(
    values: Annotated[int | None, Some] = None,
    tags: Annotated[int | None, typer.Option(min=1, max=100)] = None,
    pages: Annotated[str | None, Several] = None,
    quick: Quick = False,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """Machine values from the machine's answer to committed rows; `--pages` are readings of a transaction."""
    _one("values", _given(values=values, tags=tags, pages=_numbers(pages)), quick, data_dir)


@app.command()
def floor(
    count: Annotated[int | None, Some] = None,
    clients: Annotated[int | None, Some] = None,
    events: Annotated[int | None, Some] = None,
    transactions: Annotated[int | None, Some] = None,
    rows: Annotated[int | None, Some] = None,
    quick: Quick = False,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """An empty workflow with as many events as an order, and the bare transactions of an order."""
    given = _given(count=count, clients=clients, events=events, transactions=transactions, rows=rows)
    _one("floor", given, quick, data_dir)


@app.command("open")
def open_orders(
    orders: Annotated[int | None, Some] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=32)] = None,
    cached: Annotated[int | None, typer.Option(min=1, help="orders that each worker keeps in memory")] = None,
    pollers: Annotated[int | None, typer.Option(min=2, help="MES_WORKER_POLLERS of each worker")] = None,
    quick: Quick = False,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """Thousands of open orders: memory of the workers, and the time until all answer after `kill -9` of all workers."""
    _one("open", _given(orders=orders, workers=workers, cached=cached, pollers=pollers), quick, data_dir)


def _given(**options: object) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _numbers(text: str | None) -> tuple[int, ...] | None:
    return None if text is None else tuple(int(part) for part in text.split(","))


def _one(name: str, given: dict[str, Any], quick: bool, data_dir: Path) -> None:
    sizes = QUICK if quick else FULL
    _run((name,), replace(sizes, **{name: replace(getattr(sizes, name), **given)}), data_dir)


def _run(names: Collection[str], sizes: Sizes, data_dir: Path) -> None:
    around = Surroundings(wiring.children(None), wiring.migrate, wiring.people)
    document = Suite(data_dir, sizes, around, bars).run(names)
    print(json.dumps(document, indent=1))
    if missing := failed(document):
        screen.print(f"[red]no figures: {', '.join(missing)}[/red]")
        raise typer.Exit(1)


@app.command()
def order(
    components: Annotated[int, Some] = 10,
    operations: Annotated[int, Some] = 5,
    orders: Annotated[int, typer.Option(min=1, help="orders that are timed under full load")] = 20,
    clients: Annotated[int, typer.Option(min=1, max=64, help="orders at a time under full load")] = 4,
    counted: Annotated[int, typer.Option(min=1, help="orders whose SQL statements are counted, one by one")] = 4,
    rate: Annotated[float, typer.Option(min=0.1, help="confirmations a second of the paced run")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """The short form of `life`: one load and one rate, as a table or as JSON."""
    settings = Settings(
        components=components, operations=operations, orders=orders, clients=clients, counted=counted, rate=rate
    )
    with attach_or_start(
        data_dir, children=wiring.children(None), migrate=wiring.migrate, report=bars.say
    ) as addresses:  # fmt: skip
        found = measure(addresses, wiring.people(addresses.data_dir), settings, bars.say)
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        _draw(found)


@app.command()
def console(
    clients: Annotated[int, typer.Option(min=1, max=500, help="boards that are open at once")] = 50,
    data_dir: Folder = DEFAULT_DATA_DIR,
) -> None:
    """Bytes and seconds of each screen in a slow browser, and what fifty open boards cost, as one JSON document."""
    with attach_or_start(
        data_dir, children=wiring.children(None), migrate=wiring.migrate, report=bars.say
    ) as addresses:  # fmt: skip
        try:
            found = asyncio.run(screens.measure(addresses, wiring.people(addresses.data_dir), clients, bars.say))
        except screens.ToolMissing as missing:
            screen.print(f"[red]{missing}[/red]")
            raise typer.Exit(1) from None
    print(json.dumps(found, indent=1))


def _draw(found: Document) -> None:
    table = Table(show_header=False, box=None)
    counts: dict[str, Any] = found["perOrder"]
    for role, spent in counts["sql"].items():
        done = spent["transactions"]
        table.add_row(
            f"SQL of the {role}, per order",
            f"{spent['statements']:g} statements, {spent['pings']:g} pings; transactions: {done['wrote']:g} wrote, "
            f"{done['onlyRead']:g} only read, {done['rolledBack']:g} rolled back, {done['ofOneStatement']:g} of one "
            "statement",
        )
    table.add_row("rows, per order", f"{sum(counts['rowsAdded'].values()):g}")
    table.add_row("history events, per order", f"{counts['historyEvents']:g}")
    for name in ("fullLoad", "paced"):
        timed = found[name]
        verdict = timed["verdictMilliseconds"]
        table.add_row(
            {"fullLoad": "full load", "paced": f"{found['settings']['rate']:g} confirmations/s"}[name],
            f"{timed['ordersPerSecond']:g} orders/s, {timed['cpuSecondsPerOrder']['system']:g} CPU s an order; "
            f"verdict p50 {verdict['p50']:g} ms, p99 {verdict['p99']:g} ms",
        )
    Console().print(table)
