"""Quality cases under people who do anything in any order: only what SM-7 and SM-8 list happens (QL-06, QL-08)."""

import copy
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from domain import case_commands as cc
from domain import quality_cases as k
from domain.case_folding import fold_case
from domain.case_states import CAPA, DEVIATION, OUT_OF_SPECIFICATION, CapaEvent
from domain.commands import Command
from domain.errors import Refused
from domain.quality_cases import CaseDisposition, Classification
from domain.rules.capas import check_is_due, is_late, move_capa
from domain.rules.judge_case import case_waits_for, judge_case, possible_in_case
from domain.states import StateMachine

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = st.sampled_from(["rae", "max", "ida", "ana"])
WORDS = st.sampled_from(["", "the scale was dirty"])
DAYS = st.integers(-2, 60).map(lambda days: days * DAY)
MACHINES: dict[type, StateMachine[Any, Any]] = {
    k.DeviationMoved: DEVIATION, k.OutOfSpecificationMoved: OUT_OF_SPECIFICATION, k.CapaMoved: CAPA,
}  # fmt: skip
FIELDS: dict[type[Command], dict[str, st.SearchStrategy[Any]]] = {
    cc.ClassifyDeviation: {
        "classification": st.sampled_from(Classification), "impact": WORDS, "affected": st.just(("LOT-7",)),
    },
    cc.AssignDeviation: {"owner": PEOPLE},
    cc.ProposeConclusion: {
        "root_cause": WORDS, "disposition": st.sampled_from(CaseDisposition), "needs_capa": st.booleans(),
        "report": WORDS,
    },
    cc.ProveLaboratoryError: {"finding": WORDS},
    cc.BeginPhaseTwo: {"finding": WORDS},
    cc.ConcludeOutOfSpecification: {
        "confirmed": st.booleans(), "root_cause": WORDS, "disposition": st.sampled_from(CaseDisposition),
        "needs_capa": st.booleans(), "report": WORDS,
    },
    cc.PlanCapa: {"action": WORDS, "owner": PEOPLE, "due_at": DAYS, "check_at": DAYS},
    cc.ImplementCapa: {"evidence": WORDS},
    cc.ExtendCapa: {"due_at": DAYS, "check_at": st.one_of(st.none(), DAYS)},
    cc.DecideCapaEffectiveness: {"effective": st.booleans(), "evidence": WORDS},
}  # fmt: skip


@st.composite
def requests(draw: st.DrawFn, kinds: tuple[type[Command], ...]) -> tuple[type[Command], str, dict[str, Any]]:
    """(kind, person, fields) of some command."""
    kind = draw(st.sampled_from(kinds))
    fields = {name: draw(values) for name, values in FIELDS.get(kind, {}).items()}
    fields["reason"] = draw(st.sampled_from([None, "because"]))
    return kind, draw(PEOPLE), fields


class CaseDesk:
    """One case's rules without server, database or clock."""

    def __init__(self, specification: k.DeviationSpecification | k.CapaSpecification) -> None:
        self.case, self.now = k.begun(specification), START
        self.facts: list[k.CaseFact] = []
        self._ids = itertools.count(1)

    def do(self, kind: type[Command], by: str, **fields: Any) -> k.CaseFact:
        """Judge a command as the workflow would; raises `Refused`."""
        self.now += timedelta(hours=1)
        dates = {name: self.now + value for name, value in fields.items() if isinstance(value, timedelta)}
        command = kind(command_id=f"c{next(self._ids)}", actor=by, received_at=self.now, **{**fields, **dates})
        trial = copy.deepcopy(self.case)
        events = judge_case(trial, command)
        assert trial == self.case, "a rule changed the case"
        return self.append(by, *events, reason=command.reason)

    def append(self, by: str, *events: Any, reason: str | None = None) -> k.CaseFact:
        """Fold a new fact."""
        fact = k.CaseFact(
            case_number=self.case.number, revision=self.case.revision + 1, at=self.now, actor=by, events=events,
            reason=reason,
        )  # fmt: skip
        fold_case(self.case, fact)
        self.facts.append(fact)
        return fact


def deviation(*, out_of_specification: bool = False) -> CaseDesk:
    return CaseDesk(
        k.DeviationSpecification(
            number="L-QD1", code="X", detail="x", lot="L", opened_by="ana", opened_at=START,
            out_of_specification=out_of_specification,
        )
    )  # fmt: skip


def capa() -> CaseDesk:
    return CaseDesk(
        k.CapaSpecification(number="C-1", source="audit 7", action="clean", opened_by="rae", opened_at=START)
    )


def investigated() -> CaseDesk:
    """A critical deviation with ida's proposal."""
    desk = deviation()
    desk.do(cc.ClassifyDeviation, "rae", classification="critical", impact="none")
    desk.do(cc.AssignDeviation, "rae", owner="ida")
    proposal = {"root_cause": "dust", "disposition": "accept", "needs_capa": True, "report": "report 1"}
    desk.do(cc.ProposeConclusion, "ida", **proposal)
    return desk


def retested() -> CaseDesk:
    """A result that may be tested again."""
    desk = deviation(out_of_specification=True)
    desk.do(cc.InvestigateLaboratory, "ida")
    desk.do(cc.ProveLaboratoryError, "rae", finding="wrong medium")
    desk.do(cc.AuthoriseRetest, "rae")
    return desk


def implemented() -> CaseDesk:
    """An action that is done and waits for its check."""
    desk = capa()
    desk.do(cc.PlanCapa, "rae", action="clean", owner="ida", due_at=DAY, check_at=2 * DAY)
    desk.do(cc.ApproveCapa, "rae")
    desk.do(cc.StartCapa, "ida")
    desk.do(cc.ImplementCapa, "ida", evidence="done")
    return desk


STARTS: tuple[tuple[Callable[[], CaseDesk], tuple[type[Command], ...]], ...] = (
    (deviation, cc.DEVIATION_COMMANDS),
    (lambda: deviation(out_of_specification=True), cc.DEVIATION_COMMANDS),
    (capa, cc.CAPA_COMMANDS),
    # Chance alone would hardly ever bring a case so far.
    (investigated, cc.DEVIATION_COMMANDS),
    (implemented, cc.CAPA_COMMANDS),
    (retested, cc.DEVIATION_COMMANDS),
)


class AnyCase(RuleBasedStateMachine):
    """One case on the desk."""

    @initialize(start=st.sampled_from(STARTS))
    def begin(self, start: tuple[Callable[[], CaseDesk], tuple[type[Command], ...]]) -> None:
        self.desk, self.kinds, self.seen = start[0](), start[1], 0

    @rule(data=st.data())
    def anybody_asks_anything(self, data: st.DataObject) -> None:
        self._ask(*data.draw(requests(self.kinds)))

    @rule(data=st.data())
    def somebody_does_what_is_possible(self, data: st.DataObject) -> None:
        names = set(possible_in_case(self.desk.case)) - {"voidDeviation"}
        kinds = tuple(kind for kind in self.kinds if kind.kind_name() in names)
        if kinds:
            self._ask(*data.draw(requests(kinds)))

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        """The timers of the workflow, on the desk."""
        self.desk.now += days * DAY
        case = self.desk.case
        if isinstance(case, k.CapaCase):
            if case.due_at is not None and case.due_at <= self.desk.now and is_late(case):
                self.desk.append("system", k.DeadlineMissed(step="closing"))
            if check_is_due(case, self.desk.now):
                self.desk.append("system", move_capa(case, CapaEvent.FALL_DUE_FOR_CHECK))

    def _ask(self, kind: type[Command], by: str, fields: dict[str, Any]) -> None:
        before, possible, refused = self.desk.case.model_dump(), possible_in_case(self.desk.case), None
        try:
            self.desk.do(kind, by, **fields)
        except Refused as no:
            refused = no
        if refused is None:
            assert kind.kind_name() in possible
            return
        assert self.desk.case.model_dump() == before
        assert refused.blockers
        assert all(blocker.code and blocker.found and blocker.required for blocker in refused.blockers)

    @invariant()
    def every_step_is_in_the_tables(self) -> None:
        if not hasattr(self, "desk"):
            return
        for fact in self.desk.facts[self.seen :]:
            for event in fact.events:
                if (machine := MACHINES.get(type(event))) is not None:
                    assert machine.transitions[event.origin, event.event] == event.target  # type: ignore[union-attr]
        self.seen = len(self.desk.facts)

    @invariant()
    def nobody_decides_about_their_own(self) -> None:
        if not hasattr(self, "desk") or not isinstance(self.desk.case, k.DeviationCase):
            return
        case = self.desk.case
        assert case.owner not in case.approvals.values()
        assert len(set(case.approvals.values())) == len(case.approvals)
        if case.state == "closed":
            assert case.decided_by != case.owner
            if not case.specification.out_of_specification:
                assert case.impact
                assert case.classification == Classification.MINOR or (len(case.approvals) == 2 and case.report)

    @invariant()
    def a_result_is_tested_again_only_after_a_proven_error(self) -> None:
        if hasattr(self, "desk") and self.desk.case.state == "retest":
            assert isinstance(self.desk.case, k.DeviationCase)
            assert self.desk.case.findings["laboratoryPhase1"]

    @invariant()
    def no_action_is_closed_before_its_check(self) -> None:
        if hasattr(self, "desk") and isinstance(self.desk.case, k.CapaCase) and self.desk.case.is_over:
            case = self.desk.case
            assert case.check_at is not None
            assert case.check_at <= self.desk.now
            assert set(case.evidence) == {"implementation", "effectiveness"}
            assert bool(case.capas) == (case.state == "ineffective")

    @invariant()
    def what_is_open_waits_for_somebody(self) -> None:
        if hasattr(self, "desk"):
            case = self.desk.case
            waits_for_the_calendar = case.state == "implemented"
            assert bool(case_waits_for(case)) == (not case.is_over and not waits_for_the_calendar)

    @invariant()
    def the_facts_fold_to_the_same_case(self) -> None:
        if hasattr(self, "desk"):
            again = k.begun(self.desk.case.specification)
            for fact in self.desk.facts:
                fold_case(again, fact)
            assert again == self.desk.case


@pytest.mark.accepts("QL-06", "QL-08")
def test_people_in_any_order_with_a_case() -> None:
    run_state_machine_as_test(
        AnyCase, settings=settings(max_examples=150, stateful_step_count=50, deadline=None, derandomize=True)
    )


@pytest.mark.accepts("QL-08")
def test_cycles_are_counted_in_the_number() -> None:
    desk, numbers = capa(), ["C-1"]
    for cycle in (2, 3):
        desk.do(cc.PlanCapa, "rae", action="clean", owner="ida", due_at=DAY, check_at=2 * DAY)
        desk.do(cc.ApproveCapa, "rae")
        desk.do(cc.StartCapa, "ida")
        desk.do(cc.ImplementCapa, "ida", evidence="done")
        desk.now += 3 * DAY
        desk.append("system", move_capa(desk.case, CapaEvent.FALL_DUE_FOR_CHECK))  # type: ignore[arg-type]
        desk.do(cc.DecideCapaEffectiveness, "rae", effective=False, evidence="again")
        (number,) = desk.case.capas
        numbers.append(number)
        own = desk.case.specification.model_copy(update={"number": number, "cycle": cycle})
        assert isinstance(own, k.CapaSpecification)
        desk = CaseDesk(own)
    assert numbers == ["C-1", "C-1.2", "C-1.3"]


@pytest.mark.accepts("QL-06")
def test_a_reopened_deviation_is_classified_and_approved_anew() -> None:
    desk = deviation()
    steps: list[tuple[type[Command], str, dict[str, Any]]] = [
        (cc.ClassifyDeviation, "rae", {"classification": "minor", "impact": "none"}),
        (cc.AssignDeviation, "rae", {"owner": "ida"}),
        (cc.ProposeConclusion, "ida", {"root_cause": "dust", "disposition": "accept", "needs_capa": False}),
        (cc.ApproveDeviation, "rae", {}),
        (cc.CloseDeviation, "max", {}),
        (cc.ReopenDeviation, "max", {"reason": "seen again"}),
    ]
    for kind, by, fields in steps:
        desk.do(kind, by, **fields)
    case = desk.case
    assert isinstance(case, k.DeviationCase)
    assert (case.state, case.classification, case.approvals) == ("reopened", None, {})
    assert [told.standing for told in case.to_tell] == ["decided", "reopened"]
    assert possible_in_case(case) == ("classifyDeviation", "voidDeviation")
