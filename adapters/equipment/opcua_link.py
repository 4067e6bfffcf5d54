"""One lasting connection to an OPC UA server, crash-only.

Every connection is a generation: a new client object, opened, watched and thrown away at the first doubt. The library's
own `auto_reconnect` is never used: it was seen to come back `connected` with nothing left of it, for ever.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClientState
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions

from adapters.equipment import opcua_names as names
from adapters.equipment.opcua_errors import Outcome, judged
from adapters.equipment.pki import CLIENT_URI, PRESS_URI, Identity
from adapters.equipment.port import AdapterRefused, AdapterUnknown, AdapterUnreachable, Refusal

_log = logging.getLogger(__name__)
_WARN_DAYS = 30
_SESSION_MILLISECONDS = 60_000


@dataclass(frozen=True)
class OpcUaEndpoint:
    """Where a machine is and how we show who we are. Times in seconds.

    `identity` is the folder of our certificate, key and trusted certificates (see `pki.Identity`); the server's own
    certificate must lie in its `trusted` under the URI `server_uri`, so nothing is ever asked over an open channel.
    """

    url: str
    user: str
    password: str = field(repr=False)
    identity: Path
    server_uri: str = PRESS_URI
    application_uri: str = CLIENT_URI
    call_timeout: float = 3.0
    open_timeout: float = 6.0
    liveness: float = 2.0
    first_delay: float = 0.25
    longest_delay: float = 5.0


@dataclass(frozen=True)
class Generation:
    """One connection while it lives: the client, and our namespace's index on the server it is connected to."""

    client: Client
    namespace_index: int
    more: Any = None
    """What `prepare` found on the server."""


Prepare = Callable[[Client, int], Awaitable[Any]]
"""Looks for what a driver needs on a server that was just connected; it has the index of the driver's namespace."""


class Link:
    """Keeps one generation open from the first call until `close`.

    `namespace` is the one that the server must have; `prepare` is asked once on every connection.
    """

    def __init__(
        self, endpoint: OpcUaEndpoint, namespace: str = names.NAMESPACE, prepare: Prepare | None = None
    ) -> None:
        self._endpoint = endpoint
        self._namespace, self._prepare = namespace, prepare
        self._task: asyncio.Task[None] | None = None
        self._generation: Generation | None = None
        self._refusal: AdapterRefused | None = None
        self._trouble = "not connected yet"
        # Set while a call need not wait: there is a connection, or a person has to act before there can be one.
        self._settled = asyncio.Event()
        self._closed = False

    async def call(self, method: names.Method, arguments: Sequence[ua.Variant], *, changes: bool) -> list[Any]:
        """Call a method of the job node and give its results.

        `changes` says that the machine may act on it: then no answer is `AdapterUnknown`, else `AdapterUnreachable`.
        """

        def at(generation: Generation) -> tuple[ua.NodeId, ua.NodeId]:
            index = generation.namespace_index
            return names.node_id(names.JOB, index), names.node_id(f"{names.JOB}.{method}", index)

        return await self.call_at(at, method, arguments, changes=changes)

    async def call_at(
        self,
        at: Callable[[Generation], tuple[ua.NodeId, ua.NodeId]],
        method: str,
        arguments: Sequence[ua.Variant],
        *,
        changes: bool,
    ) -> list[Any]:
        """Call a method of any object: `at` finds both on the connection that there is. See `call`."""
        generation = await self.ready()
        own, node = at(generation)
        try:
            async with asyncio.timeout(self._endpoint.call_timeout):
                results = await generation.client.get_node(own).call_method(node, *arguments)
        except Exception as error:  # the library raises its own, the socket's and bare ones
            self._raise(error, method, changes)
        return list(results) if isinstance(results, list) else [results]

    async def read_at(self, at: Callable[[Generation], ua.NodeId]) -> Any:
        """The value of any variable."""
        generation = await self.ready()
        try:
            async with asyncio.timeout(self._endpoint.call_timeout):
                return await generation.client.get_node(at(generation)).read_value()
        except Exception as error:  # the library raises its own, the socket's and bare ones
            raise AdapterUnreachable(self._endpoint.url, f"reading: {_text(error)}") from error

    async def read(self, nodes: Sequence[str]) -> list[ua.DataValue]:
        """The values of variables of our namespace at one moment, with source time and quality, good or not."""
        generation = await self.ready()
        wanted = [generation.client.get_node(names.node_id(name, generation.namespace_index)) for name in nodes]
        try:
            async with asyncio.timeout(self._endpoint.call_timeout):
                found = await generation.client.read_attributes(wanted)
        except Exception as error:  # the library raises its own, the socket's and bare ones
            raise AdapterUnreachable(self._endpoint.url, f"reading: {_text(error)}") from error
        return list(found)

    async def close(self) -> None:
        """End the connection and stop reconnecting."""
        self._closed = True
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _raise(self, error: Exception, method: str, changes: bool) -> NoReturn:
        detail = f"{method}: {_text(error)}"
        match judged(error):
            case Outcome.NO, code:
                raise AdapterRefused(code, detail) from error
            case Outcome.NOT_DONE, _:
                raise AdapterUnreachable(self._endpoint.url, detail) from error
            case _:
                kind = AdapterUnknown if changes else AdapterUnreachable
                raise kind(self._endpoint.url, detail) from error

    async def ready(self) -> Generation:
        """The connection, once there is one; waits for it at most `call_timeout`."""
        if self._closed:
            raise AdapterUnreachable(self._endpoint.url, "the driver was closed")
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"opcua {self._endpoint.url}")
        if self._generation is not None and self._generation.client.state is not UaClientState.CONNECTED:
            self._settled.clear()  # it was just lost, and the supervisor has not had its turn yet
        # Without this a caller that asks again at once would never let the supervisor have it.
        await asyncio.sleep(0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._endpoint.call_timeout):
                await self._settled.wait()
        if self._refusal is not None:
            raise AdapterRefused(self._refusal.code, self._refusal.detail)
        generation = self._generation
        if generation is None or generation.client.state is not UaClientState.CONNECTED:
            raise AdapterUnreachable(self._endpoint.url, self._trouble)
        return generation

    async def _run(self) -> None:
        delay = self._endpoint.first_delay
        while True:
            client = Client(self._endpoint.url, timeout=self._endpoint.call_timeout, watchdog_intervall=3600)
            try:
                async with asyncio.timeout(self._endpoint.open_timeout):
                    index = await self._open(client)
                    more = None if self._prepare is None else await self._prepare(client, index)
                self._up(Generation(client, index, more))
                delay = self._endpoint.first_delay
                await self._watch(client)
            except Exception as error:  # whatever ended it, the next generation starts from nothing
                self._down(error)
            finally:
                self._generation = None
                await _discard(client)
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(delay * 2, self._endpoint.longest_delay)

    async def _open(self, client: Client) -> int:
        """Connect, log in, and look up our namespace's index, which may be another one on every start of the server."""
        end, identity = self._endpoint, Identity(self._endpoint.identity)
        identity.check()
        if identity.days_left() < _WARN_DAYS:
            _log.warning("%s ends in %d days", identity.certificate, identity.days_left())
        client.application_uri = end.application_uri
        client.session_timeout = _SESSION_MILLISECONDS
        client.set_user(end.user)
        client.set_password(end.password)
        trust = TrustStore([identity.trusted], [])
        await trust.load()
        options = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_SERVER
        client.certificate_validator = CertificateValidator(options, trust)
        await client.set_security(
            SecurityPolicyBasic256Sha256,
            certificate=identity.certificate,
            private_key=identity.key,
            server_certificate=str(identity.trusted_certificate(end.server_uri)),
        )
        await client.connect()
        spaces = await client.get_namespace_array()
        if self._namespace not in spaces:
            raise AdapterRefused(Refusal.NOT_SUPPORTED, f"{end.url} has no namespace {self._namespace}")
        return spaces.index(self._namespace)

    async def _watch(self, client: Client) -> NoReturn:
        """Return never; raise as soon as the connection is lost or the server leaves a question without an answer."""
        async with client.subscribe_state() as changes:
            while client.state is UaClientState.CONNECTED:
                try:
                    await changes.next_change(self._endpoint.liveness)
                except TimeoutError:
                    await client.nodes.server_state.read_value()
        raise ConnectionError("the connection was lost")

    def _up(self, generation: Generation) -> None:
        self._generation, self._refusal, self._trouble = generation, None, ""
        self._settled.set()
        _log.info("connected to %s", self._endpoint.url)

    def _down(self, error: Exception) -> None:
        trouble = _text(error)
        # One line per change, not one per attempt: a machine may be off for a weekend.
        _log.log(logging.DEBUG if trouble == self._trouble else logging.WARNING, "%s: %s", self._endpoint.url, trouble)
        self._generation, self._trouble = None, trouble
        outcome, code = judged(error)
        if outcome is Outcome.NO:
            self._refusal = AdapterRefused(code, self._trouble)
            self._settled.set()
        else:
            self._refusal = None
            self._settled.clear()


async def _discard(client: Client) -> None:
    """Close a client whatever its state, and end its background tasks; what it says about that is of no use."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(2):
            if client.state is UaClientState.CONNECTED:
                await client.disconnect()
            else:
                # `disconnect` on a lost connection logs a traceback; this ends the same tasks without one.
                await client.close_session()
    with contextlib.suppress(Exception):
        client.disconnect_socket()


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
