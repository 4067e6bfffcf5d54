"""What an order waits for, as lists show it: who may do what about which part of it."""

from typing import Final

from domain.base import Message

MOST: Final = 200
"""Tasks that are kept of one order; an order with more says enough by the first ones."""


class Task(Message):
    """`what` is the number of an order or work order, or `<work order>/<operation>`; one of the `roles` may do it."""

    what: str
    command: str
    roles: tuple[str, ...]
