"""A product quality review as people and programs read it (CN 266; QL-13)."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from api.scopes import Scope
from db.queries import product_review as tables
from domain.product_review import ProductReview, ReviewedBatch, ReviewedParameter, Spread
from domain.quantities import plain, rounded

Document = dict[str, Any]
PLACES = 6
"""Decimals of what is calculated; what was recorded stays as it is."""


def of_year(connection: Connection, product: str, year: int, zone: str, scope: Scope) -> ProductReview:
    """The review of a product's year on the plant's clock, within the caller's plants and lines."""
    since, until = (datetime(one, 1, 1, tzinfo=ZoneInfo(zone)) for one in (year, year + 1))
    return tables.review(connection, product, year, since, until, scope.orders(tables.WORK_ORDERS.c.order_number))


def document(found: ProductReview) -> Document:
    """All of it as JSON data."""
    return {
        "product": found.product, "year": found.year,
        "batches": [batch(own) for own in found.batches],
        "yields": _spread(found.yields),
        "deviations": {
            "count": len(found.deviations), "open": sum(own.state == "open" for own in found.deviations),
            "byCode": [{"code": code, "count": count, "open": still} for code, count, still in found.codes()],
        },
        "outOfSpecification": [
            {
                "number": own.number, "code": own.code, "detail": own.detail, "state": own.state,
                "decision": own.decision, "workOrder": own.work_order, "lot": own.lot,
                "openedAt": own.opened_at.isoformat(),
            }
            for own in found.out_of_specification
        ],
        "parameters": [parameter(own) for own in found.parameters()],
    }  # fmt: skip


def batch(own: ReviewedBatch) -> Document:
    """One batch with its yield."""
    percent = own.yield_percent
    return {
        "lot": own.lot, "workOrder": own.work_order, "orderNumber": own.order_number, "state": own.state,
        "lotStatus": own.lot_status, "endedAt": own.ended_at.isoformat(), "quantity": plain(own.quantity),
        "good": plain(own.good), "scrap": plain(own.scrap), "unit": own.unit,
        "yieldPercent": None if percent is None else plain(rounded(percent, PLACES).normalize()),
    }  # fmt: skip


def parameter(own: ReviewedParameter) -> Document:
    """One parameter with its capability."""
    return {
        "operation": own.operation, "name": own.name, "unit": own.unit, "low": _plain(own.low),
        "high": _plain(own.high),
        "count": own.spread.count, "mean": _number(own.spread.mean), "smallest": plain(own.spread.smallest),
        "largest": plain(own.spread.largest), "outside": own.outside, "limitsChanged": own.limits_changed,
        "within": _number(own.within), "overall": _number(own.overall), "cpk": _number(own.cpk),
        "ppk": _number(own.ppk),
    }  # fmt: skip


def _spread(own: Spread | None) -> Document | None:
    if own is None:
        return None
    found = asdict(own) | {"mean": _number(own.mean)}
    for name in ("smallest", "largest"):
        found[name] = plain(rounded(found[name], PLACES).normalize())
    return found


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _number(value: float | None) -> float | None:
    return None if value is None else round(value, PLACES)
