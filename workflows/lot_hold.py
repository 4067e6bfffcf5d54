"""A hold of lots: tells every order that uses one of them, waits for their answers; and once more when it is over.

Who uses the lots stands in the record. Each order is told by a signal whose id follows from hold and order, so that
being told twice has one effect; its answer is the verdict that it writes to the record.
"""

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities import stubs
from domain.commands import LiftLotHold, PlaceLotHold
from domain.rules.common import SYSTEM
from domain.start import StartLotHold
from workflows import policies

STOP, RELEASE = "stop", "release"


@workflow.defn(name="LotHold")
class LotHoldWorkflow:
    """Stops all orders of a hold; when quality releases it, lets them go."""

    @workflow.init
    def __init__(self, start: StartLotHold) -> None:
        self._hold, self._released = start.hold, False

    @workflow.run
    async def run(self, start: StartLotHold) -> str:
        await self._tell_all(STOP)
        await workflow.wait_condition(lambda: self._released)
        return await self._tell_all(RELEASE)

    @workflow.signal(name=RELEASE)
    def release(self) -> None:
        """Quality has signed the release."""
        self._released = True

    async def _tell_all(self, step: str) -> str:
        """Until nobody new is found: an order may have reserved the lot in the moment in which it was stopped."""
        about = stubs.HoldStep(hold=self._hold, step=step)
        while orders := await workflow.execute_activity(stubs.find_held_orders, about, **policies.HOLD_LOT):
            over = tuple([order.order_number for order in orders if not await self._told(step, order)])
            await self._until_answered(step, tuple(order.order_number for order in orders), over)
        return await workflow.execute_activity(stubs.finish_hold_step, about, **policies.HOLD_LOT)

    async def _told(self, step: str, order: stubs.OrderToTell) -> bool:
        """Whether the order has taken the command; False when it does not run any more."""
        handle = workflow.get_external_workflow_handle(policies.workflow_id(order.order_number))
        try:
            await handle.signal("command", self._command(step, order))
        except FailureError:
            return False
        return True

    def _command(self, step: str, order: stubs.OrderToTell) -> PlaceLotHold | LiftLotHold:
        key, now = f"{self._hold}/{step}/{order.order_number}", workflow.now()
        if step == RELEASE:
            return LiftLotHold(
                command_id=key, actor=SYSTEM, received_at=now, reason=order.reason, hold=self._hold,
                lifted_by=order.placed_by,
            )  # fmt: skip
        return PlaceLotHold(
            command_id=key, actor=SYSTEM, received_at=now, reason=order.reason, hold=self._hold, lots=order.lots,
            makes=order.makes, placed_by=order.placed_by, is_recall=order.is_recall,
        )  # fmt: skip

    async def _until_answered(self, step: str, asked: tuple[str, ...], over: tuple[str, ...]) -> None:
        attempt = 0
        while asked:
            request = stubs.HoldAnswersRequest(hold=self._hold, step=step, asked=asked, over=over)
            asked = await workflow.execute_activity(stubs.read_hold_answers, request, **policies.HOLD_LOT)
            attempt += 1
            if asked:
                await workflow.sleep(policies.back_off(attempt))
