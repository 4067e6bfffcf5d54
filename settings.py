"""What a Millwright process needs to know from its surroundings, read once from the environment.

Secrets come from the environment or from a file that the environment names; they are never logged.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_DATA_DIR = Path(".mes")


@dataclass(frozen=True)
class Settings:
    """Addresses and sizes of one process.

    `database_url` is the application's login (append-only where the record says so), `database_owner_url` the
    owner that runs migrations. Both are psycopg URLs (`postgresql://…`). `temporal_address` is host:port.
    `seal_key` is a PKCS#12 file with the organisation's key, which seals archived prints; none: they are not sealed.
    """

    database_url: str = field(repr=False)
    database_owner_url: str = field(repr=False)
    temporal_address: str
    temporal_namespace: str = "default"
    api_host: str = "127.0.0.1"
    api_port: int = 8080
    data_dir: Path = DEFAULT_DATA_DIR
    worker_threads: int = 16
    max_cached_workflows: int = 2000
    sandbox: bool = True
    seal_key: Path | None = None
    seal_password: str = field(default="", repr=False)


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process; a missing address is an error that names the variable."""
    env = os.environ if environment is None else environment
    missing = [name for name in ("DATABASE_URL", "TEMPORAL_ADDRESS") if not env.get(name)]
    if missing:
        raise SettingMissing(missing)
    return Settings(
        database_url=env["DATABASE_URL"],
        database_owner_url=env.get("DATABASE_OWNER_URL") or env["DATABASE_URL"],
        temporal_address=env["TEMPORAL_ADDRESS"],
        temporal_namespace=env.get("TEMPORAL_NAMESPACE", "default"),
        api_host=env.get("MES_API_HOST", "127.0.0.1"),
        api_port=int(env.get("MES_API_PORT", "8080")),
        data_dir=Path(env.get("MES_DATA_DIR", str(DEFAULT_DATA_DIR))),
        worker_threads=int(env.get("MES_WORKER_THREADS", "16")),
        max_cached_workflows=int(env.get("MES_MAX_CACHED_WORKFLOWS", "2000")),
        sandbox=env.get("MES_SANDBOX", "on") != "off",
        seal_key=Path(env["MES_SEAL_KEY"]) if env.get("MES_SEAL_KEY") else None,
        seal_password=_secret(env, "MES_SEAL_PASSWORD"),
    )


def _secret(env: Mapping[str, str], name: str) -> str:
    """A secret from the environment, or from the file that `NAME_FILE` names."""
    if file := env.get(f"{name}_FILE"):
        return Path(file).read_text(encoding="utf-8").strip()
    return env.get(name, "")


class SettingMissing(Exception):
    """An address that the process cannot do without is not set."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"not set: {', '.join(names)}. Use `mes up` for the embedded system, or set them to your own servers."
        )
        self.names = names
