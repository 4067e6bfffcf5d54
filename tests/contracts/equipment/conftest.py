"""One press for the whole suite: its start takes seconds of CPU."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from asyncua.client.client import Client
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

from adapters.equipment.job_control import JobControlEquipment
from adapters.equipment.opcua import OpcUaEndpoint, OpcUaEquipment
from adapters.equipment.opcua_names import JOB, NAMESPACE, node_id
from adapters.equipment.pki import CLIENT_URI, PRESS_URI, Identity
from adapters.equipment.port import Equipment
from tests.contracts.equipment.support import PASSWORD, PressProcess, answered


@pytest_asyncio.fixture(scope="session")
async def press_process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PressProcess]:
    process = PressProcess(tmp_path_factory.mktemp("press"), job_control=True)
    await process.start()
    yield process
    await process.kill()


DRIVERS: dict[str, Callable[[OpcUaEndpoint], Equipment]] = {
    "methods": OpcUaEquipment,
    "jobControl": lambda endpoint: JobControlEquipment(endpoint, journal=True),
}
"""Every driver that gives a machine jobs: the contract is the same for all."""


@pytest.fixture(scope="session", params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Callable[[OpcUaEndpoint], Equipment]:
    """How a driver of the kind under test is made."""
    made: Callable[[OpcUaEndpoint], Equipment] = DRIVERS[request.param]
    return made


@pytest_asyncio.fixture(scope="session")
async def session_press(
    press_process: PressProcess, driver: Callable[[OpcUaEndpoint], Equipment]
) -> AsyncIterator[Equipment]:
    made = driver(press_process.endpoint())
    await answered(made)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def press(session_press: Equipment, look: "Look") -> AsyncIterator[Equipment]:
    """The driver under test; whatever a test leaves on the press is taken off."""
    yield session_press
    held = await look("JobId")
    if held:
        await session_press.abort_job(str(held))


class Look:
    """Reads the press's own variables past the driver, as a technician with a browser does."""

    def __init__(self, client: Client, index: int) -> None:
        self.client, self.index = client, index

    async def __call__(self, name: str, parent: str = JOB) -> object:
        return await self.client.get_node(node_id(f"{parent}.{name}", self.index)).read_value()


async def secured(process: PressProcess, user: str = "", identity: Identity | None = None) -> Client:
    """The library's bare client with certificates set, not connected; without a name it would come in as nobody."""
    identity = identity or process.client
    # It must not give up by itself while a busy host lets it wait: nobody watches it.
    client = Client(process.endpoint().url, timeout=30, watchdog_intervall=3600)
    client.application_uri = CLIENT_URI
    client.session_timeout = 60_000
    if user:
        client.set_user(user)
        client.set_password(PASSWORD)
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        certificate=identity.certificate,
        private_key=identity.key,
        server_certificate=str(identity.trusted_certificate(PRESS_URI)),
    )
    return client


@pytest_asyncio.fixture
async def look(press_process: PressProcess) -> AsyncIterator[Look]:
    client = await secured(press_process, "mes")
    async with client:
        yield Look(client, await client.get_namespace_index(NAMESPACE))


__all__ = ["Look", "secured"]
