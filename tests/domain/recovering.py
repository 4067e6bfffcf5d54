"""Orders whose master batch record permits recovery, and what people ask about it."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain import commands as c
from domain.policy import Policy
from domain.specification import Characteristic, OrderSpecification, RecordVersion
from tests.desk import GMP, tablet_order

EARLIER = c.RecoverableLot(material="TAB", unit="pcs", status="rejected", order_number="PO-0")
IMPURITY = Characteristic(name="impurity B", unit="%", high=Decimal("0.2"))
_NUMBERS = st.sampled_from(["PO-1-01-V1", "PO-1-01-V2"])
RECOVERY_FIELDS: dict[type[c.Command], dict[str, st.SearchStrategy[Any]]] = {
    c.RequestRecovery: {
        "operation": st.sampled_from(["DISPENSE", "COMPRESS", "COAT"]), "lot": st.just("LOT-PO-0"),
        "quantity": st.just(Decimal(5)), "known": st.sampled_from([None, EARLIER, EARLIER]),
    },
    c.ApproveRecovery: {"recovery": _NUMBERS, "procedure": st.just("SOP"), "tests": st.just((IMPURITY,))},
    **{kind: {"recovery": _NUMBERS} for kind in (c.RejectRecovery, c.IntroduceRecovery)},
}  # fmt: skip


def permitted(
    policy: Policy = GMP, allowed: tuple[str, ...] = ("COMPRESS",), number: str = "PO-1"
) -> OrderSpecification:
    """An order of tablets by a record that permits recovery at these operations."""
    order = tablet_order(policy, number)
    (own,) = order.work_orders
    operations = tuple(op.model_copy(update={"recovery_allowed": op.code in allowed}) for op in own.operations)
    record = RecordVersion(product="TAB", version="7", content_hash="0" * 64)
    return order.model_copy(
        update={"work_orders": (own.model_copy(update={"operations": operations, "record": record}),)}
    )
