"""Every process is killed, then every process is stopped, in the middle of an order: it goes on as if nothing was."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

import wiring
from plants import places
from plants.jobshop.master_data import POLICY
from system.ports import any_free
from system.processes import identity, wait_until
from tests.system.supervise import none_left, processes_of, state_of

PARTS = ("worker", "gateway", "api", "press")
ENGINEER, PLANNER, SUPERVISOR, OPERATOR = ("replay.engineer", "replay.planner", "replay.supervisor", "replay.operator")
OPERATIONS: Final = ("TURN", "MILL", "DRILL")
MASTER_DATA: Final = {
    "materials": [{"code": "BRACKET", "name": "Bracket", "kind": "finished", "unit": "pcs"}],
    "places": places.documents(),
    "workstations": [
        {"code": f"{code}-1", "name": code, "line": "A", "equipment": "manual", "capabilities": [code]}
        for code in OPERATIONS
    ],
    "billsOfMaterial": [{"product": "BRACKET", "version": "1", "baseQuantity": "1", "lines": []}],
    "routes": [{"product": "BRACKET", "version": "1", "operations": [
        {"code": code, "sequence": 10 * at, "name": code, "capability": code, "predecessors": [], "countsPieces": True,
         "isOutput": code == "DRILL", "parameters": []}
        for at, code in enumerate(OPERATIONS, 1)]}],
    "inspectionPlans": [],
    "policies": [POLICY.model_dump(mode="json", by_alias=True)],
    "reason": "a part with three operations side by side",
}  # fmt: skip


@contextlib.contextmanager
def millwright(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`mes up` on the folder, in a process of its own; the body begins when it is ready."""
    argv = [sys.executable, "-m", "cli", "up", "--data-dir", str(folder), "--port", str(any_free())]
    outside = ("DATABASE_URL", "DATABASE_OWNER_URL", "TEMPORAL_ADDRESS")
    environment = {name: value for name, value in os.environ.items() if name not in outside}
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stderr is not None
            said: list[bytes] = []
            for line in process.stderr:
                said.append(line)
                if b"running" in line:
                    break
            else:
                pytest.fail(b"".join(said).decode())
            yield process
        finally:
            process.kill()


def kill_everything(folder: Path, supervisor: subprocess.Popen[bytes]) -> None:
    """SIGKILL for all at once, the supervisor first: nobody is left to start anything again."""
    state = state_of(folder)
    pids = {name: state["children"][name]["pid"] for name in PARTS}
    pids |= {name: state[name]["pid"] for name in ("temporal", "postgres")}
    supervisor.kill()
    for pid in pids.values():
        # A process whose parent has died is ended by its tether; it may have gone before we come.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    supervisor.wait()
    assert wait_until(lambda: not any(identity(pid) for pid in pids.values()), 60), pids
    assert none_left(folder, 60)


def stop_everything(folder: Path, supervisor: subprocess.Popen[bytes]) -> None:
    """Ctrl-C."""
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(180) == 0
    assert not processes_of(folder)


class Shop:
    """The people of the shop at their terminals, which hold nothing over a restart but their command ids."""

    def __init__(self, folder: Path) -> None:
        self._people = wiring.people(folder)
        self._client = httpx.Client(base_url=f"{state_of(folder)['api_url']}/api/v1", timeout=60)
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> "Shop":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """A read by the supervisor."""
        answer = self._client.get(path, params=query, headers=self._headers(SUPERVISOR))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, who: str, path: str, body: Any) -> httpx.Response:
        """A write; on a machine that is too busy (202, 503) it is sent again, as it is, with the same command id."""
        for _ in range(60):
            answer = self._client.post(path, json=body, headers=self._headers(who))
            if answer.status_code not in (202, 503):
                return answer
            time.sleep(0.5)
        pytest.fail(f"no verdict on {path}: {answer.status_code} {answer.text}")

    def do(self, who: str, path: str, key: str, **body: Any) -> dict[str, Any]:
        """A command that is accepted."""
        answer = self.post(who, path, {"commandId": key, **body})
        assert answer.status_code == 200, (path, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def _headers(self, who: str) -> Mapping[str, str]:
        if who not in self._tokens:
            login = {"userId": who, "password": self._people[who].password}
            self._tokens[who] = self._client.post("/auth/login", json=login).json()["token"]
        return {"Authorization": f"Bearer {self._tokens[who]}"}


def planned(shop: Shop) -> tuple[str, str]:
    """A dispatched order of brackets: the addresses of the order and of its work order."""
    assert shop.post(ENGINEER, "/master-data/import", MASTER_DATA).status_code == 200
    line = {"reference": "PL-1", "product": "BRACKET", "quantity": "10", "unit": "pcs", "policy": POLICY.code,
            "plant": "shop", "orderNumber": "BR-1"}  # fmt: skip
    (plan,) = shop.post(PLANNER, "/mes/plan-lines", [line]).json()
    made = shop.post(PLANNER, f"/mes/orders/from-plan/{plan['id']}", {}).json()
    order, work_order = f"/mes/orders/{made['id']}", f"/mes/work-orders/{made['workOrders'][0]['id']}"
    shop.do(PLANNER, f"{order}/submit", "submit")
    shop.do(SUPERVISOR, f"{order}/release", "release")
    shop.do(PLANNER, f"{work_order}/dispatch", "dispatch")
    until(shop, order, lambda found: found["workOrders"][0]["state"] == "ready")
    return order, work_order


def until(shop: Shop, order: str, reached: Any) -> dict[str, Any]:
    """The order, by long poll, as soon as it is as `reached` wants it; the test's own time limit ends the wait."""
    found: dict[str, Any] = shop.get(order)
    while not reached(found):
        found = shop.get(order, afterRevision=found["revision"], waitSeconds=10)
    return found


def states(shop: Shop, work_order: str) -> tuple[str, dict[str, str]]:
    """State of the work order and of each of its operations."""
    found = shop.get(work_order)
    return found["state"], {operation["code"]: operation["state"] for operation in found["operations"]}


def runs(shop: Shop, order: str, code: str) -> list[tuple[datetime, datetime]]:
    """From when to when an operation ran, by what the record says of it."""
    began: datetime | None = None
    found: list[tuple[datetime, datetime]] = []
    for fact in shop.get(f"{order}/history", limit=1000)["facts"]:
        at = datetime.fromisoformat(fact["at"])
        for event in fact["events"]:
            if event["kind"] != "operationMoved" or event["operation"] != code:
                continue
            if event["target"] == "running":
                began = at
            elif event["origin"] == "running":
                assert began is not None
                found.append((began, at))
    return found


@pytest.mark.timeout(600)
@pytest.mark.accepts("A12", "PO-10", "RC-04")
def test_a_pause_outlives_every_process(tmp_path: Path) -> None:
    folder = tmp_path / "mes"
    said: dict[str, Any] = {}
    with millwright(folder) as supervisor:
        with Shop(folder) as shop:
            order, work_order = planned(shop)
            turn, mill = (f"{work_order}/operations/{code}" for code in ("TURN", "MILL"))
            said["start"] = shop.do(OPERATOR, f"{work_order}/start-execution", "start")
            shop.do(OPERATOR, f"{turn}/start", "turn")
            shop.do(OPERATOR, f"{mill}/start", "mill")
            without = shop.post(OPERATOR, f"{mill}/pause", {"commandId": "why"})
            assert (without.status_code, without.json()["code"]) == (422, "INVALID_REQUEST")
            said["pause"] = shop.do(OPERATOR, f"{mill}/pause", "pause-mill", reason="the cutter is worn")
            kept = shop.get(work_order)
        kill_everything(folder, supervisor)

    with millwright(folder) as supervisor:
        with Shop(folder) as shop:
            assert shop.get(work_order) == kept
            assert states(shop, work_order) == ("running", {"TURN": "running", "MILL": "paused", "DRILL": "ready"})
            # The terminal had no answer when everything died: it sends the same again.
            assert shop.do(OPERATOR, f"{work_order}/start-execution", "start") == said["start"]
            again = shop.do(OPERATOR, f"{mill}/pause", "pause-mill", reason="the cutter is worn")
            assert again == said["pause"]
            assert shop.get(work_order) == kept
            resumed = shop.do(OPERATOR, f"{mill}/resume", "resume-mill")
            assert shop.do(OPERATOR, f"{mill}/resume", "resume-mill") == resumed
            said["shift"] = shop.do(OPERATOR, f"{work_order}/pause", "pause-all", reason="end of the shift")
            assert states(shop, work_order) == ("paused", {"TURN": "paused", "MILL": "paused", "DRILL": "ready"})
            kept = shop.get(work_order)
        stop_everything(folder, supervisor)

    with millwright(folder) as supervisor:
        with Shop(folder) as shop:
            assert shop.get(work_order) == kept
            assert shop.do(OPERATOR, f"{work_order}/pause", "pause-all", reason="end of the shift") == said["shift"]
            shop.do(OPERATOR, f"{work_order}/resume", "resume-all")
            assert states(shop, work_order) == ("running", {"TURN": "running", "MILL": "running", "DRILL": "ready"})
            the_times_are_right(shop, order, work_order)
            the_order_is_closed(shop, order, work_order)
        stop_everything(folder, supervisor)


def the_times_are_right(shop: Shop, order: str, work_order: str) -> None:
    """Net run time is the sum of the runs in whole seconds: a stop while it ran counts, while it was paused not."""
    for code in ("TURN", "MILL"):
        shop.do(OPERATOR, f"{work_order}/operations/{code}/complete", f"complete-{code}")
    operations = {operation["code"]: operation for operation in shop.get(work_order)["operations"]}
    turned, milled = runs(shop, order, "TURN"), runs(shop, order, "MILL")
    # Turning ran through the kill and was paused by the shift's end; milling was paused for both.
    assert (len(turned), len(milled)) == (2, 3)
    for code, found in (("TURN", turned), ("MILL", milled)):
        assert operations[code]["netSeconds"] == sum(int((end - begin).total_seconds()) for begin, end in found)
    killed = milled[1][0] - milled[0][1]
    assert turned[0][0] < milled[0][1] < milled[1][0] < turned[0][1]
    assert operations["TURN"]["netSeconds"] >= int(killed.total_seconds()) > 0
    whole = int((milled[-1][1] - milled[0][0]).total_seconds())
    stopped = int((milled[2][0] - milled[1][1]).total_seconds())
    assert stopped > 0
    assert operations["MILL"]["netSeconds"] <= whole - int(killed.total_seconds()) - stopped


def the_order_is_closed(shop: Shop, order: str, work_order: str) -> None:
    """Nothing was left behind that keeps the order from its end."""
    shop.do(OPERATOR, f"{work_order}/operations/DRILL/start", "drill")
    report = {"workOrderId": work_order.rsplit("/", 1)[1], "operation": "DRILL", "good": "10", "labourSeconds": 60}
    shop.do(OPERATOR, "/mes/production-reports/report", "report", **report)
    shop.do(OPERATOR, f"{work_order}/operations/DRILL/complete", "complete-DRILL")
    until(shop, order, lambda found: found["state"] == "completed")
    shop.do(SUPERVISOR, f"{order}/close", "close")
    assert shop.get(order)["state"] == "closed"
