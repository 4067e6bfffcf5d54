"""Master data from a sheet: bad cells are named, a preview writes nothing, nothing is half imported."""

from typing import Any

import httpx
import pytest

from tests.api.company import PREFIX, Company

pytestmark = pytest.mark.usefixtures("working")
MATERIALS = "code,name,kind,unit,shelfLifeDays\nTAB,Tablets 250,finished,pcs,730\nMCC,Cellulose,raw,kg,365\n"


async def sent(company: Company, kind: str, content: str, who: str = "pat", **query: Any) -> httpx.Response:
    desk = await company.desk(who)
    return await company.client.post(
        f"{PREFIX}/master-data/import-file", params={"kind": kind, **query}, content=content.encode(),
        headers=desk.headers | {"content-type": "text/csv"},
    )  # fmt: skip


async def materials(company: Company) -> dict[str, dict[str, Any]]:
    found = (await (await company.desk("pat")).get("/master-data/materials")).json()["materials"]
    return {own["code"]: own for own in found}


async def test_a_preview_says_what_would_change_and_writes_nothing(company: Company) -> None:
    before = await materials(company)
    preview = await sent(company, "materials", MATERIALS, preview="true")
    assert preview.status_code == 200, preview.text
    changes = {own["entity"]: own for own in preview.json()["changes"]}
    assert changes.keys() == {"material/TAB", "material/MCC"}
    assert (changes["material/MCC"]["isNew"], changes["material/TAB"]["isNew"]) == (True, False)
    assert changes["material/TAB"]["new"]["name"] == "Tablets 250"
    assert await materials(company) == before
    taken = await sent(company, "materials", MATERIALS)
    assert taken.json() == {"changed": {"material": 2}}
    after = await materials(company)
    assert (after["TAB"]["name"], after["MCC"]["shelfLifeDays"]) == ("Tablets 250", 365)
    # The file has no column for it, so the strength stays.
    assert after["TAB"]["strength"] == before["TAB"]["strength"] == "250 mg"
    assert (await sent(company, "materials", MATERIALS)).json() == {"changed": {}}


async def test_every_bad_cell_is_named_and_the_good_rows_are_not_imported(company: Company) -> None:
    bad = "code;name;kind;unit;shelfLifeDays\nNEW-1;New;raw;kg;365\nNEW-2;;powder;kg;many\n NEW-3;x;raw\n"
    answer = await sent(company, "materials", bad)
    assert (answer.status_code, answer.json()["code"]) == (422, "MASTER_DATA_FILE_REFUSED")
    assert [(row["line"], row["column"], row["code"]) for row in answer.json()["rows"]] == [
        (3, "name", "VALUE_MISSING"), (3, "kind", "INVALID_VALUE"), (3, "shelfLifeDays", "INVALID_VALUE"),
        (4, "", "WRONG_NUMBER_OF_CELLS"),
    ]  # fmt: skip
    assert "NEW-1" not in await materials(company)
    heading = await sent(company, "places", "code,zone,colour\nA,released,red\n")
    assert [(row["column"], row["code"]) for row in heading.json()["rows"]] == [
        ("name", "MISSING_COLUMN"), ("colour", "UNKNOWN_COLUMN"),
    ]  # fmt: skip
    twice = await sent(company, "places", "code,name,zone\nA-1,A,released\nA-1,B,released\n")
    assert [(row["line"], row["code"]) for row in twice.json()["rows"]] == [(2, "DUPLICATE")]
    for content, code in (("code,name\n", "NO_LINES"), ('code,name\n"A', "NOT_CSV")):
        assert (await sent(company, "materials", content)).json()["rows"][0]["code"] == code
    assert (await sent(company, "materials", MATERIALS, "olu")).status_code == 403


async def test_the_rows_of_one_material_are_its_inspection_plan(company: Company) -> None:
    plan = "material,name,unit,low,high,required,method\nMCC,water,%,,5.0,true,Karl Fischer\nMCC,pH,,5,7.5,false,\n"
    await sent(company, "materials", MATERIALS)
    preview = await sent(company, "inspectionPlans", plan, preview="true")
    (change,) = preview.json()["changes"]
    assert [own["name"] for own in change["new"]["characteristics"]] == ["water", "pH"]
    assert (await sent(company, "inspectionPlans", plan)).json() == {"changed": {"inspection-plan": 1}}
    unknown = await sent(company, "inspectionPlans", plan.replace("MCC", "MCD"))
    assert [(row["line"], row["code"]) for row in unknown.json()["rows"]] == [(2, "UNKNOWN_MATERIAL")]


async def test_a_sheet_of_workstations_keeps_what_it_has_no_column_for(company: Company) -> None:
    taken = await sent(company, "workstations", "code,name\nSAW-1,Saw one\n")
    assert taken.json() == {"changed": {"workstation": 1}}
    found = (await (await company.desk("pat")).get("/process/operations/CUT/workstations")).json()
    assert next((own["code"], own["name"], own["line"]) for own in found) == ("SAW-1", "Saw one", "A")
    more = await sent(company, "workstations", "code;name;capabilities\nSAW-9;Saw 9;CUT FIT\n")
    assert more.json() == {"changed": {"workstation": 1, "workstation-capability": 1}}
    template = await (await company.desk("pat")).get("/master-data/import-file/template", kind="workstations")
    assert template.text.lstrip("\ufeff").startswith("code,name,")


async def test_names_for_people_come_as_a_sheet_too(company: Company) -> None:
    sheet = "kind,code,english,chinese\noperation,PRESS,Pressing,压制\nmaterial,PRESS,A press,压片机\n"
    assert (await sent(company, "displayNames", sheet)).json() == {"changed": {"display-name": 2}}
    bad = await sent(company, "displayNames", sheet + "operation,PRESS,Again,再来\ncolour,RED,Red,\n")
    assert [(row["line"], row["column"], row["code"]) for row in bad.json()["rows"]] == [
        (5, "kind", "INVALID_VALUE"), (5, "chinese", "VALUE_MISSING"),
    ]  # fmt: skip
    twice = await sent(company, "displayNames", sheet + "operation,PRESS,Again,再来\n")
    assert [(row["line"], row["code"]) for row in twice.json()["rows"]] == [(2, "DUPLICATE")]
