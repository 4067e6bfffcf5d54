"""A workflow that does what none may do, for `test_sandbox.py`."""

import random
import threading
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError

REFUSED = "Restricted"
ORDERS: list[str] = []
"""What the orders that share this copy of the module were told to do."""


@workflow.defn
class Impure:
    """Does what it is told, and answers how many of this copy of the module did so before and with it."""

    @workflow.run
    async def run(self, deed: str) -> int:
        """A deed that the sandbox refuses fails with REFUSED."""
        ORDERS.append(deed)
        try:
            if deed == "clock":
                datetime.now()  # noqa: DTZ005 this is what is refused
            elif deed == "chance":
                random.random()
            elif deed == "file":
                open(__file__).close()  # noqa: ASYNC230
            elif deed == "thread":
                threading.Thread(target=print).start()
            elif deed == "wait":
                await workflow.sleep(timedelta(milliseconds=1))
        except RestrictedWorkflowAccessError as refused:
            raise ApplicationError(str(refused), type=REFUSED, non_retryable=True) from None
        return len(ORDERS)
