"""What people read instead of the codes of this plant, in English and Chinese. Records keep the codes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from domain.quantities import plain
from plants.tablets.source import product_code

Texts = tuple[str, str]

INGREDIENTS: Final[Mapping[str, Texts]] = {
    "API": ("Active ingredient", "活性成分"),
    "SMCC": ("Silicified microcrystalline cellulose", "硅化微晶纤维素"),
    "LAC": ("Lactose", "乳糖"),
    "STA": ("Starch", "淀粉"),
}
OPERATIONS: Final[Mapping[str, Texts]] = {
    "DISPENSE": ("Weigh and dispense", "称量配料"),
    "BLEND": ("Blend", "混合"),
    "COMPRESS": ("Compress", "压片"),
    "COAT": ("Film-coat", "薄膜包衣"),
}
_OF_TABLETS: Final[Mapping[str, Texts]] = {
    "min_thickness": ("smallest thickness", "最小厚度"),
    "max_thickness": ("largest thickness", "最大厚度"),
    "min_weight": ("smallest weight", "最小片重"),
    "max_weight": ("largest weight", "最大片重"),
    "rsd_weight": ("variation of weight (RSD)", "片重差异（RSD）"),
    "min_hardness": ("smallest hardness", "最小硬度"),
    "max_hardness": ("largest hardness", "最大硬度"),
    "av_hardness": ("mean hardness", "平均硬度"),
    "max_diameter": ("largest diameter", "最大直径"),
    "tensile": ("tensile strength", "抗张强度"),
    "yield": ("yield", "收率"),
}
CHARACTERISTICS: Final[Mapping[str, Texts]] = {
    "api_water": ("Active ingredient: water", "活性成分：水分"),
    "api_total_impurities": ("Active ingredient: total impurities", "活性成分：总杂质"),
    "api_l_impurity": ("Active ingredient: impurity L", "活性成分：杂质 L"),
    "api_content": ("Active ingredient: content", "活性成分：含量"),
    "api_ps01": ("Active ingredient: particle size d10", "活性成分：粒径 d10"),
    "api_ps05": ("Active ingredient: particle size d50", "活性成分：粒径 d50"),
    "api_ps09": ("Active ingredient: particle size d90", "活性成分：粒径 d90"),
    "lactose_water": ("Lactose: water", "乳糖：水分"),
    "lactose_sieve0045": ("Lactose: through 0.045 mm", "乳糖：过 0.045 mm 筛"),
    "lactose_sieve015": ("Lactose: through 0.15 mm", "乳糖：过 0.15 mm 筛"),
    "lactose_sieve025": ("Lactose: through 0.25 mm", "乳糖：过 0.25 mm 筛"),
    "smcc_water": ("SMCC: water", "硅化微晶纤维素：水分"),
    "smcc_td": ("SMCC: tapped density", "硅化微晶纤维素：振实密度"),
    "smcc_bd": ("SMCC: bulk density", "硅化微晶纤维素：堆密度"),
    "smcc_ps01": ("SMCC: particle size d10", "硅化微晶纤维素：粒径 d10"),
    "smcc_ps05": ("SMCC: particle size d50", "硅化微晶纤维素：粒径 d50"),
    "smcc_ps09": ("SMCC: particle size d90", "硅化微晶纤维素：粒径 d90"),
    "starch_ph": ("Starch: pH", "淀粉：pH 值"),
    "starch_water": ("Starch: water", "淀粉：水分"),
    "press_speed_mean": ("Press: mean speed", "压片机：平均速度"),
    "main_compression_force_mean": ("Press: mean main compression force", "压片机：平均主压力"),
    "pre_compression_force_mean": ("Press: mean pre-compression force", "压片机：平均预压力"),
    "fill_depth_mean": ("Press: mean fill depth", "压片机：平均填充深度"),
    "force_deviation_mean": ("Press: mean deviation of force", "压片机：平均压力偏差"),
    "ejection_force_mean": ("Press: mean ejection force", "压片机：平均出片力"),
    "dissolution_av": ("Dissolution: mean", "溶出度：平均值"),
    "dissolution_min": ("Dissolution: smallest", "溶出度：最小值"),
    "residual_solvent": ("Residual solvent", "残留溶剂"),
    "impurities_total": ("Impurities: total", "总杂质"),
    "impurity_o": ("Impurity O", "杂质 O"),
    "impurity_l": ("Impurity L", "杂质 L"),
    "batch_yield": ("Yield of the batch", "批收率"),
    **{f"tbl_{code}": (f"Core: {english}", f"片芯：{chinese}") for code, (english, chinese) in _OF_TABLETS.items()},
    **{f"fct_{code}": (f"Coated tablet: {english}", f"包衣片：{chinese}")
       for code, (english, chinese) in _OF_TABLETS.items()},
}  # fmt: skip
"""Names of characteristics; sizes of particles and sieves by the description of the data set."""


def documents(products: Mapping[str, tuple[Decimal, int]]) -> list[dict[str, Any]]:
    """The names as a master-data document writes them."""
    named: dict[str, Mapping[str, Texts]] = {
        "material": {
            **INGREDIENTS,
            **{
                product_code(code): (
                    f"Film-coated tablet {plain(strength)} mg, batch of {size:,}",
                    f"薄膜衣片 {plain(strength)} mg，批量 {size:,} 片",
                )
                for code, (strength, size) in products.items()
            },
        },
        "operation": OPERATIONS,
        "characteristic": CHARACTERISTICS,
    }
    return [
        {"kind": kind, "code": code, "english": english, "chinese": chinese}
        for kind, texts in named.items()
        for code, (english, chinese) in texts.items()
    ]
