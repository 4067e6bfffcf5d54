"""The words of holds: what quality does to lots over the API."""

import asyncio
from typing import Any

from tests.api.company import PASSWORD, Company


async def previewed(company: Company, lot: str, *, downstream: bool = False) -> dict[str, Any]:
    """What a hold of the lot would reach."""
    answer = await (await company.desk("rae")).get(f"/quality/lots/{lot}/hold-preview", downstream=downstream)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def held(company: Company, lot: str, *, downstream: bool = False, reason: str = "glass was found") -> str:
    """Rae signs a hold of what she was shown; its number."""
    shown = await previewed(company, lot, downstream=downstream)
    answer = await (await company.desk("rae")).command(
        f"/quality/lots/{lot}/hold", signed=PASSWORD, reason=reason, downstream=downstream, lots=shown["lotCount"],
        orders=shown["orderCount"], shipped=shown["shipped"],
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return str(answer.json()["hold"])


async def let_go(company: Company, lot: str, hold: str) -> None:
    """Rae signs the release of a hold."""
    answer = await (await company.desk("rae")).command(
        f"/quality/lots/{lot}/release-hold", signed=PASSWORD, reason="it was not glass", hold=hold
    )
    assert answer.status_code == 200, answer.text


async def until_hold(company: Company, hold: str, state: str) -> dict[str, Any]:
    """The hold, when it is recorded in that state."""
    desk = await company.desk("rae")
    async with asyncio.timeout(90):
        while True:
            answer = await desk.get(f"/quality/holds/{hold}")
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            if found["state"] == state:
                return found
            await asyncio.sleep(0.05)
