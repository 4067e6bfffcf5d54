"""The sums of a recall: exactly 100 %, whatever the parts are."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.rules.recall_balance import LotBalance, Sent, by_unit, of_shipments, percentages

QUANTITIES = st.decimals(min_value=0, max_value=10**9, places=3)


@given(st.dictionaries(st.sampled_from(["stock", "out", "used", "scrap", "gone"]), QUANTITIES, min_size=1))
def test_shares_sum_to_exactly_one_hundred(parts: dict[str, Decimal]) -> None:
    shares = percentages(parts)
    assert sum(shares.values()) == (100 if sum(parts.values()) else 0)
    total = sum(parts.values())
    for name, share in shares.items():
        assert share >= 0
        assert abs(share * total - parts[name] * 100) <= Decimal("0.01") * total


def test_three_equal_parts() -> None:
    assert percentages(dict.fromkeys("abc", Decimal(1))) == {
        "a": Decimal("33.34"), "b": Decimal("33.33"), "c": Decimal("33.33")
    }  # fmt: skip


@given(QUANTITIES, QUANTITIES, QUANTITIES)
def test_shipped_is_returned_accounted_and_missing(returned: Decimal, accounted: Decimal, missing: Decimal) -> None:
    own = Sent("S1", "pcs", returned + accounted + missing, returned, accounted)
    assert own.missing == missing
    assert sum(of_shipments([own, own])["pcs"].values()) == 2 * own.shipped


def test_units_are_not_added_to_each_other() -> None:
    parts = {"in_stock": Decimal(1), "with_customers": Decimal(2), "used": Decimal(3), "scrapped": Decimal(4)}
    kg = LotBalance(lot="A", unit="kg", made=Decimal(11), **parts)
    pieces = LotBalance(lot="B", unit="pcs", made=Decimal(10), **parts)
    assert {unit: sum(found.values()) for unit, found in by_unit([kg, pieces, pieces]).items()} == {"kg": 11, "pcs": 20}
    assert by_unit([kg])["kg"]["unexplained"] == 1
