"""The comparison of changes with the audit trail finds what it has to find."""

from typing import Any

from tests.api.audit_rules import untold
from tests.api.changes import Change, Transaction

AT = "2026-11-25T08:00:00.123+00:00"


def row(entity: str, new: Any, old: Any = None, **more: Any) -> dict[str, Any]:
    return {"at": AT, "actor": "olu", "action": "x.y", "entity": entity, "old": old, "new": new, "reason": None,
            "command_id": "c", "source": "terminal 7", **more}  # fmt: skip


def found(changes: list[Change], *told: dict[str, Any]) -> list[str]:
    return list(untold([Transaction(changes, list(told))]))


LOT = {"number": "L", "status": "released", "created_at": AT}
CHANGE = Change("lot", {**LOT, "status": "quarantine"}, LOT)


def test_a_change_that_is_told_is_no_finding() -> None:
    assert found([CHANGE], row("lot/L", {"status": "released"}, {"status": "quarantine"})) == []


def test_what_was_stored_a_moment_before_its_row_is_told_by_it() -> None:
    told = row("lot/L", {**LOT, "expires_at": None})
    assert found([Change("lot", None, {**LOT, "expires_at": "2026-11-25T08:00:00.001+00:00"})], told) == []
    assert found([Change("lot", None, {**LOT, "expires_at": "2026-11-25T07:59:59.999+00:00"})], told) == []
    (other,) = found([Change("lot", None, {**LOT, "expires_at": "2026-11-25T07:59:58.999+00:00"})], told)
    assert other.startswith("lot.expires_at")


def test_what_is_not_told_is_named() -> None:
    assert found([CHANGE]) == ["lot lot/L: ['status'] changed, and no row is about it"]
    (other,) = found([CHANGE], row("lot/M", {"status": "released"}))
    assert "no row is about it" in other
    (wrong,) = found([CHANGE], row("lot/L", {"status": "rejected"}, {"status": "quarantine"}))
    assert wrong == "lot.status: 'released' is not told by ['x.y']"
    (before,) = found([CHANGE], row("lot/L", {"status": "released"}))
    assert before == "lot.status: 'quarantine' before is not told by ['x.y']"
    (nowhere,) = found([CHANGE], row("lot/L", {"status": "released"}, {"status": "quarantine"}, source=None))
    assert nowhere == "the row x.y lot/L has no source"
    assert found([Change("new_table", None, {"a": 1})]) == ["new_table: no rule says which record its rows belong to"]


def test_the_value_before_may_have_been_told_by_the_row_before() -> None:
    first = Transaction(
        [Change("lot", None, {**LOT, "status": "quarantine"})], [row("lot/L", {"status": "quarantine"})]
    )
    second = Transaction([CHANGE], [row("lot/L", {"status": "released"})])
    assert list(untold([first, second])) == []
