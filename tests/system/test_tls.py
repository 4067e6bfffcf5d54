"""TLS to PostgreSQL, to Temporal and to the API, with certificates of the tests' own: the right one, and wrong ones.

The servers from the wheels speak no TLS themselves, so one that ends it stands in front of them, as in many plants.
"""

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import text

from db.session import engine_for
from settings import SettingWrong, from_environment
from system import EmbeddedSystem
from system.ports import any_free
from tests.system.certificates import Authority, authority, issued
from workflows.runtime import connect, temporal_tls

pytestmark = pytest.mark.accepts("C8")
LEAST = {"DATABASE_URL": "postgresql://x", "TEMPORAL_ADDRESS": "x:1"}
_SSL_REQUEST = 8
"""Bytes with which a client asks PostgreSQL for TLS; the answer is one byte, `S` for yes."""


@pytest.fixture
def known(tmp_path: Path) -> Authority:
    return authority(tmp_path)


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return authority(tmp_path, "stranger")


@asynccontextmanager
async def tls_in_front(
    port: int, certificate: tuple[Path, Path], *, client_authority: Path | None = None, postgres: bool = False
) -> AsyncIterator[int]:
    """A port that speaks TLS and hands on to a port that does not; PostgreSQL asks for TLS in words of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.set_alpn_protocols(["h2", "postgresql"])
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_REQUIRED

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(65536):
                sink.write(piece)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if postgres:
                await reader.readexactly(_SSL_REQUEST)
                writer.write(b"S")
                await writer.drain()
            await writer.start_tls(context)
            inner, out = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(copy(reader, out), copy(inner, writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_the_record_is_reached_over_tls_only_where_its_server_is_known(
    shared: EmbeddedSystem, tmp_path: Path, known: Authority, stranger: Authority
) -> None:
    plain = shared.database_url
    port = int(plain.rpartition(":")[2].partition("/")[0])

    def asked(url: str) -> bool:
        engine = engine_for(url, pool_size=1)
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
                driver = connection.connection.driver_connection
                assert isinstance(driver, psycopg.Connection)
                return bool(driver.pgconn.ssl_in_use)
        finally:
            engine.dispose()

    assert await asyncio.to_thread(asked, plain) is False
    async with tls_in_front(port, issued(known, tmp_path, "record"), postgres=True) as secure:
        url = plain.replace(f":{port}/", f":{secure}/")
        verified = f"{url}?sslmode=verify-full&sslrootcert="
        assert await asyncio.to_thread(asked, f"{verified}{known.file}") is True
        with pytest.raises(Exception, match="certificate verify failed"):
            await asyncio.to_thread(asked, f"{verified}{stranger.file}")
    # Told to verify, it never falls back to plain text.
    with pytest.raises(Exception, match="does not support SSL"):
        await asyncio.to_thread(asked, f"{plain}?sslmode=verify-full&sslrootcert={known.file}")


async def test_temporal_is_reached_over_tls_by_who_has_a_certificate(
    shared: EmbeddedSystem, tmp_path: Path, known: Authority, stranger: Authority
) -> None:
    port = int(shared.temporal_address.rpartition(":")[2])
    certificate, key = issued(known, tmp_path, "worker")
    server = issued(known, tmp_path, "temporal")
    async with tls_in_front(port, server, client_authority=known.file) as secure:
        address = f"127.0.0.1:{secure}"
        files = {"MES_TEMPORAL_TLS_CA": str(known.file), "MES_TEMPORAL_TLS_CERT": str(certificate),
                 "MES_TEMPORAL_TLS_KEY": str(key), "MES_TEMPORAL_TLS_NAME": "localhost"}  # fmt: skip
        chosen = from_environment({**LEAST, **files}).temporal_tls
        client = await connect(address, tls=temporal_tls(chosen), attempts=3)
        assert await client.service_client.check_health()
        assert chosen is not None
        for wrong in (
            False,
            temporal_tls((stranger.file, *chosen[1:])),
            temporal_tls((known.file, None, None, "localhost")),
            temporal_tls((known.file, *issued(stranger, tmp_path, "intruder"), "localhost")),
        ):
            with pytest.raises(RuntimeError):
                await connect(address, tls=wrong, attempts=1)


def test_the_api_serves_tls(shared: EmbeddedSystem, tmp_path: Path, known: Authority, stranger: Authority) -> None:
    certificate, key = issued(known, tmp_path, "api")
    port = any_free()
    environment = {
        **os.environ, **shared.addresses.environment(), "MES_API_PORT": str(port),
        "MES_API_TLS_CERT": str(certificate), "MES_API_TLS_KEY": str(key),
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "api"], env=environment)
    try:
        url, trust = f"https://127.0.0.1:{port}/api/v1/healthz", ssl.create_default_context(cafile=known.file)
        assert answered(url, trust).json()["status"] == "ok"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(url, verify=ssl.create_default_context(cafile=stranger.file))
        with pytest.raises(httpx.TransportError):
            httpx.get(url.replace("https", "http"))
    finally:
        process.terminate()
        process.wait()


def answered(url: str, trust: ssl.SSLContext) -> httpx.Response:
    """The answer, when the process is up."""
    for _ in range(600):
        with suppress(httpx.ConnectError):
            return httpx.get(url, verify=trust)
        time.sleep(0.1)
    raise AssertionError("the API did not come up")


def test_half_of_a_certificate_is_refused_with_the_name_of_what_is_missing(tmp_path: Path, known: Authority) -> None:
    certificate, key = issued(known, tmp_path, "half")
    assert from_environment(LEAST).temporal_tls is None
    assert from_environment({**LEAST, "MES_TEMPORAL_TLS": "on"}).temporal_tls == (None, None, None, None)
    for given, missing in (
        ({"MES_TEMPORAL_TLS_CERT": str(certificate)}, "MES_TEMPORAL_TLS_KEY"),
        ({"MES_TEMPORAL_TLS_KEY": str(key)}, "MES_TEMPORAL_TLS_CERT"),
        ({"MES_API_TLS_CERT": str(certificate)}, "MES_API_TLS_KEY"),
        ({"MES_TEMPORAL_TLS_CA": str(tmp_path / "none")}, "MES_TEMPORAL_TLS_CA"),
    ):
        with pytest.raises(SettingWrong, match=missing):
            from_environment({**LEAST, **given})
