"""Recorded values for the tests of charts and reports: a process that goes its own ways, then is shifted."""

import uuid
from collections.abc import Sequence

from tests.api.company import Company
from tests.api.words import at_stage, do, receive

IN_CONTROL = (
    0.3, -1.2, 0.8, 0.5, -0.4, 1.4, -0.7, -1.6, 0.2, 0.9, -0.3, 0.6, -1.1, 1.7, 0.1, -0.8, -0.2, 1.1, -1.3, 0.4, -0.5,
)  # fmt: skip
"""A process in control, in units of its sigma; no rule is hit."""
SHIFT = (1.6, 1.4, 1.6, 1.4, 1.6, 1.4, 1.6, 1.4, 1.6, 1.4)
"""What it does after a shift of one and a half sigma."""


def weights(z: Sequence[float], mean: float = 113, sigma: float = 0.5) -> list[str]:
    """Weights of tablets in mg, as they are typed."""
    return [f"{mean + sigma * value:.3f}" for value in z]


async def pressing(company: Company, **plan: str) -> tuple[str, str]:
    """The ids of an order and its work order, at whose PRESS values can be recorded."""
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "5")
    order, work_order = await at_stage(company, "running", **plan)
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    return order, work_order


async def weigh(company: Company, work_order: str, texts: Sequence[str]) -> None:
    """Record weights at the press, one by one."""
    path = f"/mes/work-orders/{work_order}/operations/PRESS/parameters"
    for text in texts:
        await do(company, "olu", path, values=[{"name": "weight", "text": text, "unit": "mg"}])
