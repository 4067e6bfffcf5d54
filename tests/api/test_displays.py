"""Wall displays over the API: who may make one, what is kept of its token, how it ends."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from api.displays import known
from tests.api.company import Company


async def made(company: Company, **more: Any) -> dict[str, Any]:
    body = {"kind": "line", "area": "A", "name": "Hall 1", **more}
    answer = await (await company.desk("sam")).command("/andon-displays", **body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def token(display: dict[str, Any]) -> str:
    return str(display["address"]).partition("token=")[2]


async def test_a_token_opens_its_area_until_the_display_is_revoked_and_is_kept_nowhere(
    company: Company, engine: Engine
) -> None:
    display = await made(company)
    assert known(engine, "A", token(display)) is not None
    for area, other in (("B", token(display)), ("A", token(display) + "x"), ("A", "")):
        assert known(engine, area, other) is None
    with engine.connect() as connection:
        for table in ("wall_display", "audit_row"):
            rows = connection.execute(text(f"SELECT t::text FROM {table} t")).scalars()
            assert not any(token(display) in row for row in rows)
    ada = await company.desk("ada")
    for _ in range(2):  # a second time changes nothing
        assert (await ada.command(f"/andon-displays/{display['id']}/revoke")).status_code == 200
        assert known(engine, "A", token(display)) is None
    (listed,) = [one for one in (await ada.get("/andon-displays")).json()["displays"] if one["id"] == display["id"]]
    assert (listed["createdBy"], listed["revokedBy"]) == ("sam", "ada")


async def test_the_same_command_again_is_one_display_with_another_address(company: Company, engine: Engine) -> None:
    first, again = [await made(company, commandId="display/1") for _ in range(2)]
    assert first["id"] == again["id"]
    assert known(engine, "A", token(first)) is None
    assert known(engine, "A", token(again)) is not None
    desk = await company.desk("sam")
    other = await desk.command("/andon-displays", kind="line", area="A", name="Hall 2", commandId="display/1")
    assert (other.status_code, other.json()["code"]) == (409, "COMMAND_ID_REUSED")


@pytest.mark.parametrize(("kind", "area"), [("line", "nowhere"), ("plant", "A")])
async def test_an_area_that_there_is_not_has_no_display(kind: str, area: str, company: Company) -> None:
    answer = await (await company.desk("sam")).command("/andon-displays", kind=kind, area=area, name="x")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
