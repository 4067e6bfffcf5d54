"""A picture of every screen in both languages and two widths, for people to look at: `make gallery`.

In a normal run the same screens are opened and held against the rules that a machine can check.
"""

import os
import uuid
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.api.company import Company
from tests.api.words import at_stage, create, receive
from tests.ui.floor import warehouse_and_quality
from tests.ui.screen import DESKTOP, PHONE, Console

pytestmark = pytest.mark.usefixtures("working")
FOLDER = os.environ.get("MES_GALLERY")
"""Where `make gallery` wants its pictures."""


@pytest.fixture(scope="module")
async def plant(company: Company, working: None) -> dict[str, str]:
    """Orders at every stage; answers what is needed for the addresses of screens."""
    lot = f"API-{uuid.uuid4().hex[:6]}"
    await receive(company, lot, "500", expiresOn="2030-06-30")
    found: dict[str, str] = {"lot": lot}
    for stage in ("draft", "submitted", "released", "dispatched", "ready", "running", "inspecting", "puttingAway"):
        found[f"order_{stage}"], found[f"work_{stage}"] = await at_stage(company, stage)
    await create(company, dueAt="2026-01-15T08:00:00Z")
    found |= await warehouse_and_quality(company)
    desk = await company.desk("olu")
    await desk.command(f"/mes/work-orders/{found['work_running']}/operations/MIX/start")
    return found


SCREENS = (
    ("login", None, "/ui/login"),
    ("home-supervisor", "sam", "/ui/"),
    ("home-auditor", "aud", "/ui/"),
    ("tasks", "olu", "/ui/tasks"),
    ("task", "olu", "/ui/tasks/{work_running}/MIX"),
    ("task-with-limits", "olu", "/ui/tasks/{work_running}/PRESS"),
    ("board", "sam", "/ui/board"),
    ("orders", "pia", "/ui/orders"),
    ("order", "sam", "/ui/orders/{order_running}"),
    ("order-submitted", "sam", "/ui/orders/{order_submitted}"),
    ("help", "olu", "/ui/help"),
    ("picks", "wil", "/ui/picks"),
    ("pick-short", "wil", "/ui/picks/{work_short}"),
    ("pick-allocated", "wes", "/ui/picks/{work_dispatched}"),
    ("pick-approved", "wil", "/ui/picks/{work_picked}"),
    ("pick-issued", "wil", "/ui/picks/{work_ready}"),
    ("pick-return", "wil", "/ui/picks/{work_ready}/return?line=1&lot={lot}"),
    ("put-aways", "wil", "/ui/put-away"),
    ("put-away", "wil", "/ui/put-away/{work_puttingAway}"),
    ("put-away-gated", "wil", "/ui/put-away/{work_quarantined}"),
    ("receipts", "wil", "/ui/receipts"),
    ("inspections", "ana", "/ui/inspections"),
    ("inspection-enter", "ana", "/ui/inspections/{work_inspecting}"),
    ("inspection-decide", "ben", "/ui/inspections/{inspection_entered}"),
    ("inspection-outside", "max", "/ui/inspections/{inspection_outside}"),
    ("inspection-reports", "ana", "/ui/inspections/{work_turning}"),
    ("inspection-rework", "sam", "/ui/inspections/{work_rework}"),
    ("plan", "pia", "/ui/plan"),
    ("plan-line", "pia", "/ui/plan/{plan_line}"),
    ("plan-line-new", "pia", "/ui/plan/new"),
    ("plan-split", "pia", "/ui/plan/{plan_line}/split"),
    ("plan-import", "pia", "/ui/plan/import"),
    ("scan-unknown", "olu", "/ui/scan?code=SAW-7"),
    ("problem", "olu", "/ui/problem?order={order_running}&what=MIX"),
)


@pytest.mark.parametrize(("name", "user", "path"), SCREENS, ids=[screen[0] for screen in SCREENS])
async def test_a_screen_can_be_read_by_everybody(
    name: str, user: str | None, path: str, console: Console, plant: dict[str, str]
) -> None:
    for language in ("en", "zh"):
        for label, size in (("desktop", DESKTOP), ("phone", PHONE)):
            terminal = await console.terminal(user, language, size, bypass_csp=True)
            await terminal.open(path.format(**plant))
            if FOLDER:
                await terminal.page.wait_for_timeout(300)
                await terminal.picture(Path(FOLDER) / f"{name}-{language}-{label}.png")
            found = await Axe().run(terminal.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
            assert found.violations_count == 0, (name, language, label, found.generate_report())
            assert await terminal.has_no_sideways_scroll(), (name, language, label)
