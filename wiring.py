"""Which processes make up a Millwright system, and what a new database needs before they start."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn
from uuid import UUID

import httpx
from sqlalchemy import Connection

from adapters.printing import seal_key
from api.bootstrap import NewPerson, ensure_people
from db import audit, contents
from db.audit_heads import Heads
from db.migrate import revisions, upgrade
from db.queries import epcis, users
from db.queries import orders as order_rows
from db.session import engine_for
from db.signature_verification import verify, verify_all
from replay.people import CREW, Person, crew
from settings import DEFAULT_SITE, UNNAMED, is_production, keys_of
from system import Addresses, ChildSpec, SystemRefusal
from system.data_folder import ACCOUNT, PAYLOAD, PRESS, PRINT_SEAL, SEAL, DataFolder
from system.ports import any_free, is_free

ROOT: Final = Path(__file__).parent
SAMPLE_TABLETS: Final = ROOT / "plants" / "tablets" / "sample"
ADMINISTRATOR: Final = Person("admin", "Ada Administrator", ("administrator",))
AUDITOR: Final = Person("auditor", "Aurel Auditor", ("auditor",))
FIRST_ACCOUNTS: Final = tuple(person.user_id for person in (*CREW, ADMINISTRATOR, AUDITOR))
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
    _make_seal_key(folder)
    engine = engine_for(addresses.database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            known = {user.id for user in users.everybody(connection)}
        # An account that came with a restored record has its password already, and it is not in this folder.
        people = [
            NewPerson(person.user_id, person.full_name, folder.secret(_secret(person.user_id)), person.roles)
            for person in (*CREW, ADMINISTRATOR, AUDITOR)
            if person.user_id not in known
        ]
        ensure_people(engine, people)
    finally:
        engine.dispose()


def seal_certificate(data_dir: Path) -> Path:
    """Where the certificate lies by which this data folder's archived prints can be verified."""
    return DataFolder(data_dir).root / "seal" / "certificate.pem"


def _make_seal_key(folder: DataFolder) -> None:
    """A key of the folder's own, to seal archived prints with, where there is none yet."""
    key, certificate = folder.root / "seal" / "organisation.p12", seal_certificate(folder.root)
    if key.exists():
        return
    key.parent.mkdir(mode=0o700, exist_ok=True)
    seal_key.make(key, certificate, folder.secret(PRINT_SEAL), "Millwright system, self-signed")


def _seal(addresses: Addresses) -> dict[str, str]:
    """What the worker seals with: the key that the environment names, else the folder's own."""
    if os.environ.get("MES_SEAL_KEY"):
        return {}
    folder = DataFolder(addresses.data_dir)
    return {
        "MES_SEAL_KEY": str(folder.root / "seal" / "organisation.p12"),
        "MES_SEAL_PASSWORD": folder.secret(PRINT_SEAL),
        "MES_SEAL_PASSWORD_FILE": "",
    }


def _secret(user_id: str) -> str:
    return f"{ACCOUNT}{user_id}"


def people(data_dir: Path) -> dict[str, Person]:
    """The people of a replay with the passwords that this data folder holds. Raises SystemRefusal without them."""
    secrets = DataFolder(data_dir).read_secrets()
    missing = [person.user_id for person in CREW if _secret(person.user_id) not in secrets]
    if missing:
        raise SystemRefusal(
            f"This data folder does not hold the passwords of {', '.join(missing)}: it was restored without them.",
            "Restore with --secrets and the secrets.json of the backed up folder, or work with accounts of your own.",
        )
    return crew(lambda user_id: secrets[_secret(user_id)])


def password_of(data_dir: Path, user_id: str) -> str | None:
    """The password that was made for one of the first accounts."""
    return DataFolder(data_dir).read_secrets().get(_secret(user_id))


def verify_audit(addresses: Addresses) -> audit.Verdict:
    """Walk the audit trail and compare it with the heads that were published. Raises HeadsUnreadable."""
    published = Heads(audit_heads(addresses.data_dir)).read()
    engine = engine_for(addresses.database_url, pool_size=1)
    try:
        with engine.begin() as connection:
            return audit.verify(connection, published)
    finally:
        engine.dispose()


def has_no_orders(addresses: Addresses) -> bool:
    """Whether nobody has made an order here yet."""
    return _asked(addresses, order_rows.is_empty)


def _asked(addresses: Addresses, question: Callable[[Connection], bool]) -> bool:
    engine = engine_for(addresses.database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            return question(connection)
    finally:
        engine.dispose()


NO_NAME: Final = f"{UNNAMED}. Set it before the start"


def has_no_name(addresses: Addresses) -> bool:
    """Whether other systems know this one by the name that every new system has."""
    if (os.environ.get("MES_SITE") or DEFAULT_SITE) != DEFAULT_SITE:
        return False
    return _asked(addresses, epcis.has_partners)


def publish_head(addresses: Addresses) -> str:
    """Publish the head of the audit trail; the answer is the line of the last head."""
    heads = Heads(audit_heads(addresses.data_dir))
    engine = engine_for(addresses.database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            heads.publish(connection, datetime.now(UTC))
    finally:
        engine.dispose()
    last = heads.read()[-1:]
    return f"row {last[0].seq}, {last[0].hash}, {last[0].at}" if last else "the audit trail is empty"


def verify_signatures(
    addresses: Addresses, one: UUID | None, say: Callable[[str], None], end: Callable[[str], NoReturn]
) -> None:
    """Check one signature or all; `end` when one is not about what was signed any more, or there is none of that id."""
    faults = signature_faults(addresses, one)
    if one is not None and faults.checked == 0:
        end(f"there is no signature {one}")
    for line in faults.lines:
        say(line)
    if faults.lines:
        end(faults.summary)
    say(faults.summary)


@dataclass(frozen=True)
class SignatureFaults:
    """What came of a check of signatures: a line for each field that is not as it was signed, and all in a sentence."""

    checked: int
    lines: tuple[str, ...]
    summary: str


def signature_faults(addresses: Addresses, one: UUID | None = None) -> SignatureFaults:
    """Compute one signature or all again from the record."""
    engine = engine_for(addresses.database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            found = [verify(connection, one)] if one is not None else list(verify_all(connection))
    finally:
        engine.dispose()
    verdicts = [verdict for verdict in found if verdict is not None]
    broken = [verdict for verdict in verdicts if verdict.mismatches]
    lines = tuple(
        f"SIGNATURE_MISMATCH {verdict.signature}: {own.record} {own.field}: {own.signed} → {own.found}"
        for verdict in broken
        for own in verdict.mismatches
    )
    old = sum(verdict.status == "unverifiable" for verdict in verdicts)
    if broken:
        summary = f"{len(broken)} of {len(verdicts)} signatures are not about what was signed any more"
    else:
        kept = f", {old} without kept content" if old else ""
        summary = f"{len(verdicts)} signatures, {len(verdicts) - old} valid{kept}"
    return SignatureFaults(len(verdicts), lines, summary)


class Record:
    """What a backup asks the record, and what a restored one needs (`system.backup.Record`)."""

    described = staticmethod(contents.described)
    known_revisions = staticmethod(revisions)

    def bring_up_to_date(self, owner_url: str) -> None:
        """Bring the schema up to date."""
        upgrade(owner_url)

    def broken_at(self, owner_url: str) -> int | None:
        """Walk the audit trail; None for an unbroken one."""
        engine = engine_for(owner_url, pool_size=1)
        try:
            with engine.connect() as connection:
                return audit.verify(connection).broken_at
        finally:
            engine.dispose()


def children(series: Path | None = None) -> Callable[[Addresses], Sequence[ChildSpec]]:
    """Press (when there is a recording for it to play), worker, gateway and API of one system."""

    def of(addresses: Addresses) -> Sequence[ChildSpec]:
        environment = addresses.environment() | payload_key(addresses)
        press: list[ChildSpec] = []
        if series is not None and series.exists():
            press, environment = _press(addresses, series, environment)
        python = sys.executable
        orders = environment | _seal(addresses) | _metrics(1)
        api = environment | _second_factor_key(addresses) | _audit_heads(addresses)
        return [
            *press,
            ChildSpec("worker", (python, "-m", "worker", "--role", "orders"), orders),
            ChildSpec("gateway", (python, "-m", "worker", "--role", "gateway"), environment | _metrics(2)),
            ChildSpec("api", (python, "-m", "api"), api, ready=lambda: _answers(addresses)),
        ]

    return of


def audit_heads(data_dir: Path) -> Path:
    """Where the heads of the audit trail are published: where the environment says, else in the data folder."""
    return Path(os.environ.get("MES_AUDIT_HEADS") or DataFolder(data_dir).root / "audit-heads.jsonl")


def _audit_heads(addresses: Addresses) -> dict[str, str]:
    return {"MES_AUDIT_HEADS": str(audit_heads(addresses.data_dir))}


def _metrics(after: int) -> dict[str, str]:
    """Processes of one machine serve their metrics on ports that follow one another: API, worker, gateway."""
    first = os.environ.get("MES_METRICS_PORT", "")
    return {"MES_METRICS_PORT": str(int(first) + after)} if first.isdecimal() else {}


def _second_factor_key(addresses: Addresses) -> dict[str, str]:
    """The key that seals second factors: the environment's own, or the one of the data folder."""
    if os.environ.get("MES_SECRET_KEY") or os.environ.get("MES_SECRET_KEY_FILE"):
        return {}
    return {"MES_SECRET_KEY": DataFolder(addresses.data_dir).secret(SEAL)}


def payload_key(addresses: Addresses) -> dict[str, str]:
    """The key that encrypts what Temporal stores, where the environment names none: in production the data folder's
    own, which lies in `secrets.json` and in no backup."""
    if not is_production(os.environ) or keys_of(os.environ, "MES_PAYLOAD_KEY"):
        return {}
    return {"MES_PAYLOAD_KEY": DataFolder(addresses.data_dir).secret(PAYLOAD)}


def backup_keys() -> tuple[str, ...]:
    """The keys of backups, newest first. Raises SystemRefusal in production without one."""
    keys = keys_of(os.environ, "MES_BACKUP_KEY")
    if not keys and is_production(os.environ):
        raise SystemRefusal(
            "A backup in production is encrypted, and no key is set.",
            "Set MES_BACKUP_KEY, or MES_BACKUP_KEY_FILE to a file with a key; keep it apart from the backups.",
        )
    return keys


def _answers(addresses: Addresses) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{addresses.api_url}/api/v1/readyz", params={"scope": "api"}, timeout=5).status_code == 200
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
    secret = DataFolder(addresses.data_dir).secret(PRESS)
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
