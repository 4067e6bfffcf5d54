"""The master batch record of a product: what people are told at each operation, and how its values are judged.

Equipment classes, clearances, trainings, hold times, instructions and warning limits are our assumption (README.md);
limits of yield and balance are derived from the data. A room is not named: each station has its own. Weighing
tolerances stay empty: the data hold no weighings.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from domain.quantities import plain
from plants.tablets.equipment import CLEARANCE, TRAINING
from plants.tablets.formula import formula_mg, target_weight_mg
from plants.tablets.illustrations import ILLUSTRATIONS
from plants.tablets.instructions import INSTRUCTIONS
from plants.tablets.source import product_code

Document = dict[str, Any]

VERSION: Final = "2"
"""Another content is another version: count this up with every change."""
CHANGE_CONTROL: Final = "CC-TABLETS-002"
REASON: Final = "clearance, training, second persons, hold times; limits of yield and balance from 400 batches"

EQUIPMENT: Final[Mapping[str, str]] = {
    "DISPENSE": "dispensing booth with balances",
    "BLEND": "bin blender",
    "COMPRESS": "rotary tablet press",
    "COAT": "perforated drum coater",
}
"""Operation → class of equipment."""
VERIFIED: Final = frozenset({"DISPENSE", "BLEND"})
"""A second person confirms what was weighed and what was charged (21 CFR 211.101 c, d)."""
_DAY: Final = 24 * 3600
LONGEST_WAIT: Final[Mapping[str, int]] = {"BLEND": 7 * _DAY, "COMPRESS": 14 * _DAY, "COAT": 30 * _DAY}
"""Operation → how many seconds its material may wait for it (MT-12)."""
YIELD: Final = ("94.5", "101.7")
"""In percent of the batch size: mean ± 3 standard deviations of 400 batches, rounded outward (README.md)."""
BALANCE_LIMIT: Final = "3.5"
"""Percent, either way: mean ± 3 standard deviations of what 400 batches account for, the farther end (README.md)."""
CRITICAL: Final[Mapping[str, tuple[str, ...]]] = {
    "COMPRESS": ("tbl_min_weight", "tbl_max_weight"),
    "COAT": ("fct_rsd_weight",),
}
"""Operation → typed values that a second person compares: weight is dose, and no later test measures the dose."""

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
    steps = enumerate(INSTRUCTIONS[operation], start=1)
    low, high = YIELD if operation in ("COMPRESS", "COAT") else (None, None)
    return {
        "operation": operation,
        "instructions": [
            {"number": number * 10, "text": {"en": en, "zh": zh}} | _shown(operation, number - 1)
            for number, (en, zh) in steps
        ],
        "expectedValues": _expected(operation, target_weight_mg(code, strength)),
        "equipmentClass": EQUIPMENT[operation],
        "clearance": list(CLEARANCE[operation]),
        "training": TRAINING[operation],
        "verified": operation in VERIFIED,
        "longestWaitSeconds": LONGEST_WAIT.get(operation),
        "yieldLowPercent": low,
        "yieldHighPercent": high,
    }


def _shown(operation: str, place: int) -> Document:
    found = ILLUSTRATIONS.get((operation, place))
    return {} if found is None else {"pictures": [found.reference]}


def _expected(operation: str, weight: Decimal) -> list[Document]:
    """Targets and warning limits of the route's parameters; action limits stay the route's."""
    found = dict(_WARNINGS.get(operation, {}))
    if operation == "COMPRESS":
        # The data stay within 5 % of the target, the action limits are 20 %.
        warning = (plain(weight), plain(weight * Decimal("0.9")), plain(weight * Decimal("1.1")))
        found |= {"tbl_min_weight": warning, "tbl_max_weight": warning}
    units = {"tbl_min_weight": "mg", "tbl_max_weight": "mg"}
    return [
        {
            "name": name,
            "unit": units.get(name, "%"),
            "target": target,
            "warningLow": low,
            "warningHigh": high,
            "secondCheck": name in CRITICAL.get(operation, ()),
        }
        for name, (target, low, high) in found.items()
    ]
