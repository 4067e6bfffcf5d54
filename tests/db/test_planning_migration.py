"""The migration of planning on a filled database: up, down, up."""

from alembic.script import ScriptDirectory
from sqlalchemy import text

from db.migrate import configuration, downgrade, upgrade
from db.tables import OPEN_OPERATION
from domain.base import uuid_for
from system.addresses import Addresses
from tests.db.database import fresh_database

FILL = """
    INSERT INTO material (code, uuid, name, kind, unit, is_active)
        VALUES ('P', gen_random_uuid(), 'P', 'finished', 'pcs', true);
    INSERT INTO route (id, product, version, state, effective_from)
        SELECT gen_random_uuid(), 'P', version, 'effective', now() FROM (VALUES ('1'), ('2')) AS own (version);
    INSERT INTO route_operation (route, code, sequence, name, capability, predecessors, counts_pieces, is_output)
        SELECT id, code, 10, 'x', 'CUT', '[]', true, true FROM route, (VALUES ('A'), ('B')) AS own (code)
"""


def test_operations_of_known_routes_get_the_uuid_that_an_import_gives(servers: Addresses, template: str) -> None:
    with fresh_database(servers.database_owner_url, servers.database_url, template) as database:
        scripts = ScriptDirectory.from_config(configuration(database.owner_url))
        own = next(script for script in scripts.walk_revisions() if script.path.endswith("_planning.py"))
        before = str(own.down_revision)
        expected = {uuid_for("route-operation", f"P/{version}/{code}") for version in "12" for code in "AB"}
        downgrade(database.owner_url, before, lose_data=True)
        with database.owner.begin() as connection:
            connection.execute(text(FILL))
        for _ in range(2):
            upgrade(database.owner_url)
            with database.app.connect() as connection:
                found = set(connection.execute(text("SELECT uuid FROM route_operation")).scalars())
                connection.execute(text("SET enable_seqscan = off"))
                load = f"EXPLAIN SELECT count(*) FROM operation WHERE workstation = 'A' AND {OPEN_OPERATION}"
                assert "ix_operation_open" in str(connection.execute(text(load)).all())
            assert found == expected
            downgrade(database.owner_url, before, lose_data=True)
            with database.app.connect() as connection:
                assert connection.execute(text("SELECT count(*) FROM route_operation")).scalar_one() == 4
