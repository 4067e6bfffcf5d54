"""Incoming material of the tablet replay: each lot is received once, tested with its real values and released.

Rows that share a lot do not always agree about its values. Every set of values that says something new becomes an
inspection of its own; the system finds the disagreement and opens a deviation, and nothing is overwritten.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from domain.quantities import plain
from plants.tablets.characteristics import INCOMING, Limits
from plants.tablets.formula import formula_mg
from plants.tablets.source import Batch
from plants.texts import number_in, written_out
from replay.client import Document, Plant
from replay.people import ANALYST, ANALYST_2, KEEPER

Values = dict[str, str]
_MG_PER_KG: Final = 1_000_000
_OPEN: Final = ("created", "resultsEntered", "outOfSpecification")
_INCOMING_PLACES: Final = ("RECEIVING", "RAW")


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
    """Have enough of the lot in released stock, and every set of its values on record; what is there is not done again.

    Raises `NotTaken`; after it the lot's orders can only be short.
    """
    missing = lot.quantity - await _on_hand(plant, lot.lot)
    made = (lot.lot, *sorted(lot.batches), plain(missing))
    if missing > 0:
        body = {"lot": lot.lot, "material": lot.material, "quantity": plain(missing), "unit": "kg"}
        await plant.command(KEEPER, "/wms/receipts", body, key=("receipt", *made))
    inspections = (await plant.get(ANALYST, "/quality/inspections", lot=lot.lot))["inspections"]
    open_ones = [inspection for inspection in inspections if inspection["state"] in _OPEN]
    known = [_entered(inspection) for inspection in inspections if inspection["results"]]
    new = [values for values in lot.values if not any(values.items() <= before.items() for before in known)]
    for inspection in open_ones:
        if inspection["state"] == "created" and lot.values:
            await _enter(plant, lot, inspection["number"], new.pop(0) if new else lot.values[0])
        await _decide(plant, lot.lot, inspection["number"])
    if not open_ones and not new and lot.values and await _is_waiting(plant, lot.lot):
        new = lot.values[:1]  # a delivery whose inspection was never asked for
    for values in new:
        key = ("again", *made, *(f"{name}={text}" for name, text in sorted(values.items())))
        asked = await plant.command(ANALYST, "/quality/inspections", {"lot": lot.lot}, key=key)
        await _enter(plant, lot, asked["number"], values)
        await _decide(plant, lot.lot, asked["number"])


async def _stock(plant: Plant, lot: str) -> list[Document]:
    found: list[Document] = (await plant.get(KEEPER, "/wms/stock", lot=lot))["stock"]
    return found


async def _on_hand(plant: Plant, lot: str) -> Decimal:
    """What nobody has reserved of what is in raw stock or on its way there."""
    return sum(
        (
            Decimal(balance["onHand"]) - Decimal(balance["reserved"])
            for balance in await _stock(plant, lot)
            if balance["place"] in _INCOMING_PLACES
        ),
        Decimal(0),
    )


async def _is_waiting(plant: Plant, lot: str) -> bool:
    return any(balance["place"] == "RECEIVING" for balance in await _stock(plant, lot))


def _entered(inspection: Document) -> Values:
    return {result["name"]: result["text"] for result in inspection["results"]}


async def _enter(plant: Plant, lot: IncomingLot, number: str, values: Values) -> None:
    body = {"values": as_entered(values, INCOMING[lot.material])}
    await plant.command(ANALYST, f"/quality/inspections/{number}/results", body, key=(number, "results"))


async def _decide(plant: Plant, lot: str, number: str) -> None:
    """Accept what is within its limits; out of specification there is nothing to accept. Untested stays undecided."""
    inspections = (await plant.get(ANALYST_2, "/quality/inspections", lot=lot))["inspections"]
    state = next(inspection["state"] for inspection in inspections if inspection["number"] == number)
    if state in ("resultsEntered", "outOfSpecification"):
        decision = {"accept": state == "resultsEntered"}
        path = f"/quality/inspections/{number}/decision"
        await plant.command(ANALYST_2, path, decision, key=(number, "decision"), signed=True)
