"""The rules for EPCIS documents, beside GS1's own schema: both take the same, and refuse the same (RV §9, TR-06)."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.epcis import IdentifierWrong, identified, items, lot_class, unit_of
from domain.epcis_events import STATUS, WORDS, Amount, Happening, Site, document, event
from domain.epcis_rules import document_faults, event_faults, prefixes
from tests.contracts.epcis.schema import wrong

Document = dict[str, Any]
SITE = Site("EAST", "0614141007776", ZoneInfo("Asia/Shanghai"))
AT = datetime(2026, 11, 20, tzinfo=UTC)
API = lot_class("EAST", "API", "04012345111118", "API-2611")
TAB = lot_class("EAST", "TAB", None, "批 1")


def planted() -> Document:
    """Receive, transform, pack: one event of each kind."""
    return document(
        [
            event(Happening("receive", "1", AT, "P", [Amount(API, Decimal("50.5"), "kg")], giver="urn:x:y"), SITE),
            event(
                Happening(
                    "transform",
                    "2",
                    AT,
                    "P",
                    [Amount(API, Decimal("50.25"), "kg")],
                    [Amount(TAB, Decimal(240), "pcs")],
                    transformation="urn:millwright:transformation:EAST:W1:B1",
                    transactions=[("prodorder", "urn:x:PO-1")],
                ),
                SITE,
            ),
            event(
                Happening(
                    "pack",
                    "3",
                    AT,
                    "P",
                    [Amount(TAB, Decimal(240), "pcs")],
                    parent="https://id.gs1.org/00/106141412345678908",
                ),
                SITE,
            ),
        ],
        AT,
    )


def found(told: Document) -> list[str]:
    """What our own rules find wrong."""
    faults = [*document_faults(told)]
    if not faults:
        declared = prefixes(told["@context"])
        faults += [own for event in told["epcisBody"]["eventList"] for own in event_faults(event, declared)]
    return [f"{own.id}: {own.found}" for own in faults]


@pytest.mark.accepts("TR-06")
def test_what_is_made_here_is_taken_by_the_schema_and_by_the_rules() -> None:
    assert wrong(planted()) == []
    assert found(planted()) == []


@pytest.mark.accepts("TR-06")
@pytest.mark.parametrize("kind", WORDS)
def test_every_kind_of_happening_makes_an_event_that_the_schema_takes(kind: str) -> None:
    amount = Amount(API) if kind in STATUS else Amount(API, Decimal("0.125"), "kg")
    pieces = ["https://id.gs1.org/01/04012345778892/21/25"] if kind == "commission" else []
    own = Happening(
        kind,
        "k",
        AT,
        "P",
        [amount],
        [amount] if kind == "transform" else [],
        pieces,
        "urn:x:t" if kind in ("transform", "giveBack") else None,
        "urn:x:unit" if kind in ("pack", "unpack") else None,
        [("desadv", "urn:x:s")],
        "urn:x:a",
        "urn:x:b",
        "L",
        {"ownLot": "R-1"},
    )
    told = document([event(own, SITE)], AT)
    assert wrong(told) == []
    assert found(told) == []
    assert event(own, SITE) == event(own, SITE), "the same happening makes the same event"


Change = Callable[[list[Document], Document], Any]
NEGATIVE: dict[str, Change] = {
    "ObjectEvent without action": lambda e, d: e[0].pop("action"),
    "ObjectEvent with ilmd on OBSERVE": lambda e, d: e[0].update(ilmd={"cbvmda:lotNumber": "1"}),
    "ObjectEvent without any list": lambda e, d: e[0].pop("quantityList"),
    "TransformationEvent of one side without transformationID": lambda e, d: (
        e[1].pop("outputQuantityList"), e[1].pop("transformationID")),
    "TransformationEvent with action": lambda e, d: e[1].update(action="ADD"),
    "bizStep baking": lambda e, d: e[0].update(bizStep="baking"),
    "disposition fine": lambda e, d: e[0].update(disposition="fine"),
    "unprefixed extension": lambda e, d: e[0].update(colour="blue"),
    "unknown event type": lambda e, d: e[0].update(type="BakingEvent"),
    "eventTime yesterday": lambda e, d: e[0].update(eventTime="yesterday"),
    "eventTime without zone": lambda e, d: e[0].update(eventTime="2026-11-20T08:00:00"),
    "zone offset +8": lambda e, d: e[0].update(eventTimeZoneOffset="+8"),
    "missing offset": lambda e, d: e[0].pop("eventTimeZoneOffset"),
    "uom kg": lambda e, d: e[0]["quantityList"][0].update(uom="kg"),
    "missing schemaVersion": lambda e, d: d.pop("schemaVersion"),
    "AggregationEvent without children": lambda e, d: e[2].pop("childQuantityList"),
    "action PUT": lambda e, d: e[0].update(action="PUT"),
    "a party of an unknown type": lambda e, d: e[0]["sourceList"][0].update(type="giver"),
    "a transaction of an unknown type": lambda e, d: e[1]["bizTransactionList"][0].update(type="order"),
    "a quantity as text": lambda e, d: e[0]["quantityList"][0].update(quantity="50.5"),
    "a field more at a quantity": lambda e, d: e[0]["quantityList"][0].update(colour="blue"),
    "readPoint without id": lambda e, d: e[0].update(readPoint={}),
    "a class that is no URI": lambda e, d: e[0]["quantityList"][0].update(epcClass="API-2611"),
}  # fmt: skip
OURS: dict[str, Change] = {
    "AggregationEvent ADD without parentID": lambda e, d: e[2].pop("parentID"),
    "negative quantity": lambda e, d: e[0]["quantityList"][0].update(quantity=-1),
    "wrong check digit of a GTIN": lambda e, d: e[0]["quantityList"][0].update(epcClass="https://id.gs1.org/01/04012345111119/10/A"),
    "wrong check digit of an SSCC": lambda e, d: e[2].update(parentID="https://id.gs1.org/00/106141412345678909"),
    "prefix without declaration": lambda e, d: e[0].update({"other:colour": "blue"}),
}  # fmt: skip


@pytest.mark.accepts("TR-06")
@pytest.mark.parametrize("name", NEGATIVE)
def test_what_the_schema_refuses_the_rules_refuse(name: str) -> None:
    told = copy.deepcopy(planted())
    NEGATIVE[name](told["epcisBody"]["eventList"], told)
    assert wrong(told), "GS1's schema takes it"
    assert found(told)


@pytest.mark.accepts("TR-06")
@pytest.mark.parametrize("name", OURS)
def test_what_the_schema_leaves_open_the_rules_refuse(name: str) -> None:
    told = copy.deepcopy(planted())
    OURS[name](told["epcisBody"]["eventList"], told)
    assert found(told)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted({name for event in planted()["epcisBody"]["eventList"] for name in event})


@given(at=st.integers(0, 2), field=st.sampled_from(FIELDS), value=ANY)
def test_no_document_breaks_the_rules_and_what_they_take_can_be_read(at: int, field: str, value: Any) -> None:
    told = planted()
    told["epcisBody"]["eventList"][at][field] = value
    if not found(told):
        assert all(items(own) for own in told["epcisBody"]["eventList"])
        assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize(
    ("uri", "epc"),
    [
        ("urn:epc:class:lgtin:4012345.011111.4444", "https://id.gs1.org/01/04012345111118/10/4444"),
        ("urn:epc:class:lgtin:0614141.077777.987", "https://id.gs1.org/01/00614141777778/10/987"),
        ("urn:epc:class:lgtin:4012345.012345.998877", "https://id.gs1.org/01/04012345123456/10/998877"),
        ("urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/10614141073464/21/2017"),
        ("urn:epc:id:sgtin:4012345.077889.25", "https://id.gs1.org/01/04012345778892/21/25"),
        ("urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/00/106141412345678908"),
        ("urn:epc:id:sgln:0614141.00777.0", "https://id.gs1.org/414/0614141007776"),
        ("https://shop.example/de/01/4012345111118/10/A%2FB?17=261231", "https://id.gs1.org/01/04012345111118/10/A%2FB"),
        ("urn:millwright:lot:EAST:API:a%3Ab", "urn:millwright:lot:EAST:API:a%3Ab"),
        ("https://example.com/anything", "https://example.com/anything"),
    ],
)  # fmt: skip
def test_an_identifier_has_one_spelling_however_it_is_written(uri: str, epc: str) -> None:
    assert identified(uri).epc == epc


@pytest.mark.parametrize(
    "uri",
    ["urn:epc:id:sgtin:1.2.3", "https://id.gs1.org/01/123/10/A", "A 1", "", "https://id.gs1.org/01/04012345111118/10"],
)
def test_an_identifier_that_is_wrong_is_refused(uri: str) -> None:
    with pytest.raises(IdentifierWrong):
        identified(uri)


@given(
    st.text(min_size=1, max_size=25, alphabet=st.characters(exclude_categories=["Cs"])),
    st.sampled_from([None, "04012345111118"]),
)
def test_a_lot_is_found_again_in_its_class(lot: str, gtin: str | None) -> None:
    read = identified(lot_class("EAST", "M:1", gtin, lot))
    assert read.lot == lot
    assert read.gtin == gtin or (read.site, read.material) == ("EAST", "M:1")


def test_units_and_quantities_come_back() -> None:
    (own,) = items(planted()["epcisBody"]["eventList"][0])
    assert (own.quantity, unit_of(own.uom)) == (Decimal("50.5"), "kg")
    assert unit_of(None) == "pcs"
