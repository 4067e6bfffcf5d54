"""One chaos run: the orders undisturbed, the same orders while everything is killed, and what differs."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from temporalio.client import Client

import chaos.record as records
import wiring
from chaos import long_orders as long
from chaos import orders as sources
from chaos import plan as plans
from chaos.check import KINDS, Finding, check
from chaos.clients import Clients
from chaos.killing import Killer
from chaos.long_orders import LongOrder
from chaos.moments import Looks, Readers
from chaos.plan import Kill
from chaos.resting import resting_soon
from chaos.told import Told
from replay.jobshop import replay_jobshop
from replay.progress import Progress
from replay.report import ReplayReport
from replay.tablets import replay_tablets
from system import Addresses, EmbeddedSystem
from system.data_folder import DataFolder
from system.postgres import OWNER
from system.temporal_server import new_runs

PLANTS: Final = ("tablets", "jobshop")
SHOWN: Final = 200
"""So many findings are written out."""
REPEATED: Final = 300
"""So many commands are sent once more when all is over."""
RESTART_SECONDS: Final = 1.0
"""The longest pause before a killed process is started again: many kills are meant, and are no crash loop."""
RECORD_SECONDS: Final = 60.0
MOMENTS: Final = 60
PATIENCE_SECONDS: Final = 1200.0
"""People wait so long: also for kills that are due, see `Killer.gate`."""


@dataclass(frozen=True)
class Settings:
    """What a run does. `plants` are names with the weight of each; `tablets` is a plant's folder, `jobshop` a plant's
    file; `plan` is given to repeat a run. At `moments` somebody looks at an order, to ask for the same moment later;
    `long_orders` come on top of the others, with `long_reports` reports each."""

    seed: int
    kills: int
    orders: int
    plants: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(PLANTS, 1))
    tablets: Path = wiring.SAMPLE_TABLETS
    jobshop: Path = wiring.ROOT / "plants" / "jobshop" / "sample" / "reports.csv"
    concurrency: int = 6
    plan: Sequence[Kill] | None = None
    moments: int = MOMENTS
    long_orders: int = 0
    long_reports: int = long.REPORTS

    def orders_of(self, plant: str) -> int:
        """How many of the orders are this plant's: by weight, the last plant makes what is left."""
        whole = sum(self.plants.values())
        shares = {name: self.orders * weight // whole for name, weight in self.plants.items()}
        rest = self.orders - sum(shares.values())
        return shares[plant] + (rest if plant == list(self.plants)[-1] else 0)

    def kill_plan(self) -> Sequence[Kill]:
        """The plan that was given, or the seed's own."""
        return plans.draw(self.seed, self.kills) if self.plan is None else self.plan


class Watch:
    """What is told while a run goes on; by itself it tells nobody."""

    def step(self, what: str) -> None:
        """Something begins."""

    def orders(self, done: int, total: int, what: str) -> None:
        """Orders that are over."""

    def kills(self, done: int, total: int) -> None:
        """Kills that are done."""


@dataclass
class Run:
    """What one run left behind."""

    record: records.Record
    told: Told
    reports: list[ReplayReport]
    seconds: float
    clients: Clients
    done: list[tuple[float, str, int]]
    looks: Looks
    long: list[LongOrder]
    new_runs: int
    """How often an order went on in a new run."""

    def states(self) -> dict[str, int]:
        """State → how many orders ended in it."""
        return dict(Counter(order.state for report in self.reports for order in report.orders))

    def document(self) -> dict[str, Any]:
        """As JSON data."""
        answers = sum(map(len, self.told.answers.values()))
        return {
            "orders": self.states(), "refusals": sum(len(report.refusals) for report in self.reports),
            "seconds": round(self.seconds, 1), "commands": len(self.told.sent), "answers": answers,
            "copies": self.clients.copies, "overtakings": self.clients.overtakings,
            "lostAnswers": self.clients.lost_answers, "repeatedLater": self.clients.repeated,
            "ordersSeen": len(self.told.sightings), "auditRows": self.record.audit_rows,
            "kills": dict(Counter(victim for _, victim, _ in self.done)),
            "newRuns": self.new_runs,
            "moments": self.looks.document(), "longOrders": [own.document() for own in self.long],
            "refused": [refusal.detail for report in self.reports for refusal in report.refusals][:SHOWN],
        }  # fmt: skip


class Sources:
    """The orders of a run, as files in its folder."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.tablets: Path | None = None
        self.jobshop: Path | None = None
        rows = [row for name in long.names(settings.long_orders) for row in long.rows(name, settings.long_reports)]
        if rows and "jobshop" not in settings.plants:
            self.jobshop = sources.jobshop(settings.jobshop, 0, random.Random(), folder / "reports.csv", rows)
        for plant in settings.plants:
            dice, count = random.Random(f"{plant}/{settings.seed}"), settings.orders_of(plant)
            if plant == "tablets":
                self.tablets = sources.tablets(settings.tablets, count, dice, folder / "tablets")
            else:
                self.jobshop = sources.jobshop(settings.jobshop, count, dice, folder / "reports.csv", rows)

    def series(self) -> Path | None:
        """The recorded runs of the press, if there are tablets."""
        path = None if self.tablets is None else self.tablets / "press_timeseries.csv"
        return path if path is not None and path.exists() else None


def run(settings: Settings, folder: Path, watch: Watch) -> dict[str, Any]:
    """Do all of it in a new folder; one JSON document. `passed` says whether everything is as it should be.

    Raises OSError for sources, SystemRefusal when the embedded system does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = Sources(settings, folder / "sources")
    watch.step("the orders without any disturbance")
    clean = once(settings, made, folder / "undisturbed", watch, None)
    plan = settings.kill_plan()
    watch.step(f"the same orders, {len(plan)} kills, commands twice, late and out of order")
    killed = once(settings, made, folder / "killed", watch, (plan, clean.told.answered()))
    more = [*killed.looks.findings, *long.findings([*clean.long, *killed.long], settings.long_reports)]
    findings = check(clean.record, clean.told, killed.record, killed.told, more)
    return document(settings, clean, killed, plan, findings)


def document(
    settings: Settings, clean: Run, killed: Run, plan: Sequence[Kill], findings: Sequence[Finding]
) -> dict[str, Any]:
    """The result of a run."""
    found = Counter(finding.kind for finding in findings)
    not_done = len(plan) - len(killed.done)
    return {
        "passed": not findings and not_done == 0 and killed.looks.enough(),
        "seed": settings.seed, "orders": settings.orders, "plants": dict(settings.plants),
        "longOrders": settings.long_orders,
        **{kind: found[kind] for kind in KINDS},
        "killsWanted": len(plan), "killsDone": len(killed.done),
        "undisturbed": clean.document(), "disturbed": killed.document(),
        "compared": {name: rows.total() for name, rows in clean.record.same.items()},
        "findings": [finding.document() for finding in findings[:SHOWN]],
        "plan": plans.document(plan),
    }  # fmt: skip


def once(
    settings: Settings, made: Sources, folder: Path, watch: Watch, killing: tuple[Sequence[Kill], int] | None
) -> Run:
    """All orders once, in a system of their own; with kills, if there are any, and the number of answers expected."""
    begun = time.monotonic()
    with EmbeddedSystem(
        folder,
        children=resting_soon(wiring.children(made.series())),
        migrate=wiring.migrate,
        environment={},
        longest_pause=RESTART_SECONDS,
    ) as system:
        run = asyncio.run(_drive(settings, made, system.addresses, watch, killing))
        record = _record(folder)
    return replace(run, record=record, seconds=time.monotonic() - begun)


async def _drive(
    settings: Settings,
    made: Sources,
    addresses: Addresses,
    watch: Watch,
    killing: tuple[Sequence[Kill], int] | None,
) -> Run:
    """The orders, the kills and the looks of a run; its record is read afterwards."""
    told = Told()
    plan, expected = killing or ((), 1)
    killer = Killer(addresses.data_dir, plan, told.answered, expected, lambda count: watch.kills(count, len(plan)))
    clients = Clients(addresses.api_url or "", told, seed=settings.seed, mischief=killing is not None, gate=killer.gate)
    wanted = 0 if killing is None else settings.moments
    at_long = long.addresses(settings.long_orders)
    readers = Readers(clients, seed=settings.seed, wanted=wanted, expected=expected, long=at_long)
    try:
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(killer.run()), group.create_task(readers.run())]
            reports = [group.create_task(one) for one in _replays(settings, made, addresses, clients, watch)]
            made_all = [await report for report in reports]
            await clients.finish()
            for task in beside:
                task.cancel()  # what was not due until now never will be
        if killing is not None:
            watch.step(f"{REPEATED} commands once more")
            await clients.repeat(REPEATED)
            watch.step(f"what is told now of {len(readers.looks.taken)} moments")
            await readers.ask_again(lambda: _url(addresses.data_dir))
        ended = await _long_orders(settings, addresses, killer)
        runs = await new_runs(addresses.temporal_address, addresses.temporal_namespace, "ProductionOrder")
        return Run(records.NOTHING, told, made_all, 0.0, clients, killer.done, readers.looks, ended, runs)
    finally:
        await clients.close()


async def _long_orders(settings: Settings, addresses: Addresses, killer: Killer) -> list[LongOrder]:
    """What became of the long orders."""
    if not settings.long_orders:
        return []
    client = await Client.connect(addresses.temporal_address, namespace=addresses.temporal_namespace)
    url = _url(addresses.data_dir)
    return [await long.found(client, url, name, killer.moments) for name in long.names(settings.long_orders)]


def _replays(settings: Settings, made: Sources, addresses: Addresses, clients: Clients, watch: Watch) -> list[Any]:
    people = wiring.people(addresses.data_dir)
    over: dict[str, int] = {}

    def watcher(plant: str) -> Callable[[Progress], None]:
        def tell(step: Progress) -> None:
            over[plant] = step.done
            watch.orders(sum(over.values()), settings.orders + settings.long_orders, f"{step.order} {step.stage}")

        return tell

    found: list[Any] = []
    if made.tablets is not None:
        press = None if made.series() is None else wiring.PRESS_CONNECTION
        found.append(
            replay_tablets(
                clients.client, people, made.tablets, concurrency=settings.concurrency, press_connection=press,
                watcher=watcher("tablets"), patience=PATIENCE_SECONDS,
            )
        )  # fmt: skip
    if made.jobshop is not None:
        most = max(1, settings.concurrency // 2)
        found.append(
            replay_jobshop(
                clients.client,
                people,
                made.jobshop,
                concurrency=most,
                watcher=watcher("jobshop"),
                patience=PATIENCE_SECONDS,
            )
        )
    return found


def _record(folder: Path) -> records.Record:
    """Read the record; the database may just be coming back from its last kill."""
    return records.read(_url(folder))


def _url(folder: Path) -> str:
    """The owner's address of the record, when it answers. Raises psycopg.OperationalError after RECORD_SECONDS."""
    data = DataFolder(folder)
    deadline = time.monotonic() + RECORD_SECONDS
    while True:
        server = data.read_system()["postgres"]
        url = f"postgresql://{OWNER}:{data.secret('owner')}@{server['host']}:{server['port']}/{server['database']}"
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return url
