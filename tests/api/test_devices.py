"""Only a device that is registered for its work centre may send what happens there."""

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from tests.api.company import PASSWORD, Company, policy
from tests.api.records import TAB, codes, effective, ok
from tests.api.words import at_stage, do, receive
from tests.line import Line

pytestmark = pytest.mark.usefixtures("working")
BOUND = policy("bound", certification=False, productionRelease=False, registeredDevices=True, masterBatchRecord=True,
               weighing=True)  # fmt: skip
API_LINE = {"line": 1, "material": "API", "weighingTolerancePercent": "0.5", "reservePercent": "10"}


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None) -> None:
    ok(await (await company.desk("pat")).post("/master-data/import", {"policies": [BOUND]}))
    await effective(company, "devices-1", TAB | {"materials": [API_LINE]})
    await receive(company, "API-DEV", "1000")


async def device(company: Company, code: str, *centres: str, kind: str = "terminal", **more: Any) -> httpx.Response:
    """Pat registers a device."""
    body = {"code": code, "name": code, "kind": kind, "workCentres": list(centres), **more}
    return await (await company.desk("pat")).command("/devices", **body)


def only_blocker(answer: httpx.Response) -> dict[str, str]:
    """The only thing that a refusal is for."""
    assert answer.status_code == 409, answer.text
    (blocker,) = answer.json()["blockers"]
    found: dict[str, str] = blocker
    return found


@pytest.mark.accepts("AC-10")
async def test_what_happens_at_a_work_centre_comes_from_its_own_device(company: Company, engine: Engine) -> None:
    ok(await device(company, "TERMINAL-BENCH", "BENCH"))
    ok(await device(company, "TERMINAL-SAW", "SAW-1", "SAW-2"))
    _, work_order = await at_stage(company, "ready", policy="bound")
    path = f"/mes/work-orders/{work_order}/operations/MIX"
    desk = await company.desk("olu")
    needed = "a device that is registered for BENCH"

    async def start(**more: Any) -> httpx.Response:
        return await desk.command(f"{path}/start", **more)

    none = only_blocker(await start())
    assert (none["code"], none["id"], none["found"], none["required"]) == (
        "DEVICE_NOT_ALLOWED", "none", "no device", needed,
    )  # fmt: skip
    unknown = only_blocker(await start(deviceId="TERMINAL-X"))
    assert (unknown["id"], unknown["found"], unknown["required"]) == ("TERMINAL-X", "an unknown device", needed)
    elsewhere = only_blocker(await start(deviceId="TERMINAL-SAW"))
    assert (elsewhere["id"], elsewhere["found"], elsewhere["required"]) == (
        "TERMINAL-SAW", "registered for SAW-1, SAW-2", needed,
    )  # fmt: skip
    ok(await start(deviceId="TERMINAL-BENCH"))
    scale, other = Line(engine).qualified().calibrated(), Line(engine).qualified().calibrated()
    with engine.begin() as connection:
        at_bench = text("UPDATE equipment_item SET workstation = 'BENCH' WHERE code = :c")
        connection.execute(at_bench, {"c": scale.press})

    async def weigh(code: str, device: str) -> httpx.Response:
        body: dict[str, Any] = {"line": 1, "scale": code, "unit": "kg", "tare": "1", "gross": "6"}
        second = {"userId": "ole", "password": PASSWORD}
        scans = ["lot/API-DEV"]
        return await desk.command(f"{path}/weighings", **body, scans=scans, second=second, deviceId=device)

    for code, sent, named, found in (
        (scale.press, "SCANNER-X", "SCANNER-X", "an unknown device"),
        (scale.press, "TERMINAL-SAW", "TERMINAL-SAW", "registered for SAW-1, SAW-2"),
        ("SCALE-X", "TERMINAL-BENCH", "SCALE-X", "an unknown scale"),
        (other.press, "TERMINAL-BENCH", other.press, f"registered for {other.station}"),
    ):
        blocker = only_blocker(await weigh(code, sent))
        assert (blocker["code"], blocker["id"], blocker["found"]) == ("DEVICE_NOT_ALLOWED", named, found)
        assert "BENCH" in blocker["required"]
    ok(await weigh(scale.press, "TERMINAL-BENCH"))
    ok(await device(company, "TERMINAL-BENCH", "BENCH", isActive=False))
    gone = await desk.command(f"{path}/pause", reason="a short break", deviceId="TERMINAL-BENCH")
    assert codes(gone) == ["DEVICE_NOT_ALLOWED"]


async def test_a_plant_without_registered_devices_is_asked_for_none(company: Company) -> None:
    _, work_order = await at_stage(company, "ready")
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/MIX/start", deviceId="ANY")


async def test_devices_are_registered_once_and_for_workstations_that_there_are(company: Company) -> None:
    refused = await device(company, "SCANNER-1", "BENCH", "NO-1", "NO-2", kind="scanner")
    assert [own["found"] for own in refused.json()["blockers"]] == ["NO-1", "NO-2"]
    first = ok(await device(company, "SCANNER-1", "BENCH", kind="scanner", commandId="device/1"))
    assert ok(await device(company, "SCANNER-1", "BENCH", kind="scanner", commandId="device/1")) == first
    other = await device(company, "SCANNER-1", kind="scanner", commandId="device/1")
    assert other.json()["code"] == "COMMAND_ID_REUSED"
    listed = ok(await (await company.desk("aud")).get("/devices"))["devices"]
    (own,) = [one for one in listed if one["code"] == "SCANNER-1"]
    assert (own["kind"], own["workCentres"], own["isActive"], own["registeredBy"]) == (
        "scanner", ["BENCH"], True, "pat",
    )  # fmt: skip
