"""A picture of every screen in both languages and two widths, for people to look at: `make gallery`.

In a normal run the same screens are opened and held against the rules that a machine can check.
"""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from adapters.reports.due import DueReports
from reporting.files import ReportFiles
from tests.api.company import PASSWORD, Company
from tests.api.holding import held, until_hold
from tests.api.recalling import executed, opened
from tests.api.shipping import prepare, saleable, shipped
from tests.api.test_saved_reports import ZONE, overdue, planned, view
from tests.api.words import at_stage, create, do, receive
from tests.figures import a_bad_night, breaks_down, display, figures, rolling
from tests.ui import quality_words as quality
from tests.ui.beside import neighbours
from tests.ui.booth import dispensing, picked, weighing
from tests.ui.engineering import engineering
from tests.ui.floor import warehouse_and_quality
from tests.ui.looks import ALL_LOOKS, FOLDER, LOOKS, Desks, Look, desks
from tests.ui.nonconforming import nonconforming
from tests.ui.screen import Terminal

__all__ = ["desks"]
pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module")
async def plant(company: Company, working: None, engine: Engine) -> dict[str, str]:
    """Orders at every stage; answers what is needed for the addresses of screens."""
    lot = f"API-{uuid.uuid4().hex[:6]}"
    await receive(company, lot, "500", expiresOn="2030-06-30")
    found: dict[str, str] = {"lot": lot}
    stages = ("draft", "submitted", "released", "dispatched", "ready", "running", "inspecting", "puttingAway")
    made = await asyncio.gather(*(at_stage(company, stage) for stage in stages))
    for stage, (order, work_order) in zip(stages, made, strict=True):
        found |= {f"order_{stage}": order, f"work_{stage}": work_order}
    await create(company, dueAt="2026-01-15T08:00:00Z")
    found |= await warehouse_and_quality(company)
    desk = await company.desk("olu")
    mixing = f"/mes/work-orders/{found['work_running']}/operations/MIX"
    await desk.command(f"{mixing}/start")
    await desk.command(f"{mixing}/comment", text="the sieve was changed at half of the batch")
    found |= await quality_plant(company, engine)
    found |= await engineering(company)
    found |= await figures(company)
    await a_bad_night(company)
    await kept_reports(company, engine)
    await rolling(company)
    await breaks_down(company, "SAW-2")
    found |= await hold_of_a_lot(company)
    found["recall"] = await recall(company)
    found |= await changes(company)
    found |= await shipments(company)
    patterns = [
        {"plant": "P9", "kind": "raw", "pattern": "R{date:yyMM}{seq:4}", "version": 1},
        {"plant": "P9", "kind": "raw", "pattern": "R{date:yyMMdd}-{seq:4}", "version": 2},
        {"plant": "P9", "kind": "finished", "pattern": "F{date:yyMM}{line:2}{process:2}{seq:2}{check}", "version": 1},
    ]
    await (await company.desk("pat")).post("/master-data/import", {"numberPatterns": patterns})
    await dispensing(company)
    found["work_weighing"] = (await weighing(company))[1]
    found["work_scanned"] = (await picked(company))[1]
    found |= await neighbours(company, engine)
    found |= await nonconforming(company)
    return found | {"andon": await display(company)}


async def kept_reports(company: Company, engine: Engine) -> None:
    """A shared view, a schedule, and reports of it that wait for their review."""
    await view(company, "max", shared=True)
    await asyncio.to_thread(overdue, engine, await planned(company), timedelta(days=2))
    due = DueReports(engine, ReportFiles(ZONE), ZONE)
    await asyncio.to_thread(due.make, datetime.now(UTC))


async def changes(company: Company) -> dict[str, str]:
    """A change of configuration that was analysed, and an order that waits for the decision about its change."""
    pat = await company.desk("pat")
    asked = await pat.command(
        "/configuration-changes", kind="policy", subject="swift", changeControl="CC-7", content={"approvals": 2},
        reasonForChange="two heads approve",
    )  # fmt: skip
    change = asked.json()["id"]
    await do(company, "rae", f"/configuration-changes/{change}/analyse", reason="orders from now on")
    order, _ = await at_stage(company, "released")
    reason = "the customer wants fewer"
    await do(company, "pia", f"/mes/orders/{order}/change-requests", quantity="900", reason=reason)
    return {"configuration": change, "order_changed": order}


async def recall(company: Company) -> str:
    """A mock recall that is being carried out, of a batch that a customer has."""
    _, _, batch = await saleable(company, policy="guarded")
    await shipped(company, batch, "300")
    path = await opened(company, mock=True, lot=batch)
    await executed(company, path)
    return path.rpartition("/")[2]


async def shipments(company: Company) -> dict[str, str]:
    """A lot of which a part was shipped and came back in part; another part is prepared."""
    _, _, lot = await saleable(company, policy="guarded")
    pieces = [f"S{number:05}" for number in range(1, 31)]
    await do(company, "wil", "/mes/traceabilities/serials", lot=lot, serials=pieces)
    left = await shipped(company, lot, "300")
    back = {"quantity": "40", "place": "QUARANTINE", "reason": "the carton was wet"}
    await do(company, "wil", f"/wms/shipments/{left}/take-back", **back)
    ready = (await prepare(company, lot, "120", consignee="Clinic 2")).json()["shipment"]
    return {"lot_shipped": lot, "shipment_left": left, "shipment_prepared": ready}


async def hold_of_a_lot(company: Company) -> dict[str, str]:
    """A lot that an order uses, under a hold."""
    lot = f"API-{uuid.uuid4().hex[:6].upper()}"
    await receive(company, lot, "500")
    await at_stage(company, "dispatched", fixedLots={"API": [lot]})
    hold = await held(company, lot, downstream=True)
    await until_hold(company, hold, "held")
    return {"hold_lot": lot, "hold": hold}


async def quality_plant(company: Company, engine: Engine) -> dict[str, str]:
    """Records to review, cases of every kind, lots with a genealogy, a signature."""
    await quality.with_policies(company, engine, 5000)
    _, clean = await quality.made(company, corrected=False)
    _, corrected = await quality.made(company, corrected=True)
    _, held = await quality.held(company)
    opened, action = await quality.deviation(company), await quality.corrective_action(company)
    await do(company, "rae", f"/quality/deviations/{opened['id']}/classify", classification="major", impact="2 batches")
    await do(company, "rae", f"/quality/deviations/{opened['id']}/assign", owner="mia")
    await do(company, "sam", f"/mes/work-orders/{clean}/batch-record/review", signed=PASSWORD)
    signed = (await (await company.desk("aud")).get(f"/mes/work-orders/{clean}/batch-record")).json()["signatures"]
    simple = (await (await company.desk("rae")).get("/quality/deviations")).json()["deviations"]
    return {
        "work_clean": clean, "work_corrected": corrected, "work_held": held, "case": opened["id"],
        "capa": action["id"], "simple": next(own["number"] for own in simple if not own["hasProcess"]),
        "lot_family": await asyncio.to_thread(quality.family, engine, "LOOK-"),
        "lot_many": await asyncio.to_thread(quality.family, engine, "MANY-", 210), "signature": signed[0]["id"],
        "signed_order": signed[0]["entity"].partition("/")[2],
    }  # fmt: skip


SCREENS = (
    ("login", None, "/ui/login"),
    ("home-supervisor", "sam", "/ui/"),
    ("home-auditor", "aud", "/ui/"),
    ("tasks", "olu", "/ui/tasks"),
    ("task", "olu", "/ui/tasks/{work_running}/MIX"),
    ("task-with-limits", "olu", "/ui/tasks/{work_running}/PRESS"),
    ("task-weighing", "olu", "/ui/tasks/{work_weighing}/MIX"),
    ("task-weighing-by-hand", "olu", "/ui/tasks/{work_weighing}/MIX?byHand=true"),
    ("board", "sam", "/ui/board"),
    ("orders", "pia", "/ui/orders"),
    ("order", "sam", "/ui/orders/{order_running}"),
    ("order-submitted", "sam", "/ui/orders/{order_submitted}"),
    ("help", "olu", "/ui/help"),
    ("reviews", "rae", "/ui/reviews"),
    ("review-clean", "rae", "/ui/reviews/{work_clean}"),
    ("review-corrected", "sam", "/ui/reviews/{work_corrected}"),
    ("review-held", "rae", "/ui/reviews/{work_held}"),
    (
        "review-explain",
        "sam",
        "/ui/ask/justifyException?path=/mes/work-orders/{work_held}/batch-record/exceptions/5-0"
        "/explain&exception=5-0&type=comment&detail=die+7",
    ),
    ("exceptions", "rae", "/ui/exceptions"),
    ("exceptions-none", "mia", "/ui/exceptions?order=PO-none"),
    ("exception-case", "rae", "/ui/exceptions/{case}"),
    ("exception-capa", "rae", "/ui/exceptions/{capa}"),
    ("exception-simple", "rae", "/ui/exceptions/{simple}"),
    ("lots", "rae", "/ui/lots"),
    ("lots-unknown", "rae", "/ui/lots?find=LOOK-GRNA-1"),
    ("lot", "rae", "/ui/lots/{lot_family}"),
    ("lot-many", "rae", "/ui/lots/{lot_many}"),
    ("lot-held", "rae", "/ui/lots/{hold_lot}"),
    ("hold-new", "rae", "/ui/holds/new?lot={lot}&downstream=true"),
    ("hold", "rae", "/ui/holds/{hold}"),
    ("holds", "aud", "/ui/holds?show=all"),
    ("recalls", "rae", "/ui/recalls?lot={lot}"),
    ("recall", "rae", "/ui/recalls/{recall}"),
    ("alarms", "sam", "/ui/alarms?show=all"),
    ("interfaces", "sam", "/ui/interfaces?state=all"),
    ("interfaces-sent", "sam", "/ui/interfaces/outgoing/{parked}"),
    ("interfaces-incoming", "rae", "/ui/interfaces/incoming?state=all"),
    ("interfaces-one", "rae", "/ui/interfaces/incoming/{quarantined}"),
    ("interfaces-events", "wil", "/ui/interfaces/events?epc=urn:x:none"),
    ("audit", "aud", "/ui/audit"),
    ("audit-verified", "aud", "/ui/audit?verify=true&kind=work-order&record={signed_order}"),
    ("signatures", "aud", "/ui/signatures?record={signed_order}"),
    ("signature", "aud", "/ui/signatures/{signature}"),
    ("picks", "wil", "/ui/picks"),
    ("pick-short", "wil", "/ui/picks/{work_short}"),
    ("pick-allocated", "wes", "/ui/picks/{work_dispatched}"),
    ("pick-approved", "wil", "/ui/picks/{work_picked}"),
    ("pick-choose", "sam", "/ui/picks/{work_picked}/choose?line=1"),
    ("pick-scan-only", "wes", "/ui/picks/{work_scanned}"),
    ("pick-by-hand", "wes", "/ui/picks/{work_scanned}?byHand=true"),
    ("pick-issued", "wil", "/ui/picks/{work_ready}"),
    ("pick-return", "wil", "/ui/picks/{work_ready}/return?line=1&lot={lot}"),
    ("put-aways", "wil", "/ui/put-away"),
    ("put-away", "wil", "/ui/put-away/{work_puttingAway}"),
    ("put-away-gated", "wil", "/ui/put-away/{work_quarantined}"),
    ("shipments", "wil", "/ui/shipments"),
    ("shipment", "wil", "/ui/shipments/{shipment_left}"),
    ("shipment-prepared", "wil", "/ui/shipments/{shipment_prepared}"),
    ("shipment-new", "wil", "/ui/shipments/new?lot={lot_shipped}&like={shipment_left}"),
    ("shipment-which", "wil", "/ui/shipments/new"),
    ("shipment-take-back", "wil", "/ui/act/takeBackShipment?path=/wms/shipments/{shipment_left}/take-back"),
    ("lot-shipped", "wil", "/ui/lots/{lot_shipped}?serial=S00007"),
    ("lot-serials", "rae", "/ui/lot-serials/{lot_shipped}"),
    ("serials-register", "olu", "/ui/act/registerSerials?path=/mes/traceabilities/serials&lot={lot_shipped}"),
    ("stock-move", "wil", "/ui/stock-move?lot={lot}"),
    ("stock-move-rejected", "wil", "/ui/stock-move?lot={lot_rejected}"),
    ("receipts", "wil", "/ui/receipts"),
    ("inspections", "ana", "/ui/inspections"),
    ("inspection-enter", "ana", "/ui/inspections/{work_inspecting}"),
    ("inspection-decide", "ben", "/ui/inspections/{inspection_entered}"),
    ("inspection-outside", "max", "/ui/inspections/{inspection_outside}"),
    ("inspection-reports", "ana", "/ui/inspections/{work_turning}"),
    ("inspection-rework", "max", "/ui/inspections/{work_rework}"),
    ("recovery-ask", "olu", "/ui/inspections/{work_free}"),
    ("recovery-decide", "max", "/ui/inspections/{work_asked}"),
    ("recovery-introduce", "olu", "/ui/inspections/{work_approved}"),
    ("recovery-introduced", "sam", "/ui/inspections/{work_introduced}"),
    ("recovery-reject", "max", "/ui/ask/rejectRecovery?path=/mes/work-orders/{work_asked}/recoveries/R/reject"),
    ("lot-propose-rework", "ana", "/ui/lots/{lot_rejected}"),
    ("lot-decide-rework", "max", "/ui/lots/{lot_proposed}"),
    ("lot-reworked", "rae", "/ui/lots/{lot_reworked}"),
    ("inspection-evidence", "ana", "/ui/inspections/{work_evidence}"),
    ("inspection-measured", "ben", "/ui/inspections/{work_measured}"),
    ("release-evidence", "ana", "/ui/inspections/{powder_new}"),
    ("release-record", "ben", "/ui/inspections/{powder_entered}"),
    ("release-recorded", "rae", "/ui/inspections/{powder_released}"),
    ("plan", "pia", "/ui/plan"),
    ("plan-line", "pia", "/ui/plan/{plan_line}"),
    ("plan-line-new", "pia", "/ui/plan/new"),
    ("plan-split", "pia", "/ui/plan/{plan_line}/split"),
    ("plan-import", "pia", "/ui/plan/import"),
    ("scan-unknown", "olu", "/ui/scan?code=SAW-7"),
    ("problem", "olu", "/ui/problem?order={order_running}&what=MIX"),
    ("energy", "sam", "/ui/energy"),
    ("conditions", "mia", "/ui/maintenance-conditions"),
    ("risk", "pat", "/ui/risk"),
    ("spc", "ben", "/ui/spc?of=parameter:weight&baseline=21"),
    ("spc-means", "ben", "/ui/spc?of=parameter:weight&chart=meanRange"),
    ("spc-proportion", "ben", "/ui/spc?of=scrap:PRESS"),
    ("spc-empty", "ben", "/ui/spc?since=2000-01-01&until=2000-01-02"),
    ("reports", "sam", "/ui/reports"),
    ("reports-scrap", "sam", "/ui/reports?report=scrap"),
    ("reports-lead", "sam", "/ui/reports?report=leadTime"),
    ("reports-delivery", "sam", "/ui/reports?report=delivery&since=2026-11-01&until=2027-01-31"),
    ("reports-deviations", "sam", "/ui/reports?report=deviations"),
    ("reports-oee", "sam", "/ui/reports?report=oee&opens=06:00&closes=22:00"),
    ("reports-balance", "sam", "/ui/reports?report=balance"),
    ("reports-rows", "sam", "/ui/reports/rows?report=pieces"),
    ("suspects", "max", "/ui/suspects?since=2026-11-20&until=2026-11-21&shifts=06:00,18:00"),
    ("product-review", "max", "/ui/product-review?product=TAB"),
    ("product-review-empty", "max", "/ui/product-review?product=TAB&year=2023"),
    ("suspects-batches", "max", "/ui/suspects?of=batches&by=machine"),
    ("suspects-none", "max", "/ui/suspects?since=2001-01-01&until=2001-01-02"),
    ("suspects-rows", "max", "/ui/suspects/rows?operation=PRESS&workstation=SAW-2&since=2026-11-20&until=2026-11-21"),
    ("reports-batches", "sam", "/ui/reports?report=batches"),
    ("reports-parameters", "sam", "/ui/reports?report=parameters"),
    ("reports-quality", "sam", "/ui/reports?report=quality"),
    ("reports-flow", "sam", "/ui/reports?report=flow"),
    ("reports-rows-values", "sam", "/ui/reports/rows?report=values&name=weight&status=outside"),
    ("reports-rows-inspections", "sam", "/ui/reports/rows?report=inspections&material=API"),
    ("saved-reports", "max", "/ui/saved-reports"),
    ("saved-view-new", "sam", "/ui/saved-reports/new?address=%2Fui%2Freports%3Freport%3Dscrap&days=7"),
    ("report-schedule-new", "sam", "/ui/saved-reports/plan"),
    ("schedule", "pia", "/ui/schedule?opens=06:00&closes=22:00&days=0&days=1&days=2&days=3&days=4"),
    ("schedule-preview", "pia", "/ui/schedule?down=BENCH&span=3"),
    ("andon", None, "{andon}"),
    ("andon-closed", None, "/ui/andon/A?token=mwd_nothing"),
    ("andon-list", "sam", "/ui/andon"),
    ("reports-rows-spans", "sam", "/ui/reports/rows?report=spans"),
    ("plant-equipment", "sam", "/ui/equipment"),
    ("plant-machine", "olu", "/ui/equipment/MIXER-1"),
    ("plant-machine-down", "mia", "/ui/equipment/MIXER-2?days=7"),
    ("plant-room", "sam", "/ui/equipment/ROOM-1"),
    ("plant-act", "meg", "/ui/act/calibrate?path=/equipment/MIXER-2/calibrate&about=MIXER-2"),
    ("plant-clearances", "sam", "/ui/line-clearances?room=ROOM-1"),
    ("maintenance", "mia", "/ui/maintenance?show=all"),
    ("maintenance-order", "sam", "/ui/maintenance/{upkeep}"),
    ("plant-training", "rae", "/ui/training"),
    ("plant-readiness", "sam", "/ui/readiness/{work_ready}/PRESS"),
    ("master-materials", "pat", "/ui/master"),
    ("master-material", "pat", "/ui/master/materials/CART"),
    ("master-tablet", "pat", "/ui/master/materials/TAB"),
    ("master-import", "pat", "/ui/master/import?kind=inspectionPlans"),
    ("equipment-classes", "pat", "/ui/equipment-classes"),
    ("equipment-class", "pat", "/ui/equipment-classes/MIXER"),
    ("master-numbers", "pat", "/ui/master/numbers?plant=P9&kind=raw"),
    ("master-numbers-read", "pia", "/ui/master/numbers?number=R261128-0001"),
    ("incomplete", "pat", "/ui/act/calibrate"),
    ("master-policies", "pat", "/ui/master/policies"),
    ("configuration", "pat", "/ui/master/configuration"),
    ("configuration-change", "max", "/ui/master/configuration/{configuration}"),
    ("configuration-ask", "pat", "/ui/master/policies/swift/change"),
    ("order-changed", "sam", "/ui/orders/{order_changed}"),
    ("master-policy", "pat", "/ui/master/policies/gmp"),
    ("master-records", "pat", "/ui/master/records"),
    ("master-record", "max", "/ui/master/records/{record_in_review}"),
    ("master-record-effective", "pat", "/ui/master/records/{record_effective}"),
    ("master-record-draft", "pat", "/ui/master/records/{record_draft}"),
    ("master-record-edit", "pat", "/ui/master/records/{record_draft}/edit"),
    ("master-record-new", "pat", "/ui/master/records/new"),
    ("master-record-compare", "max", "/ui/master/records/{record_effective}/compare/{record_draft}"),
    ("master-quality", "pat", "/ui/master/quality"),
    ("impacts", "pia", "/ui/impacts"),
    ("devices", "pat", "/ui/devices"),
    ("device-new", "pat", "/ui/devices/new"),
    ("endpoint-new", "ada", "/ui/interfaces/endpoints/new"),
    ("system-new", "ada", "/ui/interfaces/systems/new"),
    ("admin-people", "ada", "/ui/admin"),
    ("admin-person", "ada", "/ui/admin/olu"),
    ("admin-machine", "ada", "/ui/admin/erp"),
    ("admin-new", "ada", "/ui/act/addUser?path=/users"),
    ("account", "olu", "/ui/account"),
    ("login-take-over", "olu", "/ui/login?switch=true&badge=nora"),
    ("operations", "ada", "/ui/operations"),
)


def looks_that_are_judged(name: str) -> set[tuple[str, str]]:
    """Looks that are held against the rules of WCAG 2.2 AA: all that there are for pictures, else one of the two.

    To judge a page takes longer than to make it. Screens that stand beside each other in the list share most of their
    parts, and one after the other is judged in another language and width.
    """
    if FOLDER:
        return {(language, label) for language, label, _ in ALL_LOOKS}
    place = [screen[0] for screen in SCREENS].index(name)
    return {LOOKS[place % len(LOOKS)][:2]}


@pytest.mark.parametrize(("name", "user", "path"), SCREENS, ids=[screen[0] for screen in SCREENS])
async def test_a_screen_can_be_read_by_everybody(
    name: str, user: str | None, path: str, desks: Desks, plant: dict[str, str]
) -> None:
    desks.console.faults.clear()
    judged = looks_that_are_judged(name)
    terminals = [await desks.at(user, look) for look in LOOKS]
    looks = zip(terminals, LOOKS, strict=True)
    await asyncio.gather(*(seen(name, terminal, path.format(**plant), look, judged) for terminal, look in looks))
    assert desks.console.faults == []


async def seen(name: str, terminal: Terminal, path: str, look: Look, judged: set[tuple[str, str]]) -> None:
    """One look at a screen: it fits its width, and keeps the rules where it is judged."""
    language, label, _ = look
    await terminal.open(path)
    if FOLDER:
        await terminal.page.wait_for_timeout(300)
        await terminal.picture(Path(FOLDER) / f"{name}-{language}-{label}.png")
        await terminal.page.emulate_media(color_scheme="dark")
        await terminal.picture(Path(FOLDER) / f"{name}-{language}-{label}-dark.png")
        await terminal.breaks_no_rule(name, language, label, "dark")
        await terminal.page.emulate_media(color_scheme="light")
    if (language, label) in judged:
        await terminal.breaks_no_rule(name, language, label)
    assert await terminal.has_no_sideways_scroll(), (name, language, label)
