"""Whoever takes messages outside."""

from typing import Any, Protocol

from domain.outbound import Endpoint


class Receiver(Protocol):
    """Sends one message to its endpoint, and knows what the answer means.

    Raises `AdapterRefused` when sending the same again cannot help, `AdapterUnreachable` when nothing arrived or the
    receiver asks to come again, `AdapterUnknown` when it may have arrived: then the same id is sent again.
    """

    async def send(self, endpoint: Endpoint, message_id: str, content: dict[str, Any]) -> None:
        """Send; returns when the receiver has it."""
        ...
