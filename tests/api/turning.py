"""Pieces that are turned and wrapped: what the tests of rework and of recovery need alike."""

from typing import Any

from tests.api.company import MASTER_DATA, Company, line, material, operation
from tests.api.words import at_stage


async def turned_products(
    company: Company, products: dict[str, str], policy: dict[str, Any], more: dict[str, Any], **of_operation: Any
) -> None:
    """Import products (with their dosage form), 1 kg of API for 100 pcs each, and what `policy` has beyond `swift`."""
    (swift,) = (own for own in MASTER_DATA["policies"] if own["code"] == "swift")
    steps = [
        operation("TURN", 10, "FIT", [], countsPieces=True, **of_operation),
        operation("WRAP", 20, "FIT", ["TURN"], countsPieces=True, isOutput=True, **of_operation),
    ]
    document = {
        "materials": [
            material(code, "finished", "pcs") | ({"dosageForm": form} if form else {})
            for code, form in products.items()
        ],
        "billsOfMaterial": [
            {"product": code, "version": "1", "baseQuantity": "100", "lines": [line(1, "API", "1", "kg", "TURN")]}
            for code in products
        ],
        "routes": [{"product": code, "version": "1", "operations": steps} for code in products],
        "policies": [{**swift, "masterBatchRecord": True, **policy}],
        **more,
    }  # fmt: skip
    imported = await (await company.desk("pat")).post("/master-data/import", document)
    assert imported.status_code == 200, imported.text


async def ready(company: Company, product: str, policy: str) -> tuple[str, str]:
    """An order of 100 whose material lies at the line: its id, the path of its work order."""
    order, work_order = await at_stage(company, "ready", product=product, policy=policy, quantity="100")
    return order, f"/mes/work-orders/{work_order}"


async def stock(company: Company, lot: str) -> dict[str, str]:
    """Place → how much of a lot lies there."""
    found = (await (await company.desk("wil")).get("/wms/stock", lot=lot)).json()["stock"]
    return {row["place"]: row["onHand"] for row in found if row["onHand"] != "0"}
