"""Weighing on the desk: what is needed, what is too much, what potency makes of it; the complete set is charged."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain import weighing_events as w
from domain.container_states import ContainerState
from domain.equipment import Item
from domain.equipment_gate import scale_blockers
from domain.equipment_states import Calibration, Qualification
from domain.errors import Blocker, Refused
from domain.exceptions import ExceptionType, of_facts
from domain.rules.line_side import line_stock
from domain.rules.materials import to_bring
from domain.rules.weighing import dispense_request, judged
from domain.scanning import ScanKind, Scanned
from domain.specification import MaterialLine, OrderSpecification
from domain.weighing import LotResults, ScaleReading, brought, compensated, equivalent, needed, strength
from tests.desk import GMP, START, Desk, tablet_order

WEIGHING = GMP.model_copy(update={"code": "weighing", "weighing": True})
LINES = (
    MaterialLine(
        line=1, material="API", quantity=Decimal("12.500"), unit="kg", operation="DISPENSE",
        weighing_tolerance=Decimal("0.0625"),
    ),
    MaterialLine(line=2, material="LAC", quantity=Decimal("95.0"), unit="kg", operation="DISPENSE"),
)  # fmt: skip


def weighed_order(policy: Any = WEIGHING, **line: Any) -> OrderSpecification:
    """An order of tablets whose active ingredient is weighed: 12.500 kg ± 0.5 %."""
    order = tablet_order(policy)
    (own,) = order.work_orders
    lines = (LINES[0].model_copy(update=line), LINES[1])
    return order.model_copy(update={"work_orders": (own.model_copy(update={"materials": lines}),)})


def lot(number: str = "API-1", material: str = "API", status: str = "released") -> Scanned:
    """The scan of a lot's label."""
    return Scanned(text=number, kind=ScanKind.LOT, id=number, lot=number, material=material, status=status)


def at_the_scale(order: OrderSpecification | None = None) -> Desk:
    """Olu dispenses; the material is at the line, with 10 % more than needed."""
    desk = Desk(order or weighed_order())
    desk.do(c.SubmitOrder, "pia")
    desk.do(c.ApproveOrder, "sam")
    desk.do(c.ReleaseOrder, "sam")
    desk.do(c.DispatchWorkOrder, "sam")
    desk.allocated(
        *(
            e.Allocation(line=line.line, material=line.material, lot=f"{line.material}-1", place="RAW",
                         quantity=line.quantity * Decimal("1.1"), unit="kg")
            for line in desk.process.specification.work_orders[0].materials
        )
    )  # fmt: skip
    desk.do(c.ApprovePickList, "wil")
    desk.do(c.IssuePickList, "wil")
    desk.issued()
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    return desk


def asked(desk: Desk, gross: str | None, tare: str | None = "0.500", **more: Any) -> str:
    """Olu weighs, ole stands beside; the number of the container."""
    fields: dict[str, Any] = {
        "operation": "DISPENSE", "line": 1, "scale": "SCALE-1", "unit": "kg", "scans": (lot(),), "second_signer": "ole",
        "tare": tare, "gross": gross, **more,
    }  # fmt: skip
    desk.do(c.WeighMaterial, "olu", **fields)
    return list(desk.process.work_orders[desk.work_order].containers)[-1]


def answered(desk: Desk, number: str) -> w.MaterialWeighed:
    """What the procedure does when scale and warehouse agree; a bad weight is refused as it is there."""
    work_order = desk.process.work_orders[desk.work_order]
    weighed = w.MaterialWeighed(work_order=desk.work_order, weighing=judged(desk.process, work_order, number))
    desk._append("olu", (weighed, e.VerdictGiven(request=dispense_request(number))))
    return weighed


def weighed(desk: Desk, gross: str, **more: Any) -> w.MaterialWeighed:
    """A weighing from beginning to end."""
    return answered(desk, asked(desk, gross, **more))


def refused(desk: Desk, gross: str | None, **more: Any) -> list[Blocker]:
    """What a weighing is refused for; the number that it had is not used again."""
    before = desk.process.model_copy(deep=True)
    try:
        number = asked(desk, gross, **more)
    except Refused as no:
        assert desk.process == before
        return list(no.blockers)
    with pytest.raises(Refused) as no_weighing:
        judged(desk.process, desk.process.work_orders[desk.work_order], number)
    own = desk.process.work_orders[desk.work_order].containers[number]
    moved = w.ContainerMoved(
        work_order=desk.work_order, number=number, event="refuse", origin=own.state, target=ContainerState.REFUSED
    )
    desk._append("olu", (moved, e.VerdictGiven(request=dispense_request(number))))
    return list(no_weighing.value.blockers)


def codes(blockers: list[Blocker]) -> list[str]:
    """Their codes."""
    return [blocker.code for blocker in blockers]


def container(desk: Desk, number: str, **more: Any) -> Scanned:
    """The scan of a container's label."""
    base: dict[str, Any] = {
        "text": number, "kind": ScanKind.CONTAINER, "id": number, "lot": "API-1", "material": "API",
        "status": "released", "work_order": desk.work_order, "batch": "LOT-PO-1",
    }  # fmt: skip
    return Scanned(**base | more)


@pytest.mark.parametrize(
    ("gross", "is_good"),
    [("12.9374", False), ("12.9375", True), ("13.0000", True), ("13.0625", True), ("13.0626", False)],
)
def test_both_ends_of_the_tolerance_belong_to_it(gross: str, is_good: bool) -> None:
    """RV §11: 12.500 kg ± 0.5 % is 12.4375 … 12.5625; the container weighs 0.500."""
    desk = at_the_scale()
    if is_good:
        own = weighed(desk, gross).weighing
        assert (own.net, own.low, own.high) == (Decimal(gross) - Decimal("0.5"), Decimal("12.4375"), Decimal("12.5625"))
        assert (own.tare_text, own.gross_text, own.second_person) == ("0.500", gross, "ole")
        return
    (blocker,) = refused(desk, gross)
    assert blocker.code == "WEIGHING_OUT_OF_TOLERANCE"
    assert blocker.found == f"{Decimal(gross) - Decimal('0.5')} kg net of lot API-1"
    assert blocker.required == "12.4375 … 12.5625 kg"


@pytest.mark.accepts("MT-07")
def test_potency_is_made_up_for_by_the_formula_with_its_inputs() -> None:
    """RV §11: 50.000 kg, assay 98.7 %, water 0.5 % → 50.913 kg."""
    line = {"quantity": Decimal("50.000"), "weighing_tolerance": Decimal("0.25"), "assay": "assay", "water": "water"}
    desk = at_the_scale(weighed_order(**line))
    results = LotResults(inspection="API-1-I1", values={"assay": "98.7", "water": "0.5"})
    (blocker,) = refused(desk, "50.500", results=results)
    assert (blocker.code, blocker.required) == ("WEIGHING_OUT_OF_TOLERANCE", "50.658434 … 51.167566 kg")
    own = weighed(desk, "51.413", results=results).weighing
    assert own.target == Decimal("50.913")
    assert own.potency is not None
    assert own.potency.model_dump(mode="json", by_alias=True) == {
        "formula": "theoretical × 100 / assay × 100 / (100 − water)", "theoretical": "50.000", "assay": "98.7",
        "water": "0.5", "inspection": "API-1-I1", "result": "50.913",
    }  # fmt: skip
    # From its inputs the result can be computed again.
    again = strength(own.potency.assay, own.potency.water)
    assert again is not None
    assert compensated(own.potency.theoretical, again) == own.potency.result
    assert own.equivalent == Decimal("49.999875")


@pytest.mark.accepts("MT-07")
def test_a_lot_whose_potency_nobody_knows_is_not_weighed() -> None:
    desk = at_the_scale(weighed_order(assay="assay", water="water"))
    for results in (None, LotResults(inspection="I", values={"assay": "98.7"}),
                    LotResults(inspection="I", values={"assay": "0", "water": "0.5"}),
                    LotResults(inspection="I", values={"assay": "98.7", "water": "wet"})):  # fmt: skip
        assert codes(refused(desk, "13.000", results=results)) == ["POTENCY_UNKNOWN"]


def test_more_is_brought_for_a_weak_lot() -> None:
    order = weighed_order(quantity=Decimal("50.000"), reserve_percent=Decimal(5))
    assert [line.quantity for line in to_bring(order, "PO-1-01")] == [Decimal("52.5"), Decimal("95.0")]
    unweighed = order.model_copy(update={"policy": GMP})
    assert to_bring(unweighed, "PO-1-01") == unweighed.work_orders[0].materials
    assert brought(Decimal("50.000"), None) == Decimal("50.000")


@given(
    st.decimals("0.001", "9999", places=3), st.decimals("50", "100", places=1), st.decimals("0", "20", places=2)
)  # fmt: skip
def test_what_is_weighed_for_a_weak_lot_holds_what_was_asked_for(
    theoretical: Decimal, assay: Decimal, water: Decimal
) -> None:
    of = strength(str(assay), str(water))
    assert of is not None
    assert abs(equivalent(compensated(theoretical, of), of) - theoretical) <= Decimal("0.000501")
    low, high = needed(theoretical, theoretical / 200, of)[1:]
    assert low <= compensated(theoretical, of) <= high


def test_a_line_takes_several_containers() -> None:
    desk = at_the_scale()
    assert codes(refused(desk, "5.500")) == ["WEIGHING_OUT_OF_TOLERANCE"]
    first = weighed(desk, "5.500", more_follows=True).weighing
    (blocker,) = refused(desk, "8.200", more_follows=True)
    assert (blocker.found, blocker.required) == ("7.700 kg net of lot API-1", "more than 0, at most 7.5625 kg")
    second = weighed(desk, "8.000").weighing
    assert (first.net, second.net, second.target) == (Decimal("5.000"), Decimal("7.500"), Decimal("7.500"))
    assert codes(refused(desk, "0.600")) == ["WEIGHING_OUT_OF_TOLERANCE"]
    (api, _) = line_stock(desk.process, desk.process.work_orders[desk.work_order])
    assert (api.issued, api.dispensed, api.rest) == (Decimal("13.7500"), Decimal("12.500"), Decimal("1.2500"))


def test_a_weight_needs_a_lot_a_unit_numbers_and_a_second_person() -> None:
    desk = at_the_scale()
    assert codes(refused(desk, "heavy", tare="1e3", unit="g", second_signer=None)) == [
        "UNIT_MISMATCH", "NOT_A_NUMBER", "NOT_A_NUMBER", "SECOND_PERSON_REQUIRED",
    ]  # fmt: skip
    assert codes(refused(desk, "13.000", scans=())) == ["SCAN_MISSING"]
    assert codes(refused(desk, "13.000", scans=(lot("API-9"),))) == ["WRONG_LOT"]
    assert codes(refused(desk, "13.000", scans=(lot("LAC-1", "LAC"),))) == ["WRONG_MATERIAL"]
    assert codes(refused(desk, "13.000", line=2)) == ["NOT_WEIGHED"]
    assert codes(refused(desk, "0.500")) == ["WEIGHING_OUT_OF_TOLERANCE"]
    for bad in ({"is_stable": False}, {"is_good": False}, {"unit": "g"}):
        number = asked(desk, None, None, second_signer=None)
        shown: dict[str, Any] = {"tare": "0.5", "gross": "13.0", "unit": "kg", "read_at": START, **bad}
        read = w.ScaleRead(work_order=desk.work_order, number=number, reading=ScaleReading(**shown))
        desk._append("system", (read,))
        with pytest.raises(Refused) as no:
            judged(desk.process, desk.process.work_orders[desk.work_order], number)
        assert codes(list(no.value.blockers)) == ["UNIT_MISMATCH" if "unit" in bad else "READING_UNUSABLE"]


def test_a_scale_is_known_qualified_calibrated_and_where_it_belongs() -> None:
    good = Item(
        code="SCALE-1", name="Scale", equipment_class="scale", workstation="W1", certificate="CERT-7",
        qualification=Qualification.QUALIFIED, calibration=Calibration.CALIBRATED, calibration_due_at=START,
    )  # fmt: skip
    before, due = START.replace(hour=5, minute=59, second=59), START
    assert scale_blockers("SCALE-1", good, "W1", before) == []
    (late,) = scale_blockers("SCALE-1", good, "W1", due)
    assert (late.code, late.id) == ("CALIBRATION_EXPIRED", "SCALE-1")
    assert late.found == "calibrated, due 2026-11-02T06:00:00Z, last certificate CERT-7"
    never = good.model_copy(update={"calibration": Calibration.NOT_REQUIRED})
    assert codes(scale_blockers("SCALE-1", never, None, before)) == ["CALIBRATION_EXPIRED"]
    (elsewhere,) = scale_blockers("SCALE-1", good, "W2", before)
    assert (elsewhere.code, elsewhere.id) == ("DEVICE_NOT_ALLOWED", "SCALE-1")
    assert (elsewhere.found, elsewhere.required) == ("registered for W1", "a scale that is registered for W2")
    (unknown,) = scale_blockers("SCALE-9", None, "W2", before)
    assert (unknown.code, unknown.id) == ("DEVICE_NOT_ALLOWED", "SCALE-9")


def charge(desk: Desk, *scans: Scanned, **more: Any) -> e.Fact:
    """Olu puts the material in."""
    return desk.do(c.ChargeMaterials, "olu", operation="DISPENSE", scans=scans, **more)


def stage(desk: Desk, *scans: Scanned) -> e.Fact:
    """Wil puts the containers together."""
    return desk.do(c.StageContainers, "wil", place="BOOTH-1", scans=scans)


def no(act: Any, *arguments: Any, **more: Any) -> list[Blocker]:
    """What an act is refused for."""
    with pytest.raises(Refused) as refusal:
        act(*arguments, **more)
    return list(refusal.value.blockers)


def test_the_complete_set_is_staged_and_charged_or_nothing() -> None:
    desk = at_the_scale()
    assert codes(no(stage, desk)) == ["WEIGHING_MISSING"]
    assert codes(no(desk.do, c.CompleteOperation, "olu", operation="DISPENSE")) == ["WEIGHING_MISSING"]
    one = container(desk, weighed(desk, "5.500", more_follows=True).weighing.number)
    assert codes(no(stage, desk, one)) == ["WEIGHING_MISSING"]
    two = container(desk, weighed(desk, "8.000").weighing.number)
    (missing,) = no(stage, desk, one)
    assert (missing.code, missing.id) == ("CONTAINER_MISSING", two.id)
    assert missing.found == "not scanned; 7.500 kg of API, lot API-1"
    assert codes(no(charge, desk, one, two)) == ["NOT_STAGED", "NOT_STAGED"]
    stage(desk, one, two)
    (missing,) = no(charge, desk, two)
    assert (missing.code, missing.id) == ("CONTAINER_MISSING", one.id)
    other = container(desk, "PO-9-01-K1", work_order="PO-9-01", batch="LOT-PO-9")
    (wrong,) = no(charge, desk, one, two, other)
    assert wrong.code == "WRONG_CONTAINER"
    assert wrong.found == "container PO-9-01-K1 (lot API-1 of API) for batch LOT-PO-9"
    assert wrong.required == f"container {one.id}, {two.id} of PO-1-01/DISPENSE"
    held = one.model_copy(update={"status": "onHold"})
    assert codes(no(charge, desk, held, two)) == ["LOT_NOT_USABLE"]
    assert codes(no(desk.do, c.CompleteOperation, "olu", operation="DISPENSE")) == ["NOT_CHARGED", "NOT_CHARGED"]
    fact = charge(desk, one, two)
    (consumed,) = (own for own in fact.events if isinstance(own, e.MaterialsConsumed))
    assert [(line.container, line.lot, line.quantity) for line in consumed.lines] == [
        (one.id, "API-1", Decimal("5.000")), (two.id, "API-1", Decimal("7.500")),
    ]  # fmt: skip
    assert codes(no(charge, desk, one, two)) == ["WRONG_CONTAINER", "WRONG_CONTAINER", "NOTHING_TO_CHARGE"]
    stated = (c.LineQuantity(line=1, lot="API-1", quantity=Decimal(1), unit="kg"),)
    assert "CONSUMPTION_IS_WEIGHED" in codes(
        no(desk.do, c.CompleteOperation, "olu", operation="DISPENSE", consumed=stated)
    )
    done = desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    (rest,) = (own for own in done.events if isinstance(own, e.MaterialsConsumed))
    assert [(line.lot, line.container) for line in rest.lines] == [("LAC-1", None)]
    (api, lac) = line_stock(desk.process, desk.process.work_orders[desk.work_order])
    assert (api.consumed, api.rest, lac.rest) == (Decimal("12.500"), Decimal("1.2500"), Decimal(0))


def test_a_container_that_is_voided_does_not_count() -> None:
    desk = at_the_scale()
    own = weighed(desk, "13.000").weighing
    assert codes(no(desk.do, c.VoidContainer, "sam", container="K9", reason="spilled it")) == ["UNKNOWN_CONTAINER"]
    assert codes(no(desk.do, c.VoidContainer, "sam", container=own.number)) == ["REASON_REQUIRED"]
    desk.do(c.VoidContainer, "sam", container=own.number, reason="a torn bag")
    assert desk.process.work_orders[desk.work_order].containers[own.number].state == ContainerState.VOIDING
    assert codes(no(stage, desk, container(desk, own.number))) == ["WEIGHING_MISSING", "WRONG_CONTAINER"]


def test_what_is_not_weighed_is_scanned_when_it_is_charged() -> None:
    order = weighed_order(GMP.model_copy(update={"code": "scanning", "scan_required": True}))
    desk = Desk(order)
    for kind, who in ((c.SubmitOrder, "pia"), (c.ApproveOrder, "sam"), (c.ReleaseOrder, "sam"),
                      (c.DispatchWorkOrder, "sam")):  # fmt: skip
        desk.do(kind, who)
    desk.allocated()
    desk.do(c.ApprovePickList, "wil")
    api, lac = lot(), lot("LAC-1", "LAC")
    desk.do(c.IssuePickList, "wil", scans=(api, lac))
    desk.issued()
    code = Scanned(text="x", kind=ScanKind.OPERATION, work_order="PO-1-01", operation="DISPENSE")
    desk.do(c.StartOperation, "olu", operation="DISPENSE", scans=(code,))
    assert codes(no(desk.do, c.CompleteOperation, "olu", operation="DISPENSE")) == ["NOT_CHARGED", "NOT_CHARGED"]
    (missing,) = no(charge, desk, api)
    assert (missing.code, missing.id) == ("SCAN_MISSING", "LAC-1")
    assert codes(no(charge, desk, lot("API-9"), lac)) == ["WRONG_LOT", "SCAN_MISSING"]
    assert codes(no(charge, desk, lot("SALT-1", "SALT"), api, lac)) == ["WRONG_MATERIAL"]
    assert codes(no(charge, desk, api, lot("LAC-1", "LAC", "onHold"))) == ["LOT_NOT_USABLE"]
    damaged = Scanned(text="]d2", kind=ScanKind.UNREADABLE, detail="the scan is empty")
    assert codes(no(charge, desk, api, lac, damaged)) == ["SCAN_UNREADABLE"]
    alone = no(charge, desk, api, lac, typed=True)
    assert codes(alone) == ["REASON_REQUIRED", "SECOND_PERSON_REQUIRED"]
    fact = charge(desk, api, lac, typed=True, reason="the label is wet", second_signer="ole")
    (found,) = of_facts(desk.process.specification, desk.work_order, [fact])
    assert found.type == ExceptionType.MANUAL_INSTEAD_OF_AUTOMATIC
    assert found.detail == "chargeMaterials: API-1, LAC-1 typed, not scanned (the label is wet); beside: ole"
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE")


def test_a_plant_that_does_not_weigh_is_unaffected() -> None:
    desk = at_the_scale(weighed_order(GMP))
    assert codes(refused(desk, "13.000")) == ["NOT_WEIGHED"]
    done = desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    (used,) = (own for own in done.events if isinstance(own, e.MaterialsConsumed))
    assert {line.lot for line in used.lines} == {"API-1", "LAC-1"}
