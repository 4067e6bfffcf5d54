"""Where the parts of one system are, and what its processes need in their environment to find them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo

from system import postgres, temporal_server
from system.data_folder import DataFolder
from system.refusals import OutsideServerUnusable

_OUTSIDE_SECONDS = 15.0


@dataclass(frozen=True)
class Addresses:
    """The servers of a running system. `attached` tells that another process runs it."""

    data_dir: Path
    database_url: str = field(repr=False)
    database_owner_url: str = field(repr=False)
    temporal_address: str
    temporal_namespace: str
    api_host: str
    api_port: int
    api_url: str | None
    attached: bool = False

    def environment(self, *, owner: bool = False) -> dict[str, str]:
        """The variables that the settings of a process are read from.

        The owner's login is left out unless asked for: worker and API have no business with it.
        """
        variables = {
            "DATABASE_URL": self.database_url,
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": self.temporal_namespace,
            "MES_API_HOST": self.api_host,
            "MES_API_PORT": str(self.api_port),
            "MES_DATA_DIR": str(self.data_dir),
        }
        if owner:
            variables["DATABASE_OWNER_URL"] = self.database_owner_url
        return variables


@dataclass(frozen=True)
class Outside:
    """The servers that the environment names; what it does not name is embedded."""

    database_url: str | None = field(default=None, repr=False)
    database_owner_url: str | None = field(default=None, repr=False)
    temporal_address: str | None = None
    temporal_namespace: str = temporal_server.NAMESPACE

    @classmethod
    def of(cls, environment: Mapping[str, str] | None = None, with_temporal: bool = True) -> "Outside":
        """Read DATABASE_URL, DATABASE_OWNER_URL, TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE; empty counts as unset.

        Who needs the record alone, without `with_temporal`, is not kept from it by a Temporal that does not answer.
        """
        env = os.environ if environment is None else environment
        database = env.get("DATABASE_URL") or None
        temporal = (env.get("TEMPORAL_ADDRESS") or None) if with_temporal else None
        return cls(
            database_url=database,
            database_owner_url=(env.get("DATABASE_OWNER_URL") or database) if database else None,
            temporal_address=temporal,
            # The embedded server has the one namespace, whatever a variable meant for another server says.
            temporal_namespace=(env.get("TEMPORAL_NAMESPACE") or "default") if temporal else temporal_server.NAMESPACE,
        )

    def check(self) -> None:
        """Speak to the servers once. Raises OutsideServerUnusable naming the one that does not answer."""
        for name, url in (("DATABASE_URL", self.database_url), ("DATABASE_OWNER_URL", self.database_owner_url)):
            if url:
                _check_database(name, url)
        address = self.temporal_address
        if address is None:
            return
        trouble = temporal_server.in_own_loop(
            lambda: temporal_server.prepare(
                address, lambda: True, _OUTSIDE_SECONDS, self.temporal_namespace, ours=False
            )
        )
        if trouble:
            raise OutsideServerUnusable(
                f"TEMPORAL_ADDRESS={address}, namespace {self.temporal_namespace}: {trouble}.",
                "Start that server or correct the address; unset the variable for the embedded server.",
            )


def database_place(url: str) -> dict[str, Any]:
    """Host, port and database of a URL, without login. Raises OutsideServerUnusable for one that cannot be read."""
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The parser's own words may repeat the password.
        raise OutsideServerUnusable(
            "DATABASE_URL or DATABASE_OWNER_URL is not a PostgreSQL address.",
            "Write it as postgresql://user:password@host:port/database.",
        ) from None
    return {"host": parts.get("host"), "port": int(parts.get("port") or 5432), "database": parts.get("dbname")}


def attached_addresses(folder: DataFolder, state: dict[str, Any], outside: Outside) -> Addresses:
    """The addresses of a system that another process runs, from what it wrote down.

    Raises OutsideServerUnusable when the environment of this process and the running system mean different servers,
    and DataFolderBroken for unreadable files.
    """
    database, temporal = state["postgres"], state["temporal"]
    written = {key: database[key] for key in ("host", "port", "database")}
    if outside.database_url and database_place(outside.database_url) != written:
        raise _different("DATABASE_URL", f"{written['host']}:{written['port']}/{written['database']}")
    if outside.database_url is None and database.get("outside"):
        raise _different("DATABASE_URL (not set)", f"{written['host']}:{written['port']}/{written['database']}")
    if outside.temporal_address and outside.temporal_address != temporal["address"]:
        raise _different("TEMPORAL_ADDRESS", temporal["address"])
    server = postgres.Postgres(folder)
    server.port = database["port"]
    return Addresses(
        data_dir=folder.root,
        database_url=outside.database_url or server.url(postgres.APP),
        database_owner_url=outside.database_owner_url or server.url(postgres.OWNER),
        # A system that was never more than the record has no word about Temporal.
        temporal_address=temporal.get("address") or "",
        temporal_namespace=temporal.get("namespace") or outside.temporal_namespace,
        api_host=state["api_host"],
        api_port=state["api_port"],
        api_url=state["api_url"],
        attached=True,
    )


def _different(variable: str, running: str) -> OutsideServerUnusable:
    return OutsideServerUnusable(
        f"The system that runs on this data folder uses {running}, but {variable} says otherwise.",
        "Set the variable as the running system has it, or choose another folder with --data-dir.",
    )


def _check_database(name: str, url: str) -> None:
    place = database_place(url)
    try:
        psycopg.connect(url, connect_timeout=int(_OUTSIDE_SECONDS)).close()
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[-1]
        raise OutsideServerUnusable(
            f"{name} ({place['host']}:{place['port']}/{place['database']}): {said}.",
            "Start that server or correct the address; unset the variable for the embedded server.",
        ) from None
