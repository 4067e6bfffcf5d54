"""A planner submits only what can be made: everything that is missing is named before anybody approves."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from api.documents import order_id
from tests.api.company import Company, line, material, operation, policy
from tests.api.records import effective, said
from tests.api.test_master_data import loaded, post
from tests.api.words import do

EARLY, LATE = "2027-03-01T06:00:00Z", "2027-03-02T06:00:00Z"
FUTURE = "2099-01-01T00:00:00Z"
STRICT, GATED = "strict", "strict-gated"
POLICIES = [
    policy(STRICT, completeToSubmit=True, signatures={}),
    policy(GATED, completeToSubmit=True, signatures={}, startGate=True, masterBatchRecord=True),
]


def made_of_api(product: str, **more: Any) -> dict[str, Any]:
    """A bill of material."""
    return {
        "product": product,
        "version": "1",
        "baseQuantity": "1",
        "lines": [line(1, "API", "1", "kg", "MIX")],
        **more,
    }


def mixed(product: str, capability: str = "MIX", **more: Any) -> dict[str, Any]:
    """A route of one operation."""
    steps = [operation("MIX", 10, capability, [], countsPieces=True, isOutput=True)]
    return {"product": product, "version": "1", "operations": steps, **more}


PRODUCTS: dict[str, Any] = {
    "policies": POLICIES,
    "materials": [
        {**material("GONE", "finished", "pcs"), "isActive": False},
        *(material(code, "finished", "pcs") for code in ("UNROUTED", "UNLISTED", "LATER", "GATE", "WHOLE")),
    ],
    "billsOfMaterial": [
        *(made_of_api(code) for code in ("GONE", "UNROUTED", "GATE", "WHOLE")),
        made_of_api("LATER", effectiveFrom=FUTURE),
    ],
    "routes": [
        *(mixed(code) for code in ("GONE", "UNLISTED", "GATE", "WHOLE")), mixed("LATER", "FLY", effectiveFrom=FUTURE),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """An order that cannot be made: its plan line, and code and object of everything that its submission names."""

    name: str
    product: str
    missing: set[tuple[str, str]]
    policy: str = STRICT
    plan: dict[str, Any] = field(default_factory=dict)
    quantity: Decimal | None = None
    """Not what the plan line says: it takes only more than 0, and so does the table behind it."""


BROKEN = [
    Broken("a product that is not active", "GONE", {("OBSOLETE_PART", "GONE")}),
    Broken("no route", "UNROUTED", {("NO_ROUTE", "UNROUTED")}),
    Broken("no bill of material", "UNLISTED", {("NO_BOM", "UNLISTED")}),
    Broken("both effective only later", "LATER", {("NO_ROUTE", "LATER"), ("NO_BOM", "LATER")}),
    Broken("nothing to make", "WHOLE", {("QUANTITY_NOT_POSITIVE", "this order")}, quantity=Decimal(0)),
    Broken("due before it starts", "WHOLE", {("DATES_OUT_OF_ORDER", "its plan line")},
           plan={"startAt": LATE, "dueAt": EARLY}),
    Broken("no such equipment and nobody trained", "GATE",
           {("NO_EQUIPMENT", "GATE/MIX"), ("NO_QUALIFIED_PERSON", "GATE/MIX")}, policy=GATED),
    Broken("everything at once", "GONE",
           {("OBSOLETE_PART", "GONE"), ("RECIPE_NOT_EFFECTIVE", "GONE"), ("DATES_OUT_OF_ORDER", "its plan line"),
            ("QUANTITY_NOT_POSITIVE", "this order")},
           policy=GATED, plan={"startAt": LATE, "dueAt": LATE}, quantity=Decimal(-5)),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
async def _products(company: Company) -> None:
    await post(company, PRODUCTS)
    body = {"billOfMaterialVersion": "1", "routeVersion": "1", "balanceLimitPercent": "3", "materials": [],
            "operations": [said("MIX", equipmentClass="GRANULATOR", training="GRANULATION")]}  # fmt: skip
    await effective(company, "1", body, "GATE")


Order = Callable[[int, Broken], Any]


@pytest.fixture
def order(company: Company, app: Any, engine: Engine) -> Order:
    """Makes the order of a row of the table: (its number, its reference)."""

    async def make(row: int, of: Broken) -> tuple[str, str]:
        number, reference = f"PO-{row}-{uuid.uuid4().hex[:10]}", f"PL-SUBMIT-{row}"
        plan = {"product": of.product, "policy": of.policy, "quantity": "3", "orderNumber": number, **of.plan}
        stored = await company.plan(reference, **plan)
        if of.quantity is None:
            await (await company.desk("pia")).post(f"/mes/orders/from-plan/{stored['id']}")
        else:
            specification = loaded(engine, reference, quantity=of.quantity)
            services = app.state.services
            await services.outcomes.ask(f"create/{number}", lambda: services.orders.start(specification))
        return number, reference

    return make


async def submitted(company: Company, number: str) -> httpx.Response:
    """Pia submits it."""
    return await (await company.desk("pia")).command(f"/mes/orders/{order_id(number)}/submit")


@pytest.mark.accepts("PO-02")
@pytest.mark.usefixtures("working")
async def test_eight_broken_orders_are_refused_with_exactly_what_is_missing(company: Company, order: Order) -> None:
    assert len(BROKEN) == 8
    found: dict[str, Any] = {}
    wanted: dict[str, Any] = {}
    for row, broken in enumerate(BROKEN):
        number, reference = await order(row, broken)
        answer = await submitted(company, number)
        assert answer.status_code == 409, (broken.name, answer.text)
        blockers = answer.json()["blockers"]
        assert all(own["found"] and own["required"] and own["whoCanFix"] for own in blockers)
        found[broken.name] = sorted((own["code"], own["id"]) for own in blockers)
        names = {"this order": number, "its plan line": reference}
        wanted[broken.name] = sorted((code, names.get(own, own)) for code, own in broken.missing)
        shown = (await (await company.desk("pia")).get(f"/mes/orders/{order_id(number)}")).json()
        assert shown["state"] == "draft"
    assert found == wanted


@pytest.mark.accepts("PO-02")
@pytest.mark.usefixtures("working")
async def test_when_everything_is_there_it_is_submitted(company: Company, order: Order) -> None:
    whole = Broken("whole", "WHOLE", set(), plan={"startAt": EARLY, "dueAt": LATE})
    number, _ = await order(20, whole)
    assert (await submitted(company, number)).status_code == 200
    shown = (await (await company.desk("pia")).get(f"/mes/orders/{order_id(number)}")).json()
    assert (shown["state"], shown["startAt"][:19]) == ("submitted", EARLY[:19])
    gated = Broken("gated", "GATE", set(), policy=GATED)
    await do(company, "pat", "/equipment-classes", code="GRANULATOR", name="Granulator")
    await do(company, "pat", "/equipment", code="GR-1", name="Granulator 1", equipmentClass="GRANULATOR",
             workstation="BENCH", calibrated=False)  # fmt: skip
    await do(
        company,
        "max",
        "/training-records",
        person="ole",
        qualification="GRANULATION",
        validUntil="2099-01-01T00:00:00Z",
    )
    number, _ = await order(21, gated)
    assert (await submitted(company, number)).status_code == 200
    # Equipment that is gone for good and training that is over are as good as none.
    await do(company, "max", "/equipment/GR-1/retire", reason="sold to a museum")
    await do(
        company,
        "max",
        "/training-records",
        person="ole",
        qualification="GRANULATION",
        validUntil="2020-01-01T00:00:00Z",
    )
    number, _ = await order(22, gated)
    blockers = (await submitted(company, number)).json()["blockers"]
    assert [(own["code"], own["id"]) for own in blockers] == [
        ("NO_EQUIPMENT", "GATE/MIX"), ("NO_QUALIFIED_PERSON", "GATE/MIX"),
    ]  # fmt: skip
