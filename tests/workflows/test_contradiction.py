"""A code change between two attempts at one decision: the record holds what the first code said."""

import asyncio

import psycopg
import pytest
from psycopg.types.json import Json

from domain import commands as c
from tests.conftest import Database
from tests.plant import Plant


@pytest.mark.accepts("AT-08")
async def test_another_verdict_under_a_written_revision_raises_an_alarm_and_does_not_vanish(
    plant: Plant, database: Database
) -> None:
    """The worker died after its commit; the code that judges again says something else."""
    order = await plant.order()
    revision = (await order.process()).revision + 1
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(
            "INSERT INTO order_fact (order_number, revision, at, actor, content_hash, body) "
            "VALUES (%s, %s, now(), %s, %s, %s)",
            (order.number, revision, "pia", "another verdict", Json({})),
        )
    submit = order.command(c.SubmitOrder, "pia")
    await order.send(submit)
    for _ in range(300):
        if alarms := plant.rows("SELECT code, detail FROM alarm WHERE order_number = :n", n=order.number):
            break
        await asyncio.sleep(0.05)
    assert [alarm.code for alarm in alarms] == ["RECORD_CONTRADICTION"]
    assert "workflow.patched" in alarms[0].detail
    assert order.recorded(submit.command_id) is None
    assert order.state() == "draft"

    # The earlier release is deployed again: here, the record is brought to what this code says.
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("ALTER TABLE order_fact DISABLE TRIGGER USER")
        connection.execute("DELETE FROM order_fact WHERE order_number = %s AND revision = %s", (order.number, revision))
        connection.execute("ALTER TABLE order_fact ENABLE TRIGGER USER")
    assert (await order.verdict(submit.command_id, seconds=60)).accepted
    assert order.state() == "submitted"
