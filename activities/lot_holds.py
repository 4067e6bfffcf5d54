"""What the process of a hold of lots asks of the record."""

from temporalio import activity

from activities.errors import adapter_errors
from activities.stubs import HoldAnswersRequest, HoldStep, OrderToTell
from adapters.quality.hold_process import PostgresHoldProcess


class LotHoldActivities:
    """The hold's requests to the record."""

    def __init__(self, holds: PostgresHoldProcess) -> None:
        self._holds = holds

    @activity.defn(name="lot-hold.find-orders")
    def find_held_orders(self, step: HoldStep) -> tuple[OrderToTell, ...]:
        """The orders that have to hear of this step of a hold."""
        with adapter_errors():
            find = self._holds.find_users if step.step == "stop" else self._holds.find_stopped
            return tuple(OrderToTell(**own.model_dump()) for own in find(step.hold))

    @activity.defn(name="lot-hold.read-answers")
    def read_hold_answers(self, request: HoldAnswersRequest) -> tuple[str, ...]:
        """Write down who has answered; the orders that have not."""
        with adapter_errors():
            return self._holds.read_answers(request.hold, request.step, request.asked, request.over)

    @activity.defn(name="lot-hold.finish")
    def finish_hold_step(self, step: HoldStep) -> str:
        """Everybody has answered; the hold's state then."""
        with adapter_errors():
            return self._holds.finish(step.hold, step.step)
