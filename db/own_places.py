"""Places outside of the stock that the product has of its own: made when something is moved there first."""

from typing import Final

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from db.tables import Place, core

SAMPLE, DIFFERENCE = "SAMPLE", "DIFFERENCE"
_NAMES: Final = {SAMPLE: "Samples", DIFFERENCE: "Differences that a count has shown"}


def ensure(connection: Connection, code: str) -> None:
    """Make the place if it is not there."""
    row = {"code": code, "name": _NAMES[code], "zone": "outside"}
    connection.execute(insert(core(Place)).values(row).on_conflict_do_nothing())
