"""A version leaves as BatchML, is taken by another system, and is the same record there (MD-04)."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.records import PATH, TAB, codes, draft, ok, said, shown

pytestmark = pytest.mark.accepts("MD-04")
TEXTS = {"en": "Weigh <1 kg> & note.\n", "zh": "称量 <1 kg> 并记录。"}
CONTENT: dict[str, Any] = TAB | {
    "operations": [
        said("MIX", instructions=[{"number": 10, "text": TEXTS}], clearance=["free of dust / 无尘"], training="T-1"),
        TAB["operations"][1],
    ]
}


async def _document(company: Company, record: dict[str, Any]) -> str:
    answer = await (await company.desk("aud")).get(f"{PATH}/{record['id']}/export-batchml")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/xml")
    return answer.text


async def _take(company: Company, document: str, **more: Any) -> Any:
    return await (await company.desk("pat")).command(f"{PATH}/import-batchml", document=document, **more)


async def test_a_version_goes_out_and_comes_back_as_the_same_record(company: Company) -> None:
    one = ok(await draft(company, "batchml", CONTENT))
    document = await _document(company, one)
    copied = ok(await _take(company, document, version="batchml-2"))
    assert (copied["state"], copied["version"]) == ("draft", "batchml-2")
    first, second = await shown(company, one), await shown(company, copied)
    assert second["content"] == first["content"]
    assert second["content"]["operations"][0]["instructions"][0]["text"] == TEXTS
    assert (second["changeControl"], second["reasonForChange"]) == (first["changeControl"], first["reasonForChange"])
    found = ok(await (await company.desk("pat")).get(f"{PATH}/{one['id']}/differences/{copied['id']}"))
    assert found["differences"] == []
    assert codes(await _take(company, document)) == ["VERSION_EXISTS"]


async def test_a_command_that_is_sent_twice_makes_one_draft(company: Company, engine: Engine) -> None:
    document = await _document(company, ok(await draft(company, "batchml-twice", CONTENT)))
    both = [await _take(company, document, version="batchml-once", commandId="batchml-1") for _ in range(2)]
    assert ok(both[0]) == ok(both[1])
    with engine.connect() as connection:
        made = text("SELECT count(*) FROM master_batch_record WHERE version = 'batchml-once'")
        assert connection.execute(made).scalar() == 1


async def test_what_was_changed_on_its_way_is_refused_unless_it_says_nothing_of_its_hash(company: Company) -> None:
    one = ok(await draft(company, "batchml-hash", CONTENT))
    document = await _document(company, one)
    forged = document.replace("<ValueString>90</ValueString>", "<ValueString>9</ValueString>", 1)
    assert forged != document
    assert codes(await _take(company, forged, version="forged")) == ["CONTENT_CHANGED"]
    at = document.index("<OtherInformation>\n      <ID>contentHash")
    foreign = document[:at] + document[document.index("</OtherInformation>", at) + len("</OtherInformation>") :]
    assert "contentHash" not in foreign
    assert ok(await _take(company, foreign, version="foreign"))["state"] == "draft"


async def test_every_wrong_element_is_named_and_nothing_is_written(company: Company, engine: Engine) -> None:
    document = await _document(company, ok(await draft(company, "batchml-wrong", CONTENT)))
    wrong = document.replace("<ID>MIX</ID>", "<ID> </ID>").replace(
        "<ValueString>113</ValueString>", "<ValueString>1e3</ValueString>"
    )
    refused = await _take(company, wrong, version="batchml-never")
    assert codes(refused) == ["SCHEMA", "SCHEMA"]
    places = [own["id"] for own in refused.json()["blockers"]]
    assert "RecipeElement[ ]/ID (line" in places[0]
    assert "Parameter[weight]/Value/ValueString (line" in places[1]
    for bad in ("no xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"):
        assert codes(await _take(company, bad)) == ["NOT_XML"]
    with engine.connect() as connection:
        told = text("SELECT count(*) FROM audit_row WHERE action = 'command.refused' AND entity LIKE :entity")
        assert connection.execute(told, {"entity": "%batchml-wrong"}).scalar() == 1
        made = text("SELECT count(*) FROM master_batch_record WHERE version = 'batchml-never'")
        assert connection.execute(made).scalar() == 0
