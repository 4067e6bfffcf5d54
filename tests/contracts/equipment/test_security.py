"""Nobody comes in without the right certificate and the right password, and nobody in between is believed."""

import socket
from pathlib import Path
from typing import Any

import pytest
from asyncua.client.client import Client
from asyncua.crypto.truststore import TrustStore
from asyncua.ua.uaerrors import BadIdentityTokenRejected, BadUserAccessDenied, UaError

from adapters.equipment.opcua import OpcUaEquipment
from adapters.equipment.pki import CLIENT_URI, PRESS_URI, Identity, ensure_identity, ensure_pair
from adapters.equipment.port import AdapterRefused, AdapterUnreachable, Refusal
from adapters.equipment.press_server import Gate
from tests.contracts.equipment.conftest import secured
from tests.contracts.equipment.support import PASSWORD, PressProcess


async def refusal(press: OpcUaEquipment) -> str:
    try:
        with pytest.raises(AdapterRefused) as no:
            await press.get_job("any")
    finally:
        await press.close()
    return no.value.code


@pytest.fixture
def stranger(tmp_path: Path, press_process: PressProcess) -> Identity:
    """Somebody with our application's name, who trusts the press but is not trusted by it."""
    identity = Identity(tmp_path / "stranger")
    ensure_identity(identity, CLIENT_URI)
    identity.trust(Identity(press_process.folder / "pki" / "press"), "press")
    return identity


async def test_a_wrong_password_is_refused(press_process: PressProcess) -> None:
    assert await refusal(OpcUaEquipment(press_process.endpoint(password="guess"))) == Refusal.LOGIN


async def test_a_wrong_user_is_refused(press_process: PressProcess) -> None:
    assert await refusal(OpcUaEquipment(press_process.endpoint(user="root"))) == Refusal.LOGIN


async def test_an_untrusted_client_is_refused(press_process: PressProcess, stranger: Identity) -> None:
    assert await refusal(OpcUaEquipment(press_process.endpoint(identity=stranger.folder))) == Refusal.CERTIFICATE


async def test_the_certificate_of_the_channel_counts_not_the_one_that_is_shown(
    press_process: PressProcess, stranger: Identity
) -> None:
    trust = TrustStore([press_process.folder / "pki" / "press" / "trusted"], [])
    await trust.load()
    gate = Gate("mes", PASSWORD, trust)
    ours, theirs = press_process.client.certificate.read_bytes(), stranger.certificate.read_bytes()
    assert gate.get_user(None, "mes", PASSWORD, ours) is not None
    assert gate.get_user(None, "mes", PASSWORD, theirs) is None
    assert gate.get_user(None, "mes", PASSWORD, None) is None


async def test_a_client_that_hides_its_certificate_is_refused(
    press_process: PressProcess, stranger: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await secured(press_process, "mes", stranger)
    create = client.uaclient.create_session

    async def without_certificate(parameters: Any) -> Any:
        parameters.ClientCertificate = None
        return await create(parameters)

    monkeypatch.setattr(client.uaclient, "create_session", without_certificate)
    with pytest.raises(BadUserAccessDenied):
        await client.connect()


async def test_a_press_that_is_not_ours_is_not_talked_to(press_process: PressProcess, tmp_path: Path) -> None:
    _, client = ensure_pair(tmp_path)  # trusts another press of the same name
    press = OpcUaEquipment(press_process.endpoint(identity=client.folder, call_timeout=1.0))
    with pytest.raises((AdapterRefused, AdapterUnreachable)):
        await press.get_job("any")
    await press.close()


async def test_without_security_nobody_comes_in(press_process: PressProcess) -> None:
    client = Client(press_process.endpoint().url, timeout=1)
    with pytest.raises((UaError, TimeoutError, ConnectionError)):
        await client.connect()


async def test_without_a_name_nobody_comes_in(press_process: PressProcess) -> None:
    client = await secured(press_process)
    with pytest.raises(BadIdentityTokenRejected):
        await client.connect()


def test_it_listens_on_this_host_only(press_process: PressProcess) -> None:
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", press_process.port), 1):
        pass


def test_a_valid_identity_is_left_alone_and_its_key_is_private(press_process: PressProcess) -> None:
    before = press_process.client.key.read_bytes()
    press, client = ensure_pair(press_process.folder / "pki")
    assert client.key.read_bytes() == before
    assert press.key.stat().st_mode & 0o077 == 0
    assert client.days_left() >= 363
    assert client.trusted_certificate(PRESS_URI).read_bytes() == press.certificate.read_bytes()
