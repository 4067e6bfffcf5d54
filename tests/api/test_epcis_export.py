"""Events of lots for other systems: what happened becomes EPCIS, the same every time (TR-06)."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.epcis_rules import document_faults, event_faults, prefixes
from tests.api.company import Company, material
from tests.api.shipping import saleable, shipped
from tests.api.words import receive
from tests.contracts.epcis.schema import wrong
from tests.genealogy import History

GTIN = "04012345111118"
Document = dict[str, Any]


@pytest.fixture(scope="module")
async def told(company: Company, working: None) -> tuple[str, Document]:
    """A batch that was made, certified and shipped, with a serial number; its lot, and what is told of it."""
    tablets = {**material("TAB", "finished", "pcs"), "strength": "250 mg", "shelfLifeDays": 730, "gtin": GTIN}
    changed = await (await company.desk("pat")).post("/master-data/import", {"materials": [tablets]})
    assert changed.status_code == 200, changed.text
    await receive(company, "R-77", "1000", supplier="ACME", supplierLot="ACME/1")
    _, _, lot = await saleable(company)
    await shipped(company, lot, "400")
    named = await (await company.desk("olu")).command("/mes/traceabilities/serials", lot=lot, serials=["S1", "S2"])
    assert named.status_code == 200, named.text
    return lot, await export(company, lot=lot)


async def export(company: Company, who: str = "rae", **query: Any) -> Document:
    answer = await (await company.desk(who)).get("/epcis/events", **query)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


def of(document: Document, step: str) -> list[Document]:
    return [event for event in document["epcisBody"]["eventList"] if event["bizStep"] == step]


@pytest.mark.accepts("TR-06")
async def test_the_history_of_a_batch_is_valid_by_the_schema_of_gs1(told: tuple[str, Document]) -> None:
    _, document = told
    assert wrong(document) == []
    assert document_faults(document) == ()
    assert [event_faults(own, prefixes(document["@context"])) for own in document["epcisBody"]["eventList"]] == [
        ()
    ] * len(document["epcisBody"]["eventList"])


@pytest.mark.accepts("TR-06")
async def test_each_step_is_an_event_of_its_kind(told: tuple[str, Document]) -> None:
    lot, document = told
    tablets, raw = f"https://id.gs1.org/01/{GTIN}/10/{lot}", "urn:millwright:lot:SITE:API:ACME%2F1"
    (arrived,) = of(document, "receiving")
    assert (arrived["type"], arrived["action"], arrived["millwright:ownLot"]) == ("ObjectEvent", "OBSERVE", "R-77")
    assert arrived["quantityList"] == [{"epcClass": raw, "quantity": 1000, "uom": "KGM"}]
    assert arrived["sourceList"] == [{"type": "possessing_party", "source": "urn:millwright:party:SITE:ACME"}]
    made = of(document, "creating_class_instance")
    assert {event["type"] for event in made} == {"TransformationEvent"}
    assert len({event["transformationID"] for event in made}) == 1, "inputs and outputs came in several events"
    inputs = [own for event in made for own in event.get("inputQuantityList", [])]
    outputs = [own for event in made for own in event.get("outputQuantityList", [])]
    assert inputs == [{"epcClass": raw, "quantity": 5, "uom": "KGM"}]
    assert outputs == [{"epcClass": tablets, "quantity": 990}]
    assert [own["type"] for event in made for own in event["bizTransactionList"]] == ["prodorder"] * len(made)
    (packed,), (left,) = of(document, "packing"), of(document, "shipping")
    assert (packed["type"], packed["action"]) == ("AggregationEvent", "ADD")
    assert packed["childQuantityList"] == left["quantityList"] == [{"epcClass": tablets, "quantity": 400}]
    assert left["disposition"] == "in_transit"
    assert left["destinationList"][0]["destination"] == "urn:millwright:party:SITE:Clinic%201"
    (named,) = of(document, "commissioning")
    assert (named["action"], named["ilmd"]) == ("ADD", {"cbvmda:lotNumber": lot})
    assert named["epcList"] == [f"https://id.gs1.org/01/{GTIN}/21/S{number}" for number in (1, 2)]
    assert [event["disposition"] for event in of(document, "inspecting")] == ["conformant", "conformant"]
    times = [event["eventTime"] for event in document["epcisBody"]["eventList"]]
    assert times == sorted(times)
    assert {event["eventTimeZoneOffset"] for event in document["epcisBody"]["eventList"]} == {"+08:00"}


@pytest.mark.accepts("TR-06")
async def test_the_same_history_is_the_same_events_however_it_is_asked_for(
    company: Company, told: tuple[str, Document]
) -> None:
    lot, document = told
    events = {event["eventID"]: event for event in document["epcisBody"]["eventList"]}
    assert len(events) == len(document["epcisBody"]["eventList"])
    again = await export(company, lot=lot)
    assert {event["eventID"]: event for event in again["epcisBody"]["eventList"]} == events
    every = await export(company, **{"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"})
    assert {event["eventID"]: event for event in every["epcisBody"]["eventList"]} == events
    own = await export(company, lot=lot, direction="own")
    assert of(own, "receiving") == []
    first = await export(company, lot=lot, to=document["epcisBody"]["eventList"][0]["eventTime"])
    assert first["epcisBody"]["eventList"] == []


async def test_an_export_is_audited_and_not_everybodys(company: Company, told: tuple[str, Document]) -> None:
    lot, document = told
    rows = (await (await company.desk("aud")).get("/audit", entity=f"epcis-export/{lot}")).json()["rows"]
    assert {row["action"] for row in rows} == {"epcis.exported"}
    assert len(document["epcisBody"]["eventList"]) in {row["new"]["events"] for row in rows}
    refused = await (await company.desk("olu")).get("/epcis/events", lot=lot)
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_AUTHORISED")
    desk = await company.desk("rae")
    assert (await desk.get("/epcis/events", lot="GHOST")).status_code == 404
    missing = await desk.get("/epcis/events", **{"from": "2026-01-01T00:00:00Z"})
    assert [field["field"] for field in missing.json()["fields"]] == ["query.to"]


@pytest.mark.accepts("TR-06")
async def test_what_came_back_and_what_has_no_code_is_told(company: Company, engine: Engine) -> None:
    def plant() -> None:
        with engine.begin() as connection:
            history = History(connection, "H")
            history.material("M0")
            history.material("M1")
            history.material("ROLL", unit="roll")
            history.open_order("M1")
            history.receive("R1", "M0", 20, 0)
            history.receive("R2", "ROLL", 3, 0, unit="roll")
            history.make("B1", "M1", 9, 1, ("R1", 12))
            history.give_back("R1", "B1", 2, 2)
            history.flush()

    await asyncio.to_thread(plant)
    document = await export(company, lot="HB1")
    assert wrong(document) == []
    (back,) = of(document, "storing")
    (made,) = of(document, "creating_class_instance")
    assert (made["inputQuantityList"][0]["quantity"], made["outputQuantityList"][0]["quantity"]) == (12, 9)
    assert back["millwright:returnedFrom"] == made["transformationID"]
    assert (back["disposition"], back["quantityList"][0]["quantity"]) == ("returned", 2)
    assert made["eventTime"] == "2026-03-03T08:00:00.000+08:00"
    refused = await (await company.desk("rae")).get("/epcis/events", lot="HR2")
    assert refused.status_code == 409
    (blocker,) = refused.json()["blockers"]
    assert (blocker["code"], blocker["id"]) == ("UNIT_WITHOUT_CODE", "roll")
