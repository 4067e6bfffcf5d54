"""The signed command of a recall."""

from typing import Literal

from domain.command_base import Command


class ApproveRecall(Command):
    """The recall is carried out as its frozen report says; `scope_hash` is the SHA-256 of that report."""

    kind: Literal["approveRecall"] = "approveRecall"
    recall: str
    is_mock: bool
    scope_hash: str
    lots: int
    shipped: str
