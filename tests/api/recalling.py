"""The words of recalls over the API."""

from typing import Any

from tests.api.company import PASSWORD, Company
from tests.api.words import do


async def opened(company: Company, *, mock: bool = False, **start: str) -> str:
    """Rae opens a recall; its path."""
    made = await do(company, "rae", "/quality/recalls", isMock=mock, reason="glass in the bottle", **start)
    return f"/quality/recalls/{made['recall']}"


async def read(company: Company, path: str) -> dict[str, Any]:
    """A recall as it stands."""
    answer = await (await company.desk("aud")).get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def scoped(company: Company, path: str) -> dict[str, Any]:
    """Rae freezes the report; the report."""
    await do(company, "rae", f"{path}/scope")
    found: dict[str, Any] = (await read(company, path))["scope"]
    return found


async def executed(company: Company, path: str) -> dict[str, Any]:
    """Scoped, approved by max with his signature, executed by rae; the answer."""
    await scoped(company, path)
    digest = (await read(company, path))["scopeHash"]
    await do(company, "max", f"{path}/approve", signed=PASSWORD, scopeHash=digest)
    return await do(company, "rae", f"{path}/execute")
