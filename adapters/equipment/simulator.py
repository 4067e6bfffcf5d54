"""A tablet press to connect to: `python -m adapters.equipment.simulator --help`.

It plays recorded runs over real OPC UA. Certificates for it and for the driver are made in the folder that is named;
the password comes from the environment variable MES_PRESS_PASSWORD or from a file.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.equipment.pki import ensure_pair
from adapters.equipment.press_model import Press
from adapters.equipment.press_series import SeriesUnreadable, read_series
from adapters.equipment.press_server import PressServer
from adapters.equipment.press_store import StateUnreadable, load_state

PASSWORD_VARIABLE = "MES_PRESS_PASSWORD"
DEFAULT_USER = "mes"
DEFAULT_SPEED = 2400.0  # ten hours of the recording in fifteen seconds
_log = logging.getLogger("millwright.press")


@dataclass(frozen=True)
class PressSettings:
    """What a press needs to start. `speed` = recorded seconds per second; `port` on 127.0.0.1."""

    port: int
    series: Path
    pki: Path
    state: Path
    password: str
    speed: float = DEFAULT_SPEED
    user: str = DEFAULT_USER
    job_control: bool = False


async def run_press(settings: PressSettings) -> None:
    """Play until cancelled. Raises `SeriesUnreadable`, `StateUnreadable`, `ValueError`, `OSError` at the start."""
    press = Press(read_series(settings.series), settings.speed)
    press.restore(load_state(settings.state))
    identity, _ = ensure_pair(settings.pki)
    server = PressServer(press, settings.state, job_control=settings.job_control)
    await server.serve(settings.port, identity, settings.user, settings.password)


def _settings(arguments: Sequence[str] | None) -> PressSettings:
    parser = argparse.ArgumentParser(prog="python -m adapters.equipment.simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--series", type=Path, required=True, help="press time series, CSV")
    parser.add_argument("--speed", type=float, default=DEFAULT_SPEED, help="recorded seconds per second")
    parser.add_argument("--pki", type=Path, required=True, help="folder for certificates; made if missing")
    parser.add_argument("--state", type=Path, required=True, help="file for the jobs; made if missing")
    parser.add_argument("--user", default=DEFAULT_USER)
    parser.add_argument("--password-file", type=Path, help=f"else the variable {PASSWORD_VARIABLE}")
    parser.add_argument("--job-control", action="store_true", help="speak OPC 10031-4 (ISA-95 Job Control), too")
    given = parser.parse_args(arguments)
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if given.password_file:
        password = given.password_file.read_text(encoding="utf-8").strip()
    if not password:
        parser.error(f"a password is needed: set {PASSWORD_VARIABLE} or give --password-file")
    if given.speed <= 0:
        parser.error("--speed must be above 0")
    return PressSettings(
        given.port, given.series, given.pki, given.state, password, given.speed, given.user, given.job_control
    )


async def _until_told(settings: PressSettings) -> None:
    task = asyncio.ensure_future(run_press(settings))
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main(arguments: Sequence[str] | None = None) -> int:
    """Start a press as a process; 0 after SIGTERM or SIGINT, 1 with the reason in the log if it cannot start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    logging.getLogger("asyncuagds").setLevel(logging.CRITICAL)  # it logs a traceback per stranger's certificate
    settings = _settings(arguments)
    try:
        asyncio.run(_until_told(settings))
    except (SeriesUnreadable, StateUnreadable, ValueError, OSError) as error:
        _log.error("the press cannot start: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
