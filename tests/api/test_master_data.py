"""Master data: structure, routes, import, and the specification that is made from them."""

import copy
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, literal, select

from db.queries.specification import load_specification, needed_quantity
from db.queries.structure import Part, loop
from db.tables import PlanLine, core
from domain.base import uuid_for
from domain.errors import Refused
from domain.specification import OrderSpecification
from tests.api.company import MASTER_DATA, Company, line, material, operation

_numbers = itertools.count(1)
_asking: ContextVar[bool] = ContextVar("asking", default=False)
"""Goes along with a request into the API, which runs in this process, and into its threads."""


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent meanwhile for who asks here; not those of the API's own work in the background."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if _asking.get():
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    token = _asking.set(True)
    try:
        yield sent
    finally:
        _asking.reset(token)
        event.remove(engine, "before_cursor_execute", note)


async def post(company: Company, document: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """Import a document."""
    answer = await (await company.desk("pat")).post("/master-data/import", document)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def specification(
    company: Company, engine: Engine, moment: datetime | None = None, **plan: Any
) -> OrderSpecification:
    """What an order of this plan line would run on."""
    reference = f"SPEC-{next(_numbers)}"
    await company.plan(reference, batchNumber=f"LOT-{reference}", **plan)
    return loaded(engine, reference, moment)


def loaded(engine: Engine, reference: str, moment: datetime | None = None, **instead: Any) -> OrderSpecification:
    """What an order of the line would run on, had the line other columns: those that no import would take."""
    columns = [column for column in core(PlanLine).c if column.name not in instead]
    changed = [literal(value).label(name) for name, value in instead.items()]
    with engine.connect() as connection:
        statement = select(*columns, *changed).where(core(PlanLine).c.reference == reference)
        return load_specification(connection, connection.execute(statement).one(), "pia", moment)


@pytest.mark.accepts("A1")
async def test_the_structure_of_a_product_of_three_levels(company: Company, engine: Engine) -> None:
    desk = await company.desk("pat")
    with counted(engine) as _:
        cart = (await desk.get(f"/product/{uuid_for('material', 'CART')}/bom")).json()
    axle, grease = cart["lines"]
    assert (cart["version"], axle["quantity"], axle["unit"]) == ("1", "2", "pcs")
    assert (grease["material"], grease["lossPercent"], grease["bom"]) == ("GREASE", "10", None)
    rod = axle["bom"]["lines"][0]
    assert (rod["material"], rod["lossPercent"], rod["bom"]["baseQuantity"]) == ("ROD", "50", "3")
    assert rod["bom"]["lines"][0]["material"] == "STEEL"
    assert (await desk.get(f"/product/{uuid_for('material', 'NONE')}/bom")).status_code == 404


@pytest.mark.accepts("A1")
async def test_a_loop_is_refused_and_named(company: Company) -> None:
    bom = {"product": "ROD", "version": "2", "baseQuantity": "1", "lines": [line(1, "CART", "1", "pcs", "CUT")]}
    answer = await post(company, {"billsOfMaterial": [bom]}, 409)
    assert answer["code"] == "BOM_LOOP"
    assert answer["blockers"][0]["found"] == "ROD → CART → AXLE → ROD"
    # Neither may a loop begin on some day to come, nor lie in a draft.
    for more in ({"effectiveFrom": "2198-01-01T00:00:00Z"}, {"state": "draft"}):
        answer = await post(company, {"billsOfMaterial": [{**bom, "version": "3", **more}]}, 409)
        assert answer["blockers"][0]["found"] == "ROD → CART → AXLE → ROD"
    structure = await (await company.desk("pat")).get(f"/product/{uuid_for('material', 'ROD')}/bom")
    assert structure.json()["version"] == "1"


@pytest.mark.accepts("A1")
async def test_a_loop_with_a_version_of_some_day_to_come_is_refused(company: Company) -> None:
    one, other = (material(code, "semiFinished", "pcs") for code in ("LOOP-A", "LOOP-B"))
    later = {"product": "LOOP-A", "version": "1", "baseQuantity": "1", "effectiveFrom": "2197-01-01T00:00:00Z",
             "lines": [line(1, "LOOP-B", "1", "pcs", "FIT")]}  # fmt: skip
    await post(company, {"materials": [one, other], "billsOfMaterial": [later]})
    now = {"product": "LOOP-B", "version": "1", "baseQuantity": "1", "lines": [line(1, "LOOP-A", "1", "pcs", "FIT")]}
    answer = await post(company, {"billsOfMaterial": [now]}, 409)
    assert answer["blockers"][0]["found"] == "LOOP-B → LOOP-A → LOOP-B"


@pytest.mark.accepts("A1")
async def test_a_structure_that_doubles_with_every_level_has_an_end(company: Company, app: Any) -> None:
    codes = [f"DOUBLE-{level:02}" for level in range(24)]
    boms = [
        {"product": upper, "version": "1", "baseQuantity": "1", "lines": [
            line(number, lower, "1", "pcs", "FIT", "2.5") for number in (1, 2)]}
        for upper, lower in itertools.pairwise(codes)
    ]  # fmt: skip
    await post(
        company, {"materials": [material(code, "semiFinished", "pcs") for code in codes], "billsOfMaterial": boms}
    )
    desk = await company.desk("pat")
    answer = await desk.get(f"/product/{uuid_for('material', codes[0])}/bom")
    assert (answer.status_code, answer.json()["code"]) == (409, "STRUCTURE_TOO_LARGE")
    with counted(app.state.services.engine) as sent:
        structure = (await desk.get(f"/product/{uuid_for('material', codes[12])}/bom")).json()
    assert len(sent) <= 4  # three, and now and then the session
    depth = 0
    while structure:
        lines = structure["lines"]
        assert [(own["version"], own["lossPercent"]) for own in lines] in (
            [("1", "2.5")] * 2, [(None, "2.5")] * 2,
        )  # fmt: skip
        structure, depth = lines[0]["bom"], depth + 1
    assert depth == 11


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.integers(0, 7), st.sets(st.integers(0, 7)), max_size=8))
def test_loops_are_found_as_networkx_finds_them(edges: dict[int, set[int]]) -> None:
    class Line:
        def __init__(self, code: str) -> None:
            self.material = code

    def part(code: int, below: set[int]) -> Part:
        lines: Any = tuple(Line(str(other)) for other in sorted(below))
        return Part(str(code), None, "", "", "", True, True, None, "", "1", Decimal(1), lines)

    found = loop({str(code): part(code, below) for code, below in edges.items()})
    graph: Any = nx.DiGraph([(str(code), str(other)) for code, below in edges.items() for other in below])
    assert (found is not None) == (not nx.is_directed_acyclic_graph(graph))
    if found is not None:
        assert found[0] == found[-1]
        assert all(graph.has_edge(*step) for step in itertools.pairwise(found))


@pytest.mark.accepts("A2")
async def test_routes_and_stations(company: Company) -> None:
    desk = await company.desk("olu")
    tree = (await desk.get("/process/routes/tree")).json()
    assert [route["product"] for route in tree if route["product"] in ("AXLE", "CART", "ROD", "TAB")] == [
        "AXLE", "CART", "ROD", "TAB",
    ]  # fmt: skip
    own = (await desk.get(f"/process/routes/by-product/{uuid_for('material', 'TAB')}")).json()
    assert [operation["code"] for operation in own["operations"]] == ["MIX", "PRESS"]
    assert own["operations"][1]["parameters"][0]["low"] == "108"
    before = (await desk.get("/process/operations/CUT/workstations")).json()
    assert [station["code"] for station in before] == ["SAW-1", "SAW-2"]
    broken = {**MASTER_DATA["workstations"][1], "isActive": False}
    await post(company, {"workstations": [broken]})
    after = (await desk.get("/process/operations/CUT/workstations")).json()
    assert [station["code"] for station in after] == ["SAW-1"]
    for route in tree:
        for own in route["operations"]:
            by_id = (await desk.get(f"/process/operations/{own['id']}/workstations")).json()
            assert by_id == (await desk.get(f"/process/operations/{own['capability']}/workstations")).json()
    assert (await desk.get(f"/process/operations/{uuid_for('x', 'y')}/workstations")).status_code == 404
    await post(company, {"workstations": [MASTER_DATA["workstations"][1]]})


@pytest.mark.accepts("A3")
async def test_ten_thousand_products_cost_no_more_statements(company: Company, app: Any) -> None:
    engine = app.state.services.engine
    desk = await company.desk("olu")
    with counted(engine) as few:
        await desk.get("/product/grouped")
        await desk.get("/product/by-category/AX")
    many = [material(f"K-{number:05}", "raw", "kg") for number in range(10_000)]
    await post(company, {"materials": many})
    with counted(engine) as lots:
        groups = {row["kind"]: row["materials"] for row in (await desk.get("/product/grouped")).json()}
        page = (await desk.get("/product/by-category/K-0999", limit=1000)).json()
    assert groups["raw"] >= 10_000
    assert [row["code"] for row in page["materials"]] == [f"K-0999{digit}" for digit in range(10)]
    assert len(lots) <= max(len(few), 4)


async def test_importing_again_changes_nothing(company: Company, engine: Engine) -> None:
    assert (await post(company, MASTER_DATA))["changed"] == {}
    renamed = copy.deepcopy(MASTER_DATA)
    renamed["materials"][0]["name"] = "Steel, drawn"
    assert (await post(company, renamed))["changed"] == {"material": 1}
    assert (await post(company, MASTER_DATA))["changed"] == {"material": 1}
    rows = (await (await company.desk("aud")).get("/audit", entity="material/STEEL")).json()["rows"]
    assert [row["action"] for row in rows] == ["material.changed", "material.changed", "material.created"]
    assert rows[1]["new"]["name"] == "Steel, drawn"


@pytest.mark.accepts("MD-03")
@pytest.mark.parametrize("part", ["billsOfMaterial", "routes", "policies"])
async def test_a_version_is_never_changed(company: Company, part: str) -> None:
    changed = copy.deepcopy(MASTER_DATA[part][0])
    match part:
        case "billsOfMaterial":
            changed["lines"][0]["quantity"] = "3"
        case "routes":
            changed["operations"][0]["name"] = "Saw"
        case _:
            changed["approvals"] = 2
    assert (await post(company, {part: [changed]}, 409))["code"] == "VERSION_LOCKED"


async def test_what_does_not_fit_together_is_refused_as_a_whole(company: Company) -> None:
    document = {
        "materials": [material("NEW", "raw", "kg")],
        "billsOfMaterial": [
            {"product": "TAB", "version": "9", "baseQuantity": "1", "lines": [
                line(1, "API", "1", "g", "MIX"), line(2, "GHOST", "1", "kg", "MIX")]}
        ],
    }  # fmt: skip
    answer = await post(company, document, 409)
    assert {blocker["code"] for blocker in answer["blockers"]} == {"UNIT_MISMATCH", "UNKNOWN_MATERIAL"}
    listed = (await (await company.desk("pat")).get("/master-data/materials", prefix="NEW")).json()
    assert listed["materials"] == []
    ring = [operation("A", 1, "CUT", ["B"]), operation("B", 2, "CUT", ["A", "C"])]
    answer = await post(company, {"routes": [{"product": "TAB", "version": "9", "operations": ring}]}, 409)
    assert [blocker["code"] for blocker in answer["blockers"]] == ["UNKNOWN_PREDECESSOR", "NO_OUTPUT", "ROUTE_LOOP"]


@pytest.mark.accepts("A7")
async def test_one_work_order_for_each_made_level(company: Company, engine: Engine) -> None:
    made = await specification(company, engine, product="CART", quantity="10")
    cart, axle, rod = made.work_orders
    assert [own.number[-3:] for own in made.work_orders] == ["-01", "-02", "-03"]
    assert (axle.feeds, rod.feeds, cart.feeds) == (cart.number, axle.number, None)
    assert cart.materials[0].fixed_lots == (axle.output_lot,)
    assert axle.materials[0].fixed_lots == (rod.output_lot,)
    assert [(own.material, own.quantity) for own in cart.materials] == [("AXLE", 20), ("GREASE", Decimal("1.1"))]
    assert [axle.quantity, rod.quantity, rod.materials[0].quantity] == [20, 30, 10]
    assert [own.sequence for own in cart.operations] == [10, 20, 30]
    assert {own.workstation for own in cart.operations[:2]} == {"SAW-1", "SAW-2"}
    assert cart.output_lot.startswith("LOT-SPEC")
    assert made.gaps == ()


async def test_lots_that_the_plan_names_are_taken_from_stock(company: Company, engine: Engine) -> None:
    made = await specification(company, engine, product="CART", quantity="1", fixedLots={"AXLE": ["A-1"]})
    (cart,) = made.work_orders
    assert cart.materials[0].fixed_lots == ("A-1",)


@pytest.mark.accepts("A4")
async def test_gaps_are_named(company: Company, engine: Engine) -> None:
    obsolete = {**material("OLD", "raw", "kg"), "isActive": False}
    await post(
        company,
        {
            "materials": [obsolete, *(material(code, "finished", "pcs") for code in ("BARE", "LOST"))],
            "billsOfMaterial": [
                {"product": "LOST", "version": "1", "baseQuantity": "1", "lines": [
                    line(1, "OLD", "1", "kg", "NOWHERE")]}
            ],
            "routes": [{"product": "LOST", "version": "1", "operations": [
                operation("FLY", 1, "FLY", [], isOutput=True)]}],
        },
    )  # fmt: skip
    codes = {gap.code for gap in (await specification(company, engine, product="LOST")).gaps}
    assert codes == {"OBSOLETE_PART", "NO_WORKSTATION", "NO_OPERATION"}
    assert [gap.code for gap in (await specification(company, engine, product="BARE")).gaps] == ["NO_BOM", "NO_ROUTE"]
    line_id = (await company.plan("PL-LOST", product="LOST"))["id"]
    found = (await (await company.desk("pia")).get("/validation/work-order-data-integrity", planId=line_id)).json()
    assert {finding["code"] for finding in found["findings"]} == codes
    plain = await specification(company, engine, product="BARE", policy="plain")
    assert [gap.code for gap in plain.gaps] == ["NO_ROUTE"]
    assert [gap.code for gap in loaded(engine, "PL-LOST", product="GHOST").gaps] == ["UNKNOWN_PRODUCT"]
    with pytest.raises(Refused, match="POLICY_MISSING"):
        loaded(engine, "PL-LOST", policy="none")


async def test_the_number_of_statements_does_not_grow(company: Company, engine: Engine) -> None:
    with counted(engine) as small:
        await specification(company, engine, product="TAB")
    with counted(engine) as large:
        await specification(company, engine, product="CART")
    assert len(small) == len(large) == 9  # the plan line itself, and 8


async def test_a_version_of_tomorrow_does_not_count_today(company: Company, engine: Engine) -> None:
    later = {**MASTER_DATA["billsOfMaterial"][3], "version": "2", "effectiveFrom": "2199-01-01T00:00:00Z"}
    draft = {**MASTER_DATA["billsOfMaterial"][3], "version": "3", "state": "draft"}
    await post(company, {"billsOfMaterial": [later, draft]})
    assert (await specification(company, engine)).bill_of_material_version == "1"
    made = await specification(company, engine, datetime(2199, 6, 1, tzinfo=UTC))
    assert made.bill_of_material_version == "2"


@given(
    quantity=st.decimals("0.001", "1000000", places=6),
    of_parent=st.decimals("0.001", "1000000", places=3),
    base=st.decimals("0.001", "100000", places=3),
    loss=st.decimals("0", "1000", places=3),
)
def test_quantities_can_be_written_out(quantity: Decimal, of_parent: Decimal, base: Decimal, loss: Decimal) -> None:
    needed = needed_quantity(quantity, of_parent, base, loss)
    exact = quantity * of_parent * (1 + loss / 100) / base
    assert abs(needed - exact) <= Decimal("0.000001")
    assert "E" not in format(needed, "f")
