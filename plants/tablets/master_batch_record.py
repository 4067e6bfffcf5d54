"""The master batch record of a product: what people are told at each operation, and how its values are judged.

Equipment classes, rooms, instructions and warning limits are our assumption (README.md). Whatever stops a batch that
the data show as made stays empty: clearance, training, second persons, hold times, weighing tolerances.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from domain.quantities import plain
from plants.tablets.formula import formula_mg, target_weight_mg
from plants.tablets.instructions import INSTRUCTIONS
from plants.tablets.source import product_code

Document = dict[str, Any]

VERSION: Final = "1"
"""Another content is another version: count this up with every change."""
CHANGE_CONTROL: Final = "CC-TABLETS-001"
REASON: Final = "first issue for the replay of real batches"

EQUIPMENT: Final[Mapping[str, tuple[str, str]]] = {
    "DISPENSE": ("dispensing booth with balances", "D-101"),
    "BLEND": ("bin blender", "B-102"),
    "COMPRESS": ("rotary tablet press", "P-103"),
    "COAT": ("perforated drum coater", "C-104"),
}
"""Operation → class of equipment, room."""
YIELD: Final = ("40", "110")
"""In percent of the batch size, as wide as the limits of the measured yields; the data lie between 90 and 100."""
BALANCE_LIMIT: Final = "60"
"""A yield of 40 % with nothing weighed back is 60 % from a closed balance."""

Warning = tuple[str | None, str | None, str | None]
"""Target, lowest and highest value that is no warning."""
_WARNINGS: Final[Mapping[str, Mapping[str, Warning]]] = {
    "COMPRESS": {"tbl_yield": ("100", "90", "105"), "tbl_rsd_weight": (None, None, "10")},
    "COAT": {"fct_rsd_weight": (None, None, "10")},
}
"""Where the data of 400 released batches show what is usual: none of them is a warning."""


def body(code: str, strength: Decimal) -> Document:
    """The content of the record of a product of the source, on version 1 of its formula and route."""
    return {
        "billOfMaterialVersion": "1",
        "routeVersion": "1",
        "operations": [_operation(operation, code, strength) for operation in EQUIPMENT],
        "materials": [
            {"line": line, "material": material} for line, material in enumerate(formula_mg(code, strength), start=1)
        ],
        "balanceLimitPercent": BALANCE_LIMIT,
    }


def build(products: Mapping[str, tuple[Decimal, int]]) -> list[Document]:
    """What makes the records of these products: product, version, change control, reason and content of each."""
    return [
        {
            "product": product_code(code),
            "version": VERSION,
            "changeControl": CHANGE_CONTROL,
            "reasonForChange": REASON,
            "content": body(code, strength),
        }
        for code, (strength, _) in products.items()
    ]


def _operation(operation: str, code: str, strength: Decimal) -> Document:
    equipment, room = EQUIPMENT[operation]
    steps = enumerate(INSTRUCTIONS[operation], start=1)
    low, high = YIELD if operation in ("COMPRESS", "COAT") else (None, None)
    return {
        "operation": operation,
        "instructions": [{"number": number * 10, "text": {"en": en, "zh": zh}} for number, (en, zh) in steps],
        "expectedValues": _expected(operation, target_weight_mg(code, strength)),
        "equipmentClass": equipment,
        "room": room,
        "yieldLowPercent": low,
        "yieldHighPercent": high,
    }


def _expected(operation: str, weight: Decimal) -> list[Document]:
    """Targets and warning limits of the route's parameters; action limits stay the route's."""
    found = dict(_WARNINGS.get(operation, {}))
    if operation == "COMPRESS":
        # The data stay within 5 % of the target, the action limits are 20 %.
        warning = (plain(weight), plain(weight * Decimal("0.9")), plain(weight * Decimal("1.1")))
        found |= {"tbl_min_weight": warning, "tbl_max_weight": warning}
    units = {"tbl_min_weight": "mg", "tbl_max_weight": "mg"}
    return [
        {"name": name, "unit": units.get(name, "%"), "target": target, "warningLow": low, "warningHigh": high}
        for name, (target, low, high) in found.items()
    ]
