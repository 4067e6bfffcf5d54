"""Builds the plant's master-data document: products, formulas, routes, stations, inspections, the GMP policy."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final

from domain.policy import OverReport, Policy
from domain.quantities import plain
from plants import places
from plants.tablets import characteristics as c
from plants.tablets import names
from plants.tablets.formula import formula_mg, target_weight_mg
from plants.tablets.source import LOT_PREFIX, Batch, product_code

Document = dict[str, Any]

PLANT: Final = "tablets"
BASE_QUANTITY: Final = 1000
ONLINE_PRESS: Final = "PRESS-1"
POLICY: Final = Policy(
    code="gmp",
    version=4,
    start_gate=True,
    deviation_process=True,
    master_batch_record=True,
    batch_record_review=True,
    record_judged_by_others=True,
    rework_lots=True,
    over_report=OverReport.REFUSE,
    over_report_tolerance_percent=Decimal(5),
    signatures={
        "approveOrder": "approved",
        "releaseOrder": "approved",
        "issuePickList": "performed",
        "completeOperation": "performed",
        "verifyOperation": "verified",
        "correctParameter": "performed",
        "approveDeviation": "approved",
        "approveDeviationAsQualityManager": "approved",
        "closeDeviation": "approved",
        "decideInspection": "reviewed",
        "approveRework": "approved",
        "rejectRework": "approved",
        "reviewBatchRecord": "reviewed",
        "approveBatchRecord": "approved",
        "certifyBatch": "certified",
        "releaseBatch": "released",
        "closeOrder": "approved",
    },
)


def products_of(batches: Collection[Batch]) -> dict[str, tuple[Decimal, int]]:
    """Product code → (strength in mg, batch size in tablets), from the first batch of each code."""
    products: dict[str, tuple[Decimal, int]] = {}
    for batch in batches:
        products.setdefault(batch.code, (batch.strength, batch.size))
    return products


def build(
    products: Mapping[str, tuple[Decimal, int]],
    *,
    online_products: Collection[str] = (),
    press_connection: Mapping[str, str] | None = None,
) -> Document:
    """The master-data document for these products of the source.

    `online_products` are product codes that are compressed at the press that takes its jobs from the system; it needs
    `press_connection`, which is written into the press's workstation.
    """
    if online_products and press_connection is None:
        raise ValueError("a product can run online only at a press with a connection")
    return {
        "materials": [*_ingredients(), *(_product(code, *what) for code, what in products.items())],
        "places": places.documents(),
        "workstations": _workstations(press_connection),
        "billsOfMaterial": [_bill(code, strength) for code, (strength, _) in products.items()],
        "routes": [_route(code, strength, online=code in online_products) for code, (strength, _) in products.items()],
        "inspectionPlans": [
            *(_plan(material, limits) for material, limits in c.INCOMING.items()),
            *(_plan(product_code(code), c.RELEASE) for code in products),
        ],
        "displayNames": names.documents(products),
        "policies": [POLICY.model_dump(mode="json", by_alias=True)],
    }


def _ingredients() -> list[Document]:
    return [{"code": code, "name": name, "kind": "raw", "unit": "kg"} for code, (name, _) in names.INGREDIENTS.items()]


def _product(code: str, strength: Decimal, size: int) -> Document:
    return {
        "code": product_code(code),
        "name": f"Film-coated tablet {plain(strength)} mg, batch size {size}",
        "kind": "finished",
        "unit": "pcs",
        "shelfLifeDays": 1095,
        "dosageForm": "film-coated tablet",
    }


def _bill(code: str, strength: Decimal) -> Document:
    # mg in a tablet are kg in a million of them
    kilograms = {
        material: weight * BASE_QUANTITY / 1_000_000 for material, weight in formula_mg(code, strength).items()
    }
    return {
        "product": product_code(code),
        "version": "1",
        "baseQuantity": str(BASE_QUANTITY),
        "lines": [
            {
                "line": line,
                "material": material,
                "quantity": plain(quantity),
                "unit": "kg",
                "lossPercent": "0",
                "operation": "DISPENSE",
            }
            for line, (material, quantity) in enumerate(kilograms.items(), start=1)
        ],
    }


def _route(code: str, strength: Decimal, *, online: bool) -> Document:
    cores = c.documents(c.compressed(target_weight_mg(code, strength)))
    press = "COMPRESS-ONLINE" if online else "COMPRESS"
    return {
        "product": product_code(code),
        "version": "1",
        "operations": [
            _operation("DISPENSE", 10, "Weigh and dispense", "DISPENSE", ()),
            _operation("BLEND", 20, "Blend", "BLEND", ("DISPENSE",)),
            _operation("COMPRESS", 30, "Compress", press, ("BLEND",), counts_pieces=True, parameters=cores),
            _operation(
                "COAT", 40, "Film-coat", "COAT", ("COMPRESS",), counts_pieces=True, is_output=True,
                parameters=c.documents(c.COATED),
            ),
        ],
    }  # fmt: skip


def _operation(
    code: str,
    sequence: int,
    name: str,
    capability: str,
    predecessors: tuple[str, ...],
    *,
    counts_pieces: bool = False,
    is_output: bool = False,
    parameters: Collection[c.Characteristic] = (),
) -> Document:
    return {
        "code": code,
        "sequence": sequence,
        "name": name,
        "capability": capability,
        "predecessors": list(predecessors),
        "countsPieces": counts_pieces,
        "isOutput": is_output,
        "parameters": list(parameters),
    }


def _plan(material: str, limits: Mapping[str, c.Limits]) -> Document:
    return {"material": material, "characteristics": c.documents(limits)}


def _workstations(press_connection: Mapping[str, str] | None) -> list[Document]:
    manual = (
        ("DISP-1", "Dispensary 1", "DISPENSE"),
        ("DISP-2", "Dispensary 2", "DISPENSE"),
        ("BLEND-1", "Blender 1", "BLEND"),
        ("BLEND-2", "Blender 2", "BLEND"),
        ("PRESS-2", "Tablet press 2", "COMPRESS"),
        ("PRESS-3", "Tablet press 3", "COMPRESS"),
        ("COAT-1", "Coater 1", "COAT"),
        ("COAT-2", "Coater 2", "COAT"),
    )
    stations: list[Document] = [
        {"code": code, "name": name, "line": PLANT, "equipment": "manual", "capabilities": [capability]}
        for code, name, capability in manual
    ]
    if press_connection is not None:
        stations.append(
            {
                "code": ONLINE_PRESS,
                "name": "Tablet press 1",
                "line": PLANT,
                "equipment": "opcua",
                "connection": {"batchPrefix": LOT_PREFIX, **press_connection},
                "capabilities": ["COMPRESS-ONLINE"],
            }
        )
    return stations
