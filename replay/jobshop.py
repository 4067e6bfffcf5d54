"""Every work order of a job shop's `reports.csv` becomes a production order, through the public API."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from decimal import Decimal
from pathlib import Path

import httpx

from plants.jobshop import master_data
from plants.jobshop.source import Job, read
from replay.client import PATIENCE_SECONDS, NotTaken, Plant
from replay.job_order import JobOrder
from replay.people import PLANNER, Person
from replay.progress import Count, Stopwatch, Watcher, in_parallel, refusal_of
from replay.report import Refusal, ReplayedOrder, ReplayReport, replayed
from replay.setup import import_master_data


async def replay_jobshop(
    client_factory: Callable[[], httpx.AsyncClient],
    people: Mapping[str, Person],
    file: Path,
    *,
    concurrency: int = 8,
    zone: tzinfo = UTC,
    watcher: Watcher | None = None,
    patience: float = PATIENCE_SECONDS,
) -> ReplayReport:
    """Replay a file: its master data, and one order per work order with all its reports in time order.

    `client_factory` makes a client whose base URL is the system's root; `people` are `replay.people.crew` and exist
    already. `zone` is that of the source's local times. Good and scrap quantities of the report are the sums over all
    reports that were taken, as the source counts. Can be done again: what was done is not done twice.
    Raises `NotTaken` if the master data are refused, `SourceUnreadable` and OSError for the file.
    """
    stopwatch = Stopwatch()
    source = await asyncio.to_thread(read, file)
    count = Count(len(source.jobs), watcher)
    made: dict[str, ReplayedOrder] = {}
    refusals: list[Refusal] = []

    async with Plant(client_factory, people, patience) as plant:
        await import_master_data(plant, master_data.build(source.jobs))

        async def work(job: Job) -> None:
            order = JobOrder(plant, job, zone, count)
            try:
                await order.run()
            except NotTaken as refused:
                order.refusals.append(refusal_of(job.reports[0].row, job.order_number, refused))
            refusals.extend(order.refusals)
            found = await plant.order(PLANNER, job.order_number)
            if found is not None:
                good = sum((Decimal(report.good) for report in order.reported), Decimal(0))
                scrap = sum((Decimal(report.scrap) for report in order.reported), Decimal(0))
                made[job.work_order] = replayed(found, good, scrap)
            count.over(job.order_number, "not made" if found is None else found["state"])

        await in_parallel(source.jobs, work, concurrency)
    orders = [made.get(job.work_order) for job in source.jobs]
    return stopwatch.report(orders, refusals, source.unreadable)
