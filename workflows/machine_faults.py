"""A machine that gives up a job has failed: its equipment is down, and a maintenance order begins (EQ-07)."""

from typing import Final

from temporalio import workflow

from activities import stubs
from domain.rules.equipment_faults import given_up
from workflows import maintenance, policies
from workflows.journal import Journal
from workflows.neighbours import NeighbourRefused, Neighbours

_FAILED: Final = "JOB_ABORTED"


async def report(neighbours: Neighbours, journal: Journal, job: stubs.JobRequest, refused: NeighbourRefused) -> None:
    """Tell the equipment register, and begin the maintenance order, which holds the operation.

    A machine that only does not take a job has not failed. Where no maintenance order came of it, because the register
    does not know the station or it is down already, the order itself holds the operation by a deviation.
    """
    if refused.code != _FAILED or not workflow.patched("machine-fault"):
        return
    fault = stubs.FaultRequest(
        key=f"{job.job}/fault", workstation=job.workstation, detail=refused.detail, order_number=job.order_number
    )
    try:
        answer = await neighbours.ask(
            "equipment register",
            fault.key,
            lambda: workflow.execute_activity(stubs.report_fault, fault, **policies.ASK_NEIGHBOUR),
        )
    except NeighbourRefused as no:
        workflow.logger.error("the fault of %s is not registered: %s", job.workstation, no)
        answer = stubs.FaultBegins()
    await maintenance.begin(answer.begin)
    if not answer.orders and workflow.patched("2026-11-job-given-up"):
        journal.note(*given_up(journal.process, job.work_order, job.operation, job.workstation, refused.detail))
