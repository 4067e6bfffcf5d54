"""A time server, asked by SNTP (RFC 4330): one UDP packet of 48 bytes there and back."""

import secrets
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from adapters.clock.port import ReferenceUnreachable

PORT: Final = 123
_SINCE_1900: Final = 2_208_988_800
"""Seconds from the epoch of NTP to that of Unix (RFC 868)."""
_ERA: Final = 2**32
_PACKET: Final = struct.Struct("!B B b b I I 4s Q Q Q Q")
_CLIENT: Final = 0b00_100_011
"""No warning, version 4, mode 3 (client)."""
_SERVER: Final = 4
_UNSYNCHRONISED: Final = 3


def _now() -> float:
    return datetime.now(UTC).timestamp()


@dataclass(frozen=True)
class Sntp:
    """One time server. `now` is this server's clock, in seconds since 1970."""

    host: str
    port: int = PORT
    timeout: float = 2.0
    now: Callable[[], float] = field(default=_now)

    @property
    def name(self) -> str:
        """`ntp://time.example.org`."""
        return f"ntp://{self.host}" + (f":{self.port}" if self.port != PORT else "")

    def ahead(self) -> float:
        """Our clock minus theirs: RFC 4330's offset with the other sign. Raises `ReferenceUnreachable`."""
        # What is sent as our time comes back: a random one keeps others from answering, and tells them nothing.
        mark = secrets.randbits(64)
        try:
            sent, answer, received = self._ask(mark)
        except OSError as error:
            raise ReferenceUnreachable(f"{self.name}: {error}") from None
        if len(answer) < _PACKET.size:
            raise ReferenceUnreachable(f"{self.name}: an answer of {len(answer)} bytes")
        first, stratum, *_, back, arrived, left = _PACKET.unpack(answer[: _PACKET.size])
        if back != mark or first & 7 != _SERVER or stratum == 0 or first >> 6 == _UNSYNCHRONISED or left == 0:
            raise ReferenceUnreachable(f"{self.name}: no answer to this question, or a server that knows no time")
        theirs = (_seconds(arrived, sent) + _seconds(left, sent)) / 2
        return (sent + received) / 2 - theirs

    def _ask(self, mark: int) -> tuple[float, bytes, float]:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)
        with socket.socket(family, kind, protocol) as asking:
            asking.settimeout(self.timeout)
            asking.connect(address)
            sent = self.now()
            asking.send(_PACKET.pack(_CLIENT, 0, 0, 0, 0, 0, b"", 0, 0, 0, mark))
            return sent, asking.recv(512), self.now()


def _seconds(stamp: int, near: float) -> float:
    """A time stamp as seconds since 1970, in that era of 136 years that is nearest to our own clock."""
    seconds = stamp / 2**32 - _SINCE_1900
    return seconds + round((near - seconds) / _ERA) * _ERA
