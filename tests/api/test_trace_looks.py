"""A look at a trace is in the audit trail; what lies outside one's scope is refused or left out, also seen there."""

import pytest
from sqlalchemy import Engine

from tests.api.company import Company
from tests.api.signing import audited
from tests.api.test_scope import limited
from tests.api.words import at_stage, receive

pytestmark = [pytest.mark.usefixtures("working"), pytest.mark.accepts("C7")]
TRACES = "/mes/traceabilities"


async def made_in(company: Company, plant: str) -> str:
    """The lot of a batch that was made in a plant."""
    _, work_order = await at_stage(company, "completed", plant=plant)
    found = (await (await company.desk("sam")).get(f"/mes/work-orders/{work_order}")).json()
    lot: str = found["outputLot"]
    return lot


async def test_looks_are_written_down_and_stay_inside(company: Company, engine: Engine) -> None:
    await receive(company, "API-LOOK", "100")
    here, there = await made_in(company, "north"), await made_in(company, "south")
    nils = await limited(company, "nils", "qaReviewer", plants=["north"])

    before = len(audited(engine, "auth.denied"))
    outside = [
        await nils.get(f"{TRACES}/{path}", **query)
        for path, query in (
            (f"lots/{there}", {}), (f"batch/{there}", {}), (f"batch/{there}/summary", {}),
            (f"batch/{there}/validate/TAB", {}), (f"forward-trace/{there}", {}), ("graph", {"batch": there}),
            (f"serial/{there}", {}),
        )
    ]  # fmt: skip
    assert [(answer.status_code, answer.json()["code"]) for answer in outside] == [(403, "OUT_OF_SCOPE")] * 7
    denied = audited(engine, "auth.denied")[before:]
    assert [row.actor for row in denied] == ["nils"] * 7
    assert all(there in row.entity for row in denied)

    # What belongs to everybody shows only what became of it inside.
    forward = (await nils.get(f"{TRACES}/lots/API-LOOK", direction="forward")).json()
    assert {node["lot"] for node in forward["nodes"]} == {"API-LOOK", here}
    assert forward["outsideScope"] == 1
    assert {edge["to"] for edge in forward["edges"]} == {here}
    graph = (await nils.get(f"{TRACES}/graph", material="TAB", direction="downstream")).json()
    assert graph["seeds"] == [here]
    products = (await nils.get(f"{TRACES}/backward-trace/TAB")).json()
    assert products["lots"] == [here]
    assert (await nils.get("/mes/orders", limit=500)).json()["orders"][0]["plant"] == "north"
    looks = [row for row in audited(engine, "trace.viewed") if row.actor == "nils"]
    assert [row.entity for row in looks] == ["trace/API-LOOK", "trace/graph", "trace/TAB"]
    assert looks[0].new == {"path": "lots", "direction": "forward"}
    assert looks[1].new["material"] == "TAB"
    assert all(row.source for row in looks)

    # Somebody without limits sees both, and is written down all the same; so is a look at what does not exist.
    rae = await company.desk("rae")
    everything = (await rae.get(f"{TRACES}/lots/API-LOOK", direction="forward")).json()
    assert {node["lot"] for node in everything["nodes"]} == {"API-LOOK", here, there}
    assert "outsideScope" not in everything
    assert (await rae.get(f"{TRACES}/batch/NO-SUCH-LOT/summary")).status_code == 404
    last, missing = audited(engine, "trace.viewed")[-2:]
    assert (last.actor, last.entity) == ("rae", "trace/API-LOOK")
    assert (missing.entity, missing.new) == ("trace/NO-SUCH-LOT", {"path": "batch/summary"})
