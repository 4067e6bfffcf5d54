"""What a replay does with the rows, before anything is sent."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from plants.jobshop.source import Report
from plants.tablets import characteristics as c
from plants.tablets.source import Batch, read
from replay.job_order import content
from replay.lots import needed, not_numbers
from replay.report import Refusal, ReplayReport, replayed
from replay.tablet_order import coated, findings, outside, pressed
from replay.tablets import online_codes

SAMPLE = Path(__file__).parent.parent.parent / "plants" / "tablets" / "sample"


def batch(number: int) -> Batch:
    """A batch of the sample."""
    return next(one for one in read(SAMPLE).batches if one.number == number)


def test_the_report_has_exactly_the_agreed_shape() -> None:
    order = {
        "id": "u-1", "number": "TAB-00001", "state": "closed", "deviations": 2,
        "workOrders": [{"outputLot": "FCT-1", "inputLots": [{"lot": "STA-1", "quantity": "2.712", "unit": "kg"}]}],
    }  # fmt: skip
    report = ReplayReport(
        orders=(replayed(order, Decimal(227273), Decimal(5101)),),
        refusals=(Refusal(row=3, code="LOT_MISSING", detail="batch 3"),),
        seconds=2.5,
        orders_per_second=0.4,
    )
    assert report.document() == {
        "orders": [
            {
                "id": "u-1",
                "orderNumber": "TAB-00001",
                "state": "closed",
                "finishedLot": "FCT-1",
                "inputLots": [{"lot": "STA-1", "quantity": 2.712, "unit": "kg"}],
                "goodQuantity": 227273,
                "scrapQuantity": 5101,
                "deviations": 2,
            }
        ],
        "refusals": [{"row": 3, "code": "LOT_MISSING", "detail": "batch 3"}],
        "seconds": 2.5,
        "ordersPerSecond": 0.4,
    }
    written = json.loads(report.model_dump_json(by_alias=True))
    assert written == report.document()


def test_a_lot_is_received_once_for_all_batches_that_need_it() -> None:
    first, second = batch(1), batch(2)
    lots = needed([first, second])
    assert set(lots) == {"API-5-2", "SMCC-1", "LAC-2", "STA-1"}
    assert lots["API-5-2"].quantity == Decimal("2.4")
    assert sum(lot.quantity for lot in lots.values()) == Decimal(113 * 2 * 240000) / 1_000_000
    assert all(lot.batches == [1, 2] and len(lot.values) == 1 for lot in lots.values())


def test_rows_that_disagree_about_a_lot_give_a_second_inspection() -> None:
    assert batch(60).lots["API"] == batch(124).lots["API"] == "API-1-10"
    first, second = needed([batch(60), batch(124)])["API-1-10"].values
    assert first != second


def test_values_that_say_nothing_new_give_no_inspection() -> None:
    full = batch(60)
    blank = replace(full, number=61, cells={**full.cells, "api_water": ""})
    assert len(needed([full, blank])["API-1-10"].values) == 1
    assert len(needed([blank, full])["API-1-10"].values) == 2


def test_cells_that_are_no_numbers_are_named() -> None:
    assert not_numbers({"a": "3,2", "b": "1.5", "c": "", "d": "1E-3"}, ["a", "b", "c", "d", "e"]) == ["a '3,2'"]


def test_the_limits_are_inclusive() -> None:
    limits = {"x": ("mm", "1", "10"), "free": ("", None, None)}
    assert outside({"x": "1", "free": "-5"}, limits) == []
    assert outside({"x": "10.01"}, limits) == ["x"]
    assert outside({"fct_av_hardness": "0"}, c.COATED) == []


def test_what_was_not_measured_is_said_and_the_next_best_is_reported() -> None:
    known = batch(1)
    assert (pressed(known), coated(known), findings(known)) == (Decimal(229884), Decimal(227273), [])
    unknown = replace(known, cells={**known.cells, "tbl_yield": "", "batch_yield": ""})
    assert pressed(unknown) == coated(unknown) == 240000 - 5101
    assert [code for code, _ in findings(unknown)] == ["QUANTITY_NOT_MEASURED"] * 2


def test_only_products_with_a_recording_run_online(tmp_path: Path) -> None:
    assert online_codes(SAMPLE) == {"3"}
    assert online_codes(tmp_path) == set()


def test_a_shop_floor_report_is_sent_as_what_it_is() -> None:
    start = datetime(2012, 1, 29, 14, 24)  # noqa: DTZ001
    report = Report(5, "Turning", "Machine 5", "ID1", start, start, "breakdown", 0, 2, 1, is_rework=True)
    assert content("u-1", "OP010", report, UTC) == {
        "workOrderId": "u-1", "operation": "OP010", "good": "0", "scrap": "2", "reviewBoard": "1", "isRework": True,
        "reportType": "breakdown", "workstation": "Machine 5", "worker": "ID1", "labourSeconds": 0,
        "scrapReason": "not stated in the source",
        "startedAt": "2012-01-29T14:24:00+00:00", "endedAt": "2012-01-29T14:24:00+00:00",
    }  # fmt: skip
