"""What a result has to say beside its value, by its characteristic (QL-03)."""

from datetime import date
from typing import Any

import pytest

from domain.errors import Blocker, Refused
from domain.evidence import Evidence, Instrument, MeasuredWith, Measurement, Reagent, ReleaseRecord, release_blockers
from domain.rules.measurements import judge_values
from domain.specification import Characteristic

ALL = (Evidence.INSTRUMENT, Evidence.METHOD, Evidence.REAGENTS)
GOOD = MeasuredWith(
    instrument=Instrument(code="HPLC-1", calibration="calibrated"), method="M-7", method_version="2",
    reagents=(Reagent(lot="STD-1", material="STD", status="released"),),
)  # fmt: skip
SAID: dict[str, Any] = {
    "name": "assay", "text": "99.1", "instrument": "HPLC-1", "method": "M-7", "method_version": "2",
    "reagents": ("STD-1",), "measured_with": GOOD,
}  # fmt: skip
EXPIRED = Reagent(lot="STD-1", material="STD", status="released", expires_on=date(2020, 1, 1), is_usable=False)
OVERDUE = Blocker(code="CALIBRATION_EXPIRED", entity="equipment", id="HPLC-1", found="overdue", required="valid")


def refused(asked: tuple[Evidence, ...], **changes: Any) -> list[str]:
    with pytest.raises(Refused) as no:
        judge_values("I1", [Characteristic(name="assay", evidence=asked)], [Measurement(**(SAID | changes))])
    return [blocker.code for blocker in no.value.blockers]


@pytest.mark.accepts("QL-03")
def test_a_complete_result_is_kept_with_all_that_it_was_made_with() -> None:
    (judged,) = judge_values("I1", [Characteristic(name="assay", evidence=ALL)], [Measurement(**SAID)])
    assert (judged.within_limits, judged.measured_with) == (True, GOOD)


@pytest.mark.accepts("QL-03")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"instrument": "", "measured_with": None, "reagents": ("STD-1",)}, "INSTRUMENT_MISSING"),
        ({"method_version": ""}, "METHOD_MISSING"),
        ({"reagents": ()}, "REAGENTS_MISSING"),
        ({"measured_with": GOOD.model_copy(update={"instrument": None})}, "EQUIPMENT_NOT_REGISTERED"),
        ({"reagents": ("STD-9",)}, "UNKNOWN_LOT"),
        ({"measured_with": GOOD.model_copy(update={"reagents": (EXPIRED,)})}, "REAGENT_NOT_USABLE"),
        (
            {"measured_with": GOOD.model_copy(
                update={"instrument": Instrument(code="HPLC-1", calibration="overdue", blockers=(OVERDUE,))}
            )},
            "CALIBRATION_EXPIRED",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_or_may_not_be_used_is_refused(changes: dict[str, Any], code: str) -> None:
    assert code in refused(ALL, **changes)


@pytest.mark.accepts("QL-03")
def test_what_is_said_without_being_asked_is_checked_too() -> None:
    assert refused((), measured_with=GOOD.model_copy(update={"reagents": (EXPIRED,)})) == ["REAGENT_NOT_USABLE"]


def test_what_says_nothing_of_it_is_written_as_ever() -> None:
    """Recorded commands, requests and records of earlier releases keep their content."""
    assert Measurement(name="assay", text="99").model_dump(by_alias=True) == {"name": "assay", "text": "99", "unit": ""}
    assert "evidence" not in Characteristic(name="assay").model_dump(mode="json", by_alias=True)
    (judged,) = judge_values("I1", [Characteristic(name="assay")], [Measurement(name="assay", text="99")])
    assert "measuredWith" not in judged.model_dump(mode="json", by_alias=True)


@pytest.mark.accepts("QL-03")
def test_nothing_is_released_unchecked_and_nothing_decided_without_a_conclusion() -> None:
    bare = ReleaseRecord(supplier_report=False, packaging=False, conclusion=" ", signature="S")
    assert {own.code for own in release_blockers("I1", True, bare)} == {
        "CONCLUSION_MISSING", "SUPPLIER_REPORT_UNCHECKED", "PACKAGING_UNCHECKED",
    }  # fmt: skip
    assert [own.code for own in release_blockers("I1", False, bare)] == ["CONCLUSION_MISSING"]
