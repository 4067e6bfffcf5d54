"""The audit trail is searched, read in words, taken away as a file; whoever does it leaves a row; nobody writes."""

import csv
import hashlib
import io
import json
from typing import Any

import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from sqlalchemy import Engine, text

from adapters.printing.audit_words import in_words, is_known
from api.audit_export import MOST_PRINTED, harmless
from db import audit
from db.queries import audit_trail
from db.queries.audit_trail import Search
from tests.api.company import PASSWORD, Company
from tests.api.signing import audited
from tests.api.test_access import endpoints
from tests.api.words import at_stage, create, do, receive

pytestmark = [pytest.mark.usefixtures("working"), pytest.mark.accepts("AT-09", "B22")]
AUDIT = "/audit"
Row = dict[str, Any]


@pytest.fixture(scope="module")
async def closed(company: Company) -> tuple[str, str]:
    """An order that went all the way: the numbers of the order and of its work order."""
    await receive(company, "API-AUDIT", "100")
    order, work_order = await at_stage(company, "closed")
    desk = await company.desk("sam")
    number = (await desk.get(f"/mes/orders/{order}")).json()["number"]
    return number, (await desk.get(f"/mes/work-orders/{work_order}")).json()["number"]


async def search(company: Company, who: str = "aud", **query: Any) -> list[Row]:
    """All rows that are found, page by page."""
    desk = await company.desk(who)
    rows: list[Row] = []
    before: dict[str, int] = {}
    while True:
        answer = await desk.get(AUDIT, **query, **before)
        assert answer.status_code == 200, answer.text
        rows += answer.json()["rows"]
        if answer.json()["next"] is None:
            return rows
        before = {"before": answer.json()["next"]}


def in_record(engine: Engine, condition: str, **values: Any) -> list[int]:
    """The same, by the database."""
    statement = text(f"SELECT seq FROM audit_row WHERE {condition} ORDER BY at DESC, seq DESC")
    with engine.connect() as connection:
        return list(connection.execute(statement, values).scalars())


async def test_rows_are_found_by_record_person_type_command_and_time(
    company: Company, engine: Engine, closed: tuple[str, str]
) -> None:
    order, work_order = closed
    one = await search(company, entity=f"production-order/{order}", limit=3)
    assert [row["seq"] for row in one] == in_record(engine, "entity = :e", e=f"production-order/{order}")
    below = await search(company, entity=f"operation/{work_order}/*")
    assert [row["seq"] for row in below] == in_record(engine, "entity LIKE :e", e=f"operation/{work_order}/%")
    assert {"operation.record", "operation.report", "operation.complete"} <= {row["action"] for row in below}
    person = await search(company, actor="olu", action="operation.*", limit=4)
    assert {row["actor"] for row in person} == {"olu"}
    assert len(person) == len(in_record(engine, "actor = 'olu' AND action LIKE 'operation.%'"))
    (submitted,) = (row for row in one if row["action"] == "production-order.submit")
    assert submitted in await search(company, commandId=submitted["commandId"])
    until = next(row["at"] for row in one if row["action"] == "production-order.release")
    ranged = await search(company, entity=f"production-order/{order}", since=submitted["at"], until=until)
    assert [row["seq"] for row in ranged] == in_record(
        engine, "entity = :e AND at >= :a AND at < :b", e=f"production-order/{order}", a=submitted["at"], b=until
    )
    assert submitted in ranged
    assert not any(row["action"] == "production-order.release" for row in ranged)
    # A sign of the database's own patterns is only a sign.
    assert await search(company, action="lot_receive%*") == []
    desk = await company.desk("aud")
    assert (await desk.get(AUDIT, since=until, until=submitted["at"])).status_code == 422
    assert (await desk.get(AUDIT, before=10**12)).status_code == 404


async def test_logins_changes_approvals_and_looks_are_there(company: Company, closed: tuple[str, str]) -> None:
    await search(company, actor="nobody")
    for action in ("login", "material.created", "production-order.approve", "lot.received", "audit.viewed"):
        rows = await search(company, action=action)
        assert rows, action
        assert all(row["actor"] and row["at"] and row["entity"] for row in rows)
    (asked, *_) = await search(company, action="audit.viewed", actor="aud")
    assert asked["new"]["action"] == "audit.viewed"


async def test_every_row_of_a_life_is_a_sentence_in_both_languages(
    company: Company, engine: Engine, closed: tuple[str, str]
) -> None:
    rows = await search(company, limit=1000)
    assert [row for row in rows if not is_known(row["action"], row["entity"])] == []
    order, work_order = closed
    said = {row["action"]: row["text"] for row in rows if row["entity"].endswith((order, work_order))}
    assert said["production-order.approve"] == {
        "en": f"Sam (sam) approved production order {order}: state: submitted → approved.",
        "zh": f"Sam (sam)批准了生产订单 {order}：状态：已提交 → 已批准。",
    }
    assert said["work-order.start"]["zh"] == f"Olu (olu)开始了工单 {work_order}：状态：就绪 → 运行中。"
    (made,) = await search(company, entity="user/olu", action="user.created")
    assert made["text"]["en"] == "The system created account olu: roles: operator; full name: Olu. Reason: first start"
    login = (await search(company, action="login", actor="olu"))[0]["text"]
    assert login == {"en": "Olu (olu) logged in.", "zh": "Olu (olu)登录了系统。"}
    assert "sha256" not in json.dumps([row["text"] for row in rows])


def test_long_lists_say_how_much_more_there_is() -> None:
    row = {"action": "lot.serialsRegistered", "entity": "lot/L", "actor": "olu", "old": None, "reason": "as planned",
           "new": {"serials": [f"S{n}" for n in range(9)]}}  # fmt: skip
    said = in_words(row)
    assert said["en"] == (
        "olu registered serial numbers of lot L: serials: S0; S1; S2; S3; S4; S5; and 3 more. Reason: as planned"
    )
    assert said["zh"].endswith("S5；等，另有 3 项。原因：as planned")


async def test_what_is_found_is_taken_away_as_csv_json_and_pdf_and_that_is_a_row(
    company: Company, engine: Engine, closed: tuple[str, str]
) -> None:
    _, work_order = closed
    desk, asked = await company.desk("rae"), {"entity": f"operation/{work_order}/*"}
    found = list(reversed(await search(company, **asked)))
    answers = {form: await desk.get(f"{AUDIT}/export", format=form, language="zh", **asked)
               for form in ("csv", "json", "pdf")}  # fmt: skip
    assert [answer.status_code for answer in answers.values()] == [200] * 3
    assert json.loads(answers["json"].content)["rows"] == found
    assert answers["csv"].content.startswith(b"\xef\xbb\xbf")
    table = list(csv.DictReader(io.StringIO(answers["csv"].content.decode("utf-8-sig"))))
    assert [(row["seq"], row["text"], row["hash"]) for row in table] == [
        (str(row["seq"]), row["text"]["zh"], row["hash"]) for row in found
    ]
    printed = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answers["pdf"].content)).pages)
    shown = "".join(printed.split()).replace("\u200b", "")
    assert "审计追踪" in shown
    assert all("".join(row["text"]["zh"].split()) in shown for row in found if row["action"] == "operation.start")
    assert "Rae(rae)" in shown
    for form, row in zip(answers, audited(engine, "audit.exported")[-3:], strict=True):
        sha256 = hashlib.sha256(answers[form].content).hexdigest()
        assert (row.actor, row.new["format"], row.new["rows"], row.new["sha256"]) == ("rae", form, len(found), sha256)
        assert row.new["filters"] == asked
        assert (row.new["firstSeq"], row.new["lastSeq"]) == (found[0]["seq"], found[-1]["seq"])
        assert row.source
    nothing = await desk.get(f"{AUDIT}/export", format="json", actor="nobody")
    assert nothing.json() == {"rows": []}
    assert (await desk.get(f"{AUDIT}/export", format="pdf", actor="nobody")).content.startswith(b"%PDF")
    assert (await desk.get(f"{AUDIT}/export", format="xls")).status_code == 422


def test_no_cell_is_a_formula() -> None:
    assert [harmless(cell) for cell in ("=1+1", "+1", "-1", "@x", "as it was", "")] == [
        "'=1+1", "'+1", "'-1", "'@x", "as it was", "",
    ]  # fmt: skip


async def test_only_auditors_and_quality_assurance_look_and_nobody_writes(company: Company, app: FastAPI) -> None:
    for user in ("pia", "sam", "olu", "ada", "dan", "erp", "quinn", "ana"):
        for path in (AUDIT, f"{AUDIT}/export", f"{AUDIT}/verify"):
            answer = await (await company.desk(user)).get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "NOT_AUTHORISED"), (user, path)
            assert {"auditor", "qaReviewer", "qualityManager"} == set(
                answer.json()["blockers"][0]["whoCanFix"].split(", ")
            )
    for user in ("aud", "rae", "max"):
        assert (await (await company.desk(user)).get(f"{AUDIT}/verify")).json()["intact"] is True
    assert {method for method, path in endpoints(app) if path.startswith(AUDIT)} == {"GET"}
    desk = await company.desk("aud")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await desk.client.request(method, f"/api/v1{AUDIT}", headers=desk.headers, json={})
        assert answer.status_code == 405


async def test_too_much_for_paper_is_refused_and_indexes_answer_every_search(
    company: Company, engine: Engine, closed: tuple[str, str]
) -> None:
    """A trail of 60 000 rows more. Their hashes are of no chain: this is the last test of the module."""
    with engine.begin() as connection:
        connection.execute(text(
            "INSERT INTO audit_row (seq, at, actor, action, entity, hash) SELECT 1000000 + i, "
            "TIMESTAMPTZ '2026-01-01Z' + i * interval '1 min', 'p' || i % 50, 'kind' || i % 40 || '.act', "
            "'thing/' || i % 3000, repeat('0', 64) "
            "FROM generate_series(1, 60000) AS i"))  # fmt: skip
    desk = await company.desk("aud")
    before = len(audited(engine, "audit.exported"))
    refused = await desk.get(f"{AUDIT}/export", format="pdf")
    assert (refused.status_code, refused.json()["code"]) == (409, "TOO_MANY_ROWS")
    assert str(MOST_PRINTED) in refused.json()["blockers"][0]["required"]
    assert len(audited(engine, "audit.exported")) == before
    start, end = "2026-01-10T00:00:00Z", "2026-01-10T04:00:00Z"
    with engine.connect() as connection:
        key = audit_trail.key_of(connection, 1_030_000)
        assert key is not None
        for asked in (
            Search(), Search(entity="thing/7"), Search(actor="p7"), Search(action="kind7.act"),
            Search(since=key.at, until=None), Search(entity="thing/7", actor="p7"),
            Search(command_id="c"), Search(entity="thing/71*", since=key.at), Search(action="kind3.*"),
        ):  # fmt: skip
            for place in (None, key):
                plan = _plan(connection, asked, place)
                assert "Seq Scan on audit_row" not in plan, (asked, plan)
                assert "Index" in plan, (asked, plan)
        rows = [row["at"] for row in audit_trail.page(connection, Search(actor="p7"), 5, key)]
    assert rows == sorted(rows, reverse=True)
    paged = [row["seq"] for row in await search(company, actor="p7", since=start, until=end, limit=2)]
    assert paged == in_record(engine, "actor = 'p7' AND at >= :a AND at < :b", a=start, b=end)
    assert len(paged) > 3
    everything = await desk.get(f"{AUDIT}/export", format="csv")
    assert everything.content.count(b"\n") > 60_000


def _plan(connection: Any, asked: Search, key: audit_trail.Key | None) -> str:
    compiled = audit_trail.statement(asked, 100, key).compile(connection.engine, compile_kwargs={"literal_binds": True})
    return "\n".join(connection.exec_driver_sql(f"EXPLAIN {compiled}".replace("%%", "%").replace("%", "%%")).scalars())


async def test_signed_approvals_say_who_and_why(company: Company, engine: Engine) -> None:
    made = await create(company)
    await do(company, "pia", f"/mes/orders/{made['id']}/submit")
    await do(company, "sam", f"/mes/orders/{made['id']}/approve", signed=PASSWORD, reason="as planned for May")
    (row,) = await search(company, entity=f"production-order/{made['number']}", action="production-order.approve")
    assert row["reason"] == "as planned for May"
    assert row["text"]["en"].endswith("Reason: as planned for May")
    assert audit.timestamp(audited(engine, "production-order.approve")[-1].at) == row["at"]
