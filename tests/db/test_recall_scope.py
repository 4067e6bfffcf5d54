"""The scope of a recall in a large plant: nothing is forgotten among a hundred thousand links."""

import logging
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from db.queries import recalls
from system.addresses import Addresses
from tests.db.database import fresh_database

log = logging.getLogger(__name__)
MIDDLE, PER_MIDDLE, CUSTOMERS = 1_000, 33, 50
FINAL = MIDDLE * PER_MIDDLE

# One supplier's lot goes into 1,000 intermediate lots, each of three of those into every one of 33,000 batches; a
# batch's other ingredient is not affected. Every batch is shipped in part, to one of 50 customers.
_PLANT = """
INSERT INTO material (code, uuid, name, kind, unit, is_active, strength)
    SELECT code, gen_random_uuid(), code, 'raw', 'kg', true, '250 mg'
    FROM unnest(ARRAY['RAW', 'MID', 'FIN', 'OTH']) AS code;
INSERT INTO place VALUES ('CUSTOMER', 'Customers', 'outside') ON CONFLICT DO NOTHING;
INSERT INTO lot (number, material, unit, status, origin, created_at, supplier_lot)
    SELECT 'RAW-1', 'RAW', 'kg', 'released', 'received', now(), 'SUP-1'
    UNION ALL SELECT 'OTH-1', 'OTH', 'kg', 'released', 'received', now(), 'SUP-2'
    UNION ALL SELECT 'MID-' || n, 'MID', 'kg', 'released', 'produced', now(), NULL
        FROM generate_series(0, {middle} - 1) AS n
    UNION ALL SELECT 'FIN-' || n, 'FIN', 'kg', 'released', 'produced', now(), NULL
        FROM generate_series(0, {final} - 1) AS n;
INSERT INTO lot_link (key, input_lot, output_lot, quantity, unit, work_order, operation, linked_at)
    SELECT 'a' || n, 'RAW-1', 'MID-' || n, 1, 'kg', 'WM' || n, '10', now() FROM generate_series(0, {middle} - 1) AS n
    UNION ALL SELECT 'b' || n || '-' || k, 'MID-' || mod(n * 7 + k * 331, {middle}), 'FIN-' || n, 1, 'kg', 'WF' || n,
        '10', now() FROM generate_series(0, {final} - 1) AS n, generate_series(0, 2) AS k
    UNION ALL SELECT 'c' || n, 'OTH-1', 'FIN-' || n, 1, 'kg', 'WF' || n, '10', now()
        FROM generate_series(0, {final} - 1) AS n;
INSERT INTO stock_move (key, lot, from_place, to_place, quantity, unit, kind, actor, moved_at)
    SELECT 'm' || number, number, CASE origin WHEN 'received' THEN 'SUPPLIER' ELSE 'PROCESS' END, 'FINISHED', 100000,
        'kg', 'in', 'olu', now() FROM lot
    UNION ALL SELECT 'u' || input_lot, input_lot, 'FINISHED', 'PROCESS', sum(quantity), 'kg', 'consume', 'olu', now()
        FROM lot_link GROUP BY input_lot
    UNION ALL SELECT 's' || n, 'FIN-' || n, 'FINISHED', 'CUSTOMER', 4, 'kg', 'ship', 'wil', now()
        FROM generate_series(0, {final} - 1) AS n;
INSERT INTO stock_balance (lot, place, on_hand, reserved)
    SELECT lot, 'FINISHED', sum(CASE to_place WHEN 'FINISHED' THEN quantity ELSE -quantity END), 0
    FROM stock_move GROUP BY lot;
INSERT INTO shipment (number, lot, product, product_name, strength, quantity, unit, place, consignee, address, contact,
        transport, state, retain_until, prepared_by, prepared_at, ended_by, ended_at)
    SELECT 'FIN-' || n || '-S1', 'FIN-' || n, 'FIN', 'FIN', '250 mg', 4, 'kg', 'FINISHED',
        'Clinic ' || mod(n, {customers}), 'A', 'C', 'truck', 'shipped', now(), 'wil', now(), 'wil', now()
    FROM generate_series(0, {final} - 1) AS n;
ANALYZE;
"""


@pytest.fixture
def large(servers: Addresses, template: str) -> Iterator[Connection]:
    """The plant, in a database of its own, with statistics."""
    with fresh_database(servers.database_owner_url, servers.database_url, template) as database:
        with database.owner.begin() as connection:
            connection.exec_driver_sql(_PLANT.format(middle=MIDDLE, final=FINAL, customers=CUSTOMERS))
        with database.app.connect() as connection:
            yield connection


@pytest.mark.accepts("TR-03")
def test_the_scope_of_a_hundred_thousand_links_is_whole(large: Connection) -> None:
    """`--log-cli-level=INFO` shows how long it took."""
    began = time.perf_counter()
    found = recalls.scope(large, recalls.starts(large, None, "SUP-1"))
    log.info("scope of %s links: %.2f s", found["links"], time.perf_counter() - began)
    assert found["links"] == MIDDLE + 3 * FINAL
    assert len(found["lots"]) == 1 + MIDDLE + FINAL
    assert "OTH-1" not in {lot["lot"] for lot in found["lots"]}
    assert len(found["shipments"]) == FINAL
    assert len(found["customers"]) == CUSTOMERS
    out = sum(Decimal(one["quantity"]) for own in found["customers"] for one in own["quantities"])
    parts = found["totals"]["kg"]
    assert out == Decimal(parts["withCustomers"]["quantity"]) == 4 * FINAL
    assert parts["unexplained"]["quantity"] == "0"
    assert parts["total"]["percent"] == "100.00"
