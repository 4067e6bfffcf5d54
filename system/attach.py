"""For every command: the system of the data folder, the running one if there is one, else one for as long as needed."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from system.addresses import Addresses, Outside, attached_addresses
from system.children import ChildSpec
from system.data_folder import DataFolder
from system.processes import ProcessIdentity
from system.refusals import AlreadyRunning, SystemNotReady
from system.supervisor import EmbeddedSystem, Report, silent

_READY_SECONDS = 120.0


@contextlib.contextmanager
def attach_or_start(
    data_dir: Path,
    *,
    children: Callable[[Addresses], Sequence[ChildSpec]] | None = None,
    migrate: Callable[[Addresses], None] | None = None,
    report: Report = silent,
    api_port: int | None = None,
    dynamic_config: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    with_temporal: bool = True,
) -> Iterator[Addresses]:
    """The addresses of the running system, or of one started for the duration of the context.

    A system started here is not stopped under another command that came to use it in the meantime: its end waits.
    Without `with_temporal` the record is enough; who needs Temporal waits until a system without it has gone down.
    Raises a SystemRefusal, or what `migrate` or `children` raises.
    """
    system = EmbeddedSystem(
        data_dir,
        api_port=api_port,
        children=children,
        migrate=migrate,
        report=report,
        dynamic_config=dynamic_config,
        environment=environment,
        with_temporal=with_temporal,
    )
    deadline = time.monotonic() + _READY_SECONDS
    with contextlib.ExitStack() as stack:
        addresses: Addresses | None = None
        while addresses is None:
            try:
                system.start()
            except AlreadyRunning:
                addresses = _attach(system.folder, Outside.of(environment, with_temporal), stack, with_temporal)
                if addresses is None:
                    _wait_a_little(system.folder, deadline)
            else:
                stack.callback(_stop_when_free, system, report)
                addresses = system.addresses
        yield addresses


def running(data_dir: Path) -> dict[str, Any] | None:
    """What the system running on this folder wrote about itself (system.json); None when none is ready.

    Raises DataFolderBroken when the file cannot be read.
    """
    state = DataFolder(data_dir).read_system()
    supervisor = ProcessIdentity(state.get("pid") or 0, state.get("started") or "")
    return state if state.get("state") == "ready" and supervisor.alive() else None


def _attach(folder: DataFolder, outside: Outside, stack: contextlib.ExitStack, with_temporal: bool) -> Addresses | None:
    if running(folder.root) is None:
        return None
    with contextlib.ExitStack() as ours:
        ours.enter_context(folder.attached())
        # Asked again: before we were counted, it may have gone down.
        state = running(folder.root)
        if state is None or (with_temporal and state.get("record_only")):
            return None
        addresses = attached_addresses(folder, state, outside)
        stack.enter_context(ours.pop_all())
        return addresses


def _wait_a_little(folder: DataFolder, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise SystemNotReady(
            f"The system of {folder.root} is neither ready nor stopped for {_READY_SECONDS:.0f} s.",
            f"See the logs in {folder.logs}, or stop that process.",
        )
    time.sleep(0.1)


def _stop_when_free(system: EmbeddedSystem, report: Report) -> None:
    told = False
    with contextlib.ExitStack() as gate:
        try:
            while not gate.enter_context(system.folder.nobody_attached()):
                gate.close()
                if not told:
                    report("waiting: another command still uses this system")
                    told = True
                time.sleep(0.1)
        finally:
            # Who is interrupted while waiting stops all the same.
            system.stop()
