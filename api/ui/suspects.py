"""Which machine and which shift made the bad ones: the ranked answer, and the rows behind each count."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api import suspects
from api.periods import shortcuts
from api.routing import Router
from api.suspects import BYS, OFS, Found
from api.ui.reports import SHOWN, Question
from api.ui.shell import PageRoute, context, page
from db.queries import reporting
from db.session import reading
from domain.suspects import ALPHA, shifts
from reporting.shapes import ORDER
from reporting.tables import Column, Table, as_csv

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

RANKED = (
    Column("rank", "suspects.rank", "number"), Column("workstation", "field.workstation"),
    Column("shift", "suspects.shift"), Column("bad", "suspects.bad", "number", unit="unit"),
    Column("made", "suspects.made", "number", unit="unit"), Column("batches", "suspects.batches", "number"),
    Column("share", "suspects.share"), Column("times", "suspects.times"),
    Column("probability", "suspects.probability"), Column("test", "suspects.test", group="suspects.test"),
    Column("verdict", "suspects.verdict", group="suspects.verdict"),
)  # fmt: skip
ROWS = (
    Column("at", "spc.when", "time"), ORDER, Column("product", "field.product"), Column("lot", "field.lot"),
    Column("reference", "suspects.reference"), Column("operation", "reports.operation"),
    Column("workstation", "field.workstation"), Column("shift", "suspects.shift"),
    Column("bad", "suspects.bad", "number", unit="unit"), Column("good", "reports.good", "number", unit="unit"),
    Column("reason", "reports.reason"), Column("person", "spc.who"),
)  # fmt: skip
Text = Annotated[str, Query(max_length=80)]


def _asked(
    question: Question,
    of: Literal["pieces", "batches"] = "pieces",
    by: Literal["both", "machine", "shift"] = "both",
    operation: Text = "",
    begins: Annotated[str, Query(alias="shifts", max_length=60)] = "",
) -> suspects.Question:
    return suspects.Question(question, of, by, operation, shifts(begins))


Asked = Annotated[suspects.Question, Depends(_asked)]


def _own(question: suspects.Question) -> dict[str, str]:
    """The address of the question, for links and fields."""
    period = question.asked.period
    return {
        "since": period.first.isoformat(), "until": period.last.isoformat(), "product": question.asked.product or "",
        "of": question.of, "by": question.by, "operation": question.operation,
        "shifts": ",".join(f"{begin:%H:%M}" for begin in question.begins),
    }  # fmt: skip


async def _read(request: Request, work: Callable[[Connection], Any]) -> Any:
    def done() -> Any:
        with reading(request.app.state.services.engine) as connection:
            return work(connection)

    return await run_in_threadpool(done)


@router.get("/suspects")
async def answer(request: Request, question: Asked) -> Response:
    """The ranked answer in words, as bars and as a table; every count leads to its rows."""

    def work(connection: Connection) -> tuple[Found, list[str]]:
        inside = question.asked.scope.orders()
        return suspects.find(connection, question), reporting.products(connection, inside)

    found, products = await _read(request, work)
    ranks = [suspects.row_of(own, found) for own in found.answer.suspects] if found.answer else []
    return page(
        request, "suspects.html", found=found, ranks=ranks, own=_own(question), period=question.asked.period,
        shortcuts=shortcuts(question.asked.period.zone), products=products, bys=BYS, ofs=OFS, alpha=ALPHA,
        most=max((row["share"] for row in ranks), default=0) or 1,
        standing=[row for row in ranks if row["verdict"] == "standsOut"], live="operation,deviation,work-order",
    )  # fmt: skip


@router.get("/suspects.csv")
async def file(request: Request, question: Asked) -> Response:
    """The answer as a file."""
    found: Found = await _read(request, lambda connection: suspects.find(connection, question))
    ranks = [suspects.row_of(own, found) for own in found.answer.suspects] if found.answer else []
    return _csv(request, question, Table(RANKED, ranks), "suspects")


@router.get("/suspects/rows")
async def rows(request: Request, question: Asked, workstation: Text = "", shift: Text = "") -> Response:
    """The reports, or operations of batches, behind a count."""
    table = await _rows(request, question, SHOWN + 1, workstation, shift)
    having = context(request)
    cells = [table.cells(row, having["t"], having["clock"]) for row in table.rows[:SHOWN]]
    return page(
        request, "suspects_rows.html", table=table, rows=cells, own=_own(question), workstation=workstation,
        shift=shift, shown=SHOWN, is_cut=len(table.rows) > SHOWN, period=question.asked.period,
        live="operation,deviation,work-order",
    )  # fmt: skip


@router.get("/suspects/rows.csv")
async def rows_file(request: Request, question: Asked, workstation: Text = "", shift: Text = "") -> Response:
    """The same as a file, all of them."""
    table = await _rows(request, question, reporting.MOST, workstation, shift)
    return _csv(request, question, table, "suspects-rows")


async def _rows(request: Request, question: Asked, limit: int, workstation: str, shift: str) -> Table:
    t = context(request)["t"]

    def work(connection: Connection) -> list[dict[str, Any]]:
        return suspects.listed(connection, question, limit, workstation, shift)

    found: list[dict[str, Any]] = await _read(request, work)
    group = "code" if question.of == "batches" else "scrap"
    return Table(ROWS, [row | {"reason": t.of(group, row["reason"]) if row["reason"] else ""} for row in found])


def _csv(request: Request, question: suspects.Question, table: Table, name: str) -> Response:
    period = question.asked.period
    attached = f'attachment; filename="{name}-{period.first}-{period.last}.csv"'
    content = as_csv(table, context(request)["t"])
    return Response(content, media_type="text/csv; charset=utf-8", headers={"content-disposition": attached})
