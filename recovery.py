"""`mes processes`, and what a restored system is looked at for: audit trail, signatures, processes."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

import wiring
from api.orders_door import Orders
from api.resuming import Processes, Standing
from db.session import engine_for
from settings import DEFAULT_DATA_DIR, Settings, from_environment
from system import Addresses, attach_or_start

out, screen = Console(), Console(stderr=True)


def processes(
    start: Annotated[bool, typer.Option("--start", help="begin those that are missing, from the record")] = False,
    replace: Annotated[
        list[str] | None,
        typer.Option("--replace", help="order or case whose process knows something else than the record"),
    ] = None,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="where the system keeps its state")] = DEFAULT_DATA_DIR,
) -> None:
    """Which open orders and quality cases have no process in Temporal; --start begins them where the record ends."""
    with attach_or_start(data_dir, migrate=wiring.migrate, report=_say) as addresses:
        if replace and addresses.attached:
            _end("the system runs: its workers would write meanwhile. Stop it, then replace processes.")
        is_whole = asyncio.run(_looked_after(addresses, start=start, replace=replace or []))
    if not is_whole:
        raise typer.Exit(1)


async def _looked_after(addresses: Addresses, *, start: bool, replace: Sequence[str]) -> bool:
    settings = settings_of(addresses)
    engine = engine_for(addresses.database_url, pool_size=4)
    try:
        own = Processes(Orders(settings), engine)
        standing = await own.standing()
        if unknown := sorted(set(replace) - {one.life.number for one in standing}):
            _end(f"not open in the record: {', '.join(unknown)}")
        for one in standing:
            if one.life.number in replace and not one.is_missing:
                await own.end(one.life)
        if replace:
            standing = await own.standing()
        missing = [one for one in standing if one.is_missing]
        tell(standing, out.print)
        if not missing or not (start or replace):
            return not missing
        chosen = missing if start else [one for one in missing if one.life.number in replace]
        await own.begin(chosen)
        out.print(f"begun from the record: {', '.join(one.life.process for one in chosen)}", soft_wrap=True)
        return len(chosen) == len(missing)
    finally:
        engine.dispose()


def settings_of(addresses: Addresses) -> Settings:
    """The settings of a client of this system; keys come from the environment, as for its processes."""
    return from_environment({**os.environ, **addresses.environment(), **wiring.payload_key(addresses)})


def tell(standing: Sequence[Standing], say: Callable[[str], None]) -> None:
    """Say how many processes there should be, and name every one that is not there."""
    missing = [one for one in standing if one.is_missing]
    say(f"processes: {len(standing)} open orders and cases, {len(standing) - len(missing)} with their process")
    for one in missing:
        say(f"NO PROCESS {one.life.process} ({one.life.state}): {one.process}")


def check_restored(addresses: Addresses) -> bool:
    """Walk the audit trail, compute every signature again, look for every process; say all in words."""
    verdict = wiring.verify_audit(addresses)
    is_whole = verdict.broken_at is None
    if verdict.broken_at is None:
        out.print(f"audit trail: {verdict.detail}, head {verdict.head}", soft_wrap=True)
    else:
        screen.print(f"[red]audit trail broken at row {verdict.broken_at}: {verdict.detail}[/red]", highlight=False)
    standing = asyncio.run(_standing(addresses))
    tell(standing, lambda line: out.print(line, highlight=False, soft_wrap=True))
    if any(one.is_missing for one in standing):
        out.print("They go on when `mes processes --start` has begun them from the record.")
        is_whole = False
    faults = wiring.signature_faults(addresses)
    for line in faults.lines:
        screen.print(line, highlight=False, soft_wrap=True)
    out.print(faults.summary)
    return is_whole and not faults.lines


async def _standing(addresses: Addresses) -> list[Standing]:
    engine = engine_for(addresses.database_url, pool_size=4)
    try:
        return await Processes(Orders(settings_of(addresses)), engine).standing()
    finally:
        engine.dispose()


def _say(step: str) -> None:
    screen.print(f"[dim]· {step}[/dim]")


def _end(message: str) -> NoReturn:
    screen.print(f"[red]{message}[/red]", highlight=False)
    raise typer.Exit(1)
