"""The `mes` command. Every command works on the system of its data folder: the running one, or one of its own."""

import asyncio
import json
import os
import re
import runpy
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn
from uuid import UUID

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import records
import recovery
import wiring
from benchmarks.command import app as bench_app
from chaos.command import chaos
from db import migrate
from db.audit_heads import HeadsUnreadable
from db.queries import trace_across
from db.queries.trace import Direction, LotUnknown
from db.queries.trace_across import Across
from db.session import engine_for
from domain.errors import Refused
from domain.quantities import plain
from replay.client import NotTaken
from replay.jobshop import replay_jobshop
from replay.open_orders import STAGES
from replay.progress import Progress as Step
from replay.report import ReplayReport
from replay.tablets import leave_open, replay_planted, replay_tablets
from settings import DEFAULT_DATA_DIR, DEFAULT_SITE, keys_of
from system import Addresses, EmbeddedSystem, SystemRefusal, attach_or_start, running
from system.archive import Manifest
from system.backup import back_up
from system.backup import restore as restore_backup

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Millwright, a manufacturing execution system.")
replay_app = typer.Typer(no_args_is_help=True, help="Run real plants' data through the system.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")
app.add_typer(replay_app, name="replay")
app.add_typer(audit_app, name="audit")
signatures_app = typer.Typer(no_args_is_help=True, help="Electronic signatures.")
app.add_typer(signatures_app, name="signatures")
app.add_typer(bench_app, name="bench")
app.add_typer(records.record_app, name="record")
app.command()(chaos)
app.command()(recovery.processes)
SAMPLE_SERIES: Final = wiring.SAMPLE_TABLETS / "press_timeseries.csv"
screen = Console(stderr=True)
out = Console()

DataDir = Annotated[Path, typer.Option("--data-dir", help="where the system keeps its state")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="write what happened as JSON into this file")]
AtOnce = Annotated[int, typer.Option("--concurrency", min=1, max=64, help="orders at a time")]


def _say(step: str) -> None:
    screen.print(f"[dim]· {step}[/dim]")


@contextmanager
def _system(
    data_dir: Path, series: Path | None = wiring.SAMPLE_TABLETS / "press_timeseries.csv"
) -> Iterator[Addresses]:
    """The whole system of a folder, with worker, gateway, API and press."""
    with attach_or_start(data_dir, children=wiring.children(series), migrate=wiring.migrate, report=_say) as addresses:
        yield addresses


@contextmanager
def _record(data_dir: Path) -> Iterator[Addresses]:
    """The record of a folder; only PostgreSQL is started, if it does not run, and nothing is asked of Temporal."""
    with attach_or_start(data_dir, migrate=wiring.migrate, report=_say, with_temporal=False) as addresses:
        yield addresses


@app.command()
def up(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    port: Annotated[int, typer.Option("--port", help="port of the API on 127.0.0.1")] = 8080,
) -> None:
    """Start everything and keep it running until Ctrl-C."""
    with EmbeddedSystem(
        data_dir, api_port=port, children=wiring.children(SAMPLE_SERIES), migrate=wiring.migrate, report=_say
    ) as system:
        table = Table(show_header=False, box=None)
        table.add_row("Console", f"{system.api_url}/ui/")
        table.add_row("API", f"{system.api_url}/api/v1  (documentation: {system.api_url}/docs)")
        table.add_row("Temporal", system.temporal_address)
        table.add_row("Data", str(data_dir.resolve()))
        table.add_row("People", ", ".join(wiring.FIRST_ACCOUNTS))
        table.add_row("Passwords", f"{_mes()} password USER{_of(data_dir)}")
        if wiring.has_no_orders(system.addresses):
            table.add_row(
                "Nothing to do yet", f"{_mes()} replay open{_of(data_dir)}, in another terminal, leaves orders"
            )
        if wiring.has_no_name(system.addresses):
            table.add_row("[yellow]No name of its own[/yellow]", wiring.NO_NAME)
        screen.print(table)
        system.run_until_stopped()


def _mes() -> str:
    """How this command is called from where somebody stands: it need not be on the path."""
    own = Path(sys.argv[0]).absolute()
    if own.name != "mes":
        return "mes"
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)


def _of(data_dir: Path) -> str:
    return "" if data_dir == DEFAULT_DATA_DIR else f" --data-dir {data_dir}"


@app.command()
def status(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """What runs on this data folder."""
    state = running(data_dir)
    out.print_json(json.dumps(state if state is not None else {"state": "stopped"}, default=str))


@app.command()
def password(user: str, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """The password that was made for one of the first accounts of this data folder."""
    found = wiring.password_of(data_dir, user)
    if found is None and user in wiring.FIRST_ACCOUNTS:
        _end(f"this data folder does not hold the password of {user}: it was restored without it, or never started")
    if found is None:
        _end(f"there is no first account {user}; there are: {', '.join(wiring.FIRST_ACCOUNTS)}")
    print(found)


@app.command()
def demo(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Real tablet batches from approval to close, two of them on the press, where every lot went; and more to do."""
    with _system(data_dir) as addresses:
        report = _replay_tablets(addresses, wiring.SAMPLE_TABLETS, None, 4)
        _summary(report)
        if any(order.state != "closed" for order in report.orders):
            _end("not every order was closed")
        lot = report.orders[0].input_lots[0].lot
        _draw(f"forward trace of {lot}", _trace(addresses, lot, "forward"))
        _verify(addresses)
        _leave_open(addresses, wiring.SAMPLE_TABLETS, len(STAGES))
    table = Table(show_header=False, box=None, title="What next", title_justify="left")
    table.add_row("make up" if not _of(data_dir) else f"{_mes()} up{_of(data_dir)}", "the same system, kept running")
    table.add_row("http://127.0.0.1:8080/", "its console: log in as replay.supervisor, or as replay.operator")
    table.add_row(f"{_mes()} password replay.supervisor{_of(data_dir)}", "the password that was made here")
    screen.print(table, highlight=False)


@replay_app.command()
def tablets(
    directory: Path,
    batches: Annotated[str | None, typer.Option(help="batch numbers, as 1-50 or 19,60")] = None,
    report: ReportFile = None,
    concurrency: AtOnce = 8,
    planted: Annotated[
        bool, typer.Option("--planted", help="make one more batch, in which things go wrong and are resolved")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Every row of DIRECTORY/laboratory.csv becomes a production order of the tablet plant."""
    if not (directory / "laboratory.csv").is_file():
        _end(f"there is no laboratory.csv in {directory}")
    chosen = None if batches is None else _numbers(batches)
    series = directory / "press_timeseries.csv"
    with _system(data_dir, series if series.exists() else SAMPLE_SERIES) as addresses:
        _finish(_replay_tablets(addresses, directory, chosen, concurrency), report)
        if planted:
            _plant(addresses, directory)


def _plant(addresses: Addresses, directory: Path) -> None:
    """Make the planted batch, say how it went, and leave its record on paper in both languages."""
    with _progress("planted batch") as watch:
        story = asyncio.run(
            replay_planted(
                lambda: _client(addresses), wiring.people(addresses.data_dir), directory,
                press_connection=wiring.PRESS_CONNECTION, watcher=watch,
            )
        )  # fmt: skip
    for said in (*story.lines(), *map(str, story.write(addresses.data_dir / "prints"))):
        screen.print(said, highlight=False, markup=False)


@replay_app.command("open")
def open_orders(
    directory: Annotated[Path, typer.Argument()] = wiring.SAMPLE_TABLETS,
    orders: Annotated[int, typer.Option(min=1, max=200, help="how many")] = len(STAGES),
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Orders that are left at every stage, from planned to reviewed: something to do on the console."""
    with _system(data_dir) as addresses:
        for number, stage in _leave_open(addresses, directory, orders):
            screen.print(f"{number} {stage}", highlight=False)


def _leave_open(addresses: Addresses, directory: Path, orders: int) -> list[tuple[str, str]]:
    with _progress("open orders") as watch:
        return asyncio.run(
            leave_open(
                lambda: _client(addresses), wiring.people(addresses.data_dir), directory, orders=orders,
                press_connection=wiring.PRESS_CONNECTION, watcher=watch,
            )
        )  # fmt: skip


@replay_app.command()
def jobshop(
    file: Path, report: ReportFile = None, concurrency: AtOnce = 8, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Every work order of FILE becomes a production order of the job shop."""
    if not file.is_file():
        _end(f"there is no file {file}")
    with _system(data_dir) as addresses, _progress("job shop") as watch:
        done = asyncio.run(
            replay_jobshop(
                lambda: _client(addresses), wiring.people(addresses.data_dir), file, concurrency=concurrency,
                watcher=watch,
            )
        )  # fmt: skip
    _finish(done, report)


def _replay_tablets(
    addresses: Addresses, directory: Path, batches: Collection[int] | None, concurrency: int
) -> ReplayReport:
    with _progress("tablets") as watch:
        return asyncio.run(
            replay_tablets(
                lambda: _client(addresses), wiring.people(addresses.data_dir), directory, batches=batches,
                concurrency=concurrency, press_connection=wiring.PRESS_CONNECTION, watcher=watch,
            )
        )  # fmt: skip


def _client(addresses: Addresses) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=addresses.api_url or "", timeout=60)


@contextmanager
def _progress(name: str) -> Iterator[Any]:
    """A bar for the orders that are over, with what was last done beside it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[stage]}"), console=screen) as bar:
        task = bar.add_task(name, total=None, stage="")

        def watch(step: Step) -> None:
            bar.update(task, total=step.total, completed=step.done, stage=f"{step.order} {step.stage}")

        yield watch


def _finish(report: ReplayReport, file: Path | None) -> None:
    _summary(report)
    if file is not None:
        report.write(file)
        screen.print(f"report: {file}")


def _summary(report: ReplayReport) -> None:
    states: dict[str, int] = {}
    for order in report.orders:
        states[order.state] = states.get(order.state, 0) + 1
    table = Table(show_header=False, box=None)
    table.add_row("orders", ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none")
    table.add_row("good", f"{sum(order.good_quantity for order in report.orders):,}")
    table.add_row("scrap", f"{sum(order.scrap_quantity for order in report.orders):,}")
    table.add_row("deviations", str(sum(order.deviations for order in report.orders)))
    table.add_row("time", f"{report.seconds:.1f} s, {report.orders_per_second:.2f} orders/s")
    screen.print(table)
    for refusal in report.refusals[:20]:
        screen.print(f"[yellow]refused[/yellow] row {refusal.row}: {refusal.code} {refusal.detail}")
    if len(report.refusals) > 20:
        screen.print(f"… and {len(report.refusals) - 20} more")


@app.command(name="trace")
def trace_command(
    lot: str,
    direction: Annotated[str, typer.Option(help="forward, backward or both")] = "forward",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Where a lot went, or what it was made from."""
    if direction not in ("forward", "backward", "both"):
        _end(f"{direction} is no direction: forward, backward or both")
    with _record(data_dir) as addresses:
        found = _trace(addresses, lot, direction)  # type: ignore[arg-type]
    if as_json:
        print(json.dumps({"lot": lot, "direction": direction, **found.as_documents()}))
    else:
        _draw(f"{direction} trace of {lot}", found)


def _trace(addresses: Addresses, lot: str, direction: Direction) -> Across:
    engine = engine_for(addresses.database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            return trace_across.trace(connection, os.environ.get("MES_SITE") or DEFAULT_SITE, lot, direction)
    except LotUnknown as unknown:
        _end(str(unknown))
    finally:
        engine.dispose()


def _draw(title: str, found: Across) -> None:
    table = Table(title=title)
    columns = ("from", "to", "quantity", "work order")
    for column in (*columns, "told by") if found.links else columns:
        table.add_column(column)
    for edge in found.edges:
        ends = [found.lots[lot].name if lot in found.lots else lot for lot in (edge.source, edge.target)]
        told = [found.links.get((edge.source, edge.target, edge.work_order), "")] if found.links else []
        table.add_row(*ends, f"{plain(edge.quantity)} {edge.unit}", edge.work_order, *told)
    out.print(table)


@audit_app.command()
def verify(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Walk the whole chain, compare it with the published heads; name the first row that is not as it was written."""
    with _record(data_dir) as addresses:
        _verify(addresses)


@audit_app.command()
def publish(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Write the head of the chain into the file outside the database now, and print it, to be kept elsewhere."""
    with _record(data_dir) as addresses:
        out.print(wiring.publish_head(addresses), soft_wrap=True)


def _verify(addresses: Addresses) -> None:
    try:
        verdict = wiring.verify_audit(addresses)
    except HeadsUnreadable as unreadable:
        _end(str(unreadable))
    if verdict.broken_at is not None:
        _end(f"audit trail broken at row {verdict.broken_at}: {verdict.detail}")
    out.print(f"audit trail: {verdict.detail}, head {verdict.head}")


@signatures_app.command(name="verify")
def verify_signatures(
    signature: Annotated[UUID | None, typer.Argument(help="one signature; all when it is left out")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Compute hashes again from the record; name record and field of everything that is not as it was signed."""
    with _record(data_dir) as addresses:
        wiring.verify_signatures(addresses, signature, out.print, _end)


@app.command()
def backup(file: Path, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Copy record and running processes of a stopped system into FILE, encrypted when MES_BACKUP_KEY is set."""
    key = next(iter(wiring.backup_keys()), None)
    with _bytes() as progress:
        made = back_up(data_dir, file, wiring.Record(), progress, key)
    print("encrypted" if key else "not encrypted: keep it as carefully as the system itself (MES_BACKUP_KEY)")
    _contents(f"{file}, {file.stat().st_size:,} bytes", made)


@app.command()
def restore(
    file: Path,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="the new folder; it must not exist, or be empty")],
    secrets: Annotated[
        Path | None, typer.Option("--secrets", help="the old folder's secrets.json, for the first accounts' passwords")
    ] = None,
) -> None:
    """Make a new data folder from a backup, compare it, check audit trail and signatures, look for every process."""
    with _bytes() as progress:
        keys = keys_of(os.environ, "MES_BACKUP_KEY")
        made = restore_backup(file, data_dir, wiring.Record(), progress, secrets, keys)
    _contents(f"{data_dir}, from a backup of {made.created_at}", made)
    with EmbeddedSystem(data_dir, report=_say) as system:
        is_whole = recovery.check_restored(system.addresses)
    if not is_whole:
        _end("restored, and kept as it is: what is named above is not as it should be")


def _contents(what: str, made: Manifest) -> None:
    found = made.record
    print(f"{what}: {sum(found['rows'].values())} rows in {len(found['rows'])} tables, schema {found['revision']}")
    print(f"audit trail: {found['audit_rows']} rows, head {found['audit_head']}")
    if made.audit_broken_at is not None:
        screen.print(f"[red]the audit trail was broken at row {made.audit_broken_at} when the backup was made[/red]")


@contextmanager
def _bytes() -> Iterator[Any]:
    """A bar for bytes; it only moves to and fro where nobody knows how many there will be."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen) as bar:
        tasks: dict[str, Any] = {}

        def watch(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done, total=total)

        yield watch
        for task in tasks.values():
            bar.update(task, total=bar.tasks[task].completed)


@app.command()
def downgrade(
    revision: str,
    lose_data: Annotated[bool, typer.Option("--lose-data", help="also when rows or values are lost by it")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Take the schema of a stopped system back to REVISION, for an earlier release; refused when data would be lost."""
    with EmbeddedSystem(data_dir, report=_say) as system:
        try:
            migrate.downgrade(system.database_owner_url, revision, lose_data=lose_data)
        except Refused as refused:
            for blocker in refused.blockers:
                screen.print(f"[yellow]{blocker.entity} {blocker.id}[/yellow]: {blocker.found}", highlight=False)
            _end("nothing was changed; make a backup, then use --lose-data if this is meant")
    out.print(f"schema: {revision}. The next start of this release brings it up again.")


@app.command()
def worker() -> None:
    """The worker of orders, on the servers that DATABASE_URL and TEMPORAL_ADDRESS name."""
    _module("worker", "--role", "orders")


@app.command()
def gateway() -> None:
    """The worker beside the machines, on the servers that the environment names."""
    _module("worker", "--role", "gateway")


@app.command()
def api() -> None:
    """The API, on the servers that the environment names."""
    _module("api")


def _module(name: str, *arguments: str) -> None:
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _numbers(text: str) -> set[int]:
    """`1-50,60` → the numbers that it names."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", part)
        if match is None:
            _end(f"{part!r} names no batches: write 1-50 or 19,60")
        first = int(match[1])
        found |= set(range(first, int(match[2] or first) + 1))
    return found


def _end(message: str) -> NoReturn:
    screen.print(f"[red]{message}[/red]", highlight=False)
    raise typer.Exit(1)


def main() -> None:
    """Entry of the command; a refusal is a sentence, not a stack trace."""
    try:
        # Out of standalone mode an exit with a code is an answer, not an exception.
        code = app(standalone_mode=False)
        if isinstance(code, int) and code:
            sys.exit(code)
    except SystemRefusal as refusal:
        screen.print(f"[red]{refusal.detail}[/red]\n{refusal.remedy}", highlight=False)
        sys.exit(2)
    except NotTaken as refused:
        screen.print(f"[red]{refused}[/red]", highlight=False)
        sys.exit(1)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("MES_DEBUG"):
            raise
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # a mistake on the command line
            error.show()
            sys.exit(error.exit_code)
        screen.print(f"[red]{type(error).__name__}: {error}[/red]\n(MES_DEBUG=1 shows where)", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
