"""A machine that gives up a job has failed: its equipment is down, and a maintenance order begins (EQ-07)."""

from typing import Final

from temporalio import workflow

from activities import stubs
from workflows import maintenance, policies
from workflows.neighbours import NeighbourRefused, Neighbours

_FAILED: Final = "JOB_ABORTED"


async def report(neighbours: Neighbours, job: str, workstation: str, refused: NeighbourRefused) -> None:
    """Tell the equipment register, and begin the maintenance order, which holds the operation.

    A machine that only does not take a job has not failed. A station that the register does not know has nothing to
    be repaired.
    """
    if refused.code != _FAILED or not workflow.patched("machine-fault"):
        return
    fault = stubs.FaultRequest(key=f"{job}/fault", workstation=workstation, detail=refused.detail)
    try:
        answer = await neighbours.ask(
            "equipment register",
            f"{job}/fault",
            lambda: workflow.execute_activity(stubs.report_fault, fault, **policies.ASK_NEIGHBOUR),
        )
    except NeighbourRefused as no:
        workflow.logger.error("the fault of %s is not registered: %s", workstation, no)
        return
    await maintenance.begin(answer.begin)
