"""`mes bench …`: what the system costs on this machine, as one JSON document."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import wiring
from benchmarks import console as screens
from benchmarks.run import Document, Settings, measure
from settings import DEFAULT_DATA_DIR
from system import attach_or_start

app = typer.Typer(no_args_is_help=True, help="What the system costs on this machine.")
screen = Console(stderr=True)
Some = typer.Option(min=1)


@app.command()
def order(
    components: Annotated[int, Some] = 10,
    operations: Annotated[int, Some] = 5,
    orders: Annotated[int, typer.Option(min=1, help="orders that are timed under full load")] = 20,
    clients: Annotated[int, typer.Option(min=1, max=64, help="orders at a time under full load")] = 4,
    counted: Annotated[int, typer.Option(min=1, help="orders whose SQL statements are counted, one by one")] = 4,
    rate: Annotated[float, typer.Option(min=0.1, help="confirmations a second of the paced run")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="where the system keeps its state")] = DEFAULT_DATA_DIR,
) -> None:
    """Full orders over the public API, from approval to close: statements, transactions, rows, CPU, time per step."""

    def say(step: str) -> None:
        screen.print(f"[dim]· {step}[/dim]")

    settings = Settings(
        components=components, operations=operations, orders=orders, clients=clients, counted=counted, rate=rate
    )
    with attach_or_start(data_dir, children=wiring.children(None), migrate=wiring.migrate, report=say) as addresses:
        found = measure(addresses, wiring.people(addresses.data_dir), settings, say)
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        _draw(found)


@app.command()
def console(
    clients: Annotated[int, typer.Option(min=1, max=500, help="boards that are open at once")] = 50,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="where the system keeps its state")] = DEFAULT_DATA_DIR,
) -> None:
    """Bytes and seconds of each screen in a slow browser, and what fifty open boards cost, as one JSON document."""

    def say(step: str) -> None:
        screen.print(f"[dim]· {step}[/dim]")

    with attach_or_start(data_dir, children=wiring.children(None), migrate=wiring.migrate, report=say) as addresses:
        try:
            found = asyncio.run(screens.measure(addresses, wiring.people(addresses.data_dir), clients, say))
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
