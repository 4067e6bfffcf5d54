"""Pictures of instructions: what is taken, where it is stored, who may see it, what binds it, where it goes along."""

import asyncio
import copy
from base64 import b64encode
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from domain.master_batch_record import MasterBatchRecordBody
from domain.pictures import MOST_BYTES
from domain.specification import Instruction
from tests.api.company import PASSWORD, PREFIX, Company
from tests.api.pictures import digest, drawn, in_inks, moving, shown
from tests.api.records import PATH, TAB, TEXTS, codes, draft, effective, move, ok, said, with_policy
from tests.api.words import at_stage

PICTURES = f"{PATH}/pictures"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><rect width='9' height='9'/></svg>"


def with_pictures(*pictures: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A record whose first instruction of MIX shows these."""
    told = [{"number": 10, "text": TEXTS, "pictures": list(pictures)}]
    return TAB | {"operations": [said("MIX", room="R-1", instructions=told), said("PRESS")]} | more


async def upload(company: Company, content: bytes, who: str = "pat") -> httpx.Response:
    """Somebody sends a file."""
    desk = await company.desk(who)
    return await desk.client.post(PREFIX + PICTURES, content=content, headers=desk.headers)


def stored(engine: Engine, content: bytes) -> list[Any]:
    """The rows of a picture."""
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM picture WHERE sha256 = :of"), {"of": digest(content)}))


def told(engine: Engine, content: bytes) -> list[Any]:
    """What the audit trail says about a picture."""
    query = "SELECT action, actor, new FROM audit_row WHERE entity = :of ORDER BY seq"
    with engine.connect() as connection:
        return list(connection.execute(text(query), {"of": f"picture/{digest(content)}"}))


@pytest.mark.accepts("MD-01", "MD-02")
async def test_a_picture_is_stored_once_under_the_hash_of_what_is_in_it(company: Company, engine: Engine) -> None:
    png, jpeg = drawn(), drawn((10, 200, 30), form="JPEG")
    answers = await asyncio.gather(*(upload(company, png) for _ in range(5)))
    assert {ok(answer)["sha256"] for answer in answers} == {digest(png)}
    assert ok(await upload(company, jpeg)) == {
        "sha256": digest(jpeg), "mediaType": "image/jpeg", "width": 48, "height": 32, "size": len(jpeg),
    }  # fmt: skip
    (row,) = stored(engine, png)
    assert (bytes(row.content), row.media_type, row.width, row.height, row.added_by) == (
        png,
        "image/png",
        48,
        32,
        "pat",
    )
    ((action, actor, new),) = told(engine, png)
    assert (action, actor, new["sha256"]) == ("picture.added", "pat", digest(png))


@pytest.mark.accepts("MD-01")
def test_a_stored_picture_is_never_changed_or_stored_under_another_name(engine: Engine) -> None:
    values = "'{}', 'image/png', 1, 1, 4, 'fake', 'pat', now()"
    for statement in ("UPDATE picture SET width = 1", "DELETE FROM picture", "TRUNCATE picture",
                      f"INSERT INTO picture VALUES ({values.format('0' * 64)})"):  # fmt: skip
        with engine.connect() as connection, pytest.raises(DBAPIError):
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("content", "code", "found"),
    [
        (b"", "PICTURE_NOT_TAKEN", "an empty file"),
        (SVG, "PICTURE_NOT_TAKEN", "a drawing as SVG, which can hold scripts"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>" + SVG, "PICTURE_NOT_TAKEN", "a drawing as SVG, which can hold scripts"),
        (b"GIF89a" + b"\0" * 40, "PICTURE_NOT_TAKEN", "a file that is neither PNG nor JPEG"),
        (b"<html><script>alert(1)</script></html>", "PICTURE_NOT_TAKEN", "a file that is neither PNG nor JPEG"),
        (drawn()[:60], "PICTURE_NOT_TAKEN", "a picture that is damaged"),
        (drawn(form="JPEG")[:200], "PICTURE_NOT_TAKEN", "a picture that is damaged"),
        (moving(), "PICTURE_NOT_TAKEN", "a picture that moves"),
        (in_inks(), "PICTURE_NOT_TAKEN", "colours of the kind CMYK"),
        (drawn(size=(4097, 1)), "PICTURE_TOO_LARGE", "4097 × 1 points"),
        (drawn() + b"x" * MOST_BYTES, "PICTURE_TOO_LARGE", f"{len(drawn()) + MOST_BYTES} bytes"),
    ],
    ids=[
        "empty",
        "svg",
        "svg with a mark",
        "gif",
        "html",
        "half a png",
        "half a jpeg",
        "moving",
        "inks",
        "wide",
        "big",
    ],
)
async def test_what_is_no_picture_is_refused_by_what_is_in_it(
    company: Company, engine: Engine, content: bytes, code: str, found: str
) -> None:
    refused = await upload(company, content)
    assert codes(refused) == [code]
    (blocker,) = refused.json()["blockers"]
    assert (blocker["entity"], blocker["found"], blocker["whoCanFix"]) == ("picture", found, "processEngineer")
    assert stored(engine, content) == []


async def test_a_file_beyond_what_a_request_may_bring_is_not_even_read(company: Company) -> None:
    assert (await upload(company, b"\x89PNG" + b"\0" * (3 * 1024 * 1024))).status_code == 413


@pytest.mark.accepts("MD-04")
async def test_a_version_needs_its_pictures_and_their_words_in_both_languages(company: Company) -> None:
    there, missing = drawn((1, 2, 3)), drawn((3, 2, 1))
    ok(await upload(company, there))
    broken = with_pictures(shown(there, zh=" "), shown(missing))
    record = ok(await draft(company, "pictured-broken", broken))
    refused = await move(company, "pat", record, "submit")
    assert {(own["code"], own["id"]) for own in refused.json()["blockers"]} == {
        ("PICTURE_TEXT_MISSING", "TAB/pictured-broken/MIX/10/picture 1/zh"),
        ("UNKNOWN_PICTURE", "TAB/pictured-broken/MIX/10/picture 2"),
    }
    many = with_pictures(*[shown(there)] * 5)
    assert (await draft(company, "pictured-many", many)).status_code == 422


@pytest.mark.accepts("MD-01", "MD-02")
async def test_another_picture_is_another_content_and_the_comparison_names_it(company: Company) -> None:
    one, two = drawn((5, 5, 5)), drawn((6, 6, 6))
    for content in (one, two):
        ok(await upload(company, content))
    first = ok(await draft(company, "pictured-1", with_pictures(shown(one))))
    second = ok(await draft(company, "pictured-2", with_pictures(shown(two))))
    assert first["contentHash"] != second["contentHash"]
    found = ok(await (await company.desk("pat")).get(f"{PATH}/{first['id']}/differences/{second['id']}"))
    (picture,) = [own for own in found["differences"] if "pictures" in own["path"]]
    assert picture["path"] == "content.operations[MIX].instructions[10].pictures[0].sha256"
    assert (picture["before"], picture["after"]) == (digest(one), digest(two))


def test_a_record_without_pictures_keeps_the_hash_that_it_had() -> None:
    body = MasterBatchRecordBody.model_validate(TAB).model_dump(mode="json", by_alias=True)
    assert all("pictures" not in one for own in body["operations"] for one in own["instructions"])
    assert Instruction(number=1, text={"en": "Look."}).model_dump(mode="json", by_alias=True) == {
        "number": 1, "text": {"en": "Look."},
    }  # fmt: skip


async def test_an_exported_version_carries_its_pictures_and_a_changed_one_is_refused(
    company: Company, engine: Engine
) -> None:
    content = drawn((7, 70, 170), form="JPEG")
    ok(await upload(company, content))
    record = ok(await draft(company, "pictured-out", with_pictures(shown(content))))
    exported = ok(await (await company.desk("pat")).get(f"{PATH}/{record['id']}/export"))
    assert exported["pictures"] == {digest(content): b64encode(content).decode()}
    pat = await company.desk("pat")
    other = copy.deepcopy(exported)
    other["pictures"][digest(content)] = b64encode(drawn((8, 8, 8))).decode()
    assert codes(await pat.command(f"{PATH}/import", document=other, version="pictured-bad")) == ["CONTENT_CHANGED"]
    fresh = drawn((9, 90, 190))
    moved = copy.deepcopy(exported) | {"pictures": {digest(fresh): b64encode(fresh).decode()}}
    ok(await pat.command(f"{PATH}/import", document=moved, version="pictured-in"))
    assert len(stored(engine, fresh)) == 1
    assert [row[0] for row in told(engine, fresh)] == ["picture.added"]
    svg = copy.deepcopy(exported) | {"pictures": {digest(SVG): b64encode(SVG).decode()}}
    assert codes(await pat.command(f"{PATH}/import", document=svg, version="pictured-svg")) == ["PICTURE_NOT_TAKEN"]
    assert stored(engine, SVG) == []


@pytest.mark.accepts("MD-01", "B6")
@pytest.mark.usefixtures("working")
async def test_an_order_shows_the_picture_it_was_made_with_to_who_may_see_the_order(
    company: Company, engine: Engine
) -> None:
    old, new = drawn((11, 11, 200)), drawn((200, 11, 11))
    for content in (old, new):
        ok(await upload(company, content))
    await with_policy(company)
    await effective(company, "pictured-old", with_pictures(shown(old)))
    _, work_order = await at_stage(company, "released", policy="by-record")
    newer = await effective(company, "pictured-new", with_pictures(shown(new)))
    at = f"/mes/work-orders/{work_order}/operations/MIX"
    olu = await company.desk("olu")
    for language, words in (("en", "The balance"), ("zh", "天平")):
        (one,) = ok(await olu.get(f"{at}/instructions", language=language))["instructions"]
        assert one["pictures"] == [{"sha256": digest(old), "text": words}]
    answer = await olu.get(f"{at}/pictures/{digest(old)}")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, old, "image/png")
    assert (answer.headers["cache-control"], answer.headers["etag"]) == ("private, no-cache", f'"{digest(old)}"')
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    known = olu.headers | {"if-none-match": f'"{digest(old)}"'}
    again = await olu.client.get(f"{PREFIX}{at}/pictures/{digest(old)}", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert (await olu.get(f"{at}/pictures/{digest(new)}")).status_code == 404
    assert (await olu.get(f"{PATH}/{newer['id']}/pictures/{digest(new)}")).content == new
    assert (await olu.get(f"{PATH}/{newer['id']}/pictures/{digest(old)}")).status_code == 404
    assert (await olu.get(f"{PICTURES}/{digest(old)}")).status_code == 403
    assert (await (await company.desk("pat")).get(f"{PICTURES}/{digest(old)}")).content == old


@pytest.mark.usefixtures("working")
async def test_neither_other_roles_nor_strangers_upload_or_look(company: Company, engine: Engine) -> None:
    content = drawn((44, 1, 1))
    assert (await upload(company, content, "olu")).json()["code"] == "NOT_AUTHORISED"
    assert stored(engine, content) == []
    anonymous = await company.client.get(f"{PREFIX}{PICTURES}/{digest(content)}")
    assert anonymous.status_code == 401
    new = {"id": "far", "fullName": "Far", "password": PASSWORD, "roles": ["operator"], "reason": "another plant"}
    await (await company.desk("ada")).post("/users", new)
    limit = {"plants": ["elsewhere"], "lines": None, "reason": "works there"}
    ok(await (await company.desk("ada")).post("/users/far/scope", limit))
    ok(await upload(company, content))
    await with_policy(company)
    await effective(company, "pictured-far", with_pictures(shown(content)))
    _, work_order = await at_stage(company, "released", policy="by-record")
    at = f"/mes/work-orders/{work_order}/operations/MIX/pictures/{digest(content)}"
    assert (await (await company.desk("far")).get(at)).status_code == 403
    assert (await (await company.desk("olu")).get(at)).status_code == 200
