"""However a quantity is planned anew, none of it is lost and none is there twice: a property, tried at chance."""

import itertools
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.api.company import Company, line, material, operation, policy
from tests.api.planning_words import own_numbers
from tests.api.test_master_data import post
from tests.api.words import do, receive, until

pytestmark = pytest.mark.usefixtures("working")
WHY = "planned anew"
NOTHING = Decimal(0)
MOST_LINES = 6
_roots = itertools.count(1)

SCREWS: dict[str, Any] = {
    "materials": [material("WIRE", "raw", "kg"), material("SCREW", "finished", "kg")],
    "workstations": [{"code": "L-1", "name": "Lathe", "capabilities": ["THREAD"]}],
    "billsOfMaterial": [
        {"product": "SCREW", "version": "1", "baseQuantity": "1", "lines": [line(1, "WIRE", "2", "kg", "THREAD")]}
    ],
    "routes": [
        {"product": "SCREW", "version": "1", "operations": [
            operation("THREAD", 10, "THREAD", [], countsPieces=True, isOutput=True)]},
    ],
    "inspectionPlans": [
        {"material": "WIRE", "characteristics": [{"name": "water", "unit": "%", "high": "1", "required": True}]}
    ],
    "policies": [
        policy("screws", approvals=0, certification=False, productionRelease=False, pickListApproval=False,
               issueAutomatically=True, putAwayByPerson=False, putAwayPlace="FINISHED"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
async def workshop(company: Company, engine: Engine, working: None) -> None:
    """Screws by weight, and more wire than all of them need."""
    own_numbers(engine, 200_000)
    await post(company, SCREWS)
    await receive(company, "WIRE-1", "1000000", "WIRE")


SCRAPPED = [(0, 50), (0, 50), (0, 50), (12, 50), (0, 50)]
"""Order, run, report, cancel and scrap, backorder: chance alone might leave it out."""
CUT_DOWN = [(0, 50), (0, 50), (0, 60), (4, 51), (0, 50), (0, 50)]
"""Order, run, report, reduce to what was reported, end, backorder of the scrap."""


@dataclass
class Planned:
    """A plan line as the test keeps it: what it knows is what it did, nothing of it is read from the system."""

    id: str
    reference: str
    quantity: Decimal
    kind: str | None = None
    parent: str | None = None
    state: str = "plan"
    ordered: Decimal = NOTHING
    good: Decimal = NOTHING
    scrap: Decimal = NOTHING
    backordered: Decimal = NOTHING
    order: str = ""
    work_order: str = ""
    trace: Any = None

    @property
    def left(self) -> Decimal:
        """What can still be reported."""
        return self.ordered - self.good - self.scrap

    def account(self) -> tuple[Decimal, Decimal, Decimal]:
        """Open, good, lost."""
        match self.state:
            case "plan":
                return self.quantity, NOTHING, NOTHING
            case "split":
                return NOTHING, NOTHING, NOTHING
            case "ended":
                return NOTHING, self.good, self.ordered - self.good - self.backordered
            case _:
                return self.left, self.good, self.scrap


@dataclass
class Planning:
    """A family of plan lines, and the words to move it."""

    company: Company
    lines: list[Planned] = field(default_factory=list)

    def possible(self) -> list[tuple[str, Planned]]:
        """What can be done now, and to which line; what leads on stands there more often than what does not."""
        found: list[tuple[str, Planned]] = []
        for own in self.lines:
            match own.state:
                case "plan":
                    found += [("order", own)] * 3 + [("split", own)] * (len(self.lines) < MOST_LINES)
                case "ordered":
                    found += [("run", own)] * 4 + [("split_order", own)] * (len(self.lines) < MOST_LINES)
                    found += [("cancel", own)]
                case "running":
                    found += [("report", own)] * 4 if own.left > 0 else []
                    found += [("reduce", own)] * 5 if 0 < own.left < own.ordered else []
                    found += [("end", own)] * 3 if own.left < own.ordered else []
                    found += [("cancel", own)]
                case "ended" if own.good < own.ordered and not own.backordered:
                    found += [("backorder", own)] * 4
        return found

    def _made(self, of: Planned, kind: str, answer: dict[str, Any]) -> None:
        for own in answer["planLines"]:
            quantity = Decimal(own["quantity"])
            self.lines.append(Planned(own["id"], own["reference"], quantity, kind, of.reference))

    async def split(self, own: Planned, share: int) -> None:
        answer = await do(self.company, "pia", f"/mes/plan-lines/{own.id}/split", parts=parts(own.quantity, share))
        own.state = "split"
        self._made(own, "split", answer)

    async def order(self, own: Planned, share: int) -> None:
        made = await do(self.company, "pia", f"/mes/orders/from-plan/{own.id}")
        own.state, own.order, own.work_order = "ordered", made["id"], made["workOrders"][0]["id"]
        own.ordered = own.quantity

    async def split_order(self, own: Planned, share: int) -> None:
        body = {"parts": parts(own.quantity, share), "reason": WHY}
        answer = await do(self.company, "pia", f"/mes/orders/{own.order}/split", **body)
        own.state = "split"
        self._made(own, "split", answer)

    async def run(self, own: Planned, share: int) -> None:
        await do(self.company, "pia", f"/mes/orders/{own.order}/submit")
        await do(self.company, "sam", f"/mes/orders/{own.order}/release")
        await do(self.company, "sam", f"/mes/work-orders/{own.work_order}/dispatch")
        await until(self.company, own.order, lambda found: found["workOrders"][0]["state"] == "ready")
        await do(self.company, "olu", f"/mes/work-orders/{own.work_order}/operations/THREAD/start")
        own.state = "running"

    async def report(self, own: Planned, share: int) -> None:
        good = cut(own.left, share)
        scrap = cut(own.left - good, 100 - share)
        body = {"workOrderId": own.work_order, "operation": "THREAD", "good": str(good), "scrap": str(scrap)}
        await do(self.company, "olu", "/mes/production-reports/report", **body, scrapReason="bent")
        own.good, own.scrap = own.good + good, own.scrap + scrap

    async def reduce(self, own: Planned, share: int) -> None:
        """Every second time to what was reported, else somewhere between that and what was ordered."""
        taken = own.left if share % 2 else cut(own.left, share) or own.left
        target = own.ordered - taken
        named = {} if share % 2 else {"quantity": str(target)}
        answer = await do(self.company, "sam", f"/mes/orders/{own.order}/reduce", reason=WHY, **named)
        assert Decimal(answer["planLines"][0]["quantity"]) == own.ordered - target
        own.ordered = target
        self._made(own, "rest", answer)

    async def end(self, own: Planned, share: int) -> None:
        await do(self.company, "olu", f"/mes/work-orders/{own.work_order}/operations/THREAD/complete")
        await until(self.company, own.order, lambda found: found["state"] == "completed")
        own.state, own.trace = "ended", await self.trace(own)

    async def cancel(self, own: Planned, share: int) -> None:
        disposition = "keepAsLot" if share % 2 else "scrap"
        await do(self.company, "sam", f"/mes/orders/{own.order}/cancel", reason=WHY, disposition=disposition)
        await until(self.company, own.order, lambda found: found["state"] in ("cancelled", "aborted"))
        own.state, own.good = "ended", own.good if disposition == "keepAsLot" else NOTHING

    async def backorder(self, own: Planned, share: int) -> None:
        answer = await do(self.company, "pia", f"/mes/orders/{own.order}/backorder")
        own.backordered = own.ordered - own.good
        assert Decimal(answer["planLines"][0]["quantity"]) == own.backordered
        self._made(own, "backorder", answer)

    async def trace(self, own: Planned) -> Any:
        """What the lot of an order was made from, and what went where."""
        desk = await self.company.desk("pia")
        lot = (await desk.get(f"/mes/work-orders/{own.work_order}")).json()["outputLot"]
        answer = await desk.get(f"/mes/traceabilities/lots/{lot}", direction="backward")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def is_even(self, seen_from: Planned) -> None:
        """The system says of every line what the test knows; all together it is what was planned first."""
        answer = await (await self.company.desk("pia")).get(f"/mes/plan-lines/{seen_from.id}")
        family = answer.json()["family"]
        found = {own["reference"]: own for own in family["lines"]}
        assert found.keys() == {own.reference for own in self.lines}
        total = NOTHING
        for own in self.lines:
            said = found[own.reference]
            account = tuple(Decimal(said[name]) for name in ("open", "good", "lost"))
            assert account == own.account(), own
            assert (said["kind"], said["parent"], Decimal(said["quantity"])) == (own.kind, own.parent, own.quantity)
            total += sum(account)
        assert total == Decimal(family["planned"]) == self.lines[0].quantity
        assert (family["surplus"], family["underDecision"]) == ("0", "0")


def cut(quantity: Decimal, share: int) -> Decimal:
    """`share` percent of a quantity, to the thousandth."""
    return (quantity * share / 100).quantize(Decimal("0.001"), ROUND_DOWN)


def parts(quantity: Decimal, share: int) -> list[dict[str, str]]:
    """Two or three parts that sum to the quantity, none of them empty."""
    first = cut(quantity, share) or quantity / 2
    rest = quantity - first
    third = cut(rest, 50)
    found = [first, rest - third, third] if third else [first, rest]
    return [{"quantity": format(own, "f")} for own in found]


@pytest.mark.timeout(400)
@pytest.mark.accepts("A5", "A7", "A13", "A17", "A19")
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(first="1000", steps=SCRAPPED)
@example(first="333.333", steps=CUT_DOWN)
@given(
    first=st.sampled_from(["1000", "7", "0.75", "333.333"]),
    steps=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 99)), min_size=8, max_size=20),
)
async def test_nothing_is_lost_and_nothing_is_there_twice(
    company: Company, first: str, steps: list[tuple[int, int]]
) -> None:
    root = await company.plan(f"SUM-{next(_roots)}", product="SCREW", unit="kg", policy="screws", quantity=first)
    planning = Planning(company, [Planned(root["id"], root["reference"], Decimal(first))])
    for choice, share in steps:
        possible = planning.possible()
        if not possible:
            break
        what, own = possible[choice % len(possible)]
        await getattr(planning, what)(own, share)
        await planning.is_even(seen_from=planning.lines[choice % len(planning.lines)])
    for own in planning.lines:
        if own.trace is not None:
            assert await planning.trace(own) == own.trace
            assert [edge["from"] for edge in own.trace["edges"]] == ["WIRE-1"]
