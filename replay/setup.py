"""Before a replay: the people and the master data that it needs. Both can be done again without harm."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import httpx

from replay.client import NotTaken, Plant
from replay.people import ENGINEER, QUALITY, SUPERVISOR, Person
from replay.progress import in_parallel

_EXISTS = 409
_RECORDS: Final = "/master-batch-records"
_COUNTS: Final = frozenset({"effective", "superseded"})


async def ensure_people(
    client_factory: Callable[[], httpx.AsyncClient], administrator: Person, people: Mapping[str, Person]
) -> None:
    """Create the people who are not there yet, as the administrator. Raises `NotTaken`.

    Somebody who is there keeps the password they have: give the same passwords every time.
    """
    everybody = {**people, administrator.user_id: administrator}
    async with Plant(client_factory, everybody) as plant:
        for person in people.values():
            body = {
                "id": person.user_id,
                "fullName": person.full_name,
                "password": person.password,
                "roles": list(person.roles),
                "reason": "acts in replays of real data",
            }
            try:
                await plant.post(administrator.user_id, "/users", body)
            except NotTaken as refusal:
                if refusal.status != _EXISTS:
                    raise


async def import_master_data(plant: Plant, document: Mapping[str, Any]) -> None:
    """Bring a plant's master data into the system, as the process engineer. Raises `NotTaken`."""
    await plant.post(ENGINEER, "/master-data/import", {**document, "reason": "master data for a replay of real data"})


async def ensure_master_batch_records(plant: Plant, records: Collection[Mapping[str, Any]], at_once: int) -> None:
    """Have every record written, signed by two heads and made effective, as the people whose duty that is.

    One that counts, or counted until a newer one came, is left alone. Raises `NotTaken`.
    """

    refused: list[NotTaken] = []

    async def ensure(record: Mapping[str, Any]) -> None:
        try:
            known = (await plant.get(ENGINEER, _RECORDS, product=record["product"]))["masterBatchRecords"]
            if not any(own["version"] == record["version"] and own["state"] in _COUNTS for own in known):
                await _make_effective(plant, record)
        except NotTaken as no:
            refused.append(no)

    await in_parallel(list(records), ensure, at_once)
    if refused:
        raise refused[0]


async def _make_effective(plant: Plant, record: Mapping[str, Any]) -> None:
    key = (_RECORDS, record["product"], record["version"])
    made = await plant.command(ENGINEER, _RECORDS, record, key=(*key, "create"))
    path, seen = f"{_RECORDS}/{made['id']}", {"contentHash": made["contentHash"]}
    await plant.command(ENGINEER, f"{path}/submit", {}, key=(*key, "submit"))
    for head in (SUPERVISOR, QUALITY):
        await plant.command(head, f"{path}/approve", seen, key=(*key, "approve", head), signed=True)
    await plant.command(QUALITY, f"{path}/make-effective", {}, key=(*key, "make-effective"))
