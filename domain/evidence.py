"""What a laboratory's result was made with, where the characteristic asks for it (CN 223, 229; QL-03)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import SerializerFunctionWrapHandler, model_serializer

from domain.base import Message
from domain.command_base import Command
from domain.errors import Blocker


class Evidence(StrEnum):
    """What a characteristic of an inspection plan asks for beside value and unit."""

    INSTRUMENT = "instrument"
    """With its calibration, by the equipment register."""
    METHOD = "method"
    """And its version."""
    REAGENTS = "reagents"
    """Lots of reagents and standards, none past its expiry."""
    RELEASE_RECORD = "releaseRecord"
    """Of a received lot: check of the supplier's report and of the packaging, a conclusion, a signature."""


RELEASE_RECORD_REQUIRED = "RELEASE_RECORD_REQUIRED"


class ReleaseRecord(Message):
    """The record of the release or rejection of a received lot (CN 229). `signature` is the id of its signature."""

    supplier_report: bool
    packaging: bool
    conclusion: str
    signature: str


class DecideMaterialRelease(Command):
    """What is signed with a material release record. No order judges it."""

    kind: Literal["decideMaterialRelease"] = "decideMaterialRelease"
    inspection: str
    accept: bool
    supplier_report: bool = False
    packaging: bool = False
    conclusion: str = ""


class Instrument(Message):
    """What the equipment register says of an instrument at the moment of the entry."""

    code: str
    calibration: str
    certificate: str | None = None
    calibration_due_at: datetime | None = None
    blockers: tuple[Blocker, ...] = ()
    """Why it may not measure now."""


class Reagent(Message):
    """What the record says of a lot of a reagent or standard."""

    lot: str
    material: str
    status: str
    expires_on: date | None = None
    is_usable: bool = True


class MeasuredWith(Message):
    """The instrument, method and reagents of one result, as the record knows them."""

    instrument: Instrument | None = None
    method: str = ""
    method_version: str = ""
    reagents: tuple[Reagent, ...] = ()


class HasEvidence(Protocol):
    """A judged result."""

    @property
    def measured_with(self) -> MeasuredWith | None:
        """What it was measured with, if that was said."""
        ...


class Measurement(Message):
    """A measured value as it was entered. `instrument` is a code of the equipment register, `reagents` are lots.

    `measured_with` is looked up in the record; what a sender says of it does not count. Fields that came after the
    first release are not written when they say nothing: so older commands and signatures stay what they were.
    """

    name: str
    text: str
    unit: str = ""
    instrument: str = ""
    method: str = ""
    method_version: str = ""
    reagents: tuple[str, ...] = ()
    measured_with: MeasuredWith | None = None

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        return {name: value for name, value in found.items() if name in ("name", "text", "unit") or value}


def evidence_of(result: HasEvidence) -> dict[str, Any] | None:
    """What a result was measured with, as it is stored; none when nothing was said."""
    own = result.measured_with
    return None if own is None else own.model_dump(mode="json", by_alias=True, exclude={"instrument": {"blockers"}})


def evidence_blockers(identity: str, asked: tuple[Evidence, ...], entered: Measurement) -> list[Blocker]:
    """What a result lacks of what its characteristic asks for, and what may not have been used for it."""

    def blocker(code: str, entity: str, about: str, found: str, required: str, who: str = "qcAnalyst") -> Blocker:
        return Blocker(code=code, entity=entity, id=about, found=found, required=required, who_can_fix=who)

    about, known = f"{identity}/{entered.name}", entered.measured_with or MeasuredWith()
    blockers: list[Blocker] = []
    if Evidence.INSTRUMENT in asked and not entered.instrument:
        required = "the instrument that it was measured with"
        blockers.append(blocker("INSTRUMENT_MISSING", "parameter", about, "no instrument", required))
    if Evidence.METHOD in asked and not (entered.method and entered.method_version):
        required = "the method and its version"
        blockers.append(blocker("METHOD_MISSING", "parameter", about, entered.method or "no method", required))
    if Evidence.REAGENTS in asked and not entered.reagents:
        required = "the lots of reagents and standards"
        blockers.append(blocker("REAGENTS_MISSING", "parameter", about, "no lot", required))
    if entered.instrument and known.instrument is None:
        required = "an instrument of the equipment register"
        who = "metrology"
        blockers.append(
            blocker("EQUIPMENT_NOT_REGISTERED", "equipment", entered.instrument, "not in the register", required, who)
        )
    if known.instrument is not None:
        blockers += known.instrument.blockers
    there = {own.lot: own for own in known.reagents}
    for lot in entered.reagents:
        own = there.get(lot)
        if own is None:
            blockers.append(blocker("UNKNOWN_LOT", "lot", lot, "no such lot", "a lot of a reagent or standard"))
        elif not own.is_usable:
            found = f"{own.status}, expires {own.expires_on or 'never'}"
            blockers.append(blocker("REAGENT_NOT_USABLE", "lot", lot, found, "released, and not past its expiry"))
    return blockers


def release_blockers(inspection: str, accept: bool, record: ReleaseRecord) -> list[Blocker]:
    """What a material release record lacks: nothing is released unchecked, and nothing decided without conclusion."""
    has_conclusion = bool(record.conclusion.strip())
    wanted = [("CONCLUSION_MISSING", has_conclusion, "no conclusion", "a clear conclusion")]
    if accept:
        wanted += [
            ("SUPPLIER_REPORT_UNCHECKED", record.supplier_report, "not checked", "the check of the supplier's report"),
            ("PACKAGING_UNCHECKED", record.packaging, "not checked", "the check of packaging and labels"),
        ]
    return [
        Blocker(code=code, entity="inspection", id=inspection, found=found, required=required, who_can_fix="qcAnalyst")
        for code, given, found, required in wanted
        if not given
    ]
