"""An order's life as the ERP hears of it: operations performance with the lots that went in and came out (IN-01)."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.b2mml import planned
from tests.outside import Outside, outside
from tests.plant import Plant

pytestmark = pytest.mark.accepts("IN-01")
# The elements of B2MML V0701 that a document of ours may hold, by their parent.
ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "": ("OperationsPerformance",),
    "OperationsPerformance": ("ID", "Description", "Version", "PublishedDate", "StartTime", "Endtime",
                              "HierarchyScope", "OperationsType", "OperationsScheduleID", "PerformanceState",
                              "OperationsResponse"),
    "OperationsResponse": ("ID", "Description", "Version", "StartTime", "EndTime", "HierarchyScope", "OperationsType",
                           "OperationsRequestID", "SegmentRequirementID", "OperationsDefinitionID",
                           "OperationsSegmentID", "ResponseState", "SegmentResponse"),
    "SegmentResponse": ("ID", "Description", "ProcessSegmentID", "ActualStartTime", "ActualEndTime", "SegmentState",
                        "PersonnelActual", "EquipmentActual", "PhysicalAssetActual", "MaterialActual"),
    "HierarchyScope": ("EquipmentID", "EquipmentLevel"),
    "EquipmentActual": ("EquipmentID", "EquipmentLevel"),
    "MaterialActual": ("MaterialClassID", "MaterialDefinitionID", "MaterialLotID", "MaterialSubLotID", "Description",
                       "MaterialUse", "StorageLocation", "Quantity"),
    "Quantity": ("QuantityString", "DataType", "UnitOfMeasure", "Key"),
}  # fmt: skip
ENUMERATIONS = {
    "OperationsType": {"Production", "Maintenance", "Quality", "Inventory", "Mixed", "Other"},
    "MaterialUse": {"Material Consumed", "Material Produced", "Consumed", "Produced", "Other"},
    "ResponseState": {"Waiting", "Ready", "Running", "Completed", "Aborted", "Held", "Paused", "Suspended", "Closed",
                      "Other"},
}  # fmt: skip
ENUMERATIONS["PerformanceState"] = ENUMERATIONS["SegmentState"] = ENUMERATIONS["ResponseState"]


def faults(document: Any, parent: str = "") -> Iterator[str]:
    """What of a document is no B2MML."""
    if not isinstance(document, dict):
        yield f"{parent}: no object"
        return
    order = ELEMENTS[parent]
    if [name for name in document if name not in order]:
        yield f"{parent}: unknown {[name for name in document if name not in order]}"
    for name, value in document.items():
        for one in value if isinstance(value, list) else [value]:
            if name in ELEMENTS:
                yield from faults(one, name)
            elif one == "" or not isinstance(one, str):
                yield f"{parent}.{name}: {one!r}"
            elif name in ENUMERATIONS and one not in ENUMERATIONS[name]:
                yield f"{parent}.{name}: {one!r} is none of the enumeration"
            elif name.endswith("Time") and not re.match(r"\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$", one):
                yield f"{parent}.{name}: {one!r} is no time with its zone"


@pytest.fixture(scope="module")
def erp(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(engine, tmp_path_factory.mktemp("receiver")) as made:
        yield made


@pytest.mark.accepts("IN-02")
async def test_the_erp_hears_of_release_completion_and_close_with_the_lots_in_and_out(
    plant: Plant, erp: Outside
) -> None:
    topics = "production-order.dispatch,production-order.release,production-order.complete,production-order.close"
    erp.endpoint("erp", topics, "500,200", format="operationsPerformance")
    await plant.stock("API-P", "API", "100")
    await plant.stock("LAC-P", "LAC", "100")
    order = await (await plant.order()).closed()
    await erp.deliver("erp")
    messages, effects = erp.messages("erp"), erp.effects("erp")
    assert [own.topic for own in messages] == [
        "production-order.release", "production-order.complete", "production-order.close",
    ]  # fmt: skip
    assert [own["key"] for own in effects] == [own.id for own in messages]
    states = [own["body"]["OperationsPerformance"]["PerformanceState"] for own in effects]
    assert states == ["Ready", "Completed", "Closed"]
    document = effects[-1]["body"]
    assert list(faults(document)) == []
    performance = document["OperationsPerformance"]
    assert performance["ID"] == messages[-1].id
    (response,) = performance["OperationsResponse"]
    assert (response["ID"], response["ResponseState"]) == (order.number, "Closed")
    actuals = [own for segment in response["SegmentResponse"] for own in segment.get("MaterialActual", ())]
    assert {(own["MaterialUse"], own["MaterialDefinitionID"][0], own["MaterialLotID"][0]) for own in actuals} == {
        ("Material Consumed", "API", "API-P"), ("Material Consumed", "LAC", "LAC-P"),
        ("Material Produced", "TAB", order.lot),
    }  # fmt: skip
    for use, lot in (("Consumed", "API-P"), ("Consumed", "LAC-P")):
        used = plant.rows("SELECT sum(quantity) AS q FROM lot_link WHERE input_lot = :l", l=lot)[0].q
        said = [own["Quantity"][0] for own in actuals if own["MaterialLotID"] == [lot] and use in own["MaterialUse"]]
        assert sum(Decimal(own["QuantityString"]) for own in said) == used
        assert {own["UnitOfMeasure"] for own in said} == {"kg"}
    (made,) = [own["Quantity"][0] for own in actuals if own["MaterialUse"] == "Material Produced"]
    on_hand = plant.rows("SELECT sum(on_hand) AS q FROM stock_balance WHERE lot = :l", l=order.lot)[0].q
    assert (Decimal(made["QuantityString"]), made["UnitOfMeasure"]) == (on_hand, "pcs")


def schedule(**changes: Any) -> dict[str, Any]:
    """What an ERP wants made."""
    material = {
        "MaterialDefinitionID": ["TAB"], "MaterialUse": "Material Produced",
        "Quantity": [{"QuantityString": "1000", "UnitOfMeasure": "pcs"}],
    }  # fmt: skip
    request = {
        "ID": "ERP-1", "StartTime": "2026-12-01T06:00:00Z", "EndTime": "2026-12-03T06:00:00Z",
        "HierarchyScope": {"EquipmentID": "demo", "EquipmentLevel": "Site"}, "OperationsType": "Production",
        "SegmentRequirement": [{"ID": "1", "ProcessSegmentID": "TAB", "MaterialRequirement": [material]}],
    }  # fmt: skip
    return {"OperationsSchedule": {"ID": "S-1", "OperationsRequest": [request | changes]}}


def test_a_schedule_says_what_is_wanted() -> None:
    requests, wrong = planned(schedule())
    assert wrong == ()
    (one,) = requests
    assert (one.reference, one.product, one.quantity, one.unit, one.plant) == (
        "ERP-1", "TAB", Decimal(1000), "pcs", "demo",
    )  # fmt: skip
    assert (one.start_at, one.due_at) == ("2026-12-01T06:00:00Z", "2026-12-03T06:00:00Z")


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"ID": None}, ["OperationsRequest[0].ID"]),
        ({"ID": " x"}, ["OperationsRequest[0].ID"]),
        ({"OperationsType": "Maintenance"}, ["OperationsRequest[0].OperationsType"]),
        ({"SegmentRequirement": []}, ["OperationsRequest[0].SegmentRequirement", "OperationsRequest[0]"]),
        (
            {"HierarchyScope": {}, "ID": 7},
            ["OperationsRequest[0].ID", "OperationsRequest[0].HierarchyScope.EquipmentID"],
        ),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_with_a_schedule_is_named_at_once(changes: dict[str, Any], places: list[str]) -> None:
    requests, wrong = planned(schedule(**changes))
    assert requests == ()
    assert [own.id for own in wrong] == places
    assert {own.code for own in wrong} == {"SCHEMA"}


@pytest.mark.parametrize("text", ["0", "-5", "1e3", "NaN", "many", "Infinity"])
def test_a_quantity_is_a_plain_decimal_above_zero(text: str) -> None:
    document = schedule()
    segment = document["OperationsSchedule"]["OperationsRequest"][0]["SegmentRequirement"][0]
    segment["MaterialRequirement"][0]["Quantity"][0]["QuantityString"] = text
    requests, wrong = planned(document)
    assert requests == ()
    assert wrong[0].found == text


@pytest.mark.parametrize("document", [None, [], {}, {"OperationsSchedule": 7}, {"OperationsSchedule": {"ID": "S"}}])
def test_what_is_no_schedule_is_refused(document: Any) -> None:
    assert planned(document)[1] != ()
