"""Incoming material of the tablet replay: each lot is received once, tested with its real values and released.

Rows that share a lot do not always agree about its values. Every set of values that says something new becomes an
inspection of its own; the system finds the disagreement and opens a deviation, and nothing is overwritten.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from domain.quantities import plain
from plants.tablets.characteristics import INCOMING, Limits
from plants.tablets.formula import formula_mg
from plants.tablets.source import Batch
from plants.texts import number_in, written_out
from replay.client import Plant
from replay.people import ANALYST, ANALYST_2, KEEPER

Values = dict[str, str]
_MG_PER_KG: Final = 1_000_000


@dataclass
class IncomingLot:
    """A lot, what the chosen batches need of it, and what their rows say was measured on it."""

    lot: str
    material: str
    quantity: Decimal = Decimal(0)
    batches: list[int] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)


def needed(batches: Collection[Batch]) -> dict[str, IncomingLot]:
    """Lot number → what these batches need of it, in the order in which they first need it."""
    lots: dict[str, IncomingLot] = {}
    for batch in batches:
        for material, per_tablet in formula_mg(batch.code, batch.strength).items():
            number = batch.lots[material]
            lot = lots.setdefault(number, IncomingLot(number, material))
            lot.quantity += per_tablet * batch.size / _MG_PER_KG
            lot.batches.append(batch.number)
            _add(lot.values, measured(batch.cells, INCOMING[material]))
    return lots


def _add(known: list[Values], found: Values) -> None:
    """Keep values that say something which no set so far says."""
    if found and not any(found.items() <= values.items() for values in known):
        known.append(found)


def measured(cells: Mapping[str, str], limits: Mapping[str, Limits]) -> Values:
    """Name → text of every value that was measured and is a number, as the source writes it."""
    texts = {name: written_out(cells.get(name, "")) for name in limits}
    return {name: text for name, text in texts.items() if number_in(text) is not None}


def not_numbers(cells: Mapping[str, str], names: Collection[str]) -> list[str]:
    """Cells that hold something which is not a number: `name 'text'`."""
    return [
        f"{name} {text!r}" for name in names if (text := cells.get(name, "")) and number_in(written_out(text)) is None
    ]


def as_entered(values: Values, limits: Mapping[str, Limits]) -> list[dict[str, str]]:
    """Values as the API takes them."""
    return [{"name": name, "text": text, "unit": limits[name][0]} for name, text in values.items()]


async def receive(plant: Plant, lot: IncomingLot) -> None:
    """Receive the lot and have it tested. Raises `NotTaken`; after it the lot's orders can only be short."""
    made = (lot.lot, *sorted(lot.batches))
    body = {"lot": lot.lot, "material": lot.material, "quantity": plain(lot.quantity), "unit": "kg"}
    received = await plant.command(KEEPER, "/wms/receipts", body, key=("receipt", *made))
    if lot.values:
        await _inspect(plant, lot, _number(received), lot.values[0], ("incoming", *made))
    for values in lot.values[1:]:
        key = ("again", lot.lot, *(f"{name}={text}" for name, text in sorted(values.items())))
        asked = await plant.command(ANALYST, "/quality/inspections", {"lot": lot.lot}, key=key)
        await _inspect(plant, lot, _number(asked), values, key)


def _number(answer: Mapping[str, Any]) -> str:
    """The inspection's number: of the inspection that a receipt asked for, or of the one that was asked for itself."""
    found = answer.get("result") or answer
    inspection = found.get("inspection")
    return str(inspection["number"] if isinstance(inspection, Mapping) else found["number"])


async def _inspect(plant: Plant, lot: IncomingLot, number: str, values: Values, key: tuple[object, ...]) -> None:
    path = f"/quality/inspections/{number}"
    entered = {"values": as_entered(values, INCOMING[lot.material])}
    answer = await plant.command(ANALYST, f"{path}/results", entered, key=(*key, "results"))
    state = (answer.get("result") or answer).get("state")
    decision = {"accept": state != "outOfSpecification"}
    await plant.command(ANALYST_2, f"{path}/decision", decision, key=(*key, "decision"), signed=True)
