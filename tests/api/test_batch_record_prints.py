"""The batch record on paper over the API: as it is now, and as it was archived and sealed."""

import asyncio
import dataclasses
import hashlib
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pypdf
import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

from adapters.printing import seal_key
from adapters.printing.glyphs import BREAK
from adapters.printing.seal import verify
from adapters.printing.sheet import local
from db import audit, record_copy
from db.queries import record_archive, record_document
from db.record_tables import row_hash
from domain.errors import Refused
from settings import Settings
from system.addresses import Addresses
from tests.api.company import MASTER_DATA, PASSWORD, PREFIX, Company
from tests.api.test_record_review import POLICY, pressing, stored
from tests.api.words import do, receive, until
from tests.conftest import Database
from tests.db.database import fresh_database

pytestmark = pytest.mark.usefixtures("working")
SIGNED = {"approveBatchRecord": "approved", "certifyBatch": "certified", "reviewBatchRecord": "reviewed",
          "releaseBatch": "released"}  # fmt: skip


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with a key of the organisation."""
    folder = tmp_path_factory.mktemp("seal")
    seal_key.make(folder / "key.p12", folder / "own.pem", "secret", "Tablet Works")
    return dataclasses.replace(settings, seal_key=folder / "key.p12", seal_password="secret")


@pytest.fixture(scope="module", autouse=True)
async def _stock(company: Company, working: None) -> None:
    await receive(company, "API-PRINT", "100000")
    policies = [{**MASTER_DATA["policies"][0], "code": POLICY, "batchRecordReview": True, "signatures": SIGNED}]
    imported = await (await company.desk("pat")).post("/master-data/import", {"policies": policies})
    assert imported.status_code == 200, imported.text


class Archived(NamedTuple):
    """A batch with one corrected value, released and archived."""

    work_order_id: str
    number: str
    path: str
    batch: str


@pytest.fixture(scope="module")
async def archived(company: Company, _stock: None) -> Archived:
    """One batch from approval to the archive, with a correction, a remark and five signatures."""
    order, work_order = await pressing(company)
    path = f"/mes/work-orders/{work_order}"
    press = f"{path}/operations/PRESS"
    await do(company, "olu", f"{press}/parameters", values=[{"name": "weight", "text": "112.25", "unit": "mg"}])
    await do(company, "olu", f"{press}/parameters/V1/correct", text="112.75", reason="misread the balance")
    await do(company, "olu", f"{press}/comment", text="#panic 第 7 号冲模已抛光 <&>")
    await stored(company, order, work_order)
    await do(company, "sam", f"{path}/batch-record/review", signed=PASSWORD)
    await everything_explained(company, path)
    await do(company, "rae", f"{path}/batch-record/approve", signed=PASSWORD)
    await do(company, "quinn", f"{path}/certify", signed=PASSWORD)
    await do(company, "sam", f"{path}/release-batch", place="FINISHED", signed=PASSWORD)
    await until(company, order, lambda o: o["workOrders"][0]["batchRecord"]["state"] == "archived")
    found = (await (await company.desk("sam")).get(path)).json()
    record = (await (await company.desk("aud")).get(f"{path}/batch-record")).json()
    return Archived(work_order, found["number"], f"{path}/batch-record", record["batch"])


async def everything_explained(company: Company, path: str) -> None:
    """Quality explains what the review asks about."""
    record = (await (await company.desk("rae")).get(f"{path}/batch-record")).json()
    for own in record["exceptions"]:
        await do(company, "rae", f"{path}/batch-record/exceptions/{own['id']}/explain", reason="print-out attached")


def words_of(pdf: bytes) -> str:
    """All text of a print, with single blanks."""
    pages = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", " ".join(pages)).replace(BREAK, "")


async def got(company: Company, who: str, path: str, **query: Any) -> httpx.Response:
    """A file."""
    answer = await (await company.desk(who)).get(path, **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer


@pytest.mark.accepts("B12", "ES-01", "ES-07", "AT-06")
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_print_has_every_signature_and_the_history_of_every_value(
    company: Company, archived: Archived, language: str
) -> None:
    record = (await (await company.desk("aud")).get(archived.path)).json()
    assert [own["meaning"] for own in record["signatures"]] == ["reviewed", "approved", "certified", "released"]
    found = words_of((await got(company, "aud", f"{archived.path}/pdf", language=language)).content)
    meanings = {"reviewed": "审核", "approved": "批准", "certified": "批放行审核", "released": "放行"}
    for own in record["signatures"]:
        meaning = own["meaning"] if language == "en" else meanings[own["meaning"]]
        at = datetime.fromisoformat(own["signedAt"])
        when = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC"
        assert (
            f"{own['fullName']} {own['signer']} {meaning} {when} {local(own['signedAt'], own['localOffset'])}" in found
        )
    assert "112.25 mg 112.75 mg" in found, "the first value stands before the one that counts"
    assert "misread the balance" in found
    assert found.count("▲") == 1 + 1, "the one corrected value, and the legend"
    assert "#panic 第 7 号冲模已抛光 <&>" in found
    assert record["contentHash"] in found
    assert "DRAFT" not in found


@pytest.mark.accepts("AT-13")
async def test_a_print_leaves_a_row_in_the_audit_trail(company: Company, archived: Archived, engine: Engine) -> None:
    before = prints_of(engine, archived)
    answer = await got(company, "dan", f"{archived.path}/pdf", language="zh")
    (row,) = prints_of(engine, archived)[len(before) :]
    assert row.actor == "dan"
    assert row.new["language"] == "zh"
    assert row.new["sha256"] == hashlib.sha256(answer.content).hexdigest() == answer.headers["etag"].strip('"')
    assert f"batch-record-{archived.batch}-zh.pdf" in answer.headers["content-disposition"]
    asked = await (await company.desk("dan")).get(f"{archived.path}/pdf", language="fr")
    assert asked.status_code == 422
    assert len(prints_of(engine, archived)) == len(before) + 1


def prints_of(engine: Engine, archived: Archived) -> list[Any]:
    """The audit rows about prints of a record."""
    statement = "SELECT actor, new FROM audit_row WHERE action = 'record.printed' AND entity = :e ORDER BY seq"
    with engine.connect() as connection:
        return list(connection.execute(text(statement), {"e": f"work-order/{archived.number}"}))


@pytest.mark.accepts("B12")
async def test_an_open_record_prints_as_a_draft(company: Company) -> None:
    _, work_order = await pressing(company)
    path = f"/mes/work-orders/{work_order}/batch-record"
    found = words_of((await got(company, "olu", f"{path}/pdf")).content)
    assert "DRAFT" in found
    assert "weight not recorded" in found
    none = await (await company.desk("olu")).get(f"{path}/archive/pdf")
    assert none.status_code == 404


async def test_a_work_order_that_there_is_not_has_no_print(company: Company) -> None:
    for last in ("pdf", "archive/pdf"):
        path = f"/mes/work-orders/00000000-0000-0000-0000-000000000000/batch-record/{last}"
        assert (await (await company.desk("olu")).get(path)).status_code == 404
    answer = await company.client.get(f"{PREFIX}{path}")
    assert answer.status_code == 401


@pytest.mark.accepts("ES-09", "B14")
async def test_the_archived_prints_are_sealed_once_and_for_ever(
    company: Company, archived: Archived, settings: Settings
) -> None:
    assert settings.seal_key is not None
    certificate = settings.seal_key.with_name("own.pem").read_bytes()
    kept = (await (await company.desk("aud")).get(f"{archived.path}/archive")).json()
    assert [(own["language"], own["isSealed"], own["isIntact"]) for own in kept["prints"]] == [
        ("en", True, True), ("zh", True, True),
    ]  # fmt: skip
    for own in kept["prints"]:
        pdf = (await got(company, "aud", f"{archived.path}/archive/pdf", language=own["language"])).content
        assert hashlib.sha256(pdf).hexdigest() == own["sha256"]
        found = words_of(pdf)
        assert kept["document"]["contentHash"] in found
        assert "DRAFT" not in found
        assert "sealed with the organisation's key" in found or "已用企业密钥加盖电子印章" in found
        assert await in_thread(pdf, certificate) == (True, True)
        changed = bytearray(pdf)
        changed[len(pdf) // 2] ^= 1
        assert (await in_thread(bytes(changed), certificate))[0] is False


async def in_thread(pdf: bytes, certificate: bytes) -> tuple[bool, bool | None]:
    """The verdict on a seal; the verifier has an event loop of its own."""
    verdict = await asyncio.to_thread(verify, pdf, certificate)
    return verdict.is_whole, verdict.is_known


@pytest.mark.accepts("B14", "AT-02", "ES-09")
async def test_a_byte_changed_in_the_archive_is_refused_to_the_application_and_found_after_the_owner(
    company: Company, archived: Archived, engine: Engine, database: Database
) -> None:
    change = "UPDATE archived_print SET pdf = set_byte(pdf, 5000, get_byte(pdf, 5000) # 1) WHERE language = 'zh'"
    with psycopg.connect(database.app_url) as application, pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute(change)
    with engine.connect() as connection:
        assert list(record_archive.faults(connection, archived.number)) == []
    with as_owner(database, "archived_print", change):
        refused = await (await company.desk("aud")).get(f"{archived.path}/archive/pdf", language="zh")
        assert refused.status_code == 409
        assert [own["code"] for own in refused.json()["blockers"]] == ["ARCHIVE_CHANGED"]
        with engine.connect() as connection:
            (fault,) = record_archive.faults(connection, archived.number)
        assert fault == f"{archived.number}: the print in zh is not the file that was put away"


@pytest.mark.accepts("B14")
async def test_a_row_changed_behind_the_archive_is_named_with_its_place(
    archived: Archived, engine: Engine, database: Database
) -> None:
    change = "UPDATE parameter_value SET text = '113.99' WHERE text = '112.75'"
    with as_owner(database, "parameter_value", change), engine.connect() as connection:
        faults = list(record_archive.faults(connection, archived.number))
    assert faults[0] == f"{archived.number}: the rows of the record are not what was approved"
    assert any("112.75" in fault and "113.99" in fault and "operations[Press].values" in fault for fault in faults[1:])
    document = "UPDATE archived_record SET document = jsonb_set(document, '{goodQuantity}', '\"991\"')"
    with as_owner(database, "archived_record", document), engine.connect() as connection:
        faults = list(record_archive.faults(connection, archived.number))
    assert faults == [
        f"{archived.number}: the archived document is not what was put away",
        f"{archived.number}: goodQuantity: archive '991', record '990'",
    ]


class as_owner:  # noqa: N801
    """A change past the system, as only the owner of the database can make it; afterwards it is as it was."""

    def __init__(self, database: Database, table: str, change: str) -> None:
        self._engine = create_engine(
            database.owner_url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool
        )
        self._table, self._change = table, change

    def __enter__(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE kept AS SELECT * FROM {self._table}"))
            connection.execute(text(f"ALTER TABLE {self._table} DISABLE TRIGGER USER"))
            assert connection.execute(text(self._change)).rowcount >= 1

    def __exit__(self, *_: object) -> None:
        columns = {"archived_print": "pdf", "parameter_value": "text", "archived_record": "document"}
        keys = {"archived_print": "work_order, language", "parameter_value": "id", "archived_record": "work_order"}
        column = columns[self._table]
        same = " AND ".join(f"t.{key} = kept.{key}" for key in keys[self._table].split(", "))
        with self._engine.begin() as connection:
            connection.execute(text(f"UPDATE {self._table} t SET {column} = kept.{column} FROM kept WHERE {same}"))
            connection.execute(text(f"ALTER TABLE {self._table} ENABLE TRIGGER USER"))
            connection.execute(text("DROP TABLE kept"))


# Complete copies -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copy(archived: Archived, engine: Engine) -> record_copy.Copy:
    """The complete copy of the batch, as it was written to a file and read from it."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        made = record_copy.make(connection, archived.number, datetime(2026, 11, 26, tzinfo=UTC))
    return record_copy.load(json.dumps(made, ensure_ascii=False))


@pytest.fixture
def empty(servers: Addresses, template: str) -> Iterator[Any]:
    """An empty system's record."""
    with fresh_database(servers.database_owner_url, servers.database_url, template) as made:
        with made.owner.begin() as connection:
            connection.execute(text("DELETE FROM place"))
        yield made


@pytest.mark.accepts("AT-13")
def test_a_copy_has_everything_and_its_hashes_fit(copy: record_copy.Copy, archived: Archived) -> None:
    verdict = record_copy.verify(copy)
    assert verdict.faults == ()
    assert verdict.batch == archived.batch
    for table in ("order_fact", "parameter_value", "signature", "lot_link", "archived_print", "user_account", "lot"):
        assert copy["tables"][table], table
    assert {row["action"] for row in copy["audit"]} >= {"signature.given", "operation.record", "lot.certify"}
    assert len(copy["document"]["signatures"]) == 4
    assert "password" not in json.dumps(copy["tables"]["user_account"]), "a copy has the person, not the way in"
    assert PASSWORD not in json.dumps(copy)


@pytest.mark.accepts("AT-13")
def test_a_copy_is_read_into_an_empty_system_and_says_the_same_there(
    copy: record_copy.Copy, archived: Archived, empty: Any, settings: Settings
) -> None:
    with empty.app.begin() as connection:
        record_copy.read_in(connection, copy, datetime.now(UTC), "test")
    with empty.app.connect() as connection:
        record = record_document.read(connection, archived.number)
        assert audit.canonical(record.document()) == audit.canonical(copy["document"])
        assert record.content_hash == copy["contentHash"]
        assert list(record_archive.faults(connection, archived.number)) == []
        kept = record_archive.find_print(connection, archived.number, "zh")
        assert audit.verify(connection).broken_at is None
        again = record_copy.make(connection, archived.number, datetime.now(UTC))
        assert again["rowHashes"] == copy["rowHashes"]
        asleep = connection.execute(text("SELECT DISTINCT is_active, roles::text, password_hash FROM user_account"))
        assert [tuple(row) for row in asleep] == [(False, "[]", "")]
    assert kept is not None
    assert settings.seal_key is not None
    assert verify(bytes(kept.pdf), settings.seal_key.with_name("own.pem").read_bytes()).is_good
    with empty.app.begin() as connection, pytest.raises(Refused) as refused:
        record_copy.read_in(connection, copy, datetime.now(UTC), "test")
    assert [own.code for own in refused.value.blockers] == ["SYSTEM_NOT_EMPTY"]


@pytest.mark.accepts("AT-13", "B14")
@pytest.mark.parametrize(
    ("place", "named"),
    [
        (("tables", "parameter_value", 0, "text"), "parameter_value: row 1 was changed"),
        (("tables", "signature", 1, "full_name"), "signature: row 2 was changed"),
        (("audit", 0, "actor"), "audit trail: row "),
        (("document", "goodQuantity"), "the document is not what its hash"),
        (("content", "goodQuantity"), "the content is not what its hash"),
        (("batch",), "the file as a whole is not what its hash says"),
    ],
)
def test_a_changed_copy_names_the_place_and_is_not_read_in(
    copy: record_copy.Copy, empty: Any, place: tuple[Any, ...], named: str
) -> None:
    changed = json.loads(json.dumps(copy))
    inside = changed
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = "forged"
    assert any(fault.startswith(named) for fault in record_copy.verify(changed).faults)
    with empty.app.begin() as connection, pytest.raises(Refused) as refused:
        record_copy.read_in(connection, changed, datetime.now(UTC), "test")
    assert {own.code for own in refused.value.blockers} == {"COPY_NOT_INTACT"}
    with empty.app.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM order_fact")).scalar() == 0


@pytest.mark.accepts("AT-13")
def test_a_copy_with_fitting_hashes_that_tells_another_story_is_not_read_in(copy: record_copy.Copy, empty: Any) -> None:
    forged = json.loads(json.dumps(copy))
    first = next(row for row in forged["tables"]["parameter_value"] if row["text"] == "112.75")
    at = forged["tables"]["parameter_value"].index(first)
    first["text"] = "113.99"
    forged["rowHashes"]["parameter_value"][at] = row_hash(first)
    content = {key: value for key, value in forged.items() if key != "hash"}
    forged["hash"] = hashlib.sha256(audit.canonical(content).encode()).hexdigest()
    assert record_copy.verify(forged).faults == ()
    with pytest.raises(Refused) as refused, empty.app.begin() as connection:
        record_copy.read_in(connection, forged, datetime.now(UTC), "test")
    assert {own.code for own in refused.value.blockers} == {"COPY_NOT_THE_SAME"}
    with empty.app.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM order_fact")).scalar() == 0


def test_something_else_is_no_copy(tmp_path: Path) -> None:
    for wrong in ("[]", "{}", '{"format": "millwright batch record", "formatVersion": 99}'):
        with pytest.raises(ValueError, match=r"copy|version 99"):
            record_copy.load(wrong)
    assert record_copy.verify({"format": record_copy.FORMAT, "batch": "X"}).faults
