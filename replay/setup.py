"""Before a replay: the people and the master data that it needs. Both can be done again without harm."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from replay.client import NotTaken, Plant
from replay.people import ENGINEER, Person

_EXISTS = 409


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
