"""What is measured, in which unit and within which limits. The limits are our assumption, wide on purpose.

The data are of batches that were released, so no limit may be tighter than they are; and a press, a scale or a
laboratory that never measured leaves a cell empty, so nothing is required. A name is the source's column (our spelling
of `residual_solvent`), or for columns of `process.csv` the name in `PROCESS_COLUMNS`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

Limits = tuple[str, str | None, str | None]
"""Unit, lowest and highest value, both inclusive."""
Characteristic = dict[str, Any]

INCOMING: Final[Mapping[str, Mapping[str, Limits]]] = {
    "API": {
        "api_water": ("%", "0", "6"),
        "api_total_impurities": ("%", "0", "2"),
        "api_l_impurity": ("%", "0", "1"),
        "api_content": ("%", "85", "105"),
        "api_ps01": ("µm", "0", "50"),
        "api_ps05": ("µm", "0", "250"),
        "api_ps09": ("µm", "0", "800"),
    },
    "LAC": {
        "lactose_water": ("%", "0", "1"),
        "lactose_sieve0045": ("%", "0", "40"),
        "lactose_sieve015": ("%", "20", "80"),
        "lactose_sieve025": ("%", "50", "100"),
    },
    "SMCC": {
        "smcc_water": ("%", "0", "10"),
        "smcc_td": ("g/ml", "0.2", "0.8"),
        "smcc_bd": ("g/ml", "0.1", "0.7"),
        "smcc_ps01": ("µm", "5", "100"),
        "smcc_ps05": ("µm", "50", "250"),
        "smcc_ps09": ("µm", "100", "500"),
    },
    "STA": {"starch_ph": ("", "3.5", "8"), "starch_water": ("%", "0", "15")},
}

_DIMENSIONS: Final[Mapping[str, Limits]] = {
    "min_thickness": ("mm", "1", "10"),
    "max_thickness": ("mm", "1", "10"),
    "rsd_weight": ("%", "0", "20"),
    # 0 N occurs: the tester found nothing to break, or was not used. Recorded as it is.
    "min_hardness": ("N", "0", "400"),
    "max_hardness": ("N", "0", "400"),
    "av_hardness": ("N", "0", "400"),
    "max_diameter": ("mm", "3", "15"),
}
COATED: Final[Mapping[str, Limits]] = {f"fct_{name}": limits for name, limits in _DIMENSIONS.items()}

PROCESS_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "tbl_speed_mean": ("press_speed_mean", "1000 tablets/h"),
    "main_CompForce mean": ("main_compression_force_mean", "kN"),
    "pre_CompForce_mean": ("pre_compression_force_mean", "kN"),
    "tbl_fill_mean": ("fill_depth_mean", "mm"),
    "SREL_production_mean": ("force_deviation_mean", "%"),
    "ejection_mean": ("ejection_force_mean", "N"),
}
"""Column of `process.csv` → our name and unit; recorded without limits."""

RELEASE: Final[Mapping[str, Limits]] = {
    "dissolution_av": ("%", "70", "130"),
    "dissolution_min": ("%", "50", "130"),
    "residual_solvent": ("%", "0", "2"),
    "impurities_total": ("%", "0", "2"),
    "impurity_o": ("%", "0", "1"),
    "impurity_l": ("%", "0", "1"),
    "batch_yield": ("%", "40", "110"),
    "fct_tensile": ("MPa", "0", "10"),
}


def compressed(weight: Decimal) -> dict[str, Limits]:
    """What is measured of tablet cores of that target weight in mg; a weight may be 20 % off."""
    low, high = str(weight * Decimal("0.8")), str(weight * Decimal("1.2"))
    return {
        **{f"tbl_{name}": limits for name, limits in _DIMENSIONS.items()},
        "tbl_min_weight": ("mg", low, high),
        "tbl_max_weight": ("mg", low, high),
        "tbl_tensile": ("MPa", "0", "10"),
        "tbl_yield": ("%", "40", "110"),
        **{name: (unit, None, None) for name, unit in PROCESS_COLUMNS.values()},
    }


def documents(limits: Mapping[str, Limits]) -> list[Characteristic]:
    """The characteristics as a master-data document writes them."""
    return [
        {"name": name, "unit": unit, "low": low, "high": high, "required": False, "critical": False}
        for name, (unit, low, high) in limits.items()
    ]
