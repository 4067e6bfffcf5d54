"""Which processes make up a Millwright system, and what a new database needs before they start."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx

from api.bootstrap import NewPerson, ensure_people
from db.migrate import upgrade
from db.session import engine_for
from replay.people import CREW, Person, crew
from system import Addresses, ChildSpec
from system.data_folder import DataFolder
from system.ports import any_free, is_free

ROOT: Final = Path(__file__).parent
SAMPLE_TABLETS: Final = ROOT / "plants" / "tablets" / "sample"
ADMINISTRATOR: Final = Person("admin", "Ada Administrator", ("administrator",))
AUDITOR: Final = Person("auditor", "Aurel Auditor", ("auditor",))
PRESS_CONNECTION: Final = {
    "url": "env:MES_PRESS_URL",
    "user": "mes",
    "password": "env:MES_PRESS_PASSWORD",
    "identity": "env:MES_PRESS_IDENTITY",
}
"""How the gateway reaches the simulated press: every value that differs by machine stands in its environment."""


def migrate(addresses: Addresses) -> None:
    """Bring the schema up to date and make the first accounts; each password is made here and kept in the folder."""
    upgrade(addresses.database_owner_url)
    folder = DataFolder(addresses.data_dir)
    engine = engine_for(addresses.database_url, pool_size=1)
    try:
        people = [
            NewPerson(person.user_id, person.full_name, folder.secret(_secret(person.user_id)), person.roles)
            for person in (*CREW, ADMINISTRATOR, AUDITOR)
        ]
        ensure_people(engine, people)
    finally:
        engine.dispose()


def _secret(user_id: str) -> str:
    return f"password of {user_id}"


def people(data_dir: Path) -> dict[str, Person]:
    """The people of a replay with the passwords that this data folder holds."""
    secrets = DataFolder(data_dir).read_secrets()
    return crew(lambda user_id: secrets[_secret(user_id)])


def password_of(data_dir: Path, user_id: str) -> str | None:
    """The password that was made for one of the first accounts."""
    return DataFolder(data_dir).read_secrets().get(_secret(user_id))


def children(series: Path | None = None) -> Callable[[Addresses], Sequence[ChildSpec]]:
    """Press (when there is a recording for it to play), worker, gateway and API of one system."""

    def of(addresses: Addresses) -> Sequence[ChildSpec]:
        environment = addresses.environment()
        press: list[ChildSpec] = []
        if series is not None and series.exists():
            press, environment = _press(addresses, series, environment)
        python = sys.executable
        return [
            *press,
            ChildSpec("worker", (python, "-m", "worker", "--role", "orders"), environment),
            ChildSpec("gateway", (python, "-m", "worker", "--role", "gateway"), environment),
            ChildSpec("api", (python, "-m", "api"), environment, ready=lambda: _answers(addresses)),
        ]

    return of


def _answers(addresses: Addresses) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{addresses.api_url}/api/v1/readyz", timeout=2).status_code == 200
    return False


def _press(addresses: Addresses, series: Path, environment: dict[str, str]) -> tuple[list[ChildSpec], dict[str, str]]:
    """The simulated tablet press, and what the gateway needs to reach it."""
    folder = addresses.data_dir.resolve() / "press"
    folder.mkdir(exist_ok=True)
    port = any_free()
    # A press remembers its jobs; another recording is another press.
    recording = hashlib.sha256(series.read_bytes()).hexdigest()[:12]
    played = folder / f"series-{recording}.csv"
    if not played.exists():
        shutil.copyfile(series, played)
    secret = DataFolder(addresses.data_dir).secret("password of the press")
    argv = (
        sys.executable, "-m", "adapters.equipment.simulator", "--port", str(port), "--series", str(played),
        "--pki", str(folder / "pki"), "--state", str(folder / f"jobs-{recording}.json"),
        "--speed", os.environ.get("MES_PRESS_SPEED", "2400"),
    )  # fmt: skip
    variables = {
        "MES_PRESS_URL": f"opc.tcp://127.0.0.1:{port}/press",
        "MES_PRESS_PASSWORD": secret,
        "MES_PRESS_IDENTITY": str(folder / "pki" / "client"),
    }
    spec = ChildSpec("press", argv, {"MES_PRESS_PASSWORD": secret}, ready=lambda: not is_free(port))
    return [spec], {**environment, **variables}
