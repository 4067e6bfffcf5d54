"""What a Millwright process needs to know from its surroundings, read once from the environment.

Secrets come from the environment or from a file that the environment names; they are never logged.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SHORTEST_KEY = 32
DEFAULT_DATA_DIR = Path(".mes")
DEFAULT_SITE = "SITE"
"""What every system is called until it is given a name of its own: two of them refuse each other's events."""
UNNAMED = "other systems are connected, and MES_SITE is not set: two systems of one name refuse each other's events"


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
    """Orders that a worker keeps in memory; the others are read again from their histories when something happens."""
    rest_after_seconds: int = 900
    """How long an order that begins now is left alone until it waits on in a new run of few events (ADR 36)."""
    worker_pollers: int = 5
    """How many requests for work a worker has open at a time, for workflow tasks and for activities each."""
    sandbox: bool = True
    time_zone: str = "UTC"
    """The plant's own time zone (an IANA name), for the local time of signatures."""
    idle_minutes: int = 15
    """A session that was not used for so long ends."""
    password_days: int = 0
    """A password that is older has to be changed; 0: it does not age."""
    login_second_factor: bool = False
    """Whoever has enrolled a second factor needs it to log in, too."""
    signature_seconds: int = 300
    """How long what a signer was shown may be signed."""
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys that seal secrets in the record; the first seals, all open. None: no second factor can be enrolled."""
    payload_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys that encrypt what Temporal stores; the first encrypts, all decrypt. None: it is stored in the clear."""
    temporal_tls: tuple[Path | None, Path | None, Path | None, str | None] | None = None
    """Authority, own certificate, own key, name of the server (`workflows.runtime.TlsFiles`); None: without TLS."""
    api_tls: tuple[Path, Path] | None = None
    """Certificate and key of the API; None: plain HTTP, for a proxy on the same machine."""
    seal_key: Path | None = None
    seal_password: str = field(default="", repr=False)
    audit_heads: Path | None = None
    """The file outside the database into which the API writes the head of the audit trail; None: it does not."""
    audit_head_seconds: int = 300
    clock_reference: str = ""
    """What the server's clock is compared with: `ntp://HOST[:PORT]`, `record` (the database server's), or nothing."""
    clock_check_seconds: int = 300
    metrics_port: int | None = None
    """Where this process serves its metrics for Prometheus; None: nowhere."""
    metrics_host: str = "127.0.0.1"
    site: str = DEFAULT_SITE
    """The name by which other systems know this one: part of the identifiers and of the ids of exported events."""
    site_gln: str = ""
    """The site's GLN (13 digits), if it has one."""
    traces: bool = False
    """Whether spans are sent by OTLP (OpenTelemetry's own variables say where to)."""


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
        max_cached_workflows=_at_least(1, "MES_MAX_CACHED_WORKFLOWS", env.get("MES_MAX_CACHED_WORKFLOWS", "2000")),
        rest_after_seconds=_at_least(1, "MES_REST_AFTER_SECONDS", env.get("MES_REST_AFTER_SECONDS", "900")),
        worker_pollers=_at_least(2, "MES_WORKER_POLLERS", env.get("MES_WORKER_POLLERS", "5")),
        sandbox=env.get("MES_SANDBOX", "off") == "on",
        time_zone=_time_zone(env.get("MES_TIME_ZONE") or "UTC"),
        idle_minutes=_at_least(1, "MES_IDLE_MINUTES", env.get("MES_IDLE_MINUTES", "15")),
        password_days=_at_least(0, "MES_PASSWORD_DAYS", env.get("MES_PASSWORD_DAYS", "0")),
        login_second_factor=env.get("MES_LOGIN_SECOND_FACTOR", "off") == "on",
        signature_seconds=_at_least(10, "MES_SIGNATURE_SECONDS", env.get("MES_SIGNATURE_SECONDS", "300")),
        secret_keys=keys_of(env, "MES_SECRET_KEY"),
        payload_keys=_payload_keys(env),
        temporal_tls=_temporal_tls(env),
        api_tls=_api_tls(env),
        seal_key=Path(env["MES_SEAL_KEY"]) if env.get("MES_SEAL_KEY") else None,
        seal_password=_secret(env, "MES_SEAL_PASSWORD"),
        audit_heads=Path(env["MES_AUDIT_HEADS"]) if env.get("MES_AUDIT_HEADS") else None,
        audit_head_seconds=_at_least(1, "MES_AUDIT_HEAD_SECONDS", env.get("MES_AUDIT_HEAD_SECONDS", "300")),
        clock_reference=_clock(env.get("MES_CLOCK_REFERENCE", "")),
        clock_check_seconds=_at_least(1, "MES_CLOCK_CHECK_SECONDS", env.get("MES_CLOCK_CHECK_SECONDS", "300")),
        metrics_port=_port(env),
        metrics_host=env.get("MES_METRICS_HOST") or "127.0.0.1",
        site=_site(env.get("MES_SITE") or DEFAULT_SITE),
        site_gln=_gln(env.get("MES_SITE_GLN", "")),
        traces=env.get("MES_TRACES", "off") == "on",
    )


def _site(name: str) -> str:
    if not name.isprintable() or name.strip() != name or len(name) > 40:
        raise SettingWrong("MES_SITE", name, "1 to 40 characters without blanks around them")
    return name


def _gln(text: str) -> str:
    digits = [int(digit) for digit in text] if text.isascii() and text.isdigit() else []
    total = sum(digit * (1 if place % 2 == 0 else 3) for place, digit in enumerate(digits))
    if text and (len(digits) != 13 or total % 10):
        raise SettingWrong("MES_SITE_GLN", text, "the 13 digits of a GLN with its check digit")
    return text


def _port(env: Mapping[str, str]) -> int | None:
    value = env.get("MES_METRICS_PORT", "")
    if value and (not value.isascii() or not value.isdigit() or not 0 < int(value) < 65536):
        raise SettingWrong("MES_METRICS_PORT", value, "a port, 1 to 65535")
    return int(value) if value else None


def _clock(name: str) -> str:
    parts = urlsplit(name)
    try:
        is_server = parts.scheme == "ntp" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_server = False
    if name not in ("", "record") and not is_server:
        raise SettingWrong("MES_CLOCK_REFERENCE", name, "ntp://HOST, ntp://HOST:PORT or record")
    return name


def _time_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingWrong("MES_TIME_ZONE", name, "the name of a time zone, such as Asia/Shanghai") from None


def _at_least(least: int, name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) < least:
        raise SettingWrong(name, value, f"a whole number, at least {least}")
    return int(value)


def is_production(env: Mapping[str, str]) -> bool:
    """Whether this is a plant's own system: what Temporal stores is encrypted then, and so are backups."""
    return env.get("MES_PRODUCTION", "off") == "on"


def _payload_keys(env: Mapping[str, str]) -> tuple[str, ...]:
    keys = keys_of(env, "MES_PAYLOAD_KEY")
    if not keys and is_production(env):
        raise SettingMissing(["MES_PAYLOAD_KEY or MES_PAYLOAD_KEY_FILE (MES_PRODUCTION is on)"])
    return keys


def keys_of(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The keys of a variable, or of the file that `NAME_FILE` names: one a line, the newest first."""
    text, source = env.get(name, ""), name
    if not text and (file := env.get(f"{name}_FILE")):
        source = f"{name}_FILE"
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeError):
            raise SettingWrong(source, file, "a file that can be read") from None
    keys = tuple(line.strip() for line in text.splitlines() if line.strip())
    if any(len(key) < SHORTEST_KEY for key in keys):
        raise SettingWrong(source, "a short key", f"random keys of at least {SHORTEST_KEY} characters, one a line")
    return keys


def _temporal_tls(env: Mapping[str, str]) -> tuple[Path | None, Path | None, Path | None, str | None] | None:
    """`MES_TEMPORAL_TLS=on`, or any of its files; certificate and key of our own only together."""
    authority, certificate, key = (_file(env, f"MES_TEMPORAL_TLS_{name}") for name in ("CA", "CERT", "KEY"))
    if (certificate is None) != (key is None):
        missing = "MES_TEMPORAL_TLS_CERT" if certificate is None else "MES_TEMPORAL_TLS_KEY"
        raise SettingWrong(missing, "", "certificate and key, or neither")
    if env.get("MES_TEMPORAL_TLS", "off") != "on" and authority is None and certificate is None:
        return None
    return authority, certificate, key, env.get("MES_TEMPORAL_TLS_NAME") or None


def _api_tls(env: Mapping[str, str]) -> tuple[Path, Path] | None:
    certificate, key = _file(env, "MES_API_TLS_CERT"), _file(env, "MES_API_TLS_KEY")
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SettingWrong("MES_API_TLS_CERT" if certificate is None else "MES_API_TLS_KEY", "", "certificate and key")
    return certificate, key


def _file(env: Mapping[str, str], name: str) -> Path | None:
    path = Path(env[name]) if env.get(name) else None
    if path is not None and not path.is_file():
        raise SettingWrong(name, str(path), "a file that is there")
    return path


class SettingWrong(Exception):
    """A variable of the environment says something that cannot be meant. Never holds a secret."""

    def __init__(self, name: str, found: str, required: str) -> None:
        super().__init__(f"{name} is {found!r}; needed: {required}")
        self.name = name


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
