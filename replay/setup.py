"""Before a replay: the people and the master data that it needs. Both can be done again without harm."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from replay.client import NotTaken, Plant
from replay.people import ENGINEER, METROLOGIST, QUALITY, REVIEWER, SUPERVISOR, Person
from replay.progress import in_parallel

CALIBRATED_DAYS: Final = 180
TRAINED_DAYS: Final = 365
RENEWED_DAYS_BEFORE: Final = 31
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


async def ensure_equipment(
    plant: Plant, classes: Collection[Mapping[str, Any]], items: Sequence[Mapping[str, Any]]
) -> None:
    """Have rooms and equipment registered, qualified and calibrated; a calibration that ends soon is done again.

    `items` has rooms before what stands in them. Raises `NotTaken`.
    """
    known = {own["code"]: own for own in (await plant.get(ENGINEER, "/equipment", limit=1000))["equipment"]}
    if any(item["code"] not in known for item in items):
        for of in classes:
            await plant.command(ENGINEER, "/equipment-classes", of, key=("/equipment-classes", *of.values()))
    for item in items:
        if item["code"] not in known:
            await plant.command(ENGINEER, "/equipment", item, key=("/equipment", item["code"]))
        await _put_in_service(plant, item, known.get(item["code"], {}))


async def _put_in_service(plant: Plant, item: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    path, code = f"/equipment/{item['code']}", item["code"]
    if found.get("qualification") != "qualified":
        await plant.command(QUALITY, f"{path}/qualify", {}, key=(code, "qualify", found.get("qualification", "new")))
    if not item["calibrated"] or _holds(found.get("calibrationDueAt")):
        return
    due = _in_days(CALIBRATED_DAYS)
    if found.get("calibration") != "performed":
        body = {"certificate": f"CAL-{code}-{due:%Y%m%d}", "dueAt": due.isoformat(), "foundWithinTolerance": True}
        await plant.command(METROLOGIST, f"{path}/calibrate", body, key=(code, "calibrate", due))
    await plant.command(REVIEWER, f"{path}/review-calibration", {"accept": True}, key=(code, "review", due))


async def ensure_training(plant: Plant, people: Collection[str], qualifications: Collection[str]) -> None:
    """Have each of these people trained for each of these qualifications; one that ends soon is renewed."""
    for person in people:
        found = (await plant.get(SUPERVISOR, "/training-records", person=person))["trainingRecords"]
        held = {own["qualification"] for own in found if _holds(own["validUntil"])}
        for qualification in sorted(set(qualifications) - held):
            until = _in_days(TRAINED_DAYS)
            body = {"person": person, "qualification": qualification, "validUntil": until.isoformat()}
            key = (person, "training", qualification, until)
            await plant.command(SUPERVISOR, "/training-records", body, key=key)


def _holds(until: str | None) -> bool:
    """Whether something is good for the next weeks."""
    return until is not None and datetime.fromisoformat(until) > _in_days(RENEWED_DAYS_BEFORE)


def _in_days(days: int) -> datetime:
    """Midnight in so many days: a replay that is done again on the same day says the same."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=days)


async def ensure_pictures(plant: Plant, pictures: Collection[bytes]) -> None:
    """Store the pictures that instructions show; one that is there stays as it is. Raises `NotTaken`."""
    for content in pictures:
        await plant.upload(ENGINEER, f"{_RECORDS}/pictures", content)


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
