"""What a workflow may ask of the warehouse about material that quality approved, without any I/O."""

from temporalio import activity

from domain.base import Message
from domain.quantities import Exact


class IntroduceRequest(Message):
    """A quantity of a lot that quality has approved for a work order, whatever the lot's status."""

    key: str
    actor: str
    work_order: str
    lot: str
    quantity: Exact
    unit: str


@activity.defn(name="inventory.introduce")
def introduce(request: IntroduceRequest) -> int:
    """Bring a lot that quality approved to the line; the answer is the number of moves."""
    raise NotImplementedError
