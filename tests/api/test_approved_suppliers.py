"""A material is taken only from suppliers who are approved for it, as long as they are (MD-06)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from tests.api.company import Company, material
from tests.api.test_master_data import post

TODAY = datetime.now(UTC).date()
APPROVED: list[dict[str, Any]] = [
    {"supplier": "Alkem"},
    {"supplier": "Brenntag", "validUntil": (TODAY + timedelta(days=365)).isoformat()},
    {"supplier": "Lapsed & Co", "validUntil": (TODAY - timedelta(days=2)).isoformat()},
]


async def approve(company: Company, code: str, approved: list[dict[str, Any]] | None) -> None:
    """Pat says who may deliver a material; nothing said: anybody."""
    said = {} if approved is None else {"approvedSuppliers": approved}
    await post(company, {"materials": [material(code, "raw", "kg") | said]})


async def deliver(company: Company, lot: str | None, code: str, supplier: str | None) -> httpx.Response:
    """Wil takes a delivery in."""
    said = {} if supplier is None else {"supplier": supplier}
    numbered = {} if lot is None else {"lot": lot}
    return await (await company.desk("wil")).command(
        "/wms/receipts", material=code, quantity="5", unit="kg", **said, **numbered
    )


@pytest.mark.accepts("MD-06")
async def test_only_an_approved_supplier_delivers_as_long_as_it_is_approved(company: Company, engine: Engine) -> None:
    await approve(company, "STARCH", APPROVED)
    for lot, approved in (("ST-1", "Alkem"), ("ST-2", "Brenntag")):
        assert (await deliver(company, lot, "STARCH", approved)).status_code == 200
    wrong: dict[str | None, str] = {
        "Nobody Ltd": "Nobody Ltd", None: "no supplier",
        "Lapsed & Co": f"Lapsed & Co, approved until {APPROVED[2]['validUntil']}",
    }  # fmt: skip
    for supplier, found in wrong.items():
        refused = await deliver(company, "ST-9", "STARCH", supplier)
        assert (refused.status_code, refused.json()["code"]) == (409, "SUPPLIER_NOT_APPROVED"), refused.text
        (blocker,) = refused.json()["blockers"]
        assert (blocker["id"], blocker["found"]) == ("STARCH", found)
        assert blocker["required"] == "an approved supplier: Alkem, Brenntag"
    # Approved for one material is not approved for another.
    await approve(company, "TALC", [{"supplier": "Brenntag"}])
    assert (await deliver(company, "TA-1", "TALC", "Alkem")).json()["code"] == "SUPPLIER_NOT_APPROVED"
    assert (await deliver(company, "TA-1", "TALC", "Brenntag")).status_code == 200
    with engine.connect() as connection:
        lots = connection.execute(text("SELECT number FROM lot WHERE number ~ '^(ST|TA)-' ORDER BY 1")).scalars()
        assert list(lots) == ["ST-1", "ST-2", "TA-1"]


@pytest.mark.accepts("MD-06")
async def test_an_approval_that_ends_or_is_withdrawn_counts_at_once(company: Company) -> None:
    ends = [{"supplier": "Brenntag", "validUntil": (TODAY + timedelta(days=1)).isoformat()}]
    await approve(company, "SUGAR", ends)
    assert (await deliver(company, "SU-1", "SUGAR", "Brenntag")).status_code == 200
    await approve(company, "SUGAR", [])
    refused = await deliver(company, "SU-2", "SUGAR", "Brenntag")
    assert refused.json()["blockers"][0]["required"] == "an approved supplier: nobody is"
    shown = (await (await company.desk("wil")).get("/master-data/materials", prefix="SUGAR")).json()
    assert shown["materials"][0]["approvedSuppliers"] == []
    # A second delivery of a lot that is there is refused like the first one would be.
    assert (await deliver(company, "SU-1", "SUGAR", "Brenntag")).json()["code"] == "SUPPLIER_NOT_APPROVED"
    # A refused delivery takes no number of the plant either.
    pattern = {"plant": "S1", "kind": "raw", "pattern": "SU{seq:4}"}
    await post(company, {"numberPatterns": [pattern]})
    assert (await deliver(company, None, "SUGAR", "Brenntag")).json()["code"] == "SUPPLIER_NOT_APPROVED"
    await approve(company, "SUGAR", ends)
    assert (await deliver(company, None, "SUGAR", "Brenntag")).json()["lot"] == "SU0001"
    # A plant that names nobody takes deliveries of anybody, as before.
    await approve(company, "SUGAR", None)
    assert (await deliver(company, "SU-3", "SUGAR", None)).status_code == 200
