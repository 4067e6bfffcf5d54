"""Direct requests to warehouse and quality: keyed by the command id, so that each has one effect and one answer."""

from collections.abc import Callable
from typing import TypeVar

from api.signatures import reused
from domain.base import Message
from domain.errors import AdapterRefused

A = TypeVar("A", bound=Message)


def once(command_id: str, ask: Callable[[str], A]) -> A:
    """The answer of `ask(key)`. A key that was used for another request is 409 COMMAND_ID_REUSED."""
    try:
        return ask(command_id)
    except AdapterRefused as refused:
        if refused.code == "KEY_REUSED":
            raise reused(command_id) from None
        raise
