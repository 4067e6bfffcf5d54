"""Master batch records without a server: what is broken in one, who may move it, what differs, what is frozen."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.differences import Change, differences
from domain.errors import Refused
from domain.master_batch_record import MasterBatchRecordBody
from domain.master_record_states import MASTER_BATCH_RECORD as MACHINE
from domain.master_record_states import MasterBatchRecordEvent as Event
from domain.master_record_states import MasterBatchRecordState as State
from domain.record_freeze import completed
from domain.rules import master_batch_record as rules
from domain.rules.master_batch_record import Approval, Head, Standing
from domain.rules.record_faults import Recipe, RecipeOperation, faults
from domain.specification import Characteristic, RecordVersion
from tests.desk import tablet_order

FORCE = Characteristic(name="force", unit="kN", low=Decimal(5), high=Decimal(20), critical=True)
RECIPE = Recipe(
    route_state="effective",
    bill_of_material_state="effective",
    operations=(
        RecipeOperation("DISPENSE", counts_pieces=False),
        RecipeOperation("COMPRESS", ("DISPENSE",), parameters=(FORCE,)),
        RecipeOperation("COAT", ("COMPRESS",), is_output=True),
    ),
    lines={1: "API", 2: "LAC"},
)
STEP = {"number": 1, "text": {"en": "Start.", "zh": "开始。"}}
WHOLE: dict[str, Any] = {
    "billOfMaterialVersion": "1",
    "routeVersion": "1",
    "operations": [
        {"operation": "DISPENSE", "equipmentClass": "booth", "instructions": [STEP]},
        *(
            {"operation": code, "equipmentClass": "machine", "instructions": [STEP], "yieldLowPercent": "90",
             "yieldHighPercent": "101"}
            for code in ("COMPRESS", "COAT")
        ),
    ],
    "balanceLimitPercent": "3",
}  # fmt: skip


def broken(recipe: Recipe = RECIPE, **changes: Any) -> set[tuple[str, str]]:
    """Code and path of what is broken when the whole body is changed: `operations__0__room="x"`."""
    body = copy.deepcopy(WHOLE)
    for path, value in changes.items():
        *way, last = path.split("__")
        place: Any = body
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[int(last) if last.isdigit() else last] = value
    found = faults("TAB", "2", MasterBatchRecordBody.model_validate(body), recipe)
    assert all(blocker.found and blocker.required and blocker.who_can_fix for blocker in found)
    return {(blocker.code, blocker.id.removeprefix("TAB/2").removeprefix("/")) for blocker in found}


def test_a_whole_record_has_no_fault() -> None:
    assert broken() == set()


@pytest.mark.accepts("MD-04")
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"routeVersion": "1", "operations": []}, {("OPERATION_MISSING", code) for code in
                                                   ("DISPENSE", "COMPRESS", "COAT")}),
        ({"operations__0__operation": "FLY"}, {("UNKNOWN_OPERATION", "FLY"), ("OPERATION_MISSING", "DISPENSE")}),
        ({"operations__1__operation": "COAT"}, {("DUPLICATE", "COAT"), ("OPERATION_MISSING", "COMPRESS")}),
        ({"operations__0__equipmentClass": " "}, {("EQUIPMENT_CLASS_MISSING", "DISPENSE")}),
        ({"operations__1__yieldLowPercent": None}, {("YIELD_LIMITS_MISSING", "COMPRESS")}),
        ({"operations__2__yieldHighPercent": "80"}, {("LIMITS_OUT_OF_ORDER", "COAT")}),
        ({"balanceLimitPercent": None}, {("BALANCE_LIMIT_MISSING", "")}),
        ({"operations__0__instructions": []}, {("INSTRUCTIONS_MISSING", "DISPENSE")}),
        ({"operations__0__instructions": [STEP, STEP]}, {("DUPLICATE", "DISPENSE/1")}),
        ({"operations__0__instructions__0": {"number": 7, "text": {"zh": "开始。", "en": " "}}},
         {("TEXT_MISSING", "DISPENSE/7/en")}),
        ({"operations__0__instructions__0": {"number": 7, "text": {}}},
         {("TEXT_MISSING", "DISPENSE/7/en"), ("TEXT_MISSING", "DISPENSE/7/zh")}),
        ({"operations__1__expectedValues": [{"name": "force", "unit": "N"}]}, {("UNIT_MISMATCH", "COMPRESS/force")}),
        ({"operations__1__expectedValues": [{"name": "force", "unit": "kN", "high": "21"}]},
         {("LIMITS_WIDER_THAN_ROUTE", "COMPRESS/force")}),
        ({"operations__1__expectedValues": [{"name": "force", "unit": "kN", "target": "4"}]},
         {("LIMITS_OUT_OF_ORDER", "COMPRESS/force")}),
        ({"operations__1__expectedValues": [{"name": "speed", "critical": True}]},
         {("LIMITS_MISSING", "COMPRESS/speed")}),
        ({"operations__1__expectedValues": [{"name": "speed"}, {"name": "speed"}]}, {("DUPLICATE", "COMPRESS/speed")}),
        ({"operations__1__expectedValues": [{"name": "speed", "critical": True, "low": "1"}]}, set()),
        ({"materials": [{"line": 1, "material": "API"}, {"line": 3, "material": "LAC"}]},
         {("UNKNOWN_MATERIAL_LINE", "line/3")}),
        ({"materials": [{"line": 2, "material": "LAC"}, {"line": 2, "material": "LAC"}]}, {("DUPLICATE", "2")}),
    ],
)  # fmt: skip
def test_each_broken_node_is_named(changes: dict[str, Any], found: set[tuple[str, str]]) -> None:
    assert broken(**changes) == found


@pytest.mark.accepts("MD-04")
def test_everything_is_named_at_once() -> None:
    found = broken(
        balanceLimitPercent=None, operations__0__equipmentClass="", operations__2__yieldLowPercent=None,
        operations__1__instructions=[],
    )  # fmt: skip
    assert {code for code, _ in found} == {
        "BALANCE_LIMIT_MISSING", "EQUIPMENT_CLASS_MISSING", "YIELD_LIMITS_MISSING", "INSTRUCTIONS_MISSING",
    }  # fmt: skip


@pytest.mark.accepts("MD-04")
def test_a_record_on_a_recipe_that_is_not_fit_is_broken() -> None:
    lost = Recipe(route_state=None, bill_of_material_state=None)
    assert broken(lost) == {("UNKNOWN_VERSION", "route"), ("UNKNOWN_VERSION", "bill of material")}
    old = Recipe("superseded", "draft", RECIPE.operations, RECIPE.lines)
    assert broken(old) == {("RECIPE_NOT_EFFECTIVE", "route"), ("RECIPE_NOT_EFFECTIVE", "bill of material")}
    ring = (RecipeOperation("DISPENSE", ("COAT",), counts_pieces=False), *RECIPE.operations[1:])
    found = broken(Recipe("effective", "effective", ring, RECIPE.lines))
    assert found == {("ROUTE_LOOP", code) for code in ("DISPENSE", "COMPRESS", "COAT")}
    critical = (*RECIPE.operations[:2], RecipeOperation("COAT", parameters=(Characteristic(name="x", critical=True),)))
    assert broken(Recipe("effective", "effective", critical, RECIPE.lines)) == {("LIMITS_MISSING", "COAT/x")}
    without = Recipe("effective", None, RECIPE.operations)
    assert broken(without, billOfMaterialVersion=None, balanceLimitPercent=None) == set()


# Who may move it -------------------------------------------------------------------------------------------------


def approval(head: Head, by: str) -> Approval:
    """A signature under the content `h`."""
    at = datetime(2026, 11, 2, tzinfo=UTC)
    return Approval(
        head=head, by=by, full_name=by, meaning="approved", signature_id="s", content_hash="h", at=at
    )  # fmt: skip


def standing(state: State = State.IN_REVIEW, *approvals: Approval) -> Standing:
    """A version that pat and pam wrote."""
    return Standing("TAB", "2", state, "h", ("pat", "pam"), approvals)


@pytest.mark.accepts("MD-02", "AC-03")
def test_two_different_heads_who_did_not_write_it() -> None:
    own = standing(State.IN_REVIEW, approval(Head.PRODUCTION, "sam"))
    cases = {
        ("max", Head.QUALITY, "h"): set(),
        ("sam", Head.QUALITY, "h"): {"SEPARATION_OF_DUTIES"},
        ("sue", Head.PRODUCTION, "h"): {"ALREADY_SIGNED"},
        ("pam", Head.QUALITY, "h"): {"SEPARATION_OF_DUTIES"},
        ("pat", Head.PRODUCTION, "other"): {"SEPARATION_OF_DUTIES", "ALREADY_SIGNED", "CONTENT_CHANGED"},
    }
    for (who, head, seen), found in cases.items():
        assert {blocker.code for blocker in rules.approval_blockers(own, who, head, seen)} == found
    assert rules.still_needed(own.approvals) == (Head.QUALITY,)


@pytest.mark.accepts("MD-03")
@pytest.mark.parametrize("state", State)
def test_only_a_draft_is_edited(state: State) -> None:
    if state == State.DRAFT:
        rules.check_editable(standing(state), "h")
        return
    with pytest.raises(Refused) as refused:
        rules.check_editable(standing(state), "h")
    assert [blocker.code for blocker in refused.value.blockers] == ["VERSION_LOCKED"]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_what_the_table_does_not_list_is_refused_with_what_is_possible(state: State, event: Event) -> None:
    if MACHINE.allows(state, event):
        assert rules.advanced(standing(state), event) == MACHINE.transitions[state, event]
        return
    with pytest.raises(Refused) as refused:
        rules.advanced(standing(state), event)
    (blocker,) = refused.value.blockers
    assert (blocker.code, blocker.id, blocker.found) == ("INVALID_TRANSITION", "TAB/2", state)
    assert refused.value.possible == rules.possible(state)


# What is frozen --------------------------------------------------------------------------------------------------


@pytest.mark.accepts("MD-01")
def test_an_order_gets_what_the_record_says_and_keeps_what_it_does_not() -> None:
    (own,) = tablet_order(api="5.5").work_orders
    expected = [{"name": "weight", "unit": "mg", "high": "117", "target": "113", "critical": True, "secondCheck": True},
                {"name": "speed", "unit": "rpm", "low": "1"}]  # fmt: skip
    said = {"operation": "COMPRESS", "expectedValues": expected, "verified": True, "clearance": ["no other labels"],
            "longestWaitSeconds": 60, "training": "PRESS", "instructions": [{**STEP, "number": 20}, STEP]}  # fmt: skip
    body = MasterBatchRecordBody.model_validate(
        {"routeVersion": "1", "operations": [said],
         "materials": [{"line": 1, "material": "API", "weighingTolerancePercent": "0.5"}]}
    )  # fmt: skip
    version = RecordVersion(product="TAB", version="2", content_hash="h")
    made = completed(own, version, body)
    assert made.record == version
    dispense, press, coat = made.operations
    assert (dispense, coat) == (own.operations[0], own.operations[2])
    weight, speed = press.parameters
    assert (weight.low, weight.high, weight.target) == (Decimal(108), Decimal(117), Decimal(113))
    assert weight.required
    assert (weight.critical, weight.second_check) == (True, True)
    assert (speed.low, speed.high, speed.unit) == (Decimal(1), None, "rpm")
    assert [one.number for one in press.instructions] == [1, 20]
    assert (press.verified, press.clearance, press.longest_wait_seconds) == (True, ("no other labels",), 60)
    assert [line.weighing_tolerance for line in made.materials] == [Decimal("0.0275"), None]
    assert made.quantity == own.quantity


# What differs ----------------------------------------------------------------------------------------------------

LEAVES = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "1"])
KEYED = st.fixed_dictionaries({"name": st.sampled_from("abcd"), "of": LEAVES})
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.lists(KEYED, max_size=3)
    | st.dictionaries(st.sampled_from(["name", "x", "y"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.accepts("MD-03")
@settings(max_examples=500, derandomize=True, database=None, deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_two_documents_are_the_same_exactly_when_nothing_differs(one: Any, other: Any) -> None:
    found = list(differences(one, other))
    assert (found == []) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))
    assert list(differences(one, one)) == []
    assert len({(own.path, own.change) for own in found}) == len(found)


def test_an_entry_between_two_others_is_one_difference() -> None:
    before = [{"name": "a", "low": 1}, {"name": "c", "low": 3}]
    found = list(differences({"v": before}, {"v": [before[0], {"name": "b"}, {"name": "c", "low": 4}]}))
    assert [(own.path, own.change, own.before, own.after) for own in found] == [
        ("v[c].low", Change.CHANGED, 3, 4), ("v[b]", Change.ADDED, None, {"name": "b"}),
    ]  # fmt: skip
    (moved,) = differences(before, before[::-1])
    assert (moved.path, moved.change, moved.before, moved.after) == ("[]", Change.REORDERED, ["a", "c"], ["c", "a"])
    assert [own.path for own in differences([1, 2], [1, 3, 4])] == ["[1]", "[2]"]
