"""What happened to lots, as events of EPCIS 2.0 with the words of the CBV 2.0. Pure.

The same happening makes the same event, with the same id, whenever it is exported: an id is a UUID (version 5) of site,
kind and the key of the rows that it is made of. What may change later (a status, an expiry) is never part of an event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Final, NamedTuple

from domain.base import uuid_for
from domain.epcis import CONTEXT, NAMESPACE, PREFIX, RETURNED_FROM, Document, location, number, private, unit_code

_OBJECT, _AGGREGATION, _TRANSFORMATION = "ObjectEvent", "AggregationEvent", "TransformationEvent"


class _Words(NamedTuple):
    type: str
    action: str | None
    step: str
    disposition: str


WORDS: Final[Mapping[str, _Words]] = {
    "receive": _Words(_OBJECT, "OBSERVE", "receiving", "in_progress"),
    "transform": _Words(_TRANSFORMATION, None, "creating_class_instance", "in_progress"),
    "giveBack": _Words(_OBJECT, "OBSERVE", "storing", "returned"),
    "reverse": _Words(_OBJECT, "DELETE", "decommissioning", "inactive"),
    "commission": _Words(_OBJECT, "ADD", "commissioning", "active"),
    "pack": _Words(_AGGREGATION, "ADD", "packing", "in_progress"),
    "unpack": _Words(_AGGREGATION, "DELETE", "unpacking", "in_progress"),
    "ship": _Words(_OBJECT, "OBSERVE", "shipping", "in_transit"),
    "comeBack": _Words(_OBJECT, "OBSERVE", "receiving", "returned"),
    "destroy": _Words(_OBJECT, "DELETE", "destroying", "destroyed"),
    "release": _Words(_OBJECT, "OBSERVE", "inspecting", "conformant"),
    "reject": _Words(_OBJECT, "OBSERVE", "inspecting", "non_conformant"),
    "hold": _Words(_OBJECT, "OBSERVE", "holding", "non_sellable_other"),
    "recall": _Words(_OBJECT, "OBSERVE", "holding", "recalled"),
    "expire": _Words(_OBJECT, "OBSERVE", "holding", "expired"),
}
"""Kind of happening → kind of event, action, business step, disposition."""
STATUS: Final = frozenset({"release", "reject", "hold", "recall", "expire"})
"""Those that say what was decided about a lot: they have no quantity."""


class Amount(NamedTuple):
    """A quantity of a class of lots; None: no quantity is spoken of."""

    epc: str
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True)
class Happening:
    """One thing that happened. `outputs` and `transformation` are of a transformation, `pieces` of commissioning.

    `parent` is the logistic unit of packing, `transactions` are (type, identifier); `giver` and `taker` are who had the
    goods before and after, as identifiers; `more` are extensions.
    """

    kind: str
    key: str
    at: datetime
    plant: str
    amounts: Sequence[Amount] = ()
    outputs: Sequence[Amount] = ()
    pieces: Sequence[str] = ()
    transformation: str | None = None
    parent: str | None = None
    transactions: Sequence[tuple[str, str]] = ()
    giver: str | None = None
    taker: str | None = None
    lot: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)


class Site(NamedTuple):
    """Who exports: the site's name, its GLN if it has one, its clock."""

    name: str
    gln: str | None
    zone: tzinfo

    @property
    def location(self) -> str:
        """The identifier of the place."""
        return location(self.name, self.gln)


def party(site: str, name: str) -> str:
    """A supplier or consignee by its name: nobody has told its GLN."""
    return private("party", site, name)


def event(own: Happening, site: Site) -> Document:
    """The event of one happening. Raises `KeyError` for a unit without a code of Recommendation 20."""
    words = WORDS[own.kind]
    at = own.at.astimezone(site.zone)
    written = at.isoformat(timespec="milliseconds")
    told: Document = {
        "type": words.type, "eventID": f"urn:uuid:{uuid_for('epcis', f'{site.name}/{own.kind}/{own.key}')}",
        "eventTime": written, "eventTimeZoneOffset": _offset(written),
    }  # fmt: skip
    if words.action is not None:
        told["action"] = words.action
    told |= _about(own, words) | {"bizStep": words.step, "disposition": words.disposition}
    told |= {"readPoint": {"id": site.location}, "bizLocation": {"id": site.location}}
    if own.transactions:
        told["bizTransactionList"] = [{"type": kind, "bizTransaction": identity} for kind, identity in own.transactions]
    for name, key, who in (("sourceList", "source", own.giver), ("destinationList", "destination", own.taker)):
        if who is not None:
            told[name] = [{"type": "possessing_party", key: who}]
    if own.kind == "commission" and own.lot is not None:
        told["ilmd"] = {"cbvmda:lotNumber": own.lot}
    extensions = {"site": site.name, "plant": own.plant or site.name, **own.more}
    return told | {f"{PREFIX}:{name}": value for name, value in extensions.items()}


def _offset(written: str) -> str:
    """The zone of an ISO time: EPCIS writes it beside it, with hours and minutes."""
    return written[-6:]


def _about(own: Happening, words: _Words) -> Document:
    if words.type == _TRANSFORMATION:
        lists = {"inputQuantityList": own.amounts, "outputQuantityList": own.outputs}
        told: Document = {name: _quantities(amounts) for name, amounts in lists.items() if amounts}
        return told | ({} if own.transformation is None else {"transformationID": own.transformation})
    if words.type == _AGGREGATION:
        return {"parentID": own.parent, "childQuantityList": _quantities(own.amounts)}
    if own.pieces:
        return {"epcList": list(own.pieces)}
    told = {"quantityList": _quantities(own.amounts)}
    return told | ({} if own.transformation is None else {RETURNED_FROM: own.transformation})


def _quantities(amounts: Sequence[Amount]) -> list[Document]:
    found = []
    for amount in amounts:
        told: Document = {"epcClass": amount.epc}
        if amount.quantity is not None:
            told["quantity"] = number(amount.quantity)
            if (code := unit_code(amount.unit)) is not None:
                told["uom"] = code
        found.append(told)
    return found


def document(events: Sequence[Document], created_at: datetime) -> Document:
    """The document of some events."""
    return {
        "@context": [CONTEXT, {PREFIX: NAMESPACE}], "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": created_at.isoformat(timespec="milliseconds"), "epcisBody": {"eventList": list(events)},
    }  # fmt: skip
