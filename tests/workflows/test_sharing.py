"""Orders of one product share their frozen parts in a process's memory, as cases of one policy share its rules; nobody
can tell that they do."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import pytest

from domain.base import Message
from domain.maintenance import MaintenanceCase, MaintenanceCause, MaintenanceSpecification
from domain.policy import Policy
from domain.process import created
from domain.quality_cases import CapaCase, CapaSpecification, CaseRules, DeviationCase, DeviationSpecification
from domain.specification import MaterialLine, OperationSpecification, OrderSpecification, WorkOrderSpecification
from domain.start import (
    Carried,
    CarriedCapa,
    CarriedDeviation,
    CarriedMaintenance,
    StartCapa,
    StartDeviation,
    StartMaintenanceOrder,
    StartOrder,
)
from workflows import sharing
from workflows.encryption import data_converter


def _start(number: str, quantity: str = "5") -> StartOrder:
    line = MaterialLine(line=1, material="M-1", quantity=Decimal(quantity), unit="kg", operation="mix")
    step = OperationSpecification(sequence=10, code="mix", name="Mix", workstation="W-1", recipe={"speed": "3"})
    own = WorkOrderSpecification(
        number=f"{number}-1", material="P-1", quantity=Decimal(1), unit="pcs", output_lot=f"L-{number}",
        materials=(line,), operations=(step,),
    )  # fmt: skip
    specification = OrderSpecification(
        number=number, plan_line=number, plant="p", product="P-1", product_name="P", quantity=Decimal(1), unit="pcs",
        policy=Policy(code="shared"), created_by="a", work_orders=(own,),
    )  # fmt: skip
    return StartOrder(specification=specification, command_id="c", received_at=datetime(2026, 1, 1, tzinfo=UTC))


Begun = TypeVar("Begun", bound=sharing.Start)


def _read(start: Begun) -> Begun:
    """What a worker holds of it: written and read by the converter of every process."""
    converter = data_converter().payload_converter
    (found,) = converter.from_payloads(converter.to_payloads([start]), [type(start)])
    assert isinstance(found, type(start))
    return found


def _parts(start: StartOrder) -> tuple[Message, ...]:
    (own,) = start.specification.work_orders
    return (start.specification.policy, *own.materials, *own.operations)


def test_orders_of_one_product_have_the_same_parts_and_their_own_numbers() -> None:
    one, other = _read(_start("A")), _read(_start("B"))
    assert [id(part) for part in _parts(one)] == [id(part) for part in _parts(other)]
    assert (one, other) == (_start("A"), _start("B"))
    assert [own.specification.work_orders[0].output_lot for own in (one, other)] == ["L-A", "L-B"]


def test_a_part_that_differs_is_another_one() -> None:
    policy, line, step = _parts(_read(_start("A")))
    other_policy, other_line, other_step = _parts(_read(_start("B", quantity="6")))
    assert (policy, step) == (other_policy, other_step)
    assert [own.model_dump()["quantity"] for own in (line, other_line)] == ["5", "6"]


def test_a_shared_order_is_written_as_it_was_read() -> None:
    start = StartOrder.model_validate_json(_start("A").model_dump_json(by_alias=True, exclude_unset=True))
    found = sharing.shared(start)
    assert found.model_dump_json(exclude_unset=True) == start.model_dump_json(exclude_unset=True)


def _carried(now: OrderSpecification) -> StartOrder:
    return _start("A").model_copy(update={"carried": Carried(process=created(now), seen=("c",))})


def test_a_run_that_goes_on_holds_its_specification_once_as_it_stands_now() -> None:
    changed = _start("A").specification.model_copy(update={"due_at": datetime(2026, 2, 1, tzinfo=UTC)})
    for now in (_start("A").specification, changed):
        found = _read(_carried(now))
        assert found.carried is not None
        assert found.specification is found.carried.process.specification
        assert found.specification == now
        assert found == _carried(now).model_copy(update={"specification": now})
        assert [id(part) for part in _parts(found)] == [id(part) for part in _parts(_read(_start("B")))]


CaseStart = StartDeviation | StartCapa | StartMaintenanceOrder
AT = datetime(2026, 1, 1, tzinfo=UTC)


def _rules() -> CaseRules:
    return CaseRules(signatures={"closeDeviation": "approved"}, closing_seconds=7)


def _deviation(number: str) -> StartDeviation:
    own = DeviationSpecification(
        number=number, code="C", detail="d", order_number="PO-1", opened_by="a", opened_at=AT, rules=_rules()
    )  # fmt: skip
    case = DeviationCase(specification=own, state="investigation", revision=3, findings={"one": "worn"})
    return StartDeviation(specification=own, command_id="c", carried=CarriedDeviation(case=case, seen=("c",)))


def _capa(number: str) -> StartCapa:
    own = CapaSpecification(number=number, source="s", action="a", opened_by="a", opened_at=AT, rules=_rules())
    return StartCapa(
        specification=own, command_id="c", carried=CarriedCapa(case=CapaCase(specification=own, revision=2))
    )  # fmt: skip


def _maintenance(number: str) -> StartMaintenanceOrder:
    own = MaintenanceSpecification(
        number=number, equipment="E", cause=MaintenanceCause.FAULT, detail="d", opened_by="a", opened_at=AT,
        rules=_rules(),
    )  # fmt: skip
    carried = CarriedMaintenance(case=MaintenanceCase(specification=own, owner="b"))
    return StartMaintenanceOrder(specification=own, command_id="c", carried=carried)


@pytest.mark.parametrize("begun", [_deviation, _capa, _maintenance])
def test_a_case_that_goes_on_holds_its_specification_once_and_rules_with_others(
    begun: Callable[[str], CaseStart],
) -> None:
    one, other = _read(begun("A")), _read(begun("B"))
    assert one.carried is not None
    assert one.specification is one.carried.case.specification
    assert one.specification.rules is other.specification.rules
    assert (one, other) == (begun("A"), begun("B"))
    assert one.model_dump_json(by_alias=True) == begun("A").model_dump_json(by_alias=True)
    first = begun("C").model_copy(update={"carried": None})
    assert (_read(first), _read(first).specification.rules) == (first, one.specification.rules)
    assert _read(first).specification.rules is one.specification.rules


def test_a_case_of_before_a_field_was_there_is_read_as_it_was_written() -> None:
    """Its start says nothing of rules, its state says all: the state counts."""
    written = _deviation("A").model_dump(mode="json", by_alias=True)
    del written["specification"]["rules"]
    old = StartDeviation.model_validate(written)
    found = sharing.shared(old)
    assert isinstance(found, StartDeviation)
    assert found.carried is not None
    assert found.specification is found.carried.case.specification
    assert found.specification.rules == _rules()
    first = StartDeviation.model_validate({**written, "carried": None})
    assert sharing.shared(first).model_dump_json(exclude_unset=True) == first.model_dump_json(exclude_unset=True)


def test_a_part_goes_with_the_last_order_that_has_it() -> None:
    def held() -> int:
        gc.collect()
        return sum(
            isinstance(part, MaterialLine) and part.quantity == Decimal("7.25") for part in sharing._PARTS.values()
        )

    one, other = _read(_start("A", "7.25")), _read(_start("B", "7.25"))
    assert held() == 1
    del one
    assert held() == 1
    del other
    assert held() == 0


def test_a_process_has_one_converter_however_often_one_is_made() -> None:
    made = [data_converter(secrets).payload_converter_class() for secrets in ((), ("k" * 40,))]
    assert made[0] is made[1]
