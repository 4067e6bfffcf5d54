"""Reading the tablet plant's files, and the master data made from them."""

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from domain.master_batch_record import MasterBatchRecordBody
from domain.policy import Policy
from domain.rules.record_faults import Recipe, RecipeOperation, faults
from domain.specification import Characteristic
from plants.tablets import characteristics as c
from plants.tablets import equipment, master_batch_record, master_data, source
from plants.tablets.formula import TARGET_WEIGHT_MG, formula_mg, strength_mg, target_weight_mg
from plants.tablets.illustrations import ILLUSTRATIONS
from plants.texts import SourceUnreadable, number_in, written_out

PLANT = Path(__file__).parent.parent.parent / "plants" / "tablets"
SAMPLE = PLANT / "sample"
HEADER = "batch;code;strength;size;api_code;api_batch;smcc_batch;lactose_batch;starch_batch;tbl_yield;batch_yield"
GOOD = "7;25;5MG;240000;5;2;1;2;1;95.785;94.697"


def read(folder: Path, *lines: str, header: str = HEADER, newline: str = "\r\n") -> source.Source:
    """What is read from a `laboratory.csv` of these lines."""
    (folder / "laboratory.csv").write_text(newline.join([header, *lines, ""]), encoding="utf-8", newline="")
    return source.read(folder)


def test_a_row_becomes_a_batch_with_its_real_lots(tmp_path: Path) -> None:
    (batch,) = read(tmp_path, GOOD).batches
    assert dict(batch.lots) == {"API": "API-5-2", "SMCC": "SMCC-1", "LAC": "LAC-2", "STA": "STA-1"}
    assert (batch.order_number, batch.finished_lot, batch.product) == ("TAB-00007", "FCT-7", "TABLET-25")
    assert batch.share("tbl_yield") == 229884
    assert batch.share("batch_yield") == 227273


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("x;25;5MG;240000;5;2;1;2;1;95;94", "BATCH_UNREADABLE"),
        (";25;5MG;240000;5;2;1;2;1;95;94", "BATCH_UNREADABLE"),
        ("7;25;5MG;many;5;2;1;2;1;95;94", "SIZE_UNREADABLE"),
        ("7;25;5MG;0;5;2;1;2;1;95;94", "SIZE_UNREADABLE"),
        ("7;25;strong;240000;5;2;1;2;1;95;94", "PRODUCT_UNREADABLE"),
        ("7;;5MG;240000;5;2;1;2;1;95;94", "PRODUCT_UNREADABLE"),
        ("7;25;5MG;240000;5;      ;1;2;1;95;94", "LOT_MISSING"),
        ("7;25;5MG;240000;5;2", "LOT_MISSING"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_never_dropped(tmp_path: Path, line: str, code: str) -> None:
    read_source = read(tmp_path, line, GOOD)
    (unreadable,) = read_source.unreadable
    assert (unreadable.row, unreadable.code) == (1, code)
    assert len(read_source.batches) == 1


def test_a_batch_that_stands_twice_is_made_once_and_said(tmp_path: Path) -> None:
    read_source = read(tmp_path, GOOD, GOOD)
    assert [one.code for one in read_source.unreadable] == ["DUPLICATE_BATCH"]
    assert len(read_source.batches) == 1


def test_blanks_byte_order_mark_and_either_line_end_are_read(tmp_path: Path) -> None:
    (batch,) = read(tmp_path, GOOD.replace("95.785", "          "), header="\ufeff" + HEADER, newline="\n").batches
    assert batch.share("tbl_yield") is None
    assert batch.waste() == 0


def test_a_missing_column_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="starch_batch"):
        read(tmp_path, header=HEADER.replace("starch_batch", "starch"))


def test_waste_is_counted_in_tablets_again() -> None:
    """Batch 60's press counted 18,298 rejects; the source divides that by the product's factor 9.6."""
    batches = {batch.number: batch for batch in source.read(SAMPLE).batches}
    assert batches[60].waste() == 18298
    assert batches[19].waste() == 4475


def test_the_two_batch_sizes_of_code_14_are_a_finding_and_the_row_counts() -> None:
    (batch,) = [batch for batch in source.read(SAMPLE).batches if batch.code == "14"]
    assert batch.size == 4_800_000
    (found,) = batch.disagreements()
    assert "480000" in found


def test_the_misspelt_column_has_our_name() -> None:
    assert "residual_solvent" in source.read(SAMPLE).batches[0].cells


@pytest.mark.parametrize(
    ("label", "strength"), [("5MG", 5), ("10M", 10), ("20M", 20), ("40M", 40), ("40 mg", 40), ("", None), ("MG", None)]
)
def test_strengths_as_the_source_spells_them(label: str, strength: int | None) -> None:
    assert strength_mg(label) == strength


def test_a_number_with_exponent_is_written_out_and_nothing_else_is_changed() -> None:
    assert written_out("7.08E-05") == "0.0000708"
    assert [written_out(text) for text in ("3.012", "", "n/a", "1e999")] == ["3.012", "", "n/a", "1e999"]


@pytest.mark.parametrize("strength", [Decimal(5), Decimal(10), Decimal(20), Decimal(40), Decimal("2.5")])
@pytest.mark.parametrize("code", [*TARGET_WEIGHT_MG, "99"])
def test_the_formula_sums_to_the_tablet_weight(code: str, strength: Decimal) -> None:
    parts = formula_mg(code, strength)
    assert sum(parts.values()) == target_weight_mg(code, strength)
    assert all(part > 0 for part in parts.values())


def test_every_code_of_the_source_has_a_target_weight() -> None:
    assert set(TARGET_WEIGHT_MG) == {str(code) for code in range(1, 26)}


def test_the_limits_accept_every_real_value() -> None:
    refused = []
    for batch in source.read(SAMPLE).batches:
        cores = c.compressed(target_weight_mg(batch.code, batch.strength))
        for limits in (*c.INCOMING.values(), cores, c.COATED, c.RELEASE):
            for name, (unit, low, high) in limits.items():
                text = batch.cells.get(name, "")
                characteristic = Characteristic.model_validate({"name": name, "unit": unit, "low": low, "high": high})
                value = number_in(text)
                if text and (value is None or not characteristic.accepts(value)):
                    refused.append((batch.number, name, text))
    assert refused == []


def test_every_in_process_and_release_column_of_the_source_is_asked_for() -> None:
    asked = {*c.compressed(Decimal(113)), *c.COATED, *c.RELEASE, *(n for plan in c.INCOMING.values() for n in plan)}
    not_measured = {
        "batch", "code", "strength", "size", "start", "api_code", "api_batch", "smcc_batch", "lactose_batch",
        "starch_batch",
    }  # fmt: skip
    assert set(source.read(SAMPLE).batches[0].cells) - not_measured - asked == set()


def test_the_master_data_hang_together() -> None:
    products = master_data.products_of(source.read(SAMPLE).batches)
    document = master_data.build(products, online_products={"3"}, press_connection={"url": "opc.tcp://press"})
    materials = {material["code"] for material in document["materials"]}
    capabilities = {one for station in document["workstations"] for one in station["capabilities"]}
    for bill in document["billsOfMaterial"]:
        assert {line["material"] for line in bill["lines"]} <= materials
        assert bill["baseQuantity"] == "1000"
    for route in document["routes"]:
        operations = route["operations"]
        assert [operation["code"] for operation in operations] == ["DISPENSE", "BLEND", "COMPRESS", "COAT"]
        assert [operation["isOutput"] for operation in operations] == [False, False, False, True]
        assert {operation["capability"] for operation in operations} <= capabilities
        online = operations[2]["capability"] == "COMPRESS-ONLINE"
        assert online == (route["product"] == "TABLET-3")
    assert {plan["material"] for plan in document["inspectionPlans"]} == materials
    (policy,) = (Policy.model_validate(entry) for entry in document["policies"])
    assert policy.code == "gmp"


@pytest.mark.accepts("MD-04")
def test_the_master_batch_records_are_whole_and_ask_for_second_persons() -> None:
    products = master_data.products_of(source.read(SAMPLE).batches)
    document = master_data.build(products)
    routes, bills = ({own["product"]: own for own in document[name]} for name in ("routes", "billsOfMaterial"))
    records = master_batch_record.build(products)
    assert {record["product"] for record in records} == routes.keys()
    for record in records:
        body = MasterBatchRecordBody.model_validate(record["content"])
        own = routes[record["product"]]
        recipe = Recipe(
            "effective",
            "effective",
            tuple(
                RecipeOperation(
                    one["code"], tuple(one["predecessors"]), one["countsPieces"], one["isOutput"],
                    tuple(Characteristic.model_validate(value) for value in one["parameters"]),
                )
                for one in own["operations"]
            ),
            {line["line"]: line["material"] for line in bills[record["product"]]["lines"]},
            {hashlib.sha256(own.content).hexdigest(): len(own.content) for own in ILLUSTRATIONS.values()},
        )  # fmt: skip
        assert faults(record["product"], record["version"], body, recipe) == ()
        known = {one.code: {value.name for value in one.parameters} for one in recipe.operations}
        for operation in body.operations:
            assert {value.name for value in operation.expected_values} <= known[operation.operation]
            assert operation.clearance
            assert operation.training
        assert [one.operation for one in body.operations if one.verified] == ["DISPENSE", "BLEND"]
        assert [one.operation for one in body.operations if one.longest_wait_seconds is None] == ["DISPENSE"]
        checked = {value.name for one in body.operations for value in one.expected_values if value.second_check}
        assert checked == {"tbl_min_weight", "tbl_max_weight", "fct_rsd_weight"}
        assert all(line.weighing_tolerance_percent is None for line in body.materials)


def test_every_station_has_a_room_of_its_own_and_equipment_of_the_class_that_its_operation_asks_for() -> None:
    document = master_data.build({"3": (Decimal(20), 960000)}, online_products={"3"}, press_connection={"url": "x"})
    stations = {one["code"]: one["capabilities"][0].removesuffix("-ONLINE") for one in document["workstations"]}
    items = equipment.build(online=True)
    rooms = {item["code"] for item in items if item["kind"] == "room"}
    placed = {item["workstation"]: item for item in items if item["kind"] == "equipment"}
    assert placed.keys() == stations.keys() == equipment.STATIONS.keys()
    assert {item["room"] for item in placed.values()} == rooms
    assert len(rooms) == len(placed)
    for station, operation in stations.items():
        assert placed[station]["equipmentClass"] == master_batch_record.EQUIPMENT[operation]
    assert {item["equipmentClass"] for item in items} == {of["code"] for of in equipment.CLASSES}
    offline = {item["code"] for item in equipment.build(online=False)}
    assert {item["code"] for item in items} - offline == {"P-105", "EQ-PRESS-1"}


def test_no_value_of_the_data_is_a_warning() -> None:
    for batch in source.read(SAMPLE).batches:
        body = MasterBatchRecordBody.model_validate(master_batch_record.body(batch.code, batch.strength))
        for value in (value for operation in body.operations for value in operation.expected_values):
            measured = number_in(batch.cells.get(value.name, ""))
            usual = Characteristic(name=value.name, low=value.warning_low, high=value.warning_high)
            assert measured is None or usual.accepts(measured), (batch.number, value.name, measured)


def test_a_product_cannot_run_online_without_a_press() -> None:
    with pytest.raises(ValueError, match="connection"):
        master_data.build({"3": (Decimal(20), 960000)}, online_products={"3"})


def test_the_samples_are_small_and_their_licence_is_named() -> None:
    text = (PLANT / "README.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    assert "10.1038/s41597-022-01203-x" in text
    assert "10.6084/m9.figshare.c.5645578" in text
    assert sum(file.stat().st_size for file in SAMPLE.iterdir()) < 300_000
