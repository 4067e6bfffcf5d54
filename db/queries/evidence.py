"""What the record says of the instruments and reagents that a laboratory names with its results."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from db.queries.equipment import item
from db.tables import Lot, core
from domain.evidence import Instrument, MeasuredWith, Measurement, Reagent
from domain.instruments import instrument_blockers

LOTS: Final = core(Lot)


def with_evidence(connection: Connection, values: Sequence[Measurement], at: datetime) -> list[Measurement]:
    """The values with what they were measured with, looked up; what their sender says of it does not count."""
    reagents = _reagents(connection, {lot for value in values for lot in value.reagents}, at)
    instruments = {
        code: _instrument(connection, code, at) for code in sorted({value.instrument for value in values} - {""})
    }
    return [_completed(value, instruments, reagents) for value in values]


def _completed(
    value: Measurement, instruments: dict[str, Instrument | None], reagents: dict[str, Reagent]
) -> Measurement:
    known = None
    if value.instrument or value.method or value.method_version or value.reagents:
        known = MeasuredWith(
            instrument=instruments.get(value.instrument), method=value.method, method_version=value.method_version,
            reagents=tuple(reagents[lot] for lot in value.reagents if lot in reagents),
        )  # fmt: skip
    return value.model_copy(update={"measured_with": known})


def _instrument(connection: Connection, code: str, at: datetime) -> Instrument | None:
    found = item(connection, code)
    if found is None:
        return None
    return Instrument(
        code=code, calibration=found.calibration, certificate=found.certificate,
        calibration_due_at=found.calibration_due_at, blockers=tuple(instrument_blockers(found, at)),
    )  # fmt: skip


def _reagents(connection: Connection, lots: set[str], at: datetime) -> dict[str, Reagent]:
    if not lots:
        return {}
    rows = connection.execute(
        select(LOTS.c.number, LOTS.c.material, LOTS.c.status, LOTS.c.expires_on).where(LOTS.c.number.in_(lots))
    )
    return {
        row.number: Reagent(
            lot=row.number, material=row.material, status=row.status, expires_on=row.expires_on,
            is_usable=row.status == "released" and (row.expires_on is None or row.expires_on >= at.date()),
        )
        for row in rows
    }  # fmt: skip
