"""A small plant for the API's tests: master data of three levels, people with one role each, a desk that talks HTTP."""

import asyncio
import itertools
import uuid
from typing import Any
from uuid import UUID

import httpx

from api.people import NewPerson
from domain.base import uuid_for

PASSWORD = "canary-Ochre-Lantern-71"
PREFIX = "/api/v1"
_ids = itertools.count(1)

PEOPLE = {
    "pia": ["planner"], "sam": ["supervisor"], "sue": ["supervisor"], "olu": ["operator"], "ole": ["operator"],
    "wil": ["warehouseKeeper"],
    "wes": ["warehouseKeeper"], "ana": ["qcAnalyst"], "ben": ["qcAnalyst"], "rae": ["qaReviewer"],
    "max": ["qualityManager"], "quinn": ["qualifiedPerson"], "mia": ["maintenance"], "pat": ["processEngineer"],
    "ada": ["administrator"], "aud": ["auditor"], "dan": ["dataAnalyst"], "erp": ["integration"], "meg": ["metrology"],
}  # fmt: skip
NEWCOMERS = [NewPerson(user, user.title(), PASSWORD, roles) for user, roles in PEOPLE.items()]


def operation(code: str, sequence: int, capability: str, before: list[str], **more: Any) -> dict[str, Any]:
    """One operation of a route."""
    return {
        "code": code, "sequence": sequence, "name": code.title(), "capability": capability, "predecessors": before,
        "countsPieces": False, "isOutput": False, "parameters": [], **more,
    }  # fmt: skip


def line(number: int, material: str, quantity: str, unit: str, at: str, loss: str = "0") -> dict[str, Any]:
    """One line of a bill of material."""
    return {
        "line": number, "material": material, "quantity": quantity, "unit": unit, "lossPercent": loss, "operation": at,
    }  # fmt: skip


def policy(code: str, **changes: Any) -> dict[str, Any]:
    """A policy."""
    return {"code": code, "version": 1, **changes}


def material(code: str, kind: str, unit: str) -> dict[str, Any]:
    """A material."""
    return {"code": code, "name": code.title(), "kind": kind, "unit": unit}


MASTER_DATA: dict[str, Any] = {
    "materials": [
        material("STEEL", "raw", "kg"), material("GREASE", "raw", "kg"), material("ROD", "semiFinished", "pcs"),
        material("AXLE", "semiFinished", "pcs"), material("CART", "finished", "pcs"),
        {**material("TAB", "finished", "pcs"), "strength": "250 mg", "shelfLifeDays": 730},
        material("API", "raw", "kg"),
    ],
    "places": [
        {"code": code, "name": code.title(), "zone": zone}
        for code, zone in (
            ("SUPPLIER", "outside"), ("PROCESS", "outside"), ("SCRAP", "outside"), ("RECEIVING", "quarantine"),
            ("RAW", "released"), ("LINE", "line"), ("QUARANTINE", "quarantine"), ("FINISHED", "released"),
            ("REJECTED", "rejected"),
        )
    ],
    "workstations": [
        {"code": "SAW-1", "name": "Saw 1", "line": "A", "equipment": "manual", "capabilities": ["CUT"]},
        {"code": "SAW-2", "name": "Saw 2", "line": "A", "equipment": "manual", "capabilities": ["CUT"]},
        {"code": "BENCH", "name": "Bench", "line": "A", "equipment": "manual", "capabilities": ["FIT", "MIX", "PRESS"]},
    ],
    "billsOfMaterial": [
        {"product": "CART", "version": "1", "baseQuantity": "1", "lines": [
            line(1, "AXLE", "2", "pcs", "FIT"), line(2, "GREASE", "0.1", "kg", "FIT", "10")]},
        {"product": "AXLE", "version": "1", "baseQuantity": "1", "lines": [line(1, "ROD", "1", "pcs", "FIT", "50")]},
        {"product": "ROD", "version": "1", "baseQuantity": "3", "lines": [line(1, "STEEL", "1", "kg", "CUT")]},
        {"product": "TAB", "version": "1", "baseQuantity": "1000", "lines": [line(1, "API", "5", "kg", "MIX")]},
    ],
    "routes": [
        {"product": "CART", "version": "1", "operations": [
            operation("CUT", 10, "CUT", []), operation("CUT2", 20, "CUT", []),
            operation("FIT", 30, "FIT", ["CUT", "CUT2"], countsPieces=True, isOutput=True)]},
        {"product": "AXLE", "version": "1", "operations": [
            operation("FIT", 10, "FIT", [], countsPieces=True, isOutput=True)]},
        {"product": "ROD", "version": "1", "operations": [
            operation("CUT", 10, "CUT", [], countsPieces=True, isOutput=True)]},
        {"product": "TAB", "version": "1", "operations": [
            operation("MIX", 10, "MIX", []),
            operation("PRESS", 20, "PRESS", ["MIX"], countsPieces=True, isOutput=True, parameters=[
                {"name": "weight", "unit": "mg", "low": "108", "high": "118", "required": True, "critical": True}])]},
    ],
    "inspectionPlans": [
        {"material": "API", "characteristics": [
            {"name": "water", "unit": "%", "low": "0", "high": "1", "required": True}]},
        {"material": "TAB", "characteristics": [
            {"name": "dissolution", "unit": "%", "low": "74", "high": "102", "required": True}]},
    ],
    "policies": [
        policy("gmp", signatures={"approveOrder": "approved", "certifyBatch": "certified"}),
        policy("swift", certification=False, productionRelease=False, signatures={}),
        policy("shown", signatures={"approveOrder": "approved", "releaseOrder": "approved"},
               signatureShowsContent=True),
        policy("easy", signatures={"approveOrder": "approved", "releaseOrder": "approved"}, signatureStrict=False),
        policy("strong", signatures={"approveOrder": "approved"}, secondFactor=["approved"]),
        policy("pairs", signatures={"decideInspection": "reviewed"}, certification=False, productionRelease=False,
               secondSignatures={"decideInspection": "verified"}),
        policy("plain", approvals=0, certification=False, productionRelease=False, signatures={}),
    ],
}  # fmt: skip


class Desk:
    """Somebody's terminal."""

    def __init__(self, client: httpx.AsyncClient, user: str, token: str) -> None:
        self.client, self.user, self.token = client, user, token

    @property
    def headers(self) -> dict[str, str]:
        """What shows who asks."""
        return {"Authorization": f"Bearer {self.token}"}

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """A read."""
        return await self.client.get(PREFIX + path, params=query, headers=self.headers)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        """A write. When the machine is too busy for a verdict in time (202), it is waited for and asked for again."""
        answer = await self.client.post(PREFIX + path, json=body, headers=self.headers)
        for _ in range(120):
            if answer.status_code != 202:
                break
            await asyncio.sleep(0.5)
            verdict = await self.client.get(answer.json()["outcomeUrl"], headers=self.headers)
            if verdict.status_code == 200:
                answer = await self.client.post(PREFIX + path, json=body, headers=self.headers)
        return answer

    async def put(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """A write that replaces something, with a new command id."""
        sent = {"commandId": f"t/{next(_ids)}", **body}
        return await self.client.put(PREFIX + path, json=sent, headers=self.headers)

    async def command(self, path: str, *, signed: str | None = None, **body: Any) -> httpx.Response:
        """A command with a new id; `signed` is the password, `ceremony` what else the signature says."""
        body.setdefault("commandId", f"t/{next(_ids)}")
        if signed is not None:
            body["signature"] = {"userId": self.user, "password": signed, **body.pop("ceremony", {})}
        return await self.post(path, body)


class Company:
    """The API and its people."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self._desks: dict[str, Desk] = {}

    async def desk(self, user: str) -> Desk:
        """The terminal of a person, logged in."""
        if user not in self._desks:
            self._desks[user] = await self.login(user)
        return self._desks[user]

    async def login(self, user: str, password: str = PASSWORD) -> Desk:
        """A new session."""
        answer = await self.client.post(f"{PREFIX}/auth/login", json={"userId": user, "password": password})
        assert answer.status_code == 200, answer.text
        return Desk(self.client, user, answer.json()["token"])

    async def plan(self, reference: str, **more: Any) -> dict[str, Any]:
        """A plan line."""
        body = {"reference": reference, "product": "TAB", "quantity": "1000", "unit": "pcs", "policy": "gmp",
                # Modules have databases of their own, but share one engine: numbers must not come twice there.
                "plant": "demo", "orderNumber": f"PO-{uuid.uuid4().hex[:10]}", **more}  # fmt: skip
        if "fixedLots" in more:
            body = {"fixedLotsReason": "the test wants these"} | body
        answer = await (await self.desk("pia")).post("/mes/plan-lines", [body])
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()[0]
        return found


def order_id(number: str) -> UUID:
    """The uuid of an order."""
    return uuid_for("production-order", number)
