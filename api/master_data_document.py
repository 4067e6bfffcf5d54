"""The master-data document: what `POST /master-data/import` takes."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from api.shapes import MAX_INT, Body, Identifier, NotNegative, Positive, Reason, Text, Time, storable
from domain.errors import Blocker
from domain.evidence import Evidence
from domain.gs1 import Gs1Refused, gtin_14
from domain.numbering import PatternRefused, compile_pattern
from domain.policy import Policy
from domain.quantities import Exact
from domain.signing import Meaning
from domain.specification import Equipment, InspectionRule

Count = Annotated[int, Field(ge=0, le=MAX_INT)]
Unit = Annotated[str, Field(max_length=40)]
State = Literal["draft", "effective", "superseded"]


def _gtin(text: str) -> str:
    try:
        return gtin_14(text)
    except Gs1Refused as refused:
        raise ValueError(str(refused)) from None


Kind = Literal["raw", "semiFinished", "finished"]


class ApprovedSupplierEntry(Body):
    """A supplier who may deliver a material, until and including that day."""

    supplier: Text
    valid_until: date | None = None


class MaterialEntry(Body):
    """Something that is bought, made or sold. `gtin` has 8, 12, 13 or 14 digits and is kept with 14.

    With `approved_suppliers`, also an empty list, only those deliver it; without, nobody is asked.
    """

    code: Identifier
    name: Text
    kind: Kind
    unit: Annotated[str, Field(min_length=1, max_length=40)]
    shelf_life_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    is_active: bool = True
    gtin: Annotated[str, AfterValidator(_gtin)] | None = None
    strength: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    dosage_form: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    approved_suppliers: Annotated[tuple[ApprovedSupplierEntry, ...], Field(max_length=200)] | None = None


class PlaceEntry(Body):
    """A place of stock."""

    code: Identifier
    name: Text
    zone: Literal["released", "quarantine", "rejected", "line", "outside"]


class WorkstationEntry(Body):
    """A station and what it can do."""

    code: Identifier
    name: Text
    line: Annotated[str, Field(max_length=80)] = ""
    equipment: Equipment = Equipment.MANUAL
    connection: dict[Identifier, Annotated[str, Field(max_length=500)]] | None = Field(default=None, max_length=50)
    capabilities: tuple[Identifier, ...] = Field(default=(), max_length=200)
    is_active: bool = True


class BomLineEntry(Body):
    """One component; `loss_percent` is added on top of `quantity`."""

    line: Count
    material: Identifier
    quantity: Positive
    unit: Annotated[str, Field(min_length=1, max_length=40)]
    loss_percent: Annotated[NotNegative, Field(le=1000)] = Field(default=0, validate_default=True)
    operation: Identifier


class BomContent(Body):
    """What a version of a bill of material says."""

    version: Identifier
    base_quantity: Positive
    lines: tuple[BomLineEntry, ...] = Field(max_length=500)


class BomEntry(BomContent):
    """One version of what a product is made of."""

    product: Identifier
    state: State = "effective"
    effective_from: Time | None = None


class CharacteristicEntry(Body):
    """Something that is measured, with its limits."""

    name: Text
    unit: Unit = ""
    low: Exact | None = None
    high: Exact | None = None
    required: bool = False
    critical: bool = False


class RouteOperationEntry(Body):
    """One operation of a route; `ideal_cycle_seconds` is what one piece takes when nothing is lost."""

    code: Identifier
    sequence: Count
    name: Text
    capability: Identifier
    predecessors: tuple[Identifier, ...] = Field(default=(), max_length=50)
    counts_pieces: bool = True
    is_output: bool = False
    inspection_rule: InspectionRule = InspectionRule.NONE
    ideal_cycle_seconds: Positive | None = None
    recipe: dict[Identifier, Annotated[str, Field(max_length=500)]] | None = Field(default=None, max_length=100)
    parameters: tuple[CharacteristicEntry, ...] = Field(default=(), max_length=200)


class RouteContent(Body):
    """What a version of a route says."""

    version: Identifier
    operations: tuple[RouteOperationEntry, ...] = Field(min_length=1, max_length=200)


class RouteEntry(RouteContent):
    """One version of how a product is made."""

    product: Identifier
    state: State = "effective"
    effective_from: Time | None = None


class PlannedCharacteristicEntry(CharacteristicEntry):
    """One that a plan asks for: by which method, and how much of the lot is taken."""

    method: Annotated[str, Field(max_length=200)] = ""
    sample_size: Annotated[str, Field(max_length=200)] = ""
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=4)] = ()
    """What a result has to say beside its value: instrument, method, reagents; `releaseRecord` of a received lot."""


class InspectionPlanEntry(Body):
    """What is measured on a material. The plan's version counts its changes."""

    material: Identifier
    characteristics: tuple[PlannedCharacteristicEntry, ...] = Field(max_length=200)


class PolicyEntry(Policy):
    """A plant's policy; its texts have to be storable, too."""

    @field_validator("signatures", "second_signatures", "second_factor")
    @classmethod
    def _means_something(cls, value: Collection[str]) -> Collection[str]:
        """Signatures mean one of the controlled list (ES-01)."""
        given = value.values() if isinstance(value, Mapping) else value
        if unknown := sorted(set(given) - set(Meaning)):
            raise ValueError(f"no meanings of a signature: {', '.join(unknown)}; there are: {', '.join(Meaning)}")
        return value

    @field_validator("code", "put_away_place", "signatures", "second_signatures")
    @classmethod
    def _storable(cls, value: object) -> object:
        if not storable(value):
            raise ValueError("a text holds a character that cannot be stored")
        return value


class NumberPatternEntry(Body):
    """One version of how a plant writes the lot numbers of a kind of material; see `domain/numbering.py`."""

    plant: Identifier
    kind: Kind
    version: Annotated[int, Field(ge=1, le=MAX_INT)] = 1
    pattern: Annotated[str, Field(min_length=1, max_length=100)]


NamedKind = Literal["material", "operation", "characteristic", "place", "workstation"]


class DisplayNameEntry(Body):
    """What people read instead of a code, in both languages. Records, labels and signatures keep the code."""

    kind: NamedKind
    code: Text
    english: Text
    chinese: Text

    @property
    def key(self) -> str:
        """What it is known by: `operation/COAT`."""
        return f"{self.kind}/{self.code}"


class MasterDataDocument(Body):
    """All of it, in one transaction. `reason` goes into the audit trail."""

    materials: tuple[MaterialEntry, ...] = ()
    places: tuple[PlaceEntry, ...] = ()
    workstations: tuple[WorkstationEntry, ...] = ()
    bills_of_material: tuple[BomEntry, ...] = ()
    routes: tuple[RouteEntry, ...] = ()
    inspection_plans: tuple[InspectionPlanEntry, ...] = ()
    policies: tuple[PolicyEntry, ...] = ()
    number_patterns: tuple[NumberPatternEntry, ...] = ()
    display_names: tuple[DisplayNameEntry, ...] = ()
    reason: Reason | None = None


def faults(document: MasterDataDocument) -> Iterator[Blocker]:
    """What is wrong inside the document itself: duplicates, and routes that lead nowhere."""
    for name, keys in (
        ("material", [entry.code for entry in document.materials]),
        ("place", [entry.code for entry in document.places]),
        ("workstation", [entry.code for entry in document.workstations]),
        ("display name", [entry.key for entry in document.display_names]),
        ("bill of material", [f"{entry.product}/{entry.version}" for entry in document.bills_of_material]),
        ("route", [f"{entry.product}/{entry.version}" for entry in document.routes]),
        ("inspection plan", [entry.material for entry in document.inspection_plans]),
        ("policy", [f"{entry.code}/{entry.version}" for entry in document.policies]),
        ("number pattern", [pattern_key(entry) for entry in document.number_patterns]),
    ):
        for key in sorted({key for key in keys if keys.count(key) > 1} if len(keys) != len(set(keys)) else ()):
            yield _fault("DUPLICATE", name, key, "more than once in the document", "once")
    for bom in document.bills_of_material:
        if len({line.line for line in bom.lines}) != len(bom.lines):
            yield _fault("DUPLICATE", "bill of material", f"{bom.product}/{bom.version}", "a line number twice", "once")
    for route in document.routes:
        yield from _route_faults(route)
    for entry in document.number_patterns:
        try:
            compile_pattern(entry.pattern)
        except PatternRefused as refused:
            for reason in refused.reasons:
                yield _fault("PATTERN_REFUSED", "number pattern", pattern_key(entry), entry.pattern, reason)


def pattern_key(entry: NumberPatternEntry) -> str:
    """How a version of a pattern is called."""
    return f"{entry.plant}/{entry.kind}/{entry.version}"


def _route_faults(route: RouteEntry) -> Iterator[Blocker]:
    identity = f"{route.product}/{route.version}"
    known = [operation.code for operation in route.operations]
    if len(set(known)) != len(known):
        yield _fault("DUPLICATE", "route", identity, "an operation code twice", "once")
    unknown = {code for operation in route.operations for code in operation.predecessors} - set(known)
    if unknown:
        yield _fault("UNKNOWN_PREDECESSOR", "route", identity, ", ".join(sorted(unknown)), "operations of the route")
    if not any(operation.is_output for operation in route.operations):
        yield _fault("NO_OUTPUT", "route", identity, "no operation yields the product", "one with isOutput")
    open_operations = {operation.code: set(operation.predecessors) & set(known) for operation in route.operations}
    while ready := [code for code, before in open_operations.items() if not before & set(open_operations)]:
        for code in ready:
            del open_operations[code]
    if open_operations:
        yield _fault("ROUTE_LOOP", "route", identity, " → ".join(sorted(open_operations)), "an order without a loop")


def _fault(code: str, entity: str, identity: str, found: str, required: str) -> Blocker:
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix="processEngineer")
