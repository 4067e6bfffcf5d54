"""What an order's workflow begins with. Beside the other models, because a model in a workflow's own file is built
anew for every order that a worker holds: measured at half a megabyte and several milliseconds each."""

from datetime import datetime

from pydantic import Field

from domain.base import Message
from domain.commands import AnyCommand
from domain.process import Process
from domain.specification import OrderSpecification


class Carried(Message):
    """What continues in a new run of the same order."""

    process: Process
    seen: tuple[str, ...] = ()
    inbox: tuple[AnyCommand, ...] = Field(default=())


class StartOrder(Message):
    """What an order begins with; `carried` is set when a run continues an earlier one."""

    specification: OrderSpecification
    command_id: str
    received_at: datetime
    carried: Carried | None = None
