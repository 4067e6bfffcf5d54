"""An order that is reported piece by piece: more than ten thousand events, in many runs, while people ask for it."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from db.queries import outcomes
from domain import commands as c
from domain.events import Outcome
from tests.plant import Order, Plant
from workflows.verdicts import SEEN_LIMIT

EVENTS = 10_000
AT_ONCE = 25
COPIES = 5
"""Each report is sent so often, as by a terminal that heard no answer: an event each, of which the order makes one
report."""


async def events_of(order: Order) -> tuple[int, int]:
    """Events of all runs of an order so far, and how many runs it had."""
    runs = [run async for run in order.plant.client.list_workflows(f"WorkflowId = '{order.handle.id}'")]
    described = [await order.plant.client.get_workflow_handle(run.id, run_id=run.run_id).describe() for run in runs]
    return sum(own.history_length for own in described), len(described)


def verdicts_on(order: Order, sent: Sequence[c.Command]) -> list[Outcome]:
    """The record's verdicts on all of them, in their order."""
    found = order.plant.rows("SELECT command_id, body FROM command_outcome")
    by_command = {row.command_id: Outcome.model_validate(row.body) for row in found}
    return [by_command[command.command_id] for command in sent]


@pytest.mark.timeout(900)
@pytest.mark.accepts("E8")
async def test_an_order_of_ten_thousand_events_loses_nothing_and_answers_as_before(plant: Plant) -> None:
    await plant.stock("API-1", "API", "100")
    await plant.stock("LAC-1", "LAC", "1000")
    order = await (await plant.order(quantity=1_000_000)).picked()
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    sent: list[c.Command] = []
    events = runs = 0
    while events < EVENTS:
        for _ in range(8):
            batch = [order.command(c.ReportProduction, "olu", operation="DISPENSE", good=1) for _ in range(AT_ONCE)]
            await asyncio.gather(*(order.send(report) for report in batch * COPIES))
            await order.verdict(batch[-1].command_id)
            sent += batch
        # What the order says of itself while it goes on is what the record will say.
        asked = (await order.process()).work_orders[order.work_order].operations["DISPENSE"].good
        assert len(sent) - AT_ONCE < asked <= len(sent)
        events, runs = await events_of(order)
    assert runs > 10
    await order.verdict(sent[-1].command_id)
    verdicts = await asyncio.to_thread(verdicts_on, order, sent)
    assert all(verdict.accepted for verdict in verdicts)
    numbers = {verdict.result["reportNumber"] for verdict in verdicts}
    assert len(numbers) == len(sent), "every report has a number of its own"
    # The order itself knows its last thousand commands, whichever run they came to; an older one the API finds in the
    # record, before it signals anything.
    for late in (sent[-1], sent[1 - SEEN_LIMIT]):
        await order.send(late)
    with plant.engine.connect() as connection:
        first = outcomes.earlier(connection, sent[0].command_id)
    assert first is not None
    assert first.outcome == verdicts[0]
    await order.do(c.CompleteOperation, "olu", operation="DISPENSE")
    assert (await order.process()).work_orders[order.work_order].operations["DISPENSE"].good == len(sent)
    (row,) = plant.rows("SELECT sum(good) AS good, count(*) AS n FROM production_report")
    assert (row.good, row.n) == (Decimal(len(sent)), len(sent))
    (gaps,) = plant.rows("SELECT max(revision) - count(*) AS n FROM order_fact WHERE order_number = :n", n=order.number)
    assert gaps.n == 0
    assert (await order.handle.describe()).history_length < 1000, "each run is a short one"
