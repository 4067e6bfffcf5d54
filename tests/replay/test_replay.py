"""Orders that began under an older release go on under this one.

Every history here was recorded from a real order. When one of these tests fails, running orders would stop at their
next task. Either the change was not meant to alter what the workflow asks for: then mend it. Or it was: then gate it
with `workflow.patched("YYYY-MM-topic")`, so that recorded orders keep the old way, list the patch in
`workflows/PATCHES.md`, and record a history of the new way:

    MES_RECORD_HISTORIES=0.2.0 pytest -n0 tests/replay

A history that is already there is never recorded again: it stands for the orders that are out there.
"""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.worker import (
    Interceptor,
    Replayer,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from activities.stubs import CaseFactBatch, FactBatch
from db.projection.writer import content_hash
from domain.base import Message
from domain.case_commands import AnyCapaCommand, AnyDeviationCommand
from domain.commands import AnyCommand
from domain.maintenance_commands import AnyMaintenanceCommand
from tests.cases import Led
from tests.plant import Order, Plant
from tests.replay.newer_paths import NEWER_PATHS
from tests.replay.paths import PATHS
from tests.replay.resting_paths import RESTING_PATHS
from tests.replay.standing_paths import STANDING_PATHS
from workflows.encryption import data_converter
from workflows.runtime import WORKFLOWS, workflow_runner

HISTORIES = Path(__file__).parent / "histories"
RELEASE = os.environ.get("MES_RECORD_HISTORIES")
EVERY_PATH = PATHS | NEWER_PATHS | STANDING_PATHS | RESTING_PATHS
WRITES_NO_FACTS = frozenset({"EquipmentClock", "ReportClock", "AlarmClock", "LotHold"})
"""Of these everything is compared that they ask of activities and tell to orders."""


class Written(Interceptor):
    """Collects what a replayed process wants to write: the replayer itself compares commands, not their contents."""

    facts: dict[int, str]
    told: list[Message]
    """All arguments of activities and of signals to other processes that are no facts, in their order."""

    def __init__(self) -> None:
        facts: dict[int, str] = {}
        told: list[Message] = []
        self.facts, self.told = facts, told

        class Outbound(WorkflowOutboundInterceptor):
            def start_local_activity(self, input: StartLocalActivityInput) -> Any:
                collect(input.args)
                return super().start_local_activity(input)

            def start_activity(self, input: StartActivityInput) -> Any:
                collect(input.args)
                return super().start_activity(input)

            async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
                collect(input.args)
                await super().signal_external_workflow(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        def collect(arguments: Any) -> None:
            for argument in arguments:
                if isinstance(argument, FactBatch | CaseFactBatch):
                    facts.update({fact.revision: content_hash(fact) for fact in argument.facts})
                else:
                    told.append(argument)

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
@pytest.mark.parametrize("path", EVERY_PATH)
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
    order = await EVERY_PATH[path](plant)
    process = order.handle if isinstance(order, Order | Led) else order
    history = await process.fetch_history()
    (folder / f"{path}.json.gz").write_bytes(gzip.compress(history.to_json().encode(), mtime=0))
    if not isinstance(order, Order | Led):
        (folder / f"{path}.facts").write_text("")
        return
    facts = "case_fact WHERE case_number" if isinstance(order, Led) else "order_fact WHERE order_number"
    rows = plant.rows(f"SELECT revision, content_hash FROM {facts} = :n ORDER BY revision", n=order.number)
    (folder / f"{path}.facts").write_text("".join(f"{row.revision} {row.content_hash}\n" for row in rows))


TEACHES = """orders of release {release} would {what} ({path}).

A change of a workflow or of a rule has reached orders that began before it. Two ways to go on:
1. It was not meant to reach them: mend it until this test passes again. A new field has a default and stands in
   `_ADDED_LATER` (db/projection/writer.py); what is new happens only for a new command or a new policy.
2. It was meant: keep the old way for them with `if workflow.patched("YYYY-MM-topic"): … else: …` in the workflow, list
   the topic in workflows/PATCHES.md, and record the new way: MES_RECORD_HISTORIES=<release> pytest -n0 tests/replay.
Never delete a history of a release that is out: it stands for orders that are running in some plant.

What differs: {detail}"""


class Incompatible(AssertionError):
    """This code would not go on with an order as the code that began it."""


async def go_on(path: Path, *, sandbox: bool = True) -> None:
    """Replay a history with the code of today and compare what it writes. Raises Incompatible: it says what to do."""

    def incompatible(what: str, detail: object) -> Incompatible:
        return Incompatible(
            TEACHES.format(release=path.parent.name, path=path.name.split(".")[0], what=what, detail=detail)
        )

    written = Written()
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=data_converter(),
        workflow_runner=workflow_runner(sandbox=sandbox),
        interceptors=[written],
        build_id="replay",
    )
    history = history_of(path)
    try:
        await replayer.replay_workflow(history)
    except Exception as error:
        raise incompatible("stop at their next step", error) from error
    recorded_facts = dict(facts_of(path))
    if other := sorted(revision for revision, said in written.facts.items() if recorded_facts.get(revision) != said):
        raise incompatible("write something else than stands in their record", f"the facts of revision {other}")
    if workflow_of(history) not in WRITES_NO_FACTS:
        assert len(written.facts) > 3 or set(written.facts) == set(recorded_facts)
        return
    recorded_words = list(words_of(history))
    assert recorded_words
    for said, payload in zip(written.told, recorded_words, strict=False):
        if type(said).model_validate_json(payload.data) != said:
            raise incompatible("ask or tell something else", f"{said!r}, recorded {payload.data.decode()}")
    assert len(written.told) >= len(recorded_words)


def workflow_of(history: WorkflowHistory) -> str:
    """The name of the workflow whose history it is."""
    return history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def words_of(history: WorkflowHistory) -> Iterator[Payload]:
    """What a process asked of activities and told to other processes, in their order."""
    for event in history.events:
        yield from event.activity_task_scheduled_event_attributes.input.payloads
        yield from event.signal_external_workflow_execution_initiated_event_attributes.input.payloads


def commands_of(history: WorkflowHistory) -> Iterator[str]:
    """The kinds of the commands that a process got."""
    for event in history.events:
        for payload in event.workflow_execution_signaled_event_attributes.input.payloads:
            yield str(json.loads(payload.data)["kind"])


@pytest.mark.accepts("E4", "RC-06", "AT-08")
@pytest.mark.parametrize("path", recorded(), ids=lambda path: f"{path.parent.name}-{path.name.split('.')[0]}")
async def test_orders_of_older_releases_go_on_and_say_the_same(path: Path) -> None:
    await go_on(path)


@pytest.mark.accepts("E4")
async def test_a_workflow_that_asks_for_something_else_is_found_and_the_test_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody renames an activity: every order that runs would stop."""
    path = HISTORIES / "0.1.0" / "closed.json.gz"
    await go_on(path, sandbox=False)

    @activity.defn(name="record.write-all")
    def renamed(batch: FactBatch) -> None:
        raise AssertionError("a replay calls nothing")

    monkeypatch.setattr("activities.stubs.write_record", renamed)
    with pytest.raises(Incompatible) as found:
        await go_on(path, sandbox=False)
    said = str(found.value)
    assert "orders of release 0.1.0 would stop at their next step (closed)" in said
    for advice in ("workflow.patched", "workflows/PATCHES.md", "_ADDED_LATER", "MES_RECORD_HISTORIES"):
        assert advice in said


@pytest.mark.accepts("E4")
async def test_a_rule_that_decides_otherwise_is_found_though_the_workflow_asks_for_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody changes what is possible after a command: the steps stay, but the record would say something else."""
    path = HISTORIES / "0.1.0" / "closed.json.gz"
    monkeypatch.setattr("workflows.journal.possible_commands", lambda *_: ("anything",))
    with pytest.raises(Incompatible, match="write something else than stands in their record") as found:
        await go_on(path, sandbox=False)
    assert "What differs: the facts of revision [2, 3, 4" in str(found.value)


@pytest.mark.accepts("E4")
async def test_a_clock_that_asks_otherwise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody lets the hold of a lot tell its orders another reason: the replayer alone would not see it."""
    path = HISTORIES / "0.3.0" / "stopped_two_orders_and_let_them_go.json.gz"
    await go_on(path, sandbox=False)
    monkeypatch.setattr("workflows.lot_hold.SYSTEM", "somebody")
    with pytest.raises(Incompatible, match="would ask or tell something else") as found:
        await go_on(path, sandbox=False)
    assert "actor='somebody'" in str(found.value)


def test_every_path_has_a_history() -> None:
    assert {path.name.split(".")[0] for path in recorded()} >= set(EVERY_PATH)


@pytest.mark.accepts("E4")
def test_every_workflow_has_a_history() -> None:
    """A new workflow is recorded before it is released: add a path, and MES_RECORD_HISTORIES=<release>."""
    known = {workflow_of(history_of(path)) for path in recorded()}
    without = {getattr(own, "__temporal_workflow_definition").name for own in WORKFLOWS} - known
    assert not without, f"{', '.join(sorted(without))}: no history at all; add a path to tests/replay/newer_paths.py"


@pytest.mark.accepts("E4")
def test_every_command_stands_in_a_history() -> None:
    """What nobody recorded may be judged otherwise by the next release, and no test would say so."""
    unions = (AnyCommand, AnyDeviationCommand, AnyCapaCommand, AnyMaintenanceCommand)
    kinds = {own.model_fields["kind"].default for union in unions for own in get_args(get_args(union)[0])}
    known = {kind for path in recorded() for kind in commands_of(history_of(path))}
    assert kinds - known == set(), "a command that no history has; add a path to tests/replay/newer_paths.py"
