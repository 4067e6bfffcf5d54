"""Every row of a tablet plant's `laboratory.csv` becomes a production order, through the public API."""

import asyncio
import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import httpx

from plants.tablets import equipment, master_batch_record, master_data
from plants.tablets.source import Batch, read
from plants.texts import Unreadable
from replay import lots
from replay.client import Document, NotTaken, Plant
from replay.floor import Floor
from replay.people import OPERATOR, OPERATOR_2, PLANNER, Person
from replay.progress import Count, Stopwatch, Watcher, in_parallel, refusal_of
from replay.report import Refusal, ReplayedOrder, ReplayReport, replayed
from replay.setup import ensure_equipment, ensure_master_batch_records, ensure_training, import_master_data
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
) -> ReplayReport:
    """Replay a folder: its master data and master batch records, its lots with their real values, one order per row.

    `client_factory` makes a client whose base URL is the system's root; `people` are `replay.people.crew` and exist
    already. `batches` are the batch numbers to do, none means all. With `press_connection` the products of
    `press_timeseries.csv` run on the press that takes jobs. Can be done again: what was done is not done twice.
    Raises `NotTaken` if master data or records are refused, `SourceUnreadable` and OSError for the files.
    """
    stopwatch = Stopwatch()
    source = await asyncio.to_thread(read, directory)
    chosen = [batch for batch in source.batches if batches is None or batch.number in batches]
    online = await asyncio.to_thread(online_codes, directory) if press_connection is not None else set()
    products = master_data.products_of(source.batches)
    document = master_data.build(products, online_products=online & set(products), press_connection=press_connection)
    async with Plant(client_factory, people) as plant:
        await import_master_data(plant, document)
        await ensure_equipment(plant, equipment.CLASSES, equipment.build(online=press_connection is not None))
        await ensure_training(plant, (OPERATOR, OPERATOR_2), equipment.TRAINING.values())
        wanted = {batch.code for batch in chosen}
        records = master_batch_record.build({code: what for code, what in products.items() if code in wanted})
        await ensure_master_batch_records(plant, records, max(1, concurrency))
        replay = _Replay(plant, chosen, Count(len(chosen), watcher))
        await replay.run(max(1, concurrency))
    unreadable = [one for one in source.unreadable if batches is None or _names_one_of(one, batches)]
    return stopwatch.report(replay.orders, replay.refusals, unreadable)


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
