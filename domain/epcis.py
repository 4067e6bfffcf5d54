"""EPCIS 2.0: identifiers, units, and what an event is about. Pure.

Source: GS1 EPCIS 2.0 and Core Business Vocabulary 2.0, GS1 Digital Link, EPC Tag Data Standard. Identifiers of GS1 are
written as GS1 Digital Link URIs; what has no GTIN has a private one, `urn:millwright:<kind>:<site>:…`, each part
percent-encoded.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from domain import gs1

Document = dict[str, Any]
CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
PREFIX, NAMESPACE = "millwright", "urn:millwright:ns:"
DIGITAL_LINK: Final = "https://id.gs1.org"
PRIVATE: Final = "urn:millwright"

UNITS: Final[Mapping[str, str]] = {
    "kg": "KGM", "g": "GRM", "mg": "MGM", "t": "TNE", "l": "LTR", "L": "LTR", "ml": "MLT", "mL": "MLT", "m": "MTR",
    "mm": "MMT", "cm": "CMT", "m2": "MTK", "m²": "MTK", "m3": "MTQ", "m³": "MTQ", "h": "HUR",
}  # fmt: skip
"""Our unit → UN/ECE Recommendation 20. Pieces have none."""
PIECES: Final = frozenset({"pcs", "pc", "piece", "pieces", "St"})
_OURS: Final = {code: unit for unit, code in reversed(tuple(UNITS.items()))} | {"H87": "pcs", "C62": "pcs", "EA": "pcs"}

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
LONGEST: Final = 2000


# Identifiers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Identified:
    """What an identifier says. `epc` is its one spelling here; `site` and `material` stand in private ones alone."""

    epc: str
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None
    material: str | None = None
    site: str | None = None
    kind: str = "other"


class IdentifierWrong(ValueError):
    """It is no identifier, or one of GS1 that is wrong."""


def private(kind: str, *parts: str) -> str:
    """A private identifier: `urn:millwright:lot:EAST:API:L1`."""
    return ":".join((PRIVATE, kind, *(quote(part, safe="") for part in parts)))


def lot_class(site: str, material: str, gtin: str | None, lot: str) -> str:
    """The class of a lot: GTIN and lot where GS1 can write both (AI 10: 1 to 20 characters of set 82)."""
    if gtin is not None and 1 <= len(lot) <= 20 and set(lot) <= gs1.CSET_82:
        return f"{DIGITAL_LINK}/01/{gtin}/10/{quote(lot, safe='')}"
    return private("lot", site, material, lot)


def piece(site: str, gtin: str | None, serial: str) -> str:
    """One piece: GTIN and serial number (AI 21)."""
    if gtin is not None:
        return f"{DIGITAL_LINK}/01/{gtin}/21/{quote(serial, safe='')}"
    return private("serial", site, serial)


def location(site: str, gln: str | None) -> str:
    """Where a site is: its GLN (AI 414), else a private identifier."""
    return f"{DIGITAL_LINK}/414/{gln}" if gln else private("site", site)


def identified(uri: str) -> Identified:
    """What an identifier says. Raises `IdentifierWrong`: no URI, or GS1 data with a wrong check digit or character."""
    if not is_uri(uri):
        raise IdentifierWrong(f"{str(uri)[:80]} is no URI")
    if uri.startswith(f"{PRIVATE}:"):
        return _private(uri)
    if uri.startswith("urn:epc:"):
        return _urn(uri)
    path = urlsplit(uri).path.strip("/").split("/")
    if uri.startswith(("http://", "https://")) and (at := _first_key(path)) is not None:
        return _digital_link(uri, path[at:])
    return Identified(uri)


def _private(uri: str) -> Identified:
    kind, *parts = uri.removeprefix(f"{PRIVATE}:").split(":")
    names = [unquote(part) for part in parts]
    if kind == "lot" and len(names) == 3:
        return Identified(uri, site=names[0], material=names[1], lot=names[2], kind="lot")
    if kind == "serial" and len(names) == 2:
        return Identified(uri, site=names[0], serial=names[1], kind="serial")
    return Identified(uri, site=names[0] if names else None)


def _first_key(path: Sequence[str]) -> int | None:
    """Where in a path a GS1 Digital Link begins: at a primary key with its value."""
    return next(
        (at for at, part in enumerate(path[:-1]) if part in ("00", "01", "414") and path[at + 1].isdigit()), None
    )


def _digital_link(uri: str, path: Sequence[str]) -> Identified:
    if len(path) % 2:
        raise IdentifierWrong(f"{uri}: an application identifier has no value")
    values = {ai: unquote(value) for ai, value in zip(path[::2], path[1::2], strict=True)}
    if len(values.get("01", "")) in (8, 12, 13):
        values["01"] = values["01"].zfill(14)
    return _gs1(uri, values)


def _gs1(uri: str, values: Mapping[str, str]) -> Identified:
    elements = [gs1.Element(ai, value) for ai, value in values.items() if ai in gs1.IDENTIFIERS]
    try:
        gs1.element_string(elements)
    except gs1.Gs1Refused as no:
        raise IdentifierWrong(f"{uri}: {no}") from None
    gtin, lot, serial = values.get("01"), values.get("10"), values.get("21")
    if gtin is None:
        (ai, value) = next(iter(values.items()))
        return Identified(f"{DIGITAL_LINK}/{ai}/{value}", kind="unit" if ai == "00" else "location")
    if serial is not None:
        return Identified(piece("", gtin, serial), gtin, lot, serial, kind="serial")
    if lot is not None:
        return Identified(lot_class("", "", gtin, lot), gtin, lot, kind="lot")
    return Identified(f"{DIGITAL_LINK}/01/{gtin}", gtin, kind="item")


def _urn(uri: str) -> Identified:
    """An EPC URN (GS1 EPC Tag Data Standard §6): the same keys, written otherwise and without check digit."""
    scheme, _, body = uri.removeprefix("urn:epc:").removeprefix("class:").removeprefix("id:").partition(":")
    parts = [unquote(part) for part in body.split(".", 2)]
    match scheme, parts:
        case (("lgtin" | "sgtin"), [company, item, rest]) if (company + item).isdigit() and len(company + item) == 13:
            digits = item[0] + company + item[1:]
            return _gs1(uri, {"01": digits + gs1.check_digit(digits), "10" if scheme == "lgtin" else "21": rest})
        case "sscc", [company, serial] if (company + serial).isdigit() and len(company + serial) == 17:
            digits = serial[0] + company + serial[1:]
            return _gs1(uri, {"00": digits + gs1.check_digit(digits)})
        case "sgln", [company, place, *_] if (company + place).isdigit() and len(company + place) == 12:
            return _gs1(uri, {"414": company + place + gs1.check_digit(company + place)})
        case (("lgtin" | "sgtin" | "sscc" | "sgln"), _):
            raise IdentifierWrong(f"{uri} is no {scheme.upper()}: 13 digits of a GTIN, 17 of an SSCC, 12 of a GLN")
    return Identified(uri)


def is_uri(value: Any) -> bool:
    """Whether it is a URI that is not too long to be kept."""
    return isinstance(value, str) and len(value) <= LONGEST and _URI.fullmatch(value) is not None


# Quantities ----------------------------------------------------------------------------------------------------------


def unit_code(unit: str) -> str | None:
    """Our unit by UN/ECE Recommendation 20; None: pieces. Raises `KeyError` for one that has no code here."""
    return None if unit in PIECES else UNITS[unit]


def unit_of(code: str | None) -> str:
    """A code of Recommendation 20 as our unit; one that we do not use stays as it is."""
    return "pcs" if code is None else _OURS.get(code, code)


def number(quantity: Decimal) -> int | float:
    """A quantity as JSON writes it: its 15 first digits."""
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def content_hash(event: Mapping[str, Any]) -> str:
    """SHA-256 of what an event says; when a repository recorded it is no part of that (EPCIS 2.0 §7.4.1)."""
    said = {name: value for name, value in event.items() if name != "recordTime"}
    return hashlib.sha256(
        json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


def event_id(event: Mapping[str, Any]) -> str:
    """The event's own id, else one that follows from its content."""
    own = event.get("eventID")
    return own if isinstance(own, str) and own else f"ni:///sha-256;{content_hash(event)}"


# What an event is about ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """One lot, piece or unit of an event. `role`: input, output, returned, object, parent or child."""

    role: str
    what: Identified
    quantity: Decimal | None = None
    uom: str | None = None


RETURNED_FROM: Final = f"{PREFIX}:returnedFrom"
"""Of an ObjectEvent: the transformation out of which unused material came back; its input is that much less."""
_ROLES: Final = {
    "inputEPCList": "input", "inputQuantityList": "input", "outputEPCList": "output", "outputQuantityList": "output",
    "epcList": "object", "quantityList": "object", "childEPCs": "child", "childQuantityList": "child",
}  # fmt: skip


def transformation(event: Mapping[str, Any]) -> str | None:
    """What ties inputs and outputs together: the transformationID, else the event itself."""
    if event["type"] == "TransformationEvent":
        return str(event.get("transformationID") or event_id(event))
    returned = event.get(RETURNED_FROM)
    return returned if isinstance(returned, str) else None


def items(event: Mapping[str, Any]) -> tuple[Item, ...]:
    """Everything that a faultless event is about."""
    found = [] if "parentID" not in event else [Item("parent", identified(event["parentID"]))]
    for name, role in _ROLES.items():
        own = "returned" if role == "object" and isinstance(event.get(RETURNED_FROM), str) else role
        for value in event.get(name) or ():
            if isinstance(value, Mapping):
                stated = value.get("quantity")
                quantity = None if stated is None else Decimal(repr(stated))
                found.append(Item(own, identified(value["epcClass"]), quantity, value.get("uom")))
            else:
                found.append(Item(own, identified(value)))
    return tuple(found)


def place_of(event: Mapping[str, Any]) -> tuple[str | None, str]:
    """Site and plant that an event comes from: as Millwright says it, else where it happened."""
    site, plant = event.get(f"{PREFIX}:site"), event.get(f"{PREFIX}:plant")
    where = [event[name]["id"] for name in ("bizLocation", "readPoint") if name in event]
    own = site if isinstance(site, str) else None
    told = plant if isinstance(plant, str) and plant else own
    return own, str(told or (where[0] if where else ""))[:200]
