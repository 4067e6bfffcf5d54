"""A press to test against: its recording, its process, and jobs for it."""

import asyncio
import itertools
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.equipment.opcua import OpcUaEndpoint, OpcUaEquipment
from adapters.equipment.pki import Identity, ensure_pair
from adapters.equipment.port import AdapterUnreachable, Equipment, JobSpec, JobState, JobView

PASSWORD = "a test's own word"
SPEED = 200.0  # one row of 10 s every 50 ms
SHORT, LONG = "19", "60"
SHORT_ROWS, LONG_ROWS = 30, 160
SHORT_GOOD, SHORT_WASTE = 28_000, 4_275
HEADER = (
    "timestamp;campaign;batch;code;tbl_speed;fom;main_comp;tbl_fill;SREL;pre_comp;produced;waste;cyl_main;cyl_pre;"
    "stiffness;ejection"
)
_numbers = itertools.count(1)


def row(second: int, batch: str, speed: str, produced: int, waste: int, force: str = "5.9") -> str:
    """One row as the plant's file has it."""
    hours, rest = divmod(second, 3600)
    time = f"2018-11-18 {hours:02}:{rest // 60:02}:{rest % 60:02}"
    return f"{time};6;{batch};3;{speed};7.33;{force};7.33;5.1;0;{produced};{waste};2.05;5;11;170"


def recording(batch: str, length: int) -> list[str]:
    """A run of `length` rows, then the two rows of the real files in which the press rests and is set back to 0."""
    running = [row(10 * n, batch, "120", n, 4_247 + n) for n in range(1, length - 1)]
    last = length - 1
    still = row(10 * last, batch, "0", last - 1, 4_247 + last - 1)
    reset = row(10 * length, batch, "0", 0, 0)
    return [row(0, batch, "0", 0, 0), *running, still, reset]


def write_series(path: Path) -> None:
    """A file with the two batches."""
    rows = [HEADER, *recording(SHORT, SHORT_ROWS), *recording(LONG, LONG_ROWS)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def spec(batch: str = SHORT, job_id: str = "", **changes: Any) -> JobSpec:
    """A job with a new id, unless one is given."""
    content = {
        "job_id": job_id or f"WO-1/compress/{next(_numbers)}",
        "order_number": "PO-1",
        "batch": batch,
        "product": "FCT-3",
        "target_quantity": Decimal(960_000),
        "unit": "tablets",
        "parameters": {"main_comp": "5.9"},
    }
    return JobSpec.model_validate(content | changes)


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class PressProcess:
    """The simulator as a process of its own, so that it can be killed and frozen."""

    folder: Path
    port: int = field(default_factory=free_port)
    speed: float = SPEED
    job_control: bool = False
    process: asyncio.subprocess.Process | None = None

    @property
    def client(self) -> Identity:
        """The identity that the press trusts."""
        return Identity(self.folder / "pki" / "client")

    def endpoint(self, **changes: object) -> OpcUaEndpoint:
        """Where it listens, with the right login."""
        content: dict[str, object] = {
            "url": f"opc.tcp://127.0.0.1:{self.port}/press",
            "user": "mes",
            "password": PASSWORD,
            "identity": self.client.folder,
            "longest_delay": 0.5,
        }
        return OpcUaEndpoint(**(content | changes))  # type: ignore[arg-type]  # a test may pass what it likes

    async def start(self) -> None:
        """Start it and wait until it answers."""
        ensure_pair(self.folder / "pki")
        if not (self.folder / "series.csv").exists():
            write_series(self.folder / "series.csv")
        arguments = ["--port", str(self.port), "--speed", str(self.speed)]
        arguments += ["--job-control"] if self.job_control else []
        for name in ("series.csv", "pki", "state.json"):
            arguments += [f"--{name.split('.')[0]}", str(self.folder / name)]
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "adapters.equipment.simulator",
                *arguments,
                env=os.environ | {"MES_PRESS_PASSWORD": PASSWORD},
                stdout=log,
                stderr=log,
            )
        try:
            await self._answers()
        except BaseException:
            # Who asked for a press and got none does not stop it either.
            await self.kill()
            raise

    async def _answers(self) -> None:
        press = OpcUaEquipment(self.endpoint())
        try:
            async with asyncio.timeout(120):
                while True:
                    try:
                        await press.get_job("is anybody there")
                    except AdapterUnreachable:
                        assert self.process is not None
                        assert self.process.returncode is None, (self.folder / "log").read_text()
                    else:
                        return
        finally:
            await press.close()

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    async def kill(self) -> None:
        """As if the plug was pulled."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


async def until(press: Equipment, job_id: str, *states: JobState) -> JobView:
    """Wait at most a minute until the job is in one of the states."""
    async with asyncio.timeout(60):
        while True:
            view = await press.get_job(job_id)
            assert view is not None
            if view.state in states:
                return view
            await asyncio.sleep(0.05)


async def answered(press: Equipment, job_id: str = "is anybody there") -> bool:
    """Wait at most a minute until the press answers at all; whether it knows the job."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await press.get_job(job_id) is not None
            except AdapterUnreachable:
                await asyncio.sleep(0.1)
