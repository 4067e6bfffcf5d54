"""The measured product: so many components with lots, so many operations one after the other, a release inspection."""

from typing import Any, Final

from domain.policy import Policy
from plants import places

Document = dict[str, Any]

PLANT: Final = "bench"
QUANTITY: Final = 100
"""Pieces of one order; a piece takes one kilogram of each component."""
POLICY: Final = Policy(code="bench", certification=False, production_release=False)
"""Approval, pick approval and inspection by second persons; no signature: a password's hash is work of its own."""
CHARACTERISTIC: Final = {"name": "assay", "unit": "%", "low": "95", "high": "105", "required": True}


def product(components: int, operations: int) -> str:
    """The product's code: a version of a structure never changes, so another structure is another product."""
    return f"BENCH-{components}-{operations}"


def component(at: int) -> str:
    """Code of the material number `at`, from 1."""
    return f"BENCH-COMPONENT-{at:03}"


def operation(at: int) -> str:
    """Code of the operation number `at`, from 1."""
    return f"STEP-{at:02}"


def build(components: int, operations: int) -> Document:
    """The master-data document. Every component is used at the first operation; pieces are counted at each."""
    code = product(components, operations)
    used = [component(at) for at in range(1, components + 1)]
    steps = [operation(at) for at in range(1, operations + 1)]
    return {
        "materials": [
            *({"code": own, "name": own.title(), "kind": "raw", "unit": "kg"} for own in used),
            {"code": code, "name": code.title(), "kind": "finished", "unit": "pcs"},
        ],
        "places": places.documents(),
        "workstations": [
            {"code": f"{step}-1", "name": step, "line": "1", "equipment": "manual", "capabilities": [step]}
            for step in steps
        ],
        "billsOfMaterial": [{"product": code, "version": "1", "baseQuantity": "1", "lines": [
            {"line": at, "material": own, "quantity": "1", "unit": "kg", "lossPercent": "0", "operation": steps[0]}
            for at, own in enumerate(used, 1)]}],
        "routes": [{"product": code, "version": "1", "operations": [
            {"code": step, "sequence": 10 * at, "name": step, "capability": step, "countsPieces": True,
             "predecessors": steps[at - 2 : at - 1], "isOutput": at == operations, "parameters": []}
            for at, step in enumerate(steps, 1)]}],
        "inspectionPlans": [{"material": own, "characteristics": [CHARACTERISTIC]} for own in (*used, code)],
        "policies": [POLICY.model_dump(mode="json", by_alias=True)],
    }  # fmt: skip
