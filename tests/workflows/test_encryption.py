"""What Temporal stores of an order is encrypted; keys are changed while orders run; a missing key is named."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.worker import Replayer

from domain import commands as c
from settings import Settings, SettingWrong, from_environment
from system.addresses import Addresses
from tests.conftest import Database
from tests.plant import Order, Plant
from workflows.encryption import KEY_ID, Encryption, PayloadDamaged, PayloadKeyMissing, data_converter, key_id
from workflows.runtime import WORKFLOWS, connect, workflow_runner

OLD, NEW, OTHER = ("an old key of the tests, long enough", "a new key of the tests, long enough",
                   "a key of nobody here, long enough ...")  # fmt: skip
CANARY = "canary reason 71 Ochre"
TEMPORALS_OWN = {
    "seq", "attempt", "activity_id", "activity_type", "complete_time", "backoff", "original_schedule_time",
    "activation_index", "id", "deprecated",
}  # fmt: skip
"""What the SDK's core writes into markers by itself: numbers, times, names of activities and patches."""
pytestmark = pytest.mark.accepts("C8")


async def plant_with(addresses: Addresses, engine: Engine, database: Database, queue: str, *keys: str) -> Plant:
    """The same plant, served by processes that have these keys."""
    settings = Settings(
        database_url=database.app_url, database_owner_url=database.owner_url,
        temporal_address=addresses.temporal_address, data_dir=Path(addresses.data_dir), payload_keys=keys,
    )  # fmt: skip
    client = await connect(addresses.temporal_address, payload_keys=settings.payload_keys)
    return Plant(client, engine, settings, task_queue=queue)


@pytest.fixture(scope="module")
async def old(servers: Addresses, engine: Engine, database: Database) -> Plant:
    plant = await plant_with(servers, engine, database, "encrypted", OLD)
    await asyncio.to_thread(plant.set_up)
    await plant.stock("API-1", "API", "100")
    await plant.stock("LAC-1", "LAC", "200")
    return plant


def seen_by(plant: Plant, order: Order) -> Order:
    """The same order, asked by processes with other keys."""
    seen = Order(plant, order.specification)
    seen.given = order.given  # a command id that was used has its verdict already
    return seen


async def history(client: Client, order: Order) -> str:
    """The order's history as it is stored."""
    found: str = (await client.get_workflow_handle(order.handle.id).fetch_history()).to_json()
    return found


def payloads(stored: str) -> Iterator[dict[str, Any]]:
    """Every payload of a history."""

    def walk(value: Any) -> Iterator[dict[str, Any]]:
        match value:
            case {"metadata": {"encoding": _}}:
                yield value
            case dict():
                for name, own in value.items():
                    if name != "searchAttributes":
                        yield from walk(own)
            case list():
                for own in value:
                    yield from walk(own)

    yield from walk(json.loads(stored))


def used_keys(stored: str) -> set[str]:
    """The ids of the keys that a history needs."""
    return {base64.b64decode(own["metadata"][KEY_ID]).decode() for own in payloads(stored) if KEY_ID in own["metadata"]}


def in_the_clear(stored: str) -> str:
    """All that can be read in a stored history without a key: its JSON, and what its payloads say."""
    blobs = re.findall(r'"([A-Za-z0-9+/]{8,})={0,2}"', stored)
    return stored + "".join(base64.b64decode(blob[: len(blob) // 4 * 4]).decode("latin-1") for blob in blobs)


async def test_a_history_holds_no_plain_text_and_orders_go_on_through_a_change_of_keys(
    old: Plant, servers: Addresses, engine: Engine, database: Database, client: Client
) -> None:
    async with old.working():
        order = await (await old.order()).picked()
        await order.do(c.HoldOrder, "sam", reason=CANARY)
        await order.do(c.ResumeOrder, "sam", reason=CANARY)
    stored = await history(client, order)
    readable = [json.loads(base64.b64decode(own["data"])) for own in payloads(stored) if KEY_ID not in own["metadata"]]
    assert {name for own in readable for name in own} <= TEMPORALS_OWN
    assert used_keys(stored) == {key_id(OLD)}
    clear = in_the_clear(stored)
    assert "MesPhase" in clear, "search attributes are what Temporal has to read"
    for secret in (CANARY, "holdOrder", "API-1", "allocations", OLD):
        assert secret not in clear, secret
    assert CANARY in in_the_clear(await plain_history(servers, engine, database, client)), "the canary can be found"

    # The key is changed while the order runs: the new one first, the old one below.
    both = await plant_with(servers, engine, database, old.task_queue, NEW, OLD)
    async with both.working():
        order = await seen_by(both, order).operation("DISPENSE")
        assert await asyncio.to_thread(
            both.rows, "SELECT state FROM operation WHERE work_order = :w AND code = 'DISPENSE'", w=order.work_order
        ) == [("completed",)]
        await order.process()
    assert used_keys(await history(client, order)) == {key_id(OLD), key_id(NEW)}

    # The old one was thrown away too early: it is named, nothing is lost, and all goes on when it is back.
    alone = await plant_with(servers, engine, database, old.task_queue, NEW)
    async with alone.working():
        await seen_by(alone, order).handle.signal("command", order.command(c.HoldOrder, "sam", reason=CANARY))
        failed = await until_failed(alone.client, order)
    assert key_id(OLD) in failed
    assert key_id(NEW) in failed
    assert "MES_PAYLOAD_KEY" in failed
    assert CANARY not in in_the_clear(await history(client, order))
    async with both.working():
        await seen_by(both, order).until("order", "held")

    # A recorded history is replayed with its keys, and only with them.
    fetched = await both.client.get_workflow_handle(order.handle.id).fetch_history()
    await replayer(NEW, OLD).replay_workflow(fetched)
    with pytest.raises(Exception, match="PayloadKeyMissing"):
        await replayer(OTHER).replay_workflow(fetched)


def replayer(*keys: str) -> Replayer:
    return Replayer(workflows=WORKFLOWS, workflow_runner=workflow_runner(), data_converter=data_converter(keys))


async def plain_history(servers: Addresses, engine: Engine, database: Database, client: Client) -> str:
    """The same done without a key."""
    plant = await plant_with(servers, engine, database, "in-the-clear")
    async with plant.working():
        order = await plant.order()
        await order.do(c.SubmitOrder, "pia", reason=CANARY)
    return await history(client, order)


async def until_failed(client: Client, order: Order) -> str:
    """What the order's last task failed with, as who has the client's keys reads it."""
    async with asyncio.timeout(60):
        while True:
            for event in reversed((await client.get_workflow_handle(order.handle.id).fetch_history()).events):
                if event.HasField("workflow_task_failed_event_attributes"):
                    return str(
                        await client.data_converter.decode_failure(event.workflow_task_failed_event_attributes.failure)
                    )
            await asyncio.sleep(0.2)


async def test_an_order_that_began_in_the_clear_goes_on_encrypted(
    old: Plant, servers: Addresses, engine: Engine, database: Database, client: Client
) -> None:
    plain = await plant_with(servers, engine, database, "later")
    async with plain.working():
        order = await (await plain.order()).released()
    encrypting = await plant_with(servers, engine, database, "later", NEW)
    async with encrypting.working():
        await seen_by(encrypting, order).do(c.HoldOrder, "sam", reason=CANARY)
    stored = await history(client, order)
    assert CANARY not in in_the_clear(stored)
    encodings = {base64.b64decode(own["metadata"]["encoding"]) for own in payloads(stored)}
    assert {b"binary/encrypted", b"json/plain"} <= encodings


async def test_a_payload_is_bound_to_its_key_and_cannot_be_changed() -> None:
    said = Payload(metadata={"encoding": b"json/plain"}, data=b'"113.00 mg"')
    one, again = (await Encryption([OLD]).encode([said]))[0], (await Encryption([OLD]).encode([said]))[0]
    assert one.data != again.data
    assert (await Encryption([NEW, OLD]).decode([one]))[0] == said
    assert (await Encryption([NEW]).decode([said]))[0] == said
    with pytest.raises(PayloadKeyMissing, match=f"{key_id(OLD)}.*{key_id(NEW)}"):
        await Encryption([NEW]).decode([one])
    with pytest.raises(PayloadKeyMissing, match="none"):
        await Encryption([]).decode([one])
    for place in (0, 12, len(one.data) - 1):
        changed = bytearray(one.data)
        changed[place] ^= 1
        with pytest.raises(PayloadDamaged):
            await Encryption([OLD]).decode([Payload(metadata=one.metadata, data=bytes(changed))])
    renamed = Payload(metadata={**one.metadata, "encryption-key-id": key_id(NEW).encode()}, data=one.data)
    with pytest.raises(PayloadDamaged):
        await Encryption([NEW, OLD]).decode([renamed])
    assert OLD not in key_id(OLD)


def test_keys_come_from_the_environment_or_a_file_and_are_never_shown(tmp_path: Path) -> None:
    least = {"DATABASE_URL": "postgresql://x", "TEMPORAL_ADDRESS": "x:1"}
    assert from_environment(least).payload_keys == ()
    assert from_environment({**least, "MES_PAYLOAD_KEY": f"{NEW}\n{OLD}\n"}).payload_keys == (NEW, OLD)
    file = tmp_path / "keys"
    file.write_text(f"{NEW}\n\n{OLD}\n")
    settings = from_environment({**least, "MES_PAYLOAD_KEY_FILE": str(file)})
    assert settings.payload_keys == (NEW, OLD)
    assert NEW not in repr(settings)
    for name, value in (("MES_PAYLOAD_KEY", "short"), ("MES_PAYLOAD_KEY_FILE", str(tmp_path / "none"))):
        with pytest.raises(SettingWrong, match=name):
            from_environment({**least, name: value})
