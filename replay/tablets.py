"""Every row of a tablet plant's `laboratory.csv` becomes a production order, through the public API."""

import asyncio
import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import httpx

from plants.tablets import equipment, master_batch_record, master_data
from plants.tablets.illustrations import ILLUSTRATIONS
from plants.tablets.source import Batch, read
from plants.texts import Unreadable
from replay import lots
from replay.client import PATIENCE_SECONDS, Document, NotTaken, Plant
from replay.floor import Floor
from replay.open_orders import STAGES, OpenOrder, left_open, stage_at
from replay.people import OPERATOR, OPERATOR_2, PLANNER, Person
from replay.planted import PlantedOrder, Story, planted, will_do
from replay.progress import Count, Stopwatch, Watcher, in_parallel, refusal_of
from replay.report import Refusal, ReplayedOrder, ReplayReport, replayed
from replay.setup import (
    ensure_equipment,
    ensure_master_batch_records,
    ensure_pictures,
    ensure_training,
    import_master_data,
)
from replay.tablet_order import TabletOrder, unreadable_values


async def replay_tablets(
    client_factory: Callable[[], httpx.AsyncClient],
    people: Mapping[str, Person],
    directory: Path,
    *,
    batches: Collection[int] | None = None,
    concurrency: int = 8,
    press_connection: Mapping[str, str] | None = None,
    watcher: Watcher | None = None,
    patience: float = PATIENCE_SECONDS,
) -> ReplayReport:
    """Replay a folder: its master data and master batch records, its lots with their real values, one order per row.

    `client_factory` makes a client whose base URL is the system's root; `people` are `replay.people.crew` and exist
    already. `batches` are the batch numbers to do, none means all. With `press_connection` the products of
    `press_timeseries.csv` run on the press that takes jobs. Can be done again: what was done is not done twice. The
    people have so many seconds of `patience` with a system that is away. Raises `NotTaken` if master data or records
    are refused, `SourceUnreadable` and OSError for the files.
    """
    stopwatch = Stopwatch()
    folder = await asyncio.to_thread(_Folder, directory, press_connection)
    chosen = [batch for batch in folder.source.batches if batches is None or batch.number in batches]
    async with Plant(client_factory, people, patience) as plant:
        await folder.set_up(plant, {batch.code for batch in chosen}, max(1, concurrency))
        replay = _Replay(plant, chosen, Count(len(chosen), watcher))
        await replay.run(max(1, concurrency))
    unreadable = [one for one in folder.source.unreadable if batches is None or _names_one_of(one, batches)]
    return stopwatch.report(replay.orders, replay.refusals, unreadable)


async def replay_planted(
    client_factory: Callable[[], httpx.AsyncClient],
    people: Mapping[str, Person],
    directory: Path,
    *,
    press_connection: Mapping[str, str] | None = None,
    watcher: Watcher | None = None,
) -> Story:
    """Make the planted batch (`replay.planted`) of the folder's first row that will do, at a press without jobs.

    Everything that `replay_tablets` says about arguments and errors holds. Raises LookupError when no row will do.
    """
    folder = await asyncio.to_thread(_Folder, directory, press_connection)
    real = next((own for own in folder.source.batches if own.code not in folder.online and will_do(own)), None)
    if real is None:
        raise LookupError(f"no row of {directory} has what the planted batch needs")
    batch = planted(real)
    async with Plant(client_factory, people) as plant:
        await folder.set_up(plant, {batch.code}, 1)
        for lot in lots.needed([batch]).values():
            await lots.receive(plant, lot)
        return await PlantedOrder(plant, Floor(plant), batch, Count(1, watcher)).story()


async def leave_open(
    client_factory: Callable[[], httpx.AsyncClient],
    people: Mapping[str, Person],
    directory: Path,
    *,
    orders: int = len(STAGES),
    press_connection: Mapping[str, str] | None = None,
    watcher: Watcher | None = None,
) -> list[tuple[str, str]]:
    """Orders of the folder's rows, one left at each stage of `replay.open_orders`: (order number, last step done).

    Everything that `replay_tablets` says about arguments and errors holds.
    """
    folder = await asyncio.to_thread(_Folder, directory, press_connection)
    rows = [own for own in folder.source.batches if own.code not in folder.online and will_do(own)]
    if not rows:
        raise LookupError(f"no row of {directory} can be left open")
    chosen = left_open(rows, orders)
    count, made = Count(len(chosen), watcher), []
    async with Plant(client_factory, people) as plant:
        await folder.set_up(plant, {batch.code for batch in chosen}, 1)
        for lot in lots.needed(chosen).values():
            await lots.receive(plant, lot)
        floor = Floor(plant)
        for at, batch in enumerate(chosen):
            stage = stage_at(at)
            await OpenOrder(plant, floor, batch, count, stage).run()
            made.append((batch.order_number, stage))
    return made


class _Folder:
    """What a plant's folder holds, and what has to be in the system before an order is made of it."""

    def __init__(self, directory: Path, press_connection: Mapping[str, str] | None) -> None:
        self.source = read(directory)
        self._press = press_connection
        self._products = master_data.products_of(self.source.batches)
        recorded = online_codes(directory) if press_connection is not None else set()
        self.online = recorded & set(self._products)
        """Codes of the products that are compressed at the press that takes jobs."""

    async def set_up(self, plant: Plant, codes: Collection[str], at_once: int) -> None:
        """Master data, rooms and equipment, training, and the records of these products."""
        document = master_data.build(self._products, online_products=self.online, press_connection=self._press)
        await import_master_data(plant, document)
        await ensure_equipment(plant, equipment.CLASSES, equipment.build(online=self._press is not None))
        await ensure_training(plant, (OPERATOR, OPERATOR_2), equipment.TRAINING.values())
        records = master_batch_record.build({code: own for code, own in self._products.items() if code in codes})
        await ensure_pictures(plant, [own.content for own in ILLUSTRATIONS.values()])
        await ensure_master_batch_records(plant, records, at_once)


def online_codes(directory: Path) -> set[str]:
    """Product codes of the batches whose run on the press was recorded."""
    path = directory / "press_timeseries.csv"
    if not path.exists():
        return set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["code"].strip() for row in csv.DictReader(file, delimiter=";") if row.get("code")}


def is_unsupplied(order: Document | None) -> bool:
    """Whether an order has yet to reserve its material."""
    if order is None:
        return True
    if order["state"] in ("closed", "cancelling", "cancelled", "aborted"):
        return False
    return any((own["pickList"] or {}).get("state") in (None, "created", "short") for own in order["workOrders"])


def _names_one_of(unreadable: Unreadable, batches: Collection[int]) -> bool:
    """Whether a row that cannot be read may belong to the chosen batches; without a number it may be any."""
    label = unreadable.detail.removeprefix("batch ").split(":")[0].split(" ")[0]
    return not label.isdigit() or int(label) in batches


class _Replay:
    """Lots first, each before the first order that needs it; orders in parallel, in the order of the rows."""

    def __init__(self, plant: Plant, batches: Sequence[Batch], count: Count) -> None:
        self._plant, self._batches, self._count = plant, batches, count
        self._floor = Floor(plant)
        self._made: dict[int, ReplayedOrder] = {}
        self._lots: dict[str, asyncio.Task[NotTaken | None]] = {}
        self._closed: set[int] = set()
        """Batches that an earlier replay has finished."""
        self.refusals: list[Refusal] = []

    @property
    def orders(self) -> list[ReplayedOrder]:
        """Orders in the order of the rows."""
        return [self._made[batch.number] for batch in self._batches if batch.number in self._made]

    async def run(self, at_once: int) -> None:
        """Do all of it."""
        pending: list[Batch] = []

        async def look(batch: Batch) -> None:
            found = await self._plant.order(PLANNER, batch.order_number)
            if is_unsupplied(found):
                pending.append(batch)
            elif found is not None and found["state"] == "closed":
                self._closed.add(batch.number)

        await in_parallel(self._batches, look, at_once)
        # What an order has reserved is its own; stock that is free is for the orders that have not.
        pending.sort(key=lambda batch: batch.row)
        gate = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as group:
            for lot in lots.needed(pending).values():
                self._lots[lot.lot] = group.create_task(self._receive(gate, lot))
            group.create_task(in_parallel(self._batches, self._order, at_once))

    async def _receive(self, gate: asyncio.Semaphore, lot: lots.IncomingLot) -> NotTaken | None:
        async with gate:
            try:
                await lots.receive(self._plant, lot)
            except NotTaken as refused:
                return refused
            self._count.at(lot.lot, "received")
            return None

    async def _order(self, batch: Batch) -> None:
        self.refusals += unreadable_values(batch)
        if batch.number not in self._closed:
            await self._make(batch)
        await self._close_the_books(batch)

    async def _make(self, batch: Batch) -> None:
        for lot in batch.lots.values():
            if lot in self._lots and (refused := await self._lots[lot]) is not None:
                self.refusals.append(refusal_of(batch.row, f"lot {lot}", refused))
        order = TabletOrder(self._plant, self._floor, batch, self._count)
        try:
            await order.run()
        except NotTaken as refused:
            order.refusals.append(refusal_of(batch.row, batch.order_number, refused))
        self.refusals += order.refusals

    async def _close_the_books(self, batch: Batch) -> None:
        """What became of it stands in the record, however far it came."""
        state = "not made"
        found = await self._plant.order(PLANNER, batch.order_number)
        if found is not None:
            made = replayed(found, found["goodQuantity"], found["scrapQuantity"])
            self._made[batch.number], state = made, made.state
        self._count.over(batch.order_number, state)
