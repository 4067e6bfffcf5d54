"""Lots that somebody chose instead of those that expire first: the warehouse reserves them, or all stays as it was."""

from collections.abc import Callable

from temporalio import workflow

from activities import stubs
from domain.identification_events import AllocationReplaced, LotsChosen
from domain.process import Pending
from domain.rules.common import move_pick_list
from domain.rules.materials import allocation_request, overridden, to_bring
from domain.states import PickListEvent, PickListState
from workflows import policies
from workflows.journal import Journal
from workflows.neighbours import NeighbourRefused, Neighbours


async def choose(
    number: str, journal: Journal, neighbours: Neighbours, pending: Pending, stop_if_ending: Callable[[], None]
) -> None:
    """Answer one choice. Whether it is an exception is said by what would have been taken at the same moment."""
    request = allocation_request(number)
    pick_list = journal.process.work_orders[number].pick_list
    assert pick_list is not None
    choice = pick_list.choice or LotsChosen(work_order=number)
    ask = stubs.AllocateRequest(
        key=f"{number}/allocate/{pending.command_id}",
        actor=pending.actor,
        work_order=number,
        lines=to_bring(journal.process.specification, number),
        chosen=choice.choice,
    )
    over = LotsChosen(work_order=number)
    try:
        answer = await neighbours.ask(
            "warehouse", request, lambda: workflow.execute_activity(stubs.allocate, ask, **policies.ASK_NEIGHBOUR)
        )
    except NeighbourRefused as refused:
        stop_if_ending()
        journal.note(over, answers=request, blockers=refused.reasons("pick list", pick_list.number))
        return
    stop_if_ending()
    work_order = journal.process.work_orders[number]
    instead = overridden(number, choice, answer.proposed, answer.allocations)
    if pick_list.state == PickListState.ALLOCATED:
        replaced = AllocationReplaced(work_order=number, allocations=answer.allocations)
        journal.note(replaced, over, *instead, answers=request)
        return
    # What was approved is not what is handed out now: it is approved again.
    moved = move_pick_list(work_order, PickListEvent.ALLOCATE, answer.allocations)
    journal.note(moved, over, *instead, answers=request)
