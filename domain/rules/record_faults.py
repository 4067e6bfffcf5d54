"""What is broken in a master batch record: every node that is, by its path, all at once (MD-04, CN 187).

The record is held against the recipe that it names: one version of the product's bill of material, one of its route.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from domain.errors import Blocker
from domain.master_batch_record import LANGUAGES, ExpectedValue, MasterBatchRecordBody, RecordedOperation
from domain.pictures import MOST_BYTES_OF_A_VERSION, Picture
from domain.quantities import plain
from domain.record_freeze import merged_value
from domain.specification import Characteristic

ENTITY: Final = "master batch record"
EFFECTIVE: Final = "effective"


@dataclass(frozen=True)
class RecipeOperation:
    """An operation of the route. `counts_pieces`: it has a yield."""

    code: str
    predecessors: tuple[str, ...] = ()
    counts_pieces: bool = True
    is_output: bool = False
    parameters: tuple[Characteristic, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """What a record stands on. A state is none when the product has no such version; `lines` are line → material."""

    route_state: str | None
    bill_of_material_state: str | None
    operations: tuple[RecipeOperation, ...] = ()
    lines: dict[int, str] = field(default_factory=dict)
    pictures: dict[str, int] = field(default_factory=dict)
    """The pictures that are stored, of those that the record names: SHA-256 → bytes."""


def faults(product: str, version: str, body: MasterBatchRecordBody, recipe: Recipe) -> tuple[Blocker, ...]:
    """Everything that keeps this body from review; `id` of a blocker is the path: `TAB/2/PRESS/weight`."""
    return tuple(_Check(f"{product}/{version}", product, body, recipe).all())


@dataclass(frozen=True)
class _Check:
    root: str
    product: str
    body: MasterBatchRecordBody
    recipe: Recipe

    def all(self) -> Iterator[Blocker]:
        yield from self._versions()
        if self.recipe.route_state is not None:
            yield from self._loop()
            yield from self._operations()
        yield from self._materials()
        yield from self._pictures()

    def _fault(self, code: str, found: str, required: str, *path: object) -> Blocker:
        identity = "/".join((self.root, *map(str, path)))
        return Blocker(
            code=code, entity=ENTITY, id=identity, found=found, required=required, who_can_fix="processEngineer"
        )

    # What it stands on -------------------------------------------------------------------------------------------

    def _versions(self) -> Iterator[Blocker]:
        named = [("route", self.body.route_version, self.recipe.route_state)]
        if self.body.bill_of_material_version is not None:
            named.append(("bill of material", self.body.bill_of_material_version, self.recipe.bill_of_material_state))
        for what, version, state in named:
            if state is None:
                yield self._fault(
                    "UNKNOWN_VERSION", f"{what} {version}", f"a version of a {what} of {self.product}", what
                )
            elif state != EFFECTIVE:
                yield self._fault("RECIPE_NOT_EFFECTIVE", f"{what} {version} is {state}", f"an effective {what}", what)

    def _loop(self) -> Iterator[Blocker]:
        waiting = {own.code: set(own.predecessors) for own in self.recipe.operations}
        while ready := [code for code, before in waiting.items() if not before & waiting.keys()]:
            for code in ready:
                del waiting[code]
        for code in waiting:
            yield self._fault("ROUTE_LOOP", " → ".join(waiting), "an order without a loop", code)

    # Operations --------------------------------------------------------------------------------------------------

    def _operations(self) -> Iterator[Blocker]:
        known = {own.code: own for own in self.recipe.operations}
        yield from self._twice((own.operation for own in self.body.operations), "operation")
        for said in self.body.operations:
            if said.operation not in known:
                found = f"the route {self.body.route_version} has {', '.join(known)}"
                yield self._fault("UNKNOWN_OPERATION", found, "an operation of the route", said.operation)
            else:
                yield from self._operation(said, known[said.operation])
        for code in known:
            if self.body.operation(code) is not None:
                continue
            yield self._fault("OPERATION_MISSING", "nothing is said about it", "every operation of the route", code)

    def _operation(self, said: RecordedOperation, own: RecipeOperation) -> Iterator[Blocker]:
        code = own.code
        if not said.equipment_class.strip():
            yield self._fault("EQUIPMENT_CLASS_MISSING", "none", "the class of equipment that it needs", code)
        low, high = said.yield_low_percent, said.yield_high_percent
        if (own.counts_pieces or own.is_output) and (low is None or high is None):
            yield self._fault("YIELD_LIMITS_MISSING", _range(low, high, "%"), "a lowest and a highest yield", code)
        if low is not None and high is not None and low > high:
            yield self._fault("LIMITS_OUT_OF_ORDER", _range(low, high, "%"), "a lowest below the highest yield", code)
        yield from self._instructions(said)
        yield from self._twice((value.name for value in said.expected_values), "expected value", code)
        expected = {value.name: value for value in said.expected_values}
        for parameter in own.parameters:
            yield from self._value(code, parameter, expected.pop(parameter.name, None))
        for value in expected.values():
            yield from self._value(code, None, value)

    def _instructions(self, said: RecordedOperation) -> Iterator[Blocker]:
        code = said.operation
        if not said.instructions:
            yield self._fault("INSTRUCTIONS_MISSING", "none", "at least one instruction", code)
        yield from self._twice((one.number for one in said.instructions), "instruction", code)
        for one in said.instructions:
            for language in LANGUAGES:
                if not one.text.get(language, "").strip():
                    yield self._fault("TEXT_MISSING", f"no text in {language}", "a text in every language", code,
                                      one.number, language)  # fmt: skip
            for place, picture in enumerate(one.pictures, start=1):
                yield from self._picture(picture, code, one.number, f"picture {place}")

    def _picture(self, picture: Picture, *path: object) -> Iterator[Blocker]:
        for language in LANGUAGES:
            if not picture.text.get(language, "").strip():
                required = "what the picture shows, in every language"
                yield self._fault("PICTURE_TEXT_MISSING", f"no text in {language}", required, *path, language)
        if picture.sha256 not in self.recipe.pictures:
            found = f"no picture {picture.sha256[:12]} is stored"
            yield self._fault("UNKNOWN_PICTURE", found, "a picture that was uploaded", *path)

    def _pictures(self) -> Iterator[Blocker]:
        size = sum(self.recipe.pictures.values())
        if size > MOST_BYTES_OF_A_VERSION:
            found, required = f"{size} bytes of pictures", f"at most {MOST_BYTES_OF_A_VERSION} bytes"
            yield self._fault("PICTURES_TOO_LARGE", found, required)

    def _value(self, code: str, own: Characteristic | None, said: ExpectedValue | None) -> Iterator[Blocker]:
        name = own.name if own is not None else said.name if said is not None else ""
        limits = merged_value(own or Characteristic(name=name, unit=said.unit if said else ""), said)
        if limits.critical and limits.low is None and limits.high is None:
            yield self._fault("LIMITS_MISSING", "critical, and no limit", "an action limit at least", code, name)
        steps = (limits.low, limits.warning_low, limits.target, limits.warning_high, limits.high)
        given = [value for value in steps if value is not None]
        if given != sorted(given):
            required = "low ≤ warning low ≤ target ≤ warning high ≤ high"
            yield self._fault("LIMITS_OUT_OF_ORDER", ", ".join(map(plain, given)), required, code, name)
        if own is None or said is None:
            return
        if said.unit != own.unit:
            yield self._fault(
                "UNIT_MISMATCH", said.unit or "none", f"{own.unit or 'none'}, as in the route", code, name
            )
        if not all(own.accepts(value) for value in (said.low, said.high) if value is not None):
            found = _range(said.low, said.high, said.unit)
            yield self._fault("LIMITS_WIDER_THAN_ROUTE", found, f"within {own.limits} of the route", code, name)

    # Materials ---------------------------------------------------------------------------------------------------

    def _materials(self) -> Iterator[Blocker]:
        lines = self.recipe.lines
        yield from self._twice((own.line for own in self.body.materials), "material line")
        for said in self.body.materials:
            if lines.get(said.line) != said.material:
                found = f"line {said.line} is {lines.get(said.line, 'not in the bill of material')}"
                yield self._fault("UNKNOWN_MATERIAL_LINE", found, f"the line of {said.material}", "line", said.line)
        if lines and self.body.balance_limit_percent is None:
            yield self._fault("BALANCE_LIMIT_MISSING", "none", "how much the material balance may differ from 100 %")

    def _twice(self, keys: Iterable[object], what: str, *path: object) -> Iterator[Blocker]:
        for key in _repeated([str(key) for key in keys]):
            yield self._fault("DUPLICATE", f"{what} {key} more than once", "once", *path, key)


def _repeated(keys: Sequence[str]) -> list[str]:
    return [key for key, group in itertools.groupby(sorted(keys)) if len(list(group)) > 1]


def _range(low: Decimal | None, high: Decimal | None, unit: str) -> str:
    ends = ["open" if value is None else plain(value) for value in (low, high)]
    return " … ".join(ends) + (f" {unit}" if unit else "")
