"""Orders that began under an older release go on under this one.

Every history here was recorded from a real order. When one of these tests fails, running orders would stop at their
next task. Either the change was not meant to alter what the workflow asks for: then mend it. Or it was: then gate it
with `workflow.patched("YYYY-MM-topic")`, so that recorded orders keep the old way, list the patch in
`workflows/PATCHES.md`, and record a history of the new way:

    MES_RECORD_HISTORIES=0.2.0 pytest tests/replay

A history that is already there is never recorded again: it stands for the orders that are out there.
"""

import gzip
import os
from collections.abc import Iterator
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
from tests.cases import Led
from tests.plant import Plant
from tests.replay.paths import PATHS
from workflows.runtime import WORKFLOWS, workflow_runner

HISTORIES = Path(__file__).parent / "histories"
RELEASE = os.environ.get("MES_RECORD_HISTORIES")


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
        await plant.stock("API-2", "API", "1000")
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
