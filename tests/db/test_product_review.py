"""The data of a product quality review, against a calculation of its own over the same golden data (QL-13)."""

import itertools
import statistics
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from api.product_review import document
from db import tables as t
from db.queries.product_review import review
from db.tables import core
from tests.db.database import Database, make_material, unique

ENDED = datetime(2025, 3, 1, 12, tzinfo=UTC)
WEIGHTS = ("113.2", "112.8", "114.1", "113.6", "112.2", "113.9", "115.0", "113.3")
"""One of each batch, in the order of time; the fourth was corrected to this."""
DISSOLVED = ("91.5", "90.2", "93.3", "88.7", "92.4", "90.9", "73.2", "91.8")
GOOD = (990, 985, 970, 995, 981, 978, 0, 988)
LOW, HIGH = Decimal(108), Decimal(118)
D2 = 1.1283791670955126  # 2 / sqrt(pi), the mean range of two values of a normal distribution


def golden(connection: Connection) -> tuple[str, list[str]]:
    """Eight batches of 2025, the seventh rejected; one of the year before, one of the year after, one of another
    product: their values lie far away. The product and the lots of its eight."""
    product, other = (make_material(connection, unique(name), unit="pcs", kind="finished") for name in ("REV", "ELSE"))
    lots = [
        batch(connection, product, at, GOOD[at], WEIGHTS[at], DISSOLVED[at], ENDED + timedelta(days=at))
        for at in range(len(GOOD))
    ]
    for at, what, when in ((80, product, ENDED.replace(year=2024)), (81, product, ENDED.replace(year=2026)),
                           (82, other, ENDED)):  # fmt: skip
        batch(connection, what, at, 1, "999", "999", when)
    deviations = [
        (lots[6], "OUT_OF_SPECIFICATION", "closed"), (lots[6], "YIELD_OUT_OF_LIMIT", "closed"),
        (lots[2], "OUT_OF_LIMIT", "open"), (lots[3], "OUT_OF_LIMIT", "closed"),
    ]  # fmt: skip
    for at, (lot, code, state) in enumerate(deviations):
        row = {"number": f"{lot}-D{at}", "work_order": f"W-{lot}", "lot": None if at % 2 else lot, "code": code,
               "detail": code, "state": state, "opened_by": "system",
               "opened_at": ENDED + timedelta(days=at)}  # fmt: skip
        connection.execute(insert(core(t.Deviation)).values(row))
    return product, lots


def batch(
    connection: Connection, product: str, at: int, good: int, weight: str, dissolved: str, ended: datetime
) -> str:
    """A batch of 1000 with one weight and one result; the fourth weight was typed wrong first. Its lot."""
    lot = unique(f"LOT{at}")
    order, number = f"O-{lot}", f"W-{lot}"
    add(connection, t.ProductionOrder, number=order, uuid=uuid.uuid4(), plan_line=order, plant="demo",
        product=product, quantity=1000, unit="pcs", policy="gmp", state="closed", created_by="pia",
        created_at=ended, revision=9)  # fmt: skip
    add(connection, t.WorkOrder, number=number, uuid=uuid.uuid4(), order_number=order, material=product, quantity=1000,
        unit="pcs", state="closed", output_lot=lot, actual_end=ended)  # fmt: skip
    add(connection, t.Lot, number=lot, material=product, unit="pcs", status="released" if good else "rejected",
        origin="produced", work_order=number, created_at=ended)  # fmt: skip
    moves = [("PROCESS", "LINE", good + 10, "produce"), ("LINE", "PROCESS", 10, "reverse")]
    for source, target, quantity, kind in moves if good else ():
        add(connection, t.StockMove, key=f"{kind}-{lot}", lot=lot, from_place=source, to_place=target,
            quantity=quantity, unit="pcs", kind=kind, work_order=number, actor="olu", moved_at=ended)  # fmt: skip
    texts = ("999", weight) if at == 3 else (weight,)
    for version, entry in enumerate(texts, 1):
        add(connection, t.ParameterValue, work_order=number, operation="PRESS", name="weight", text=entry,
            value=Decimal(entry), unit="mg", low=LOW, high=HIGH, within_limits=True, recorded_by="olu",
            recorded_at=ended - timedelta(hours=2 if version == 1 else 0), number="V1", version=version,
            is_late=False, is_typed=True)  # fmt: skip
    add(connection, t.InspectionRow, number=f"{lot}-I1", uuid=uuid.uuid4(), lot=lot, material=product,
        work_order=number, state="accepted", characteristics=[], requested_at=ended)  # fmt: skip
    add(connection, t.InspectionResult, inspection=f"{lot}-I1", name="dissolution", text=dissolved,
        value=Decimal(dissolved), unit="%", low=Decimal(74), high=None, within_limits=Decimal(dissolved) >= 74,
        entered_by="ana", entered_at=ended)  # fmt: skip
    return lot


def add(connection: Connection, model: Any, **row: Any) -> None:
    connection.execute(insert(core(model)).values(row))


def index(texts: tuple[str, ...], low: float | None, high: float | None, sigma: float) -> float:
    """Cpk or Ppk, whichever sigma is given."""
    mean = statistics.fmean(float(one) for one in texts)
    sides = [] if low is None else [(mean - low) / (3 * sigma)]
    sides += [] if high is None else [(high - mean) / (3 * sigma)]
    return min(sides)


def moving(texts: tuple[str, ...]) -> float:
    """Sigma by the mean moving range."""
    values = [float(one) for one in texts]
    return statistics.fmean(abs(b - a) for a, b in itertools.pairwise(values)) / D2


@pytest.mark.accepts("QL-13")
def test_the_review_is_what_an_independent_calculation_says(database: Database) -> None:
    with database.owner.connect() as connection, connection.begin() as transaction:
        product, lots = golden(connection)
        statements: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *told: statements.append(told[2]))
        since, until = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
        found = document(review(connection, product, 2025, since, until))
        assert len(statements) == 1
        nothing = document(review(connection, product, 1999, since.replace(year=1999), until.replace(year=2000)))
        plan = connection.execute(text("SELECT count(*) FROM work_order WHERE material = :m"), {"m": product})
        assert plan.scalar_one() == len(lots) + 2
        transaction.rollback()
    assert [own["lot"] for own in found["batches"]] == lots
    assert [own["good"] for own in found["batches"]] == [str(one) for one in GOOD]
    percents = [one / 10 for one in GOOD]
    assert [float(own["yieldPercent"]) for own in found["batches"]] == percents
    assert found["yields"] == {
        "count": 8, "mean": round(statistics.fmean(percents), 6), "smallest": "0", "largest": "99.5",
    }  # fmt: skip
    assert found["batches"][6]["lotStatus"] == "rejected"
    assert (found["deviations"]["count"], found["deviations"]["open"]) == (4, 1)
    assert [(own["code"], own["count"], own["open"]) for own in found["deviations"]["byCode"]] == [
        ("OUT_OF_LIMIT", 2, 1), ("OUT_OF_SPECIFICATION", 1, 0), ("YIELD_OUT_OF_LIMIT", 1, 0),
    ]  # fmt: skip
    assert [own["number"] for own in found["outOfSpecification"]] == [f"{lots[6]}-D0"]
    tested, weighed = found["parameters"]
    for own, texts, low, high in ((tested, DISSOLVED, 74.0, None), (weighed, WEIGHTS, 108.0, 118.0)):
        values = [float(one) for one in texts]
        assert own["count"] == 8
        assert own["mean"] == pytest.approx(statistics.fmean(values), abs=1e-6)
        assert own["overall"] == pytest.approx(statistics.stdev(values), abs=1e-6)
        assert own["within"] == pytest.approx(moving(texts), rel=1e-3)
        assert own["cpk"] == pytest.approx(index(texts, low, high, moving(texts)), rel=1e-3)
        assert own["ppk"] == pytest.approx(index(texts, low, high, statistics.stdev(values)), abs=1e-5)
    assert (tested["operation"], tested["name"], tested["outside"]) == ("", "dissolution", 1)
    assert (weighed["operation"], weighed["name"], weighed["outside"]) == ("PRESS", "weight", 0)
    assert (nothing["batches"], nothing["yields"], nothing["parameters"]) == ([], None, [])
