"""Recalls: from a supplier's lot to every customer, and back to sums of 100 %; a mock changes nothing."""

import io
from decimal import Decimal
from typing import Any

import pypdf
import pytest
from sqlalchemy import Engine, text

from tests.api.company import PASSWORD, Company
from tests.api.holding import let_go, until_hold
from tests.api.recalling import executed, opened, read, scoped
from tests.api.shipping import CLINIC, prepare, saleable, shipped
from tests.api.words import at_stage, do, receive

pytestmark = pytest.mark.usefixtures("working")
OTHER = {"consignee": "Clinic 2", "address": "2 Harbour Road, Shanghai", "contact": "Dr Wu, +86 21 555 0102"}


def rows(engine: Engine, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Rows of the record."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every status and every quantity that a recall could change."""
    tables = {
        "lot": "number, status", "stock_balance": "lot, place, on_hand, reserved", "shipment": "number, state",
        "production_order": "number, state, revision", "pick_list": "number, state", "lot_hold": "number, state",
        "stock_move": "key, quantity", "alarm": "key, code",
    }  # fmt: skip
    return {name: rows(engine, f"SELECT {columns} FROM {name} ORDER BY 1, 2") for name, columns in tables.items()}


def summed(parts: dict[str, Any]) -> None:
    """The parts are the total, and 100 %."""
    total = parts["total"]
    own = [part for name, part in parts.items() if name != "total"]
    assert sum(Decimal(part["quantity"]) for part in own) == Decimal(total["quantity"])
    assert sum(Decimal(part["percent"]) for part in own) == Decimal(total["percent"]) == 100


class Affected:
    """What was made of one supplier's lot, which came in two deliveries, at every stage."""

    def __init__(self, company: Company, name: str) -> None:
        self.company, self.name = company, name
        self.lots = [f"{name}-1", f"{name}-2"]

    async def made(self) -> "Affected":
        """One batch is with two customers, one is made, one is picked; another lot's batch is none of it."""
        for lot in self.lots:
            await receive(self.company, lot, "10", supplierLot=f"S-{self.name}", supplier="Glassy")
        await receive(self.company, f"{self.name}-X", "5")
        first, second = ({"fixedLots": {"API": [lot]}} for lot in self.lots)
        self.sold_order, _, self.sold = await saleable(self.company, **first)
        self.sent = await shipped(self.company, self.sold, "300")
        self.sent_too = await shipped(self.company, self.sold, "200", **OTHER)
        self.in_flight: str = (await prepare(self.company, self.sold, "100")).json()["shipment"]
        self.running, _ = await at_stage(self.company, "inspecting", **second)
        self.picked, self.picked_work_order = await at_stage(self.company, "dispatched", **second)
        self.bystander, _ = await at_stage(self.company, "inspecting", fixedLots={"API": [f"{self.name}-X"]})
        found = (await (await self.company.desk("sam")).get(f"/mes/orders/{self.running}")).json()
        self.in_process: str = found["workOrders"][0]["outputLot"]
        return self


@pytest.mark.accepts("D4", "TR-03")
async def test_a_recall_from_one_suppliers_lot_to_its_end(company: Company, engine: Engine) -> None:
    own = await Affected(company, "API-RC").made()
    path = await opened(company, supplierLot="S-API-RC")
    report = await scoped(company, path)
    assert [lot["lot"] for lot in report["lots"]] == sorted([*own.lots, own.sold, own.in_process])
    assert {one["orderNumber"] for one in report["orders"]} == {
        rows(engine, "SELECT number FROM production_order WHERE uuid = CAST(:u AS uuid)", u=order)[0][0]
        for order in (own.sold_order, own.running, own.picked)
    }
    assert {(row["lot"], row["place"], row["onHand"]) for row in report["stock"]} >= {(own.sold, "FINISHED", "490")}
    assert report["customers"] == [
        {**CLINIC, "quantities": [{"quantity": "300", "unit": "pcs"}]},
        {**OTHER, "quantities": [{"quantity": "200", "unit": "pcs"}]},
    ]
    for parts in report["totals"].values():
        summed(parts)
        assert parts["unexplained"]["quantity"] == "0"

    await _approved_by_one_signature(company, path)
    await do(company, "rae", f"{path}/execute")
    await _stopped(company, engine, own, await read(company, path))
    await _reconciled(company, engine, own, path)
    await _on_paper(company, path, own)


async def _approved_by_one_signature(company: Company, path: str) -> None:
    digest = (await read(company, path))["scopeHash"]
    early = await (await company.desk("rae")).command(f"{path}/execute")
    assert (early.status_code, early.json()["code"]) == (409, "INVALID_TRANSITION")
    sam = await (await company.desk("sam")).command(f"{path}/approve", signed=PASSWORD, scopeHash=digest)
    assert (sam.status_code, sam.json()["code"]) == (403, "NOT_AUTHORISED")
    quinn = await company.desk("quinn")
    unsigned = await quinn.command(f"{path}/approve", scopeHash=digest)
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "REAUTH_REQUIRED")
    other = await quinn.command(f"{path}/approve", signed=PASSWORD, scopeHash="0" * 64)
    assert (other.status_code, other.json()["code"]) == (409, "CONTENT_CHANGED")
    await do(company, "quinn", f"{path}/approve", signed=PASSWORD, scopeHash=digest)


async def _stopped(company: Company, engine: Engine, own: Affected, recall: dict[str, Any]) -> None:
    """Lots are recalled, orders and picks and shipments in flight stopped; nobody else is."""
    hold = await until_hold(company, recall["hold"], "held")
    assert hold["recall"] == recall["number"]
    for lot in (*own.lots, own.sold, own.in_process):
        assert rows(engine, "SELECT status FROM lot WHERE number = :l", l=lot) == [("recalled",)], lot
    desk = await company.desk("wil")
    states = {order: (await desk.get(f"/mes/orders/{order}")).json()["state"] for order in (own.running, own.picked)}
    assert set(states.values()) == {"held"}
    assert (await desk.get(f"/mes/orders/{own.bystander}")).json()["state"] == "inProgress"
    leave = await desk.command(f"/wms/shipments/{own.in_flight}/dispatch")
    assert (leave.status_code, leave.json()["code"]) == (409, "INVALID_TRANSITION")
    assert recall["number"] in leave.json()["blockers"][0]["found"]
    work_order = (await desk.get(f"/mes/work-orders/{own.picked_work_order}")).json()
    pick = await desk.command(f"/wms/outbound-orders/{work_order['pickList']['id']}/approve")
    assert pick.status_code == 409
    anew = await prepare(company, own.sold, "10")
    assert "LOT_NOT_USABLE" in [blocker["code"] for blocker in anew.json()["blockers"]]
    (alarm,) = rows(
        engine, "SELECT detail FROM alarm WHERE code = 'RECALL' AND key = :k", k=f"recall/{recall['number']}"
    )
    assert "4 lots, 2 customers to be told" in alarm[0]


async def _reconciled(company: Company, engine: Engine, own: Affected, path: str) -> None:
    """250 come back, 30 were used, 220 are missing; every customer is told before that is final."""
    taken = f"/wms/shipments/{own.sent}/take-back"
    await do(company, "wil", taken, quantity="250", place="QUARANTINE", reason="recall")
    rae = await company.desk("rae")
    too_much = await rae.command(f"{path}/account", shipment=own.sent_too, quantity="201", note="used")
    assert (too_much.status_code, too_much.json()["code"]) == (409, "MORE_THAN_SHIPPED")
    await do(company, "rae", f"{path}/account", shipment=own.sent_too, quantity="30", note="given to patients")
    await do(company, "rae", f"{path}/told", consignee="Clinic 1", note="by telephone, Dr Li")
    early = await rae.command(f"{path}/reconcile")
    assert [(one["code"], one["id"]) for one in early.json()["blockers"]] == [("CUSTOMER_NOT_TOLD", "Clinic 2")]
    await do(company, "rae", f"{path}/told", consignee="Clinic 2", note="by telephone, Dr Wu")
    nobody = await rae.command(f"{path}/told", consignee="Clinic 3", note="by telephone")
    assert (nobody.status_code, nobody.json()["code"]) == (409, "UNKNOWN_CUSTOMER")
    await do(company, "rae", f"{path}/reconcile")
    found = (await read(company, path))["reconciliation"]
    parts = found["totals"]["pcs"]
    summed(parts)
    assert {name: part["quantity"] for name, part in parts.items()} == {
        "returned": "250", "accounted": "30", "missing": "220", "total": "500"
    }  # fmt: skip
    for one in found["shipments"]:
        assert Decimal(one["shipped"]) == sum(Decimal(one[name]) for name in ("returned", "accounted", "missing"))
    for parts in found["stock"].values():
        summed(parts)
    late = await rae.command(f"{path}/told", consignee="Clinic 1", note="once more")
    assert (late.status_code, late.json()["code"]) == (409, "INVALID_TRANSITION")
    conclusion: dict[str, Any] = {"effective": False, "conclusion": "44 % were not found"}
    denied = await rae.command(f"{path}/close", **conclusion)
    assert (denied.status_code, denied.json()["code"]) == (403, "NOT_AUTHORISED")
    await do(company, "max", f"{path}/close", **conclusion)
    closed = await read(company, path)
    assert (closed["state"], closed["effectiveness"]["effective"]) == ("closed", False)
    steps = rows(
        engine, "SELECT to_state FROM state_transition WHERE entity = 'recall' AND entity_id = :n ORDER BY id",
        n=closed["number"],
    )  # fmt: skip
    assert [step for (step,) in steps] == ["draft", "scoped", "approved", "executing", "reconciled", "closed"]


async def _on_paper(company: Company, path: str, own: Affected) -> None:
    said = {
        "en": ("Recall report", "Quinn", "missing", "220", "44 % were not found", "Clinic 2", "Dr Wu"),
        "zh": ("召回报告", "Quinn", "缺失", "220", "已通知", "Clinic 2", "Dr Wu"),
    }
    for language, words in said.items():
        answer = await (await company.desk("aud")).get(f"{path}/pdf", language=language)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        paper = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
        flat = "".join(paper.split())
        for word in (*words, *own.lots, own.sold):
            assert "".join(word.split()) in flat, (language, word)


@pytest.mark.accepts("TR-03")
async def test_a_mock_recall_goes_the_same_way_and_changes_no_status(company: Company, engine: Engine) -> None:
    own = await Affected(company, "API-MOCK").made()
    before = everything(engine)
    path = await opened(company, mock=True, lot=own.sold)
    answer = await executed(company, path)
    assert answer["hold"] is None
    found = await read(company, path)
    assert [lot["lot"] for lot in found["scope"]["lots"]] == [own.sold]
    assert found["execution"]["lots"] == [own.sold]
    for consignee in ("Clinic 1", "Clinic 2"):
        await do(company, "rae", f"{path}/told", consignee=consignee, note="this is an exercise")
    await do(company, "rae", f"{path}/reconcile")
    await do(company, "max", f"{path}/close", effective=True, conclusion="all customers answered")
    assert everything(engine) == before
    await do(company, "wil", f"/wms/shipments/{own.in_flight}/dispatch")
    paper = await (await company.desk("aud")).get(f"{path}/pdf")
    text_of = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(paper.content)).pages)
    assert "Mock recall report" in text_of


async def test_what_was_made_since_the_report_is_recalled_too(company: Company, engine: Engine) -> None:
    """Between report and execution a batch comes out of production: it is not forgotten. Lots stay recalled."""
    await receive(company, "API-SINCE", "5")
    path = await opened(company, lot="API-SINCE")
    assert [lot["lot"] for lot in (await scoped(company, path))["lots"]] == ["API-SINCE"]
    order, _ = await at_stage(company, "inspecting", fixedLots={"API": ["API-SINCE"]})
    made = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["workOrders"][0]["outputLot"]
    digest = (await read(company, path))["scopeHash"]
    await do(company, "max", f"{path}/approve", signed=PASSWORD, scopeHash=digest)
    again = await (await company.desk("rae")).command(f"{path}/scope")
    assert (again.status_code, again.json()["code"]) == (409, "INVALID_TRANSITION")
    answer = await do(company, "rae", f"{path}/execute")
    await until_hold(company, answer["hold"], "held")
    assert (await read(company, path))["execution"]["addedSince"] == [made]
    await let_go(company, "API-SINCE", answer["hold"])
    await until_hold(company, answer["hold"], "released")
    for lot in ("API-SINCE", made):
        assert rows(engine, "SELECT status FROM lot WHERE number = :l", l=lot) == [("recalled",)]


async def test_a_recall_of_nothing_is_refused(company: Company) -> None:
    rae = await company.desk("rae")
    answer = await rae.command("/quality/recalls", reason="glass was found", supplierLot="NOBODY")
    assert (answer.status_code, answer.json()["code"]) == (409, "UNKNOWN_LOT")
    both = await rae.command("/quality/recalls", reason="glass was found", lot="A", supplierLot="B")
    assert both.status_code == 422
    assert (await rae.get("/quality/recalls/RECALL-99999")).status_code == 404
