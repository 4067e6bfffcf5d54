"""A BatchML MasterRecipe read back as a master batch record: all of it, or everything that is wrong with it. Pure.

Nothing is left out in silence: an element that a record cannot keep is a fault, except those that speak of the document
or of decisions made elsewhere (`_NOT_OURS`): a version that is taken is a draft, whoever approved it there.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from domain.batchml import (
    INPUT,
    MATERIAL_FIELDS,
    NAMESPACE,
    OPERATION_FIELDS,
    PARAMETER,
    RECORD_FIELDS,
    VALUE_FIELDS,
    Document,
)
from domain.errors import Blocker
from domain.master_batch_record import LANGUAGES
from domain.xml_tree import Element, NoXml, parsed

_NOT_OURS: Final[Mapping[str, frozenset[str]]] = {
    "BatchInformation": frozenset({"ListHeader", "Description"}),
    "MasterRecipe": frozenset({"VersionDate", "Description"}),
    "Header": frozenset({"ApprovalHistory", "EffectiveDate", "ExpirationDate", "ProductName", "Status"}),
    "ModificationLog": frozenset({"ModifiedDate", "Author"}),
}
_NAMESPACES: Final = re.compile(rf"{re.escape(NAMESPACE)}(-V\d{{4}})?")
_INTEGER: Final = re.compile(r"-?\d{1,12}")
_BOOLEAN: Final = {"true": True, "1": True, "false": False, "0": False}
Place = tuple[str | int, ...]


class Read:
    """What a document says, in the shape of an exported version, and where it says it.

    `exported` has no `contentHash` when the document has none. `places`: field of it → path of the element.
    """

    def __init__(self, text: str) -> None:
        self.faults: list[Blocker] = []
        self.places: dict[Place, str] = {}
        self.exported: Document = {}
        try:
            root = parsed(text)
        except NoXml as no:
            self._no(f"line {no.line}", no.found, "XML without a document type declaration", "NOT_XML")
            return
        if root.name != "BatchInformation" or not _NAMESPACES.fullmatch(root.namespace):
            required = f"BatchInformation of {NAMESPACE}"
            self._no(f"{root.name} (line {root.line})", f"{root.name} of {root.namespace or 'no namespace'}", required)
            return
        taken = self._taken(root, root.name, ("MasterRecipe",))
        if len(taken["MasterRecipe"]) != 1:
            self._no(root.name, f"{len(taken['MasterRecipe'])} MasterRecipe", "exactly one")
            return
        self._recipe(taken["MasterRecipe"][0], f"{root.name}/MasterRecipe")

    def place(self, field: Iterable[str | int]) -> str:
        """The path of the element that says a field, or the nearest above it."""
        at = tuple(field)
        while at and at not in self.places:
            at = at[:-1]
        return self.places.get(at, "MasterRecipe")

    # Parts of it -----------------------------------------------------------------------------------------------------

    def _no(self, place: str, found: str, required: str, code: str = "SCHEMA") -> None:
        self.faults.append(
            Blocker(code=code, entity="document", id=place, found=found[:80], required=required,
                    who_can_fix="sending system")
        )  # fmt: skip

    def _taken(
        self, own: Element, path: str, names: Iterable[str], once: Iterable[str] = ()
    ) -> dict[str, list[Element]]:
        """The children by name: every other one, and every second one of those that stand once, is a fault."""
        found: dict[str, list[Element]] = {name: [] for name in (*names, *once)}
        ignored = _NOT_OURS.get(own.name, frozenset())
        for child in own.children:
            if child.name in found:
                found[child.name].append(child)
            elif child.name not in ignored:
                at = f"{path}/{child.name} (line {child.line})"
                self._no(at, child.name, f"{', '.join(found)}: a master batch record keeps nothing else here")
        for name in once:
            if len(found[name]) != 1:
                self._no(f"{path}/{name} (line {own.line})", str(len(found[name])), "exactly one")
                found[name] = found[name][:1] or [Element(name, line=own.line)]
        if own.text.strip() and own.children:
            self._no(f"{path} (line {own.line})", own.text.strip(), "elements, no text between them")
        return found

    def _leaf(self, own: Element, path: str, *at: str | int) -> str:
        """The text of an element, remembered as the place of a field."""
        self.places[at] = f"{path} (line {own.line})"
        for child in own.children:
            self._no(f"{path}/{child.name} (line {child.line})", child.name, "a text")
        return own.text

    def _value(self, own: Element, path: str, kind: str, unit: str | None, *at: str | int) -> str:
        """The text of a Value; `unit` is the one that it has to have, none: any."""
        taken = self._taken(own, path, ("DataInterpretation", "DataType", "UnitOfMeasure"), ("ValueString",))
        for name, required in (("DataInterpretation", "Constant"), ("DataType", kind), ("UnitOfMeasure", unit)):
            for stated in taken[name]:
                if required is not None and stated.text not in ("", required):
                    self._no(f"{path}/{name} (line {stated.line})", stated.text, required or "no unit")
        return self._leaf(taken["ValueString"][0], f"{path}/ValueString", *at)

    def _typed(self, own: Element, path: str, kind: str, unit: str | None, *at: str | int) -> Any:
        text = self._value(own, path, kind, unit, *at)
        if kind == "boolean":
            if text not in _BOOLEAN:
                self._no(self.places[at], text, "true or false")
            return _BOOLEAN.get(text, False)
        if kind == "integer" and not _INTEGER.fullmatch(text):
            self._no(self.places[at], text, "a whole number")
            return 1
        return text

    def _recipe(self, own: Element, path: str) -> None:
        taken = self._taken(own, path, ("Formula", "OtherInformation"), ("ID", "Version", "Header", "RecipeElement"))
        exported = self.exported
        exported["product"] = self._leaf(taken["ID"][0], f"{path}/ID", "product")
        exported["version"] = self._leaf(taken["Version"][0], f"{path}/Version", "version")
        self._header(taken["Header"][0], f"{path}/Header")
        content = exported["content"] = {"materials": []}
        exported["pictures"] = {}
        for formula in taken["Formula"]:
            for parameter in self._taken(formula, f"{path}/Formula", ("Parameter",))["Parameter"]:
                content["materials"].append(self._material(parameter, f"{path}/Formula", len(content["materials"])))
        self._procedure(taken["RecipeElement"][0], path, content)
        for other in taken["OtherInformation"]:
            self._other(other, path, content)

    def _header(self, own: Element, path: str) -> None:
        taken = self._taken(own, path, (), ("ModificationLog", "ProductID"))
        log = taken["ModificationLog"][0]
        why = self._taken(log, f"{path}/ModificationLog", (), ("Description",))["Description"][0]
        at = f"{path}/ModificationLog/Description"
        self.exported["reasonForChange"] = self._leaf(why, at, "reasonForChange")
        product = taken["ProductID"][0]
        if product.text != self.exported["product"]:
            required = f"{self.exported['product']}, as the ID of the recipe"
            self._no(f"{path}/ProductID (line {product.line})", product.text or "nothing", required)

    def _procedure(self, own: Element, path: str, content: Document) -> None:
        path, required = f"{path}/RecipeElement[{own.said('ID')}]", ("ID", "RecipeElementType")
        names = (*required, "BuildingBlockElementID", "BuildingBlockElementVersion")
        taken = self._taken(own, path, ("RecipeElement",), names)
        self._is(taken["RecipeElementType"][0], path, "UnitProcedure")
        self._is(taken["BuildingBlockElementID"][0], path, "route")
        version = taken["BuildingBlockElementVersion"][0]
        at = f"{path}/BuildingBlockElementVersion"
        content["routeVersion"] = self._leaf(version, at, "content", "routeVersion")
        content["operations"] = [
            self._operation(operation, path, ("content", "operations", number))
            for number, operation in enumerate(taken["RecipeElement"])
        ]

    def _is(self, own: Element, path: str, required: str) -> None:
        if own.text != required:
            self._no(f"{path}/{own.name} (line {own.line})", own.text or "nothing", required)

    def _other(self, own: Element, path: str, content: Document) -> None:
        name = own.said("ID")
        path = f"{path}/OtherInformation[{name}]"
        if name == "pictureFile":
            values = self._taken(own, path, ("Value",), ("ID",))["Value"]
            if len(values) != 2:
                self._no(f"{path} (line {own.line})", f"{len(values)} Value", "two: the SHA-256 and the file")
                return
            key = self._value(values[0], f"{path}/Value", "string", "", "pictures")
            file = self._value(values[1], f"{path}/Value", "binary", "", "pictures", key)
            self.exported["pictures"][key] = file
        elif name not in RECORD_FIELDS:
            self._no(f"{path} (line {own.line})", name or "nothing", f"one of {', '.join(RECORD_FIELDS)}, pictureFile")
        else:
            into, base = (content, ("content",)) if name in ("billOfMaterialVersion", "balanceLimitPercent") else (
                self.exported, ())  # fmt: skip
            self._once(into, name, own, path, RECORD_FIELDS[name], (*base, name))

    def _once(
        self, into: Document, name: str, own: Element, path: str, kind: tuple[str, str | None], at: Place,
        names: tuple[str, ...] = ("ID",),
    ) -> None:  # fmt: skip
        """One field of `into`, said once by an element with a Value."""
        if name in into:
            self._no(f"{path} (line {own.line})", "said twice", "once")
        taken = self._taken(own, path, (), (*names, "Value"))
        into[name] = self._typed(taken["Value"][0], f"{path}/Value", *kind, *at)

    def _fields(
        self, own: Iterable[Element], path: str, into: Document, fields: Mapping[str, tuple[str, str | None]], at: Place
    ) -> None:  # fmt: skip
        for parameter in own:
            name = parameter.said("ID")
            below = f"{path}/Parameter[{name}]"
            if name not in fields:
                self._no(f"{below} (line {parameter.line})", name or "nothing", f"one of {', '.join(fields)}")
            else:
                self._once(into, name, parameter, below, fields[name], (*at, name), ("ID", "ParameterType"))

    def _material(self, own: Element, path: str, number: int) -> Document:
        at: Place = ("content", "materials", number)
        path = f"{path}/Parameter[{own.said('ID')}]"
        self.places[at] = f"{path} (line {own.line})"
        taken = self._taken(own, path, ("Parameter",), ("ID", "ParameterType", "Value"))
        self._is(taken["ParameterType"][0], path, INPUT)
        line = self._leaf(taken["ID"][0], f"{path}/ID", *at, "line")
        if not _INTEGER.fullmatch(line):
            self._no(self.places[*at, "line"], line or "nothing", "a whole number")
            line = "0"
        code = self._value(taken["Value"][0], f"{path}/Value", "string", "", *at, "material")
        found: Document = {"line": line, "material": code}
        self._fields(taken["Parameter"], path, found, MATERIAL_FIELDS, at)
        return found

    def _operation(self, own: Element, path: str, at: Place) -> Document:
        path = f"{path}/RecipeElement[{own.said('ID')}]"
        self.places[at] = f"{path} (line {own.line})"
        names = ("EquipmentRequirement", "Parameter", "RecipeElement", "OtherInformation")
        taken = self._taken(own, path, names, ("ID", "RecipeElementType"))
        self._is(taken["RecipeElementType"][0], path, "Operation")
        found: Document = {"operation": self._leaf(taken["ID"][0], f"{path}/ID", *at, "operation")}
        for requirement in taken["EquipmentRequirement"]:
            below = f"{path}/EquipmentRequirement"
            if "equipmentClass" in found:
                self._no(f"{below} (line {requirement.line})", "said twice", "one equipment class")
            code = self._taken(requirement, below, (), ("ID",))["ID"][0]
            found["equipmentClass"] = self._leaf(code, f"{below}/ID", *at, "equipmentClass")
        values = [one for one in taken["Parameter"] if one.said("ParameterType") == PARAMETER]
        found["expectedValues"] = [
            self._expected(one, path, (*at, "expectedValues", number)) for number, one in enumerate(values)
        ]
        others = [one for one in taken["Parameter"] if one.said("ParameterType") != PARAMETER]
        self._fields(others, path, found, OPERATION_FIELDS, at)
        found["instructions"] = [
            self._phase(one, path, (*at, "instructions", number)) for number, one in enumerate(taken["RecipeElement"])
        ]
        found["clearance"] = [
            item for other in taken["OtherInformation"] for item in self._clearance(other, path, (*at, "clearance"))
        ]
        return found

    def _clearance(self, own: Element, path: str, at: Place) -> list[str]:
        name = own.said("ID")
        path = f"{path}/OtherInformation[{name}]"
        if name != "clearance":
            self._no(f"{path} (line {own.line})", name or "nothing", "clearance")
            return []
        values = self._taken(own, path, ("Value",), ("ID",))["Value"]
        return [self._value(one, f"{path}/Value", "string", "", *at, number) for number, one in enumerate(values)]

    def _expected(self, own: Element, path: str, at: Place) -> Document:
        path = f"{path}/Parameter[{own.said('ID')}]"
        self.places[at] = f"{path} (line {own.line})"
        taken = self._taken(own, path, ("Parameter",), ("ID", "ParameterType", "Value"))
        found: Document = {"name": self._leaf(taken["ID"][0], f"{path}/ID", *at, "name")}
        stated = taken["Value"][0]
        unit = found["unit"] = stated.said("UnitOfMeasure")
        self.places[*at, "unit"] = f"{path}/Value/UnitOfMeasure (line {stated.line})"
        found["target"] = self._value(stated, f"{path}/Value", "decimal", None, *at, "target") or None
        fields = {name: (kind, unit if kind == "decimal" else "") for name, kind in VALUE_FIELDS.items()}
        self._fields(taken["Parameter"], path, found, fields, at)
        return found

    def _phase(self, own: Element, path: str, at: Place) -> Document:
        path = f"{path}/RecipeElement[{own.said('ID')}]"
        self.places[at] = f"{path} (line {own.line})"
        taken = self._taken(own, path, ("Description", "OtherInformation"), ("ID", "RecipeElementType"))
        self._is(taken["RecipeElementType"][0], path, "Phase")
        number = self._leaf(taken["ID"][0], f"{path}/ID", *at, "number")
        if not _INTEGER.fullmatch(number):
            self._no(self.places[*at, "number"], number or "nothing", "a whole number: that of the instruction")
            number = "1"
        found: Document = {"number": number, "text": self._words(taken["Description"], path, (*at, "text"))}
        found["pictures"] = [
            self._picture(one, path, (*at, "pictures", place)) for place, one in enumerate(taken["OtherInformation"])
        ]
        return found

    def _picture(self, own: Element, path: str, at: Place) -> Document:
        path = f"{path}/OtherInformation[{own.said('ID')}]"
        taken = self._taken(own, path, ("Description",), ("ID", "Value"))
        self._is(taken["ID"][0], path, "picture")
        digest = self._value(taken["Value"][0], f"{path}/Value", "string", "", *at, "sha256")
        return {"sha256": digest, "text": self._words(taken["Description"], path, (*at, "text"))}

    def _words(self, own: Iterable[Element], path: str, at: Place) -> dict[str, str]:
        found: dict[str, str] = {}
        for one in own:
            place = f"{path}/Description"
            text = self._leaf(one, place, *at, one.language or "")
            if one.language not in LANGUAGES or one.language in found:
                told = f"languageID {one.language or 'nothing'}"
                self._no(f"{place} (line {one.line})", told, f"{' and '.join(LANGUAGES)}, each once")
            else:
                found[one.language] = text
        return found
