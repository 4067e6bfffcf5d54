"""`mes` in a process of its own, forked from one that has imported it: two seconds of a core less for each command.

`python -m tests.commands` reads one JSON line for each command, `{"arguments": […], "environment": {…}}`, runs it in a
fork, and answers `{"code", "out", "error"}`. It is as if `python -m cli` had been given, but for the imports. That the
command starts from nothing is proved by those who start it themselves: `mes up`, `mes bench`.
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).parent.parent


class Commands:
    """The process that forks, started at the first command; one for all tests of a process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """What `mes` says to these arguments."""
        if self._process is None:
            command = [sys.executable, "-m", "tests.commands"]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"arguments": arguments, "environment": dict(environment)}) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        return subprocess.CompletedProcess(["mes", *arguments], said["code"], said["out"], said["error"])

    def close(self) -> None:
        """End it, if it was started."""
        process, self._process = self._process, None
        if process is not None:
            process.communicate()


COMMANDS: Final = Commands()
"""Closed at the end by `tests/conftest.py`."""


def _live(asked: Mapping[str, Any], out: IO[bytes], error: IO[bytes]) -> int:
    """In the new process: the command, as if it had been started with this environment; answers how it ends."""
    import cli

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(error.fileno(), 2)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["mes", *asked["arguments"]]
    try:
        cli.main()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)  # noqa: T201
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _forked(asked: Mapping[str, Any], out: IO[bytes], error: IO[bytes]) -> int:
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        code = _live(asked, out, error)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def main() -> None:
    """Fork until nobody asks any more."""
    import cli  # noqa: F401 what every command needs

    assert threading.active_count() == 1, "a thread would not be in the forks"
    gc.freeze()
    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            said: dict[str, Any] = {"code": _forked(json.loads(line), out, error)}
            for name, file in (("out", out), ("error", error)):
                file.seek(0)
                said[name] = file.read().decode()
        print(json.dumps(said), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
