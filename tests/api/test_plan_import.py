"""Plan lines from files: all of it or nothing, every reason at once, once."""

import asyncio
import csv
import io
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from api import plan_file
from api.planning import PlanLineBody
from api.security import now
from db.queries import plan_lines
from tests.api.company import PREFIX, Company
from tests.api.test_master_data import counted

PATH = "/mes/plan-lines/import"
HEADING = "reference,product,quantity,unit,policy,plant,orderNumber,batchNumber,dueAt"
GOOD = [
    "{0}-1,TAB,1000,pcs,gmp,demo,,,2026-12-31", "{0}-2,CART,10,pcs,plain,demo,{0}-PO,{0}-B,",
    "{0}-3,AXLE,2.5,pcs,plain,demo,,,",
]  # fmt: skip


def file_of(name: str, *bad: str) -> bytes:
    """Three good lines, and others."""
    return "\n".join([HEADING, *(line.format(name) for line in (*GOOD, *bad))]).encode()


async def send(
    company: Company, content: bytes, kind: str = "text/csv", user: str = "pia", **query: str
) -> httpx.Response:
    """Send a file as the body."""
    headers = (await company.desk(user)).headers | {"Content-Type": kind}
    return await company.client.post(PREFIX + PATH, content=content, headers=headers, params=query)


def stored(engine: Engine, name: str) -> list[Any]:
    """The lines whose references begin so."""
    query = text("SELECT * FROM plan_line WHERE reference LIKE :name ORDER BY reference")
    with engine.connect() as connection:
        return list(connection.execute(query, {"name": f"{name}-%"}))


def audited(engine: Engine, like: str) -> int:
    """How many rows of the audit trail are about it."""
    query = text("SELECT count(*) FROM audit_row WHERE entity LIKE :like")
    with engine.connect() as connection:
        return int(connection.execute(query, {"like": like}).scalar_one())


@pytest.mark.accepts("A5")
async def test_a_file_is_taken_once(company: Company, engine: Engine) -> None:
    first = await send(company, file_of("ONE"), commandId="import/one")
    assert first.status_code == 200, first.text
    body = first.json()
    assert [line["reference"] for line in body["planLines"]] == ["ONE-1", "ONE-2", "ONE-3"]
    assert (body["accepted"], body["planLines"][1]["orderNumber"]) == (3, "ONE-PO")
    rows = stored(engine, "ONE")
    assert rows[0].due_at.isoformat() == "2026-12-31T23:59:59+00:00"
    with engine.connect() as connection:
        query = text("SELECT action, \"new\" FROM audit_row WHERE entity = 'plan-import/import/one'")
        ((action, new),) = connection.execute(query).all()
    assert (action, new["lines"], new["new"]) == ("plan-lines.imported", 3, 3)
    assert audited(engine, "plan-line/ONE-%") == 3
    semicolons = b"\xef\xbb\xbf" + file_of("ONE").replace(b",", b";")
    for again in (
        await send(company, file_of("ONE"), commandId="import/one"),
        await send(company, semicolons, commandId="import/one"),
        await send(company, semicolons, commandId="import/two"),
        await send(company, semicolons),
        await send(company, semicolons),
    ):
        assert (again.status_code, again.text) == (200, first.text)
    assert stored(engine, "ONE") == rows
    assert audited(engine, "plan-line/ONE-%") == 3
    other = await send(company, file_of("OTHER"), commandId="import/one")
    assert (other.status_code, other.json()["code"]) == (409, "COMMAND_ID_REUSED")
    assert stored(engine, "OTHER") == []


async def test_twenty_at_once_take_it_once(company: Company, engine: Engine) -> None:
    answers = await asyncio.gather(*(send(company, file_of("CROWD"), commandId=f"c/{n % 3}") for n in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(stored(engine, "CROWD")) == 3
    assert audited(engine, "plan-line/CROWD-%") == 3


BAD = [
    "{0}-10,GHOST,1,pcs,gmp,demo,,,", "{0}-11,TAB,0,pcs,gmp,demo,,,", "{0}-12,TAB,1,kg,gmp,demo,,,",
    "{0}-13,TAB,1,pcs,gmp,demo,,,", "{0}-13,TAB,2,pcs,gmp,demo,,,", "PL-KNOWN,TAB,8,pcs,gmp,demo,,,",
    "{0}-14,TAB,1,pcs,gmp,demo,,,31.12.2026", "{0}-15,TAB,1,pcs,nowhere,demo,,,",
    "{0}-16,TAB,1,pcs,gmp,demo,PO-KNOWN,,", "{0}-17,TAB,1,pcs,gmp,demo,,B-KNOWN,", "{0}-18,TAB,1,pcs,gmp,demo,{0}-X,,",
    "{0}-19,TAB,1,pcs,gmp,demo,{0}-X,,",
    "{0}-20,GHOST,none,pcs,nowhere,demo,PO-KNOWN,,31.12.2026", "{0}-21,TAB,1,pcs",
]  # fmt: skip
EXPECTED = [
    (5, "product", "UNKNOWN_PRODUCT"), (6, "quantity", "QUANTITY_NOT_POSITIVE"), (7, "unit", "UNIT_MISMATCH"),
    (8, "reference", "REFERENCE_TWICE"), (9, "reference", "REFERENCE_TWICE"), (10, "quantity", "REFERENCE_TAKEN"),
    (11, "dueAt", "INVALID_DATE"), (12, "policy", "UNKNOWN_POLICY"), (13, "orderNumber", "NUMBER_TAKEN"),
    (14, "batchNumber", "BATCH_NO_USED"), (15, "orderNumber", "NUMBER_TAKEN"), (16, "orderNumber", "NUMBER_TAKEN"),
    (17, "product", "UNKNOWN_PRODUCT"), (17, "quantity", "INVALID_VALUE"), (17, "policy", "UNKNOWN_POLICY"),
    (17, "orderNumber", "NUMBER_TAKEN"), (17, "dueAt", "INVALID_DATE"), (18, "", "WRONG_NUMBER_OF_CELLS"),
]  # fmt: skip


async def test_every_bad_line_is_named_and_the_good_ones_come_back(company: Company, engine: Engine) -> None:
    await company.plan("PL-KNOWN", orderNumber="PO-KNOWN", batchNumber="B-KNOWN")
    before = len(stored(engine, "PL"))
    refused = await send(company, file_of("MIX", *BAD), commandId="import/mix")
    body = refused.json()
    assert (refused.status_code, body["code"]) == (422, "PLAN_IMPORT_REFUSED")
    assert sorted((row["line"], row["column"], row["code"]) for row in body["rows"]) == sorted(EXPECTED)
    assert len(body["blockers"]) == len(EXPECTED)
    assert "Traceback" not in refused.text
    assert all(row["reason"] for row in body["rows"])
    assert stored(engine, "MIX") == []
    assert len(stored(engine, "PL")) == before
    assert audited(engine, "plan-import/import/mix") == 1
    assert [line["reference"] for line in body["good"]["planLines"]] == ["MIX-1", "MIX-2", "MIX-3"]
    # The id was not used up: nothing happened under it.
    taken = await send(company, body["good"]["csv"].encode(), commandId="import/mix")
    assert taken.status_code == 200, taken.text
    for again in (
        await send(company, json.dumps(body["good"]["planLines"]).encode(), "application/json"),
        await (await company.desk("pia")).post("/mes/plan-lines", body["good"]["planLines"]),
    ):
        lines = again.json()
        assert (lines if isinstance(lines, list) else lines["planLines"]) == taken.json()["planLines"]
    assert len(stored(engine, "MIX")) == 3


async def test_the_list_says_the_same_as_the_file(company: Company, engine: Engine) -> None:
    rows = csv.DictReader(io.StringIO(file_of("LIST", *BAD[:-1]).decode()))
    lines = [{column: cell for column, cell in row.items() if cell} for row in rows]
    lines[0]["dueAt"] = "2026-12-31T23:59:59Z"
    as_list = (await send(company, json.dumps(lines).encode(), "application/json")).json()
    found = sorted((row["line"] + 1, row["column"], row["code"]) for row in as_list["rows"])
    assert found == sorted(EXPECTED[:-1])
    answer = await (await company.desk("pia")).post("/mes/plan-lines", [lines[0], lines[3], lines[5]])
    blockers = [(blocker["id"], blocker["code"]) for blocker in answer.json()["blockers"]]
    assert answer.status_code == 409
    assert blockers == [("line 2, product", "UNKNOWN_PRODUCT"), ("line 3, unit", "UNIT_MISMATCH")]
    assert stored(engine, "LIST") == []


async def test_what_is_taken_and_what_not(company: Company, engine: Engine) -> None:
    desk = await company.desk("erp")
    form = {"files": {"file": ("plan.csv", file_of("FORM"), "application/vnd.ms-excel")}}
    taken = await company.client.post(PREFIX + PATH, headers=desk.headers, **form)  # type: ignore[arg-type]
    assert taken.status_code == 200, taken.text
    assert len(stored(engine, "FORM")) == 3
    none = await company.client.post(PREFIX + PATH, headers=desk.headers, data={"a": "b"}, files={})
    two = [("file", ("a.csv", b"x")), ("file", ("b.csv", b"x"))]
    twice = await company.client.post(PREFIX + PATH, headers=desk.headers, files=two)
    assert [answer.status_code for answer in (none, twice)] == [415, 422]
    for kind in ("text/plain", "", "text/csv; charset=latin-1", "multipart/form-data; boundary"):
        assert (await send(company, file_of("KIND"), kind)).status_code in (415, 422), kind
    for content, kind in ((b"", "text/csv"), (b"{", "application/json"), (b"[" * 90_000, "application/json"),
                          (b"{}", "application/json"), (b"[1]", "application/json"),
                          (file_of("Ä").decode().encode("latin-1"), "text/csv")):  # fmt: skip
        answer = await send(company, content, kind)
        assert (answer.status_code, "rows" in answer.json() or "valid JSON" in answer.text) == (422, True), content
    large = await send(company, b"x" * 2_100_000)
    assert (large.status_code, large.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert (await send(company, file_of("WHO"), user="olu")).status_code == 403
    assert (await send(company, file_of("WHO"), commandId="a b")).status_code == 422
    assert stored(engine, "KIND") == stored(engine, "WHO") == []


async def test_the_template_can_be_filled_in(company: Company) -> None:
    desk = await company.desk("pia")
    for separator, sign in (("comma", ","), ("semicolon", ";")):
        answer = await desk.get(f"{PATH}/template", separator=separator)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.content.decode("utf-8-sig").strip().split(sign) == list(plan_file.COLUMNS)
        empty = await send(company, answer.content)
        assert [row["code"] for row in empty.json()["rows"]] == ["NO_LINES"]


@pytest.mark.accepts("A5")
@pytest.mark.usefixtures("working")
async def test_twenty_at_once_make_one_order_of_an_imported_line(company: Company) -> None:
    content = f"{HEADING}\nFILE-A,CART,10,pcs,plain,demo,PO-FILE-A-{id(company)},,".encode()
    (line,) = (await send(company, content)).json()["planLines"]
    desk = await company.desk("pia")
    path = f"/mes/orders/from-plan/{line['id']}"
    answers = [*(await asyncio.gather(*(desk.post(path) for _ in range(20)))), await desk.post(path)]
    assert {answer.status_code for answer in answers} == {200}
    assert {(answer.json()["id"], answer.json()["number"]) for answer in answers} == {
        (line["orderId"], line["orderNumber"])
    }
    assert len({str(answer.json()["workOrders"]) for answer in answers}) == 1
    listed = (await desk.get("/mes/orders", limit=500)).json()["orders"]
    assert [own["number"] for own in listed].count(line["orderNumber"]) == 1
    again = await send(company, content)  # the line has a batch number of the system's now, and that is no difference
    assert [own["orderNumber"] for own in again.json()["planLines"]] == [line["orderNumber"]]


async def test_a_large_file_costs_no_more_statements(company: Company, app: Any) -> None:
    def content(name: str, count: int) -> bytes:
        lines = [f"{name}-{number},TAB,1,pcs,gmp,demo,,B-{name}-{number}," for number in range(count)]
        return "\n".join([HEADING, *lines]).encode()

    with counted(app.state.services.engine) as few:
        assert (await send(company, content("FEW", 2))).status_code == 200
    with counted(app.state.services.engine) as many:
        answer = await send(company, content("MANY", 5000))
    assert answer.json()["accepted"] == 5000
    assert len({line["orderNumber"] for line in answer.json()["planLines"]}) == 5000
    # Rows are sent in packages, and sessions are looked up now and then: those may be more.
    assert _kinds(many) == _kinds(few)


def _kinds(statements: list[str]) -> list[str]:
    now_and_then = ("user_session", "signature_request", "FROM lot_hold ")
    kept = [own for own in statements if not own.startswith("INSERT") and not any(name in own for name in now_and_then)]
    return [own.split("IN (")[0] for own in kept]


async def test_a_number_of_a_series_that_somebody_took_is_passed_over(company: Company, engine: Engine) -> None:
    line = await company.plan("PL-SERIES-1", orderNumber=None)
    year, last = line["orderNumber"][:4], int(line["orderNumber"][4:])
    await company.plan("PL-SERIES-2", orderNumber=f"{year}{last + 1:06}")
    following = await company.plan("PL-SERIES-3", orderNumber=None)
    assert following["orderNumber"] == f"{year}{last + 2:06}"
    with engine.begin() as connection:
        assert plan_lines.free_numbers(connection, plan_lines.ORDER_PATTERN, now(), 2, {f"{year}{last + 3:06}"}) == [
            f"{year}{last + 4:06}", f"{year}{last + 5:06}",
        ]  # fmt: skip


def test_the_columns_are_the_fields_of_a_line() -> None:
    assert {str(field.alias) for field in PlanLineBody.model_fields.values()} == set(plan_file.COLUMNS)
