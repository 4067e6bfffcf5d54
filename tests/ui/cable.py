"""The cable between a terminal and the server, which a test pulls and plugs in again.

A browser's own "offline" does not reach its service worker; a relay that is gone does, as a pulled cable would.
"""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit


class Cable:
    """A port of its own that leads to the server, until it is cut."""

    def __init__(self, address: str) -> None:
        self._host, self._port = str(urlsplit(address).hostname), int(urlsplit(address).port or 0)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._carried: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def address(self) -> str:
        """Where the terminal finds the server."""
        return f"http://127.0.0.1:{self.port}"

    async def mend(self) -> None:
        """Plug it in."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Pull it: what is open breaks, what is new is refused."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await asyncio.gather(*self._carried, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._lead(reader, writer))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        there, back = await asyncio.open_connection(self._host, self._port)
        self._open.add(back)
        try:
            await asyncio.gather(_carry(reader, back), _carry(there, writer))
        finally:
            self._open -= {writer, back}
            for one in (writer, back):
                one.close()
                with suppress(OSError):
                    await one.wait_closed()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, RuntimeError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
