"""A master batch record as BatchML writes a MasterRecipe (ISA-88; B2MML-BatchML version 7): written. Pure.

The record is the procedure; below it stand one unit procedure (the route that it names), an operation for each of its
operations, a phase for each instruction. What the standard has no element for is a Parameter or OtherInformation whose
ID is our field. `domain/batchml_reading.py` reads it back: the same record, to the last digit and blank.
The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from domain.errors import Blocker, Refused
from domain.xml_tree import Element, leaf, node, unwritable, written

Document = dict[str, Any]
NAMESPACE: Final = "http://www.mesa.org/xml/B2MML"
INPUT, OUTPUT, PARAMETER, OTHER = "ProcessInput", "ProcessOutput", "ProcessParameter", "Other"

RECORD_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "changeControl": ("string", ""), "contentHash": ("string", ""), "billOfMaterialVersion": ("string", ""),
    "balanceLimitPercent": ("decimal", "%"),
}  # fmt: skip
"""ID of OtherInformation of the recipe → DataType and UnitOfMeasure."""
OPERATION_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "room": ("string", ""), "training": ("string", ""), "verified": ("boolean", ""),
    "longestWaitSeconds": ("integer", "s"), "yieldLowPercent": ("decimal", "%"), "yieldHighPercent": ("decimal", "%"),
    "reworkAllowed": ("boolean", ""), "recoveryAllowed": ("boolean", ""), "printCheckSeconds": ("integer", "s"),
}  # fmt: skip
"""ID of a Parameter of an operation → DataType and UnitOfMeasure."""
MATERIAL_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "weighingTolerancePercent": ("decimal", "%"), "assay": ("string", ""), "water": ("string", ""),
    "reservePercent": ("decimal", "%"), "balanceLimitPercent": ("decimal", "%"), "printed": ("boolean", ""),
}  # fmt: skip
"""ID of a Parameter of a material → DataType and UnitOfMeasure."""
VALUE_FIELDS: Final[Mapping[str, str]] = {
    "warningLow": "decimal", "warningHigh": "decimal", "low": "decimal", "high": "decimal", "required": "boolean",
    "critical": "boolean", "secondCheck": "boolean",
}  # fmt: skip
"""ID of a Parameter of an expected value → DataType. Limits are in the value's unit."""


def master_recipe(exported: Document) -> str:
    """The document of an exported version (`GET …/export`). Raises `Refused` NO_XML_CHARACTER with every place."""
    content = exported["content"]
    other = dict(exported) | {name: content.get(name) for name in ("billOfMaterialVersion", "balanceLimitPercent")}
    recipe = node(
        "MasterRecipe", leaf("ID", exported["product"]), leaf("Version", exported["version"]),
        node(
            "Header", node("ModificationLog", leaf("Description", exported["reasonForChange"])),
            leaf("ProductID", exported["product"]),
        ),
        *([node("Formula", *map(_material, content["materials"]))] if content["materials"] else []),
        node(
            "RecipeElement", leaf("ID", exported["product"]), leaf("RecipeElementType", "UnitProcedure"),
            leaf("BuildingBlockElementID", "route"), leaf("BuildingBlockElementVersion", content["routeVersion"]),
            *map(_operation, content["operations"]),
        ),
        *(
            _other(name, value(str(other[name]), *kind))
            for name, kind in RECORD_FIELDS.items() if other.get(name) is not None
        ),
        *(_other("pictureFile", value(key, "string"), value(file, "binary"))
          for key, file in exported.get("pictures", {}).items()),
    )  # fmt: skip
    document = node("BatchInformation", recipe)
    wrong = tuple(
        Blocker(code="NO_XML_CHARACTER", entity="document", id=path, found=found, required="a text that XML can hold",
                who_can_fix="processEngineer")
        for path, found in unwritable(document)
    )  # fmt: skip
    if wrong:
        raise Refused(wrong)
    return written(document, NAMESPACE)


def value(text: str, kind: str, unit: str = "") -> Element:
    """A Value: the schema wants all four of its elements."""
    return node(
        "Value", leaf("ValueString", text), leaf("DataInterpretation", "Constant"), leaf("DataType", kind),
        leaf("UnitOfMeasure", unit),
    )  # fmt: skip


def _other(name: str, *children: Element) -> Element:
    return node("OtherInformation", leaf("ID", name), *children)


def _parameter(name: str, kind: str, own: Element, *below: Element) -> Element:
    return node("Parameter", leaf("ID", name), leaf("ParameterType", kind), own, *below)


def _is_said(found: Any) -> bool:
    return found not in (None, "", False)


def _text(found: Any) -> str:
    return str(found).lower() if isinstance(found, bool) else str(found)


def _fields(of: Document, fields: Mapping[str, tuple[str, str]]) -> Iterable[Element]:
    for name, (kind, unit) in fields.items():
        if _is_said(of.get(name)):
            group = OUTPUT if name.startswith("yield") else OTHER
            yield _parameter(name, group, value(_text(of[name]), kind, unit))


def _material(own: Document) -> Element:
    below = _fields(own, MATERIAL_FIELDS)
    return _parameter(str(own["line"]), INPUT, value(own["material"], "string"), *below)


def _expected(own: Document) -> Element:
    unit, target = own["unit"], own["target"]
    below = (
        _parameter(name, OTHER, value(_text(own[name]), kind, unit if kind == "decimal" else ""))
        for name, kind in VALUE_FIELDS.items()
        if _is_said(own[name])
    )
    return _parameter(own["name"], PARAMETER, value("" if target is None else target, "decimal", unit), *below)


def _operation(own: Document) -> Element:
    clearance = [value(item, "string") for item in own["clearance"]]
    equipment = own["equipmentClass"]
    return node(
        "RecipeElement", leaf("ID", own["operation"]), leaf("RecipeElementType", "Operation"),
        *([node("EquipmentRequirement", leaf("ID", equipment))] if equipment else []),
        *map(_expected, own["expectedValues"]), *_fields(own, OPERATION_FIELDS),
        *map(_phase, own["instructions"]), *([_other("clearance", *clearance)] if clearance else []),
    )  # fmt: skip


def _words(text: Mapping[str, str]) -> Iterable[Element]:
    return (leaf("Description", words, language) for language, words in text.items())


def _phase(own: Document) -> Element:
    return node(
        "RecipeElement", leaf("ID", str(own["number"])), *_words(own["text"]), leaf("RecipeElementType", "Phase"),
        *(_other("picture", value(one["sha256"], "string"), *_words(one["text"])) for one in own.get("pictures", ())),
    )  # fmt: skip
