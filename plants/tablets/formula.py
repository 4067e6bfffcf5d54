"""What a tablet is made of. The data gives strength and weights; the formula is our assumption.

Per tablet: active ingredient = label strength (a salt factor is ignored), starch 10 % and silicified microcrystalline
cellulose (SMCC) 30 % of the target weight, lactose the rest.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from plants.texts import number_in

TARGET_WEIGHT_MG: Final[Mapping[str, int]] = {
    "1": 112, "2": 113, "3": 224, "4": 450, "5": 112, "6": 114, "7": 225, "8": 451, "9": 113, "10": 226, "11": 56,
    "12": 113, "13": 113, "14": 56, "15": 452, "16": 57, "17": 226, "18": 114, "19": 113, "20": 452, "21": 113,
    "22": 113, "23": 227, "24": 451, "25": 113,
}  # fmt: skip
"""Product code → mg: the median of (lowest + highest core weight) / 2 over the batches of that code."""

_BY_STRENGTH: Final = {Decimal(5): Decimal(113), Decimal(10): Decimal(113), Decimal(20): Decimal(226)}
_PER_MG: Final = Decimal("11.3")  # 20 mg and 40 mg tablets hold one part in 11.3
_STRENGTH: Final = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s*M?G?", re.IGNORECASE)


def strength_mg(label: str) -> Decimal | None:
    """The strength in mg of a label such as `5MG` or `10M` (both occur); none if it is not one."""
    match = _STRENGTH.fullmatch(label.strip())
    strength = number_in(match[1]) if match else None
    return strength if strength else None


def target_weight_mg(code: str, strength: Decimal) -> Decimal:
    """The target weight of a tablet core in whole mg; by strength where the product code is unknown."""
    if (known := TARGET_WEIGHT_MG.get(code)) is not None and known * Decimal("0.6") > strength:
        return Decimal(known)
    guessed = _BY_STRENGTH.get(strength, strength * _PER_MG)
    return guessed.quantize(Decimal(1), rounding=ROUND_HALF_UP)


def formula_mg(code: str, strength: Decimal) -> dict[str, Decimal]:
    """Material → mg in one tablet; the sum is the target weight."""
    weight = target_weight_mg(code, strength)
    starch, smcc = weight * Decimal("0.10"), weight * Decimal("0.30")
    return {"API": strength, "SMCC": smcc, "LAC": weight - strength - starch - smcc, "STA": starch}
