"""People in any order, also the wrong one: only what the tables allow happens, and a no changes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_state_machine_as_test

from domain import commands as c
from domain import events as e
from domain import material_events as m
from domain import quality_cases as k
from domain import quality_events as q
from domain import recovery_events as v
from domain.errors import Refused
from domain.folding import fold
from domain.policy import OverReport
from domain.process import created
from domain.recovery_states import RECOVERY
from domain.return_states import MATERIAL_RETURN
from domain.rework_states import IN_PROCESS_INSPECTION, REWORK
from domain.rules.line_side import line_stock
from domain.rules.possible import possible_commands
from domain.states import (
    INSPECTION,
    OPERATION,
    ORDER,
    PICK_LIST,
    PUT_AWAY,
    WORK_ORDER,
    PickListState,
    PutAwayState,
    StateMachine,
    WorkOrderState,
)
from tests.desk import DISCRETE, GMP, Desk, tablet_order
from tests.domain.recovering import RECOVERY_FIELDS, permitted
from tests.domain.test_order_on_the_desk import executed, inspected, picked

Moved = (
    e.OrderMoved
    | e.WorkOrderMoved
    | e.OperationMoved
    | e.PickListMoved
    | e.InspectionMoved
    | e.PutAwayMoved
    | q.InProcessInspectionMoved
    | q.ReworkMoved
    | v.RecoveryMoved
    | m.ReturnMoved
)
MACHINES: dict[type[Moved], StateMachine[Any, Any]] = {
    e.OrderMoved: ORDER, e.WorkOrderMoved: WORK_ORDER, e.OperationMoved: OPERATION, e.PickListMoved: PICK_LIST,
    e.InspectionMoved: INSPECTION, e.PutAwayMoved: PUT_AWAY, q.InProcessInspectionMoved: IN_PROCESS_INSPECTION,
    q.ReworkMoved: REWORK, v.RecoveryMoved: RECOVERY, m.ReturnMoved: MATERIAL_RETURN,
}  # fmt: skip
PEOPLE = ("pia", "sam", "sue", "olu", "wil", "wes", "ana", "ben", "rae", "quinn")
NOT_NOW = {"cancelOrder", "holdOrder", "rejectOrder", "pauseOperation", "pauseWorkOrder"}
OPERATIONS = ("DISPENSE", "COMPRESS", "COAT")
REWORKS = st.sampled_from(["PO-1-01-W1", "PO-1-01-W2"])
LINES = st.sampled_from(
    [(1, "API-1", "kg"), (2, "LAC-1", "kg"), (2, "LAC-1", "kg"), (2, "LAC-1", "g"), (1, "LAC-1", "kg")]
)
QUANTITIES = st.sampled_from(["0.5", "2", "5.0", "40", "95.0"]).map(Decimal)
RETURNED = st.builds(
    lambda line, quantity, disposition: c.ReturnedQuantity(
        line=line[0], lot=line[1], unit=line[2], quantity=quantity, disposition=disposition
    ),
    LINES, QUANTITIES, st.sampled_from(c.ReturnDisposition),
)  # fmt: skip
USED = st.builds(
    lambda line, quantity: c.LineQuantity(line=line[0], lot=line[1], unit=line[2], quantity=quantity), LINES, QUANTITIES
)
FIELDS: dict[type[c.Command], dict[str, st.SearchStrategy[Any]]] = {
    c.CancelOrder: {"disposition": st.sampled_from([None, *c.Disposition])},
    c.DecideDeviation: {"deviation": st.sampled_from(["PO-1-D1", "PO-1-D2", "none"]), "decision": st.just("as it is")},
    c.OpenDeviation: {"code": st.just("SPILL"), "detail": st.just("granulate on the floor")},
    c.ReportProduction: {
        "good": st.integers(0, 600).map(Decimal), "scrap": st.integers(0, 20).map(Decimal),
        "scrap_reason": st.sampled_from([None, "dust"]), "review_board": st.sampled_from([Decimal(0), Decimal(3)]),
    },
    c.RecordParameters: {
        "values": st.sampled_from(["113", "119", "-", ""]).map(
            lambda found: (c.Measurement(name="weight", text=found, unit="mg"),)
        )
    },
    c.EnterInspectionResults: {
        "values": st.sampled_from(["92.5", "70"]).map(
            lambda found: (c.Measurement(name="dissolution", text=found, unit="%"),)
        )
    },
    c.DecideInspection: {"accept": st.booleans()},
    c.DecideInProcessInspection: {
        "inspection": st.sampled_from(["PO-1-01-Q1", "PO-1-01-Q2", "PO-1-01-Q3"]),
        "failed": st.sampled_from([Decimal(0), Decimal(5)]), "defect": st.sampled_from([None, "chipped"]),
    },
    **RECOVERY_FIELDS,
    **{kind: {"rework": REWORKS} for kind in (c.ApproveRework, c.RejectRework, c.StartRework)},
    c.ReportRework: {
        "rework": REWORKS, "good": st.integers(0, 5).map(Decimal), "scrap": st.integers(0, 5).map(Decimal),
    },
    c.ReverseReport: {
        "report_number": st.sampled_from(["PO-1-01/COAT/R1", "PO-1-01/COAT/R2"]),
        **dict.fromkeys(("good", "scrap", "review_board"), st.just(Decimal(0))), "is_rework": st.just(False),
    },
    c.DecideOverReport: {"over_report": st.sampled_from(["PO-1-01-O1", "PO-1-01-O2"]), "accept": st.booleans()},
    c.CheckParameters: {"numbers": st.sampled_from([("V1",), ("V1", "V2")])},
    c.CorrectParameter: {
        "number": st.sampled_from(["V1", "V2"]), "text": st.sampled_from(["113", "119"]), "name": st.just("weight"),
        "old_text": st.just("112"), "corrections": st.integers(0, 2),
    },
    c.ReturnBatchRecord: {"fields": st.just(("weight",))},
    c.JustifyException: {
        "exception": st.just("9-0"), "type": st.just("comment"), "detail": st.just("as seen"),
    },
    c.CommentOperation: {"text": st.just("as seen")},
    c.ReturnMaterials: {"lines": st.lists(RETURNED, min_size=1, max_size=2).map(tuple)},
    c.CompleteOperation: {"consumed": st.none() | st.lists(USED, max_size=2).map(tuple)},
    c.SplitOrder: {
        "parts": st.sampled_from([("400", "600"), ("999.5", "0.5"), ("400", "500")]).map(
            lambda found: tuple(c.PlanPart(quantity=quantity) for quantity in found)
        )
    },
    c.ReduceQuantity: {"quantity": st.sampled_from([None, Decimal(1), Decimal(700), Decimal(1000)])},
    **{
        kind: {
            "quantity": st.sampled_from([None, Decimal(500), Decimal(1000), Decimal(1500)]),
            "due_at": st.sampled_from([None, datetime(2027, 5, 1, tzinfo=UTC)]),
        }
        for kind in (c.ChangeOrder, c.RequestOrderChange)
    },
    **{
        kind: {"change": st.sampled_from(["PO-1-C1", "PO-1-C1", "PO-1-C2"])}
        for kind in (c.ApproveOrderChange, c.RejectOrderChange, c.WithdrawOrderChange)
    },
    c.ChooseLots: {"choice": st.just((c.ChosenLots(line=1, lots=("API-1",)),))},
    c.WeighMaterial: {
        "line": st.sampled_from([1, 2]), "scale": st.just("SCALE-1"), "unit": st.just("kg"),
        "tare": st.just("1.0"), "gross": st.just("6.0"),
    },
    c.CountMaterials: {"lines": st.lists(USED, min_size=1, max_size=1).map(tuple)},
    c.TakeSample: {
        "quantity": st.sampled_from([Decimal("0.5"), Decimal(3), Decimal(700)]), "unit": st.sampled_from(["kg", "pcs"]),
        "line": st.sampled_from([None, 1]), "lot": st.just("API-1"),
    },
    c.CheckPrint: {"lot_text": st.just("LOT-PO-1")},
    c.StageContainers: {"place": st.just("BOOTH")},
    c.VoidContainer: {"container": st.just("PO-1-01-K1")},
    c.PutAway: {"place": st.just("QUARANTINE")},
    c.ReleaseBatch: {"place": st.just("FINISHED")},
}  # fmt: skip


@st.composite
def requests(draw: st.DrawFn, kinds: tuple[type[c.Command], ...] = c.COMMANDS) -> tuple[type[c.Command], str, Any]:
    """(kind, person, fields) of some command."""
    kind = draw(st.sampled_from(kinds))
    fields = {name: draw(values) for name, values in FIELDS.get(kind, {}).items()}
    if issubclass(kind, c.OperationCommand):
        fields["operation"] = draw(st.sampled_from(OPERATIONS))
    fields["reason"] = draw(st.sampled_from([None, "because", "because"]))
    return kind, draw(st.sampled_from(PEOPLE)), fields


LED = GMP.model_copy(update={"deviation_process": True})
CONTROLLED = GMP.model_copy(update={"controlled_changes": True})
STRICT = GMP.model_copy(update={"over_report": OverReport.APPROVE})


def coating(desk: Desk) -> Desk:
    """At its last operation, whose reports are inspected."""
    picked(desk)
    for operation in ("DISPENSE", "COMPRESS"):
        desk.do(c.StartOperation, "olu", operation=operation)
        if operation == "COMPRESS":
            values = (c.Measurement(name="weight", text="113", unit="mg"),)
            desk.do(c.RecordParameters, "olu", operation=operation, values=values)
        desk.do(c.CompleteOperation, "olu", operation=operation)
    desk.do(c.StartOperation, "olu", operation="COAT")
    return desk


def too_heavy(desk: Desk) -> Desk:
    """Held by a weight outside its limits."""
    picked(desk)
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    desk.do(c.StartOperation, "olu", operation="COMPRESS")
    values = (c.Measurement(name="weight", text="119", unit="mg"),)
    desk.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    return desk


STARTS: tuple[Callable[[], Desk], ...] = (
    lambda: Desk(tablet_order(GMP)),
    lambda: Desk(tablet_order(DISCRETE)),
    lambda: Desk(tablet_order(STRICT, inspected="COAT")),
    lambda: coating(Desk(tablet_order(STRICT, inspected="COAT"))),
    # Chance alone would hardly ever bring an order so far.
    lambda: picked(Desk(tablet_order(GMP))),
    lambda: executed(Desk(tablet_order(GMP))),
    lambda: picked(Desk(tablet_order(CONTROLLED))),
    lambda: inspected(Desk(tablet_order(GMP))),
    lambda: too_heavy(Desk(tablet_order(LED))),
    lambda: coating(Desk(tablet_order(LED))),
    lambda: executed(Desk(tablet_order(LED))),
    lambda: picked(Desk(permitted())),
)


class AnySequence(RuleBasedStateMachine):
    """One order on the desk."""

    @initialize(start=st.sampled_from(STARTS))
    def begin(self, start: Callable[[], Desk]) -> None:
        self.desk = start()
        self.seen = 0

    @rule(request=requests())
    def anybody_asks_anything(self, request: tuple[type[c.Command], str, Any]) -> None:
        self._ask(*request)

    @rule(data=st.data())
    def somebody_does_what_is_possible(self, data: st.DataObject) -> None:
        """Without this the walk would hardly ever leave the first states."""
        names = set(possible_commands(self.desk.process)) - NOT_NOW
        for code in OPERATIONS:
            command = self.desk.command(c.StartOperation, "olu", operation=code)
            names |= set(possible_commands(self.desk.process, command)) - NOT_NOW
        kinds = tuple(kind for kind in c.COMMANDS if kind.kind_name() in names)
        if kinds:
            self._ask(*data.draw(requests(kinds)))

    @rule()
    def the_neighbour_answers(self) -> None:
        answers: list[tuple[bool, Callable[[], object]]] = []
        work_order, process = self.desk.process.work_orders[self.desk.work_order], self.desk.process
        if process.state in ("released", "inProgress"):
            pick, put_away = work_order.pick_list, work_order.put_away
            answers = [
                (pick is not None and pick.state in (PickListState.CREATED, PickListState.SHORT), self.desk.allocated),
                (pick is not None and pick.state == PickListState.ISSUING, self.desk.issued),
                (work_order.state == WorkOrderState.INSPECTING and work_order.inspection is None,
                 self.desk.inspection_requested),
                (put_away is not None and put_away.state == PutAwayState.MOVING, self.desk.stored),
            ]  # fmt: skip
        for is_asked, answer in answers:
            if is_asked:
                answer()
                return

    @precondition(lambda self: hasattr(self, "desk"))
    @rule(accepts=st.booleans())
    def the_warehouse_answers_a_return(self, accepts: bool) -> None:
        process = self.desk.process
        asked = process.work_orders[self.desk.work_order].open_returns()
        if asked and process.state in ("released", "inProgress", "completed"):
            (self.desk.returned if accepts else self.desk.return_refused)()

    @rule(
        standing=st.sampled_from(["retest", "decided", "reopened", "voided"]),
        disposition=st.sampled_from(k.CaseDisposition),
        number=st.sampled_from(["PO-1-D1", "PO-1-D2", "none"]),
    )
    def the_process_of_a_deviation_answers(self, standing: str, disposition: k.CaseDisposition, number: str) -> None:
        fields = {"deviation": number, "standing": standing, "decision": "because", "disposition": disposition}
        self._ask(c.NoteDeviation, "system", fields)

    def _ask(self, kind: type[c.Command], by: str, fields: dict[str, Any]) -> None:
        before, refused = self.desk.process.model_dump(), None
        try:
            self.desk.do(kind, by, **fields)
        except Refused as no:
            refused = no
        if refused is not None:
            assert self.desk.process.model_dump() == before
            assert refused.blockers
            assert all(blocker.code and blocker.found and blocker.required for blocker in refused.blockers)

    @invariant()
    def every_step_is_in_the_tables(self) -> None:
        if not hasattr(self, "desk"):
            return
        for fact in self.desk.facts[self.seen :]:
            for event in fact.events:
                if not isinstance(event, Moved) or event.origin is None:
                    continue
                machine = MACHINES[type(event)]
                assert machine.allows(event.origin, event.event), event
                back = machine.returns.get((event.origin, event.event), ())
                ways = {**machine.transitions, **machine.unlisted}
                assert event.target == ways.get((event.origin, event.event)) or event.target in back
        self.seen = len(self.desk.facts)

    @invariant()
    def no_more_is_made_than_was_ordered(self) -> None:
        if hasattr(self, "desk") and self.desk.process.specification.policy == GMP:
            for operation in self.desk.process.work_orders[self.desk.work_order].operations.values():
                assert operation.good + operation.scrap + operation.review_board <= (
                    self.desk.process.specification.quantity
                )

    @invariant()
    def pieces_are_never_lost(self) -> None:
        """What was reported is good, scrap or under decision; what is stock was made at the output operation."""
        if hasattr(self, "desk"):
            work_order = self.desk.process.work_orders[self.desk.work_order]
            for operation in work_order.operations.values():
                assert min(operation.good, operation.scrap, operation.review_board, operation.sampled) >= 0
            assert work_order.produced == work_order.operations["COAT"].good
            if work_order.state not in ("pending", "dispatched", "ready", "running", "paused"):
                assert not work_order.open_rework()

    @invariant()
    def nothing_that_was_issued_is_lost(self) -> None:
        """What was issued is consumed, returned, sampled, scrapped, missing or at the line; closed, nothing is."""
        if not hasattr(self, "desk"):
            return
        process = self.desk.process
        work_order = process.work_orders[self.desk.work_order]
        needed = {line.line: line.quantity for line in process.specification.work_orders[0].materials}
        gone: dict[str, Decimal] = {}
        for fact in self.desk.facts:
            for event in fact.events:
                for line in event.lines if isinstance(event, e.MaterialsConsumed | m.MaterialsReturned) else ():
                    gone[line.lot] = gone.get(line.lot, Decimal(0)) + line.quantity
                for counted in event.lines if isinstance(event, m.MaterialsCounted) else ():
                    gone[counted.lot] = gone.get(counted.lot, Decimal(0)) + counted.difference
                if isinstance(event, m.SampleTaken) and event.line is not None:
                    gone[event.lot] = gone.get(event.lot, Decimal(0)) + event.quantity
        for own in line_stock(process, work_order):
            assert own.at_line == own.issued - gone.get(own.lot, Decimal(0))
            used = own.consumed + own.returned + own.scrapped + own.sampled + own.difference
            assert used == gone.get(own.lot, Decimal(0))
            assert 0 <= own.rest <= own.at_line
            assert own.issued == needed[own.line]
            assert process.state != "closed" or own.at_line == 0
        assert ORDER.is_final(process.state) <= (not work_order.open_returns())

    @invariant()
    def what_is_held_is_held_by_something(self) -> None:
        """Where deviations have processes, only their decisions free an operation or a lot, the last one of all."""
        if not hasattr(self, "desk") or not self.desk.process.specification.policy.deviation_process:
            return
        work_order, process = self.desk.process.work_orders[self.desk.work_order], self.desk.process
        led = {
            number: process.led_deviations[number].opened
            for number in process.open_deviations()
            if process.led_deviations[number].opened.lot is not None
        }
        if led and process.state in ("released", "inProgress", "completed"):
            assert work_order.lot_status in ("onHold", "rejected")
        for operation in work_order.operations.values():
            if operation.open_deviations and process.state in ("released", "inProgress"):
                assert operation.state == "held" or work_order.lot_status in ("onHold", "rejected")

    @invariant()
    def nothing_goes_on_while_a_change_is_undecided(self) -> None:
        if not hasattr(self, "desk"):
            return
        process = self.desk.process
        assert (process.open_change() is not None) <= (process.state == "held")
        if process.state == "submitted":
            assert len(process.approvals) < max(process.specification.policy.approvals, 1)

    @invariant()
    def a_final_order_has_nothing_open(self) -> None:
        if not hasattr(self, "desk") or not ORDER.is_final(self.desk.process.state):
            return
        work_order = self.desk.process.work_orders[self.desk.work_order]
        assert WORK_ORDER.is_final(work_order.state)
        assert all(number in self.desk.process.led_deviations for number in self.desk.process.open_deviations())
        assert possible_commands(self.desk.process) == ()

    @precondition(lambda self: hasattr(self, "desk"))
    @rule()
    def the_facts_fold_to_the_same_order(self) -> None:
        first = self.desk.facts[0].events[0]
        assert isinstance(first, e.OrderCreated)
        again = created(first.specification)
        for fact in self.desk.facts:
            fold(again, fact)
        assert again.model_dump() == self.desk.process.model_dump()


@pytest.mark.accepts("PO-01", "A6", "A13", "MT-09")
def test_people_in_any_order() -> None:
    run_state_machine_as_test(
        AnySequence, settings=settings(max_examples=100, stateful_step_count=50, deadline=None, derandomize=True)
    )
