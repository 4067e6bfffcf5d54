"""A master batch record goes out as a BatchML MasterRecipe and comes back as the same record (MD-04)."""

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.batchml import MATERIAL_FIELDS, NAMESPACE, OPERATION_FIELDS, VALUE_FIELDS, master_recipe
from domain.batchml_reading import Read
from domain.errors import Refused
from domain.master_batch_record import ExpectedValue, MasterBatchRecordBody, RecordedMaterial, RecordedOperation
from domain.xml_tree import DEEPEST, MOST_ELEMENTS, NoXml, parsed

pytestmark = pytest.mark.accepts("MD-04")
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("\n\r\t <>&\"']] 核对天平"),
    max_size=30,
)
CODE = st.text(string.ascii_letters + "核-/<&", min_size=1, max_size=10)
NAME = WORDS.filter(bool)
NUMBER = st.decimals(-999, 999, places=3).map(lambda own: format(own, "f"))
PERCENT = st.decimals(0, 1000, places=2).map(lambda own: format(own, "f")) | st.none()
TEXT = st.dictionaries(st.sampled_from(["en", "zh"]), WORDS)
SECONDS = st.integers(1, 2_000_000_000) | st.none()
PICTURE = st.fixed_dictionaries({"sha256": st.text("0123456789abcdef", min_size=64, max_size=64), "text": TEXT})
VALUE = st.fixed_dictionaries({
    "name": NAME, "unit": WORDS, "target": NUMBER | st.none(), "warningLow": NUMBER | st.none(),
    "warningHigh": NUMBER | st.none(), "low": NUMBER | st.none(), "high": NUMBER | st.none(),
    "required": st.booleans(), "critical": st.booleans(), "secondCheck": st.booleans(),
})  # fmt: skip
OPERATION = st.fixed_dictionaries({
    "operation": CODE, "equipmentClass": WORDS, "room": WORDS, "training": WORDS, "verified": st.booleans(),
    "instructions": st.lists(st.fixed_dictionaries({
        "number": st.integers(1, 10_000), "text": TEXT, "pictures": st.lists(PICTURE, max_size=2),
    }), max_size=2),
    "expectedValues": st.lists(VALUE, max_size=2), "clearance": st.lists(NAME, max_size=2),
    "longestWaitSeconds": SECONDS, "yieldLowPercent": PERCENT, "yieldHighPercent": PERCENT,
    "reworkAllowed": st.booleans(), "recoveryAllowed": st.booleans(), "printCheckSeconds": SECONDS,
})  # fmt: skip
MATERIAL = st.fixed_dictionaries({
    "line": st.integers(0, 2_000_000_000), "material": CODE, "weighingTolerancePercent": PERCENT, "assay": WORDS,
    "water": WORDS, "reservePercent": PERCENT, "balanceLimitPercent": PERCENT, "printed": st.booleans(),
})  # fmt: skip
BODY = st.fixed_dictionaries({
    "billOfMaterialVersion": CODE | st.none(), "routeVersion": CODE, "operations": st.lists(OPERATION, max_size=2),
    "materials": st.lists(MATERIAL, max_size=2), "balanceLimitPercent": PERCENT,
}).map(MasterBatchRecordBody.model_validate)  # fmt: skip
SMALL = MasterBatchRecordBody.model_validate({
    "billOfMaterialVersion": "1", "routeVersion": "7", "balanceLimitPercent": "3.0",
    "operations": [{
        "operation": "MIX", "equipmentClass": "mixer", "verified": True, "yieldLowPercent": "90",
        "instructions": [{"number": 10, "text": {"en": "Check the balance.", "zh": "核对天平。"}}],
        "expectedValues": [{"name": "weight", "unit": "mg", "target": "113.0", "low": "110", "critical": True}],
        "clearance": ["free of dust / 无尘"],
    }],
    "materials": [{"line": 1, "material": "API", "printed": True}],
})  # fmt: skip


def exported(body: MasterBatchRecordBody, **more: Any) -> dict[str, Any]:
    return {
        "product": "TAB", "version": "2", "changeControl": "CC-2", "reasonForChange": "as agreed",
        "contentHash": "0" * 64,
        "content": body.model_dump(mode="json", by_alias=True), **more,
    }  # fmt: skip


TREE = master_recipe(exported(SMALL))


@given(BODY, WORDS.filter(bool))
def test_every_record_comes_back_as_it_went_out(body: MasterBatchRecordBody, why: str) -> None:
    sent = exported(body, reasonForChange=why, pictures={"a" * 64: "QUJD"})
    read = Read(master_recipe(sent))
    assert read.faults == []
    taken = MasterBatchRecordBody.model_validate(read.exported["content"])
    assert taken.model_dump(mode="json", by_alias=True) == sent["content"]
    assert {name: found for name, found in read.exported.items() if name != "content"} == {
        name: found for name, found in sent.items() if name != "content"
    }


def test_no_field_of_a_record_is_forgotten() -> None:
    """A field that is added to a record has to be given a place in the document, too."""
    structure = {"operation", "instructions", "expected_values", "equipment_class", "clearance"}
    assert {own.alias or name for name, own in RecordedOperation.model_fields.items() if name not in structure} == set(
        OPERATION_FIELDS
    )
    rest = {own.alias for name, own in RecordedMaterial.model_fields.items() if name not in {"line", "material"}}
    assert rest == set(MATERIAL_FIELDS)
    rest = {own.alias for name, own in ExpectedValue.model_fields.items() if name not in {"name", "unit", "target"}}
    assert rest == set(VALUE_FIELDS)


def test_elements_stand_where_the_standard_has_them() -> None:
    root = parsed(TREE)
    assert (root.name, root.namespace) == ("BatchInformation", NAMESPACE)
    (recipe,) = root.children
    names = [own.name for own in recipe.children]
    assert names == ["ID", "Version", "Header", "Formula", "RecipeElement", *["OtherInformation"] * 4]
    (unit,) = recipe.of("RecipeElement")
    (operation,) = unit.of("RecipeElement")
    (phase,) = operation.of("RecipeElement")
    kinds = [own.said("RecipeElementType") for own in (unit, operation, phase)]
    assert kinds == ["UnitProcedure", "Operation", "Phase"]
    assert {own.language: own.text for own in phase.of("Description")} == SMALL.operations[0].instructions[0].text
    (limits,) = [own for own in operation.of("Parameter") if own.said("ParameterType") == "ProcessParameter"]
    value = limits.first("Value")
    assert value is not None
    assert [(own.name, own.text) for own in value.children] == [
        ("ValueString", "113.0"), ("DataInterpretation", "Constant"), ("DataType", "decimal"), ("UnitOfMeasure", "mg"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "place", "found"),
    [
        ("<Version>2</Version>", "", "MasterRecipe/Version", "0"),
        ("<Version>2</Version>", "<Version>2</Version><Version>3</Version>", "MasterRecipe/Version", "2"),
        ("<Formula>", "<ProcedureLogic/><Formula>", "MasterRecipe/ProcedureLogic", "ProcedureLogic"),
        ("<ProductID>TAB", "<ProductID>CAP", "Header/ProductID", "CAP"),
        (">UnitProcedure<", ">UnitRecipe<", "RecipeElement[TAB]/RecipeElementType", "UnitRecipe"),
        (">Operation<", ">Allocation<", "RecipeElement[MIX]/RecipeElementType", "Allocation"),
        (">Phase<", ">Begin<", "RecipeElement[10]/RecipeElementType", "Begin"),
        ("<ID>10</ID>", "<ID>ten</ID>", "RecipeElement[ten]/ID", "ten"),
        ('"zh"', '"de"', "RecipeElement[10]/Description", "languageID de"),
        ("<ID>verified</ID>", "<ID>speed</ID>", "RecipeElement[MIX]/Parameter[speed]", "speed"),
        ("<ID>critical</ID>", "<ID>fast</ID>", "Parameter[weight]/Parameter[fast]", "fast"),
        ("<ID>clearance</ID>", "<ID>note</ID>", "OtherInformation[note]", "note"),
        ("<ID>changeControl</ID>", "<ID>cost</ID>", "OtherInformation[cost]", "cost"),
        (">ProcessInput<", ">ProcessOutput<", "Formula/Parameter[1]/ParameterType", "ProcessOutput"),
        (">true</ValueString>", ">yes</ValueString>", "Parameter[printed]/Value/ValueString", "yes"),
        (">Constant<", ">Equation<", "Value/DataInterpretation", "Equation"),
        ("<ID>mixer</ID>", "<ID>mixer</ID><Constraint/>", "EquipmentRequirement/Constraint", "Constraint"),
    ],
)  # fmt: skip
def test_a_wrong_element_is_named_by_its_path_and_line(before: str, after: str, place: str, found: str) -> None:
    assert before in TREE
    (fault,) = Read(TREE.replace(before, after, 1)).faults
    assert fault.code == "SCHEMA"
    assert place in fault.id
    assert fault.found == found
    line = re.search(r"line (\d+)", fault.id)
    assert line is not None
    assert int(line[1]) > 2


def test_a_limit_in_another_unit_than_its_value_is_refused() -> None:
    at = TREE.index("<ID>low</ID>")
    wrong = TREE[:at] + TREE[at:].replace(">mg<", ">g<", 1)
    (fault,) = Read(wrong).faults
    assert (fault.found, fault.required) == ("g", "mg")
    assert "Parameter[low]/Value/UnitOfMeasure" in fault.id


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = TREE.replace(">true<", ">yes<").replace('"en"', '"fr"').replace(">Phase<", ">End<")
    assert len(Read(wrong).faults) == 5


def test_documents_of_earlier_versions_and_what_they_say_of_themselves_are_taken() -> None:
    older = TREE.replace(NAMESPACE, f"{NAMESPACE}-V0600").replace(
        "<Header>", "<VersionDate>2026-01-01</VersionDate><Header><EffectiveDate>2026-02-01</EffectiveDate>"
    )
    older = older.replace("<ModificationLog>", "<ModificationLog><Author>x</Author>").replace(
        "<BatchInformation", "\n<BatchInformation"
    )
    assert Read(older).faults == []
    (fault,) = Read(TREE.replace(NAMESPACE, "urn:x")).faults
    assert fault.found == "BatchInformation of urn:x"


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>', "<a>&b;</a>", "<a", "", "<a/><b/>", "{}", "<a>\x01</a>",
        "<a>" * (DEEPEST + 1) + "</a>" * (DEEPEST + 1), "<a>" + "<b/>" * MOST_ELEMENTS + "</a>",
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_plain_xml_is_refused_before_anything_of_it_is_read(text: str) -> None:
    with pytest.raises(NoXml):
        parsed(text)
    (fault,) = Read(text).faults
    assert fault.code == "NOT_XML"


def test_a_text_that_xml_cannot_hold_is_named_and_nothing_is_written() -> None:
    body = MasterBatchRecordBody(
        route_version="1", operations=(RecordedOperation(operation="MIX", room="a\x07b", training="\x00"),)
    )
    with pytest.raises(Refused) as no:
        master_recipe(exported(body))
    assert [(own.code, own.found) for own in no.value.blockers] == [
        ("NO_XML_CHARACTER", "U+0007"), ("NO_XML_CHARACTER", "U+0000"),
    ]  # fmt: skip
    assert all("RecipeElement[MIX]/Parameter[" in own.id for own in no.value.blockers)
