"""The machine, the versions of what runs on it, and the CPU time that each process has used."""

import os
import platform
import re
import resource
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psycopg

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PACKAGES: Final = ("temporalio", "fastapi", "sqlalchemy", "psycopg", "pydantic", "uvicorn")


def described() -> dict[str, Any]:
    """Cores that this process may use, processor, memory, system."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": cpus, "processor": _processor(),
        "memoryBytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}", "loadBefore": load(),
    }  # fmt: skip


def load() -> list[float]:
    """How many processes wanted a core, on average over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def versions(owner_url: str) -> dict[str, str]:
    """Python, PostgreSQL, and the packages that do the work."""
    with psycopg.connect(owner_url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return {
        "python": platform.python_version(),
        "postgresql": "" if row is None else str(row[0]),
        **{name: version(name) for name in (*_PACKAGES, "millwright")},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def cpu_seconds(state: Mapping[str, Any]) -> dict[str, float]:
    """Process → user and system seconds until now, with its children; from the pids of system.json and /proc.

    A server that is not ours, and every process where there is no /proc, is left out. `client` is this process.
    """
    named = {name: state.get(name) or {} for name in ("postgres", "temporal")} | dict(state.get("children") or {})
    children = _children()
    found = {name: _tree(int(part["pid"]), children) for name, part in named.items() if part.get("pid")}
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {name: seconds for name, seconds in found.items() if seconds} | {"client": own.ru_utime + own.ru_stime}


def _tree(pid: int, children: Mapping[int, list[int]]) -> float:
    return _own(pid) + sum(_tree(child, children) for child in children.get(pid, ()))


def _own(pid: int) -> float:
    """Of one process, with those of its children that have ended."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / _TICKS if fields else 0.0


def resident_bytes(state: Mapping[str, Any]) -> dict[str, int]:
    """Process of system.json → its resident memory in bytes; what PostgreSQL's processes share is counted for each."""
    named = {name: state.get(name) or {} for name in ("postgres", "temporal")} | dict(state.get("children") or {})
    children = _children()
    found = {name: _tree_bytes(int(part["pid"]), children) for name, part in named.items() if part.get("pid")}
    return {name: size for name, size in found.items() if size}


def resident(pid: int) -> int:
    """The memory of one process in bytes; 0 where that is not known."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def _tree_bytes(pid: int, children: Mapping[int, list[int]]) -> int:
    return resident(pid) + sum(_tree_bytes(child, children) for child in children.get(pid, ()))


def own_cpu(pid: int) -> float:
    """User and system seconds of one process until now; the system counts in hundredths. 0 for one that has gone."""
    return _own(pid)


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        if fields := _stat(int(entry.name)):
            found.setdefault(int(fields[1]), []).append(int(entry.name))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the command; none for a process that has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
