"""What is wrong with an EPCIS 2.0 document or event. Pure.

The rules are those of GS1's JSON schema with its formats checked, and three that the schema leaves open: an
AggregationEvent that adds or deletes names its parent, no quantity is negative, and a GS1 identifier has its check
digit.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from domain.epcis import CONTEXT, IdentifierWrong, identified, is_uri
from domain.errors import Blocker


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BIZ_STEPS: Final = _words(
    "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting "
    "decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting "
    "installing killing loading other packing picking receiving removing repackaging repairing replacing reserving "
    "retail_selling shipping staging_outbound stock_taking stocking storing transporting unloading unpacking "
    "void_shipping sensor_reporting sampling"
)
DISPOSITIONS: Final = _words(
    "active container_closed damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive "
    "no_pedigree_match non_sellable_other partially_dispensed recalled reserved retail_sold returned "
    "sellable_accessible sellable_not_accessible stolen unknown available completeness_verified completeness_inferred "
    "conformant container_open mismatch_instance mismatch_class mismatch_quantity needs_replacement non_conformant "
    "unavailable"
)
TRANSACTIONS: Final = _words("bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt")
PARTIES: Final = frozenset({"owning_party", "possessing_party", "location"})
_COMMON: Final = _words(
    "type @context eventID eventTime recordTime eventTimeZoneOffset errorDeclaration certificationInfo bizStep "
    "disposition persistentDisposition readPoint bizLocation bizTransactionList sourceList destinationList "
    "sensorElementList"
)
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "ObjectEvent": frozenset({"action", "epcList", "quantityList", "ilmd"}),
    "AggregationEvent": frozenset({"action", "parentID", "childEPCs", "childQuantityList"}),
    "TransactionEvent": frozenset({"action", "parentID", "epcList", "quantityList"}),
    "AssociationEvent": frozenset({"action", "parentID", "childEPCs", "childQuantityList"}),
    "TransformationEvent": frozenset(
        {"transformationID", "inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList", "ilmd"}
    ),
}
_EPCS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_QUANTITIES: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_OFFSET: Final = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_UNIT: Final = re.compile(r"[A-Z0-9]{2,3}")


def prefixes(context: Any) -> frozenset[str]:
    """The prefixes that a JSON-LD context declares, and those of the standard's own context."""
    found = {"epcis", "cbv", "cbvmda", "gs1", "rdfs", "owl", "xsd", "dcterms"}
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, Mapping):
            found |= {str(name) for name in part}
    return frozenset(found)


def document_faults(document: Any) -> tuple[Blocker, ...]:
    """What is wrong with the envelope; its events are judged one by one."""
    if not isinstance(document, Mapping):
        return (fault("SCHEMA", "document", "no object", "an EPCISDocument"),)
    found = []
    if document.get("type") != "EPCISDocument":
        found.append(fault("SCHEMA", "type", _shown(document.get("type")), "EPCISDocument"))
    if document.get("schemaVersion") != "2.0":
        found.append(fault("SCHEMA", "schemaVersion", _shown(document.get("schemaVersion")), "2.0"))
    if not _is_time(document.get("creationDate")):
        found.append(fault("SCHEMA", "creationDate", _shown(document.get("creationDate")), "a time with a zone"))
    context = document.get("@context")
    if not any("epcis-context.jsonld" in part for part in _list(context) if isinstance(part, str)):
        found.append(fault("SCHEMA", "@context", _shown(context), CONTEXT))
    body = document.get("epcisBody")
    events = body.get("eventList") if isinstance(body, Mapping) else None
    if not isinstance(events, list):
        found.append(fault("SCHEMA", "epcisBody.eventList", "nothing", "a list of events"))
    return tuple(found)


def event_faults(event: Any, declared: frozenset[str]) -> tuple[Blocker, ...]:
    """Everything that is wrong with one event; `declared` are the prefixes that its extensions may have."""
    if not isinstance(event, Mapping):
        return (fault("SCHEMA", "event", "no object", "an event"),)
    kind = event.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return (fault("SCHEMA", "type", _shown(kind), f"one of {', '.join(_FIELDS)}"),)
    return (
        *_field_faults(event, _FIELDS[kind], declared | prefixes(event.get("@context"))), *_when_faults(event),
        *_word_faults(event), *_shape_faults(event, kind), *_identifier_faults(event),
    )  # fmt: skip


def _field_faults(event: Mapping[str, Any], own: frozenset[str], declared: frozenset[str]) -> Iterator[Blocker]:
    for name in event:
        prefix, separator, _ = name.partition(":")
        if not separator and name not in _COMMON and name not in own:
            yield fault("SCHEMA", name, "not of this kind of event", "a field of EPCIS 2.0, or one with a prefix")
        elif separator and prefix not in declared and prefix not in ("http", "https", "urn"):
            yield fault("SCHEMA", name, f"prefix {prefix} is not declared", "a prefix of the @context")


def _when_faults(event: Mapping[str, Any]) -> Iterator[Blocker]:
    for name in ("eventTime", "recordTime"):
        if (name == "eventTime" or name in event) and not _is_time(event.get(name)):
            yield fault(
                "SCHEMA", name, _shown(event.get(name)), "a time with a zone, such as 2026-11-20T08:00:00+08:00"
            )
    offset = event.get("eventTimeZoneOffset")
    if not isinstance(offset, str) or not _OFFSET.fullmatch(offset):
        yield fault("SCHEMA", "eventTimeZoneOffset", _shown(offset), "such as +08:00")


def _word_faults(event: Mapping[str, Any]) -> Iterator[Blocker]:
    for name, words in (("bizStep", BIZ_STEPS), ("disposition", DISPOSITIONS)):
        value = event.get(name)
        if name in event and not _is_word(value, words):
            yield fault("SCHEMA", name, _shown(value), "a word of the CBV 2.0, or a URI")
    for name, key, words in (("bizTransactionList", "bizTransaction", TRANSACTIONS), ("sourceList", "source", PARTIES),
                             ("destinationList", "destination", PARTIES)):  # fmt: skip
        for at, own in enumerate(_list(event.get(name))):
            if not isinstance(own, Mapping) or not is_uri(own.get(key)):
                yield fault("SCHEMA", f"{name}[{at}].{key}", "no URI", "a URI")
            elif ("type" in own or key != "bizTransaction") and not _is_word(own.get("type"), words):
                yield fault("SCHEMA", f"{name}[{at}].type", _shown(own.get("type")), "a word of the CBV 2.0, or a URI")
    for name in ("readPoint", "bizLocation"):
        value = event.get(name)
        if name in event and not (isinstance(value, Mapping) and is_uri(value.get("id"))):
            yield fault("SCHEMA", name, _shown(value), '{"id": a URI}')


def _shape_faults(event: Mapping[str, Any], kind: str) -> Iterator[Blocker]:
    """What each kind of event has to have (EPCIS 2.0 §7.4.2 to §7.4.7)."""
    has = {name for name in event if event[name] not in (None, [], "")}
    action = event.get("action")
    if kind == "TransformationEvent":
        inputs, outputs = has & {"inputEPCList", "inputQuantityList"}, has & {"outputEPCList", "outputQuantityList"}
        if not (inputs and outputs) and not ("transformationID" in has and (inputs or outputs)):
            yield fault("SCHEMA", kind, "not both sides", "inputs and outputs, or one of them with transformationID")
        if "transformationID" in event and not is_uri(event["transformationID"]):
            yield fault("SCHEMA", "transformationID", _shown(event["transformationID"]), "a URI")
        return
    if action not in ("ADD", "OBSERVE", "DELETE"):
        yield fault("SCHEMA", "action", _shown(action), "ADD, OBSERVE or DELETE")
    if kind == "ObjectEvent":
        if "ilmd" in event and action != "ADD":
            yield fault("SCHEMA", "ilmd", _shown(action), "action ADD")
        if not has & {"epcList", "quantityList", "sensorElementList"}:
            yield fault("SCHEMA", kind, "nothing that it is about", "epcList or quantityList")
    if kind == "TransactionEvent" and "bizTransactionList" not in has:
        yield fault("SCHEMA", kind, "no transaction", "bizTransactionList")
    if kind in ("AggregationEvent", "AssociationEvent"):
        if "parentID" not in has and (action in ("ADD", "DELETE") or kind == "AssociationEvent"):
            yield fault("SCHEMA", "parentID", "nothing", "the parent of what is added or deleted")
        if not has & {"childEPCs", "childQuantityList"}:
            yield fault("SCHEMA", kind, "no children", "childEPCs or childQuantityList")


def _identifier_faults(event: Mapping[str, Any]) -> Iterator[Blocker]:
    named = [(name, event[name]) for name in ("parentID", "eventID") if name in event]
    for name in (*_EPCS, *_QUANTITIES):
        if name in event and not isinstance(event[name], list):
            yield fault("SCHEMA", name, _shown(event[name]), "a list")
    named += [(f"{name}[{at}]", own) for name in _EPCS for at, own in enumerate(_list(event.get(name)))]
    for name in _QUANTITIES:
        for at, own in enumerate(_list(event.get(name))):
            if not isinstance(own, Mapping):
                yield fault("SCHEMA", f"{name}[{at}]", _shown(own), "an object with epcClass and quantity")
                continue
            named.append((f"{name}[{at}].epcClass", own.get("epcClass")))
            yield from _quantity_faults(own, f"{name}[{at}]")
    for place, uri in named:
        try:
            identified(uri)
        except IdentifierWrong as no:
            yield fault("IDENTIFIER", place, str(no)[:200], "a URI, with the right check digit where it is one of GS1")


def _quantity_faults(own: Mapping[str, Any], place: str) -> Iterator[Blocker]:
    if extra := sorted(own.keys() - {"epcClass", "quantity", "uom"}):
        yield fault("SCHEMA", place, ", ".join(extra)[:80], "epcClass, quantity and uom")
    quantity, unit = own.get("quantity"), own.get("uom")
    is_number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
    if "quantity" in own and not (is_number and 0 <= quantity < 10**18):  # type: ignore[operator]
        yield fault("SCHEMA", f"{place}.quantity", _shown(quantity), "a number of at least 0")
    if "uom" in own and not (isinstance(unit, str) and _UNIT.fullmatch(unit)):
        yield fault("SCHEMA", f"{place}.uom", _shown(unit), "a code of UN/ECE Recommendation 20, such as KGM")


def fault(code: str, place: str, found: str, required: str, who_can_fix: str = "sending system") -> Blocker:
    """One thing that is wrong with a document or an event."""
    return Blocker(code=code, entity="event", id=place, found=found, required=required, who_can_fix=who_can_fix)


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        return 1970 <= datetime.fromisoformat(value).year <= 2200
    except ValueError:
        return False


def _is_word(value: Any, words: frozenset[str]) -> bool:
    return isinstance(value, str) and (value in words or is_uri(value))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)[:80]
