"""Why the embedded system would not start, in words a person can act on. No stack trace is needed for these."""

from pathlib import Path


class SystemRefusal(Exception):
    """The system refuses: `code` for programs, `detail` says what was found, `remedy` what to do about it."""

    code = "system-refused"

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(f"{detail} {remedy}")
        self.detail = detail
        self.remedy = remedy


class DataFolderBroken(SystemRefusal):
    """Something in the data folder is not what this release wrote. Nothing in it was changed."""

    code = "data-folder-broken"

    def __init__(self, path: Path, found: str, expected: str, remedy: str) -> None:
        super().__init__(f"{path}: found {found}, expected {expected}.", f"{remedy} Nothing was changed or deleted.")
        self.path = path


class AlreadyRunning(SystemRefusal):
    """Another process holds the data folder."""

    code = "already-running"

    def __init__(self, folder: Path, pid: int | None, api_url: str | None) -> None:
        who = f"process {pid}" if pid else "another process"
        where = f" (API at {api_url})" if api_url else ""
        super().__init__(
            f"A Millwright system already runs on {folder}: {who}{where}.",
            "Use that one, stop it first, or choose another folder with --data-dir.",
        )
        self.pid = pid
        self.api_url = api_url


class PortInUse(SystemRefusal):
    """The port that was asked for belongs to another program."""

    code = "port-in-use"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is in use by another program.",
            "Choose another one with --port, or --port 0 for any free port.",
        )
        self.port = port


class BackupRefused(SystemRefusal):
    """A backup or a restore that cannot be done as it was asked for. Nothing was changed."""

    code = "backup-refused"


class BackupBroken(SystemRefusal):
    """The file of a backup, or what was to be backed up, is not as it was written."""

    code = "backup-broken"


class FolderInUse(SystemRefusal):
    """A restore is asked for into a folder that holds something."""

    code = "folder-in-use"

    def __init__(self, folder: Path, found: str) -> None:
        super().__init__(
            f"{folder} is not empty: found {found}.",
            "Name a new folder with --data-dir; a restore never overwrites. Nothing was changed or deleted.",
        )


class ServersNotInstalled(SystemRefusal):
    """The optional packages that bring the servers are not installed."""

    code = "servers-not-installed"


class PostgresFailed(SystemRefusal):
    """PostgreSQL could not be set up, started or stopped."""

    code = "postgres-failed"


class TemporalFailed(SystemRefusal):
    """The Temporal server could not be started or set up."""

    code = "temporal-failed"


class ChildFailed(SystemRefusal):
    """A process of the system (worker, API, simulator) ended or stayed silent while it was being started."""

    code = "child-failed"


class OutsideServerUnusable(SystemRefusal):
    """DATABASE_URL or TEMPORAL_ADDRESS names a server that is wrong here or does not answer."""

    code = "outside-server-unusable"


class SystemNotReady(SystemRefusal):
    """Another process is starting or stopping the system of this folder and does not come to an end."""

    code = "system-not-ready"
