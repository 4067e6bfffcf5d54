"""The places of a warehouse as the system's procedures know them."""

from typing import Final

PLACES: Final = (
    ("SUPPLIER", "Suppliers", "outside"),
    ("PROCESS", "In process", "outside"),
    ("SCRAP", "Scrapped", "outside"),
    ("RECEIVING", "Receiving", "quarantine"),
    ("RAW", "Raw stock", "released"),
    ("LINE", "Line side", "line"),
    ("QUARANTINE", "Finished goods in quarantine", "quarantine"),
    ("FINISHED", "Finished goods", "released"),
    ("REJECTED", "Rejected goods", "rejected"),
)


def documents() -> list[dict[str, str]]:
    """The places as a master-data document writes them."""
    return [{"code": code, "name": name, "zone": zone} for code, name, zone in PLACES]
