"""Orders that began under an older release go on under this one.

Every history here was recorded from a real order. When one of these tests fails, running orders would stop at their
next task. Either the change was not meant to alter what the workflow asks for: then mend it. Or it was: then gate it
with `workflow.patched("YYYY-MM-topic")`, so that recorded orders keep the old way, list the patch in
`workflows/PATCHES.md`, and record a history of the new way:

    MES_RECORD_HISTORIES=0.2.0 pytest tests/replay

A history that is already there is never recorded again: it stands for the orders that are out there.
"""

import asyncio
import gzip
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from activities.stubs import CaseFactBatch, FactBatch
from db.projection.writer import content_hash
from domain import case_commands as cc
from domain import commands as c
from tests.cases import Led, asked_for, of_order, opened, out_of_limit, until_decided
from tests.desk import DISCRETE
from tests.plant import Order, Plant
from workflows.runtime import WORKFLOWS, workflow_runner

HISTORIES = Path(__file__).parent / "histories"
RELEASE = os.environ.get("MES_RECORD_HISTORIES")


async def closed(plant: Plant) -> Order:
    return await (await plant.order()).closed()


async def cancelled_after_the_pick(plant: Plant) -> Order:
    order = await (await plant.order()).picked()
    await order.do(c.CancelOrder, "sam", reason="customer withdrew")
    return await order.until("order", "cancelled")


async def aborted_and_scrapped(plant: Plant) -> Order:
    order = await (await plant.order()).executed()
    await order.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
    return await order.until("order", "aborted")


async def held_paused_and_refused(plant: Plant) -> Order:
    order = await (await plant.order()).picked()
    await order.do(c.HoldOrder, "qa", reason="question about a lot")
    for kind in (c.StartWorkOrder, c.CloseOrder):
        command = order.command(kind, "olu")
        await order.send(command)
        await order.verdict(command.command_id)
    await order.do(c.ResumeOrder, "qa")
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    await order.do(c.PauseWorkOrder, "olu", reason="shift change")
    await order.do(c.ResumeWorkOrder, "ole")
    return order


async def out_of_limit_and_decided(plant: Plant) -> Order:
    order = await (await plant.order()).picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    values = (c.Measurement(name="weight", text="130.5", unit="mg"),)
    await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    await order.do(c.ReleaseOperationHold, "qa", operation="COMPRESS", reason="scale was dirty")
    return order


async def returned_and_partly_consumed(plant: Plant) -> Order:
    order = await (await plant.order()).picked()
    back = c.ReturnedQuantity(line=1, lot="API-1", quantity=Decimal("0.5"), unit="kg")
    await order.do(c.ReturnMaterials, "wil", lines=(back,), reason="too much issued")
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    used = c.LineQuantity(line=1, lot="API-1", quantity=Decimal("4.2"), unit="kg")
    await order.do(c.CompleteOperation, "olu", operation="DISPENSE", consumed=(used,))
    await order.do(
        c.ReturnMaterials, "olu", lines=(back.model_copy(update={"quantity": Decimal("0.3")}),), reason="left over"
    )
    return order


async def job_shop(plant: Plant) -> Order:
    order = await plant.order(DISCRETE)
    await order.do(c.SubmitOrder, "pia")
    await order.do(c.ReleaseOrder, "pia")
    await order.do(c.DispatchWorkOrder, "pia")
    return await order.until("work_order", "ready")


async def deviation_closed(plant: Plant) -> Led:
    deviation = await of_order(await out_of_limit(plant))
    return await deviation.closed(capa=True)


async def order_with_a_led_deviation(plant: Plant) -> Order:
    order = await out_of_limit(plant)
    await (await of_order(order)).closed()
    await until_decided(order)
    await order.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
    return await order.until("order", "aborted")


async def result_confirmed_and_lot_settled(plant: Plant) -> Led:
    await asyncio.to_thread(plant.on_hold, "API-H", "API")
    result = await opened(plant, out_of_specification=True, lot="API-H")
    await result.do(cc.InvestigateLaboratory, "ben")
    await result.do(cc.BeginPhaseTwo, "ben", finding="no error in the laboratory")
    conclusion = {"root_cause": "wet", "needs_capa": False, "report": "report 1", "disposition": "reject"}
    await result.do(cc.ConcludeOutOfSpecification, "ben", confirmed=True, **conclusion)
    await result.do(cc.CloseDeviation, "rae")
    await result.handle.result()
    return result


async def capa_ineffective(plant: Plant) -> Led:
    action = await (await asked_for(plant)).implemented(timedelta(seconds=2), timedelta(seconds=3))
    await action.until("effectivenessCheck")
    await action.do(cc.DecideCapaEffectiveness, "rae", effective=False, evidence="it happened again")
    await action.handle.result()
    return action


PATHS: dict[str, Callable[[Plant], Awaitable[Order | Led]]] = {
    path.__name__: path
    for path in (
        closed, cancelled_after_the_pick, aborted_and_scrapped, held_paused_and_refused, out_of_limit_and_decided,
        job_shop, returned_and_partly_consumed, deviation_closed, order_with_a_led_deviation,
        result_confirmed_and_lot_settled, capa_ineffective,
    )
}  # fmt: skip


class Written(Interceptor):
    """Collects what a replayed process wants to write: the replayer itself compares commands, not their contents."""

    facts: dict[int, str]

    def __init__(self) -> None:
        facts: dict[int, str] = {}
        self.facts = facts

        class Outbound(WorkflowOutboundInterceptor):
            def start_local_activity(self, input: StartLocalActivityInput) -> Any:
                collect(input.args)
                return super().start_local_activity(input)

            def start_activity(self, input: StartActivityInput) -> Any:
                collect(input.args)
                return super().start_activity(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        def collect(arguments: Any) -> None:
            for argument in arguments:
                if isinstance(argument, FactBatch | CaseFactBatch):
                    facts.update({fact.revision: content_hash(fact) for fact in argument.facts})

        self._inbound = Inbound

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return self._inbound


def recorded() -> list[Path]:
    return sorted(HISTORIES.glob("*/*.json.gz"))


def history_of(path: Path) -> WorkflowHistory:
    """A recorded history."""
    return WorkflowHistory.from_json(path.stem, gzip.decompress(path.read_bytes()).decode())


def facts_of(history: Path) -> Iterator[tuple[int, str]]:
    """The facts that the order wrote when it was recorded: revision and content."""
    for line in history.with_suffix("").with_suffix(".facts").read_text().splitlines():
        revision, content = line.split()
        yield int(revision), content


@pytest.mark.skipif(RELEASE is None, reason="records histories only when a release is named")
@pytest.mark.parametrize("path", PATHS)
async def test_record_the_histories_of_this_release(plant: Plant, path: str) -> None:
    assert RELEASE is not None
    folder = HISTORIES / RELEASE
    folder.mkdir(exist_ok=True)
    if (folder / f"{path}.json.gz").exists():
        return
    if not plant.balance("API-1"):
        await plant.stock("API-1", "API", "1000")
        await plant.stock("LAC-1", "LAC", "10000")
    order = await PATHS[path](plant)
    history = await order.handle.fetch_history()
    (folder / f"{path}.json.gz").write_bytes(gzip.compress(history.to_json().encode(), mtime=0))
    facts = "case_fact WHERE case_number" if isinstance(order, Led) else "order_fact WHERE order_number"
    rows = plant.rows(f"SELECT revision, content_hash FROM {facts} = :n ORDER BY revision", n=order.number)
    (folder / f"{path}.facts").write_text("".join(f"{row.revision} {row.content_hash}\n" for row in rows))


@pytest.mark.accepts("E4", "RC-06", "AT-08")
@pytest.mark.parametrize("path", recorded(), ids=lambda path: f"{path.parent.name}-{path.name.split('.')[0]}")
async def test_orders_of_older_releases_go_on_and_say_the_same(path: Path) -> None:
    history = history_of(path)
    written = Written()
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=pydantic_data_converter,
        workflow_runner=workflow_runner(),
        interceptors=[written],
        build_id="replay",
    )
    await replayer.replay_workflow(history)
    assert written.facts.items() <= dict(facts_of(path)).items()
    assert len(written.facts) > 3


def test_every_path_has_a_history() -> None:
    assert {path.name.split(".")[0] for path in recorded()} >= set(PATHS)
