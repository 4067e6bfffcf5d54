"""Messages to outside systems: one effect for each, whatever the receiver does (IN-02, B21)."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from adapters.outbound.formats import signature
from db import audit, outbox
from tests.conftest import Database
from tests.outside import SECRET, Outside, outside


@pytest.fixture(scope="module")
def erp(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(engine, tmp_path_factory.mktemp("receiver")) as made:
        yield made


async def told(erp: Outside, code: str, plan: str, *subjects: str, attempts: int = 4) -> None:
    """Facts about subjects, to an endpoint whose receiver behaves as planned."""
    erp.endpoint(code, f"{code}.*", plan, attempts=attempts)
    for subject in subjects:
        erp.fact(f"{code}.released", subject, {"n": subject})
    await erp.deliver(code)


@pytest.mark.accepts("IN-02", "B21")
@pytest.mark.parametrize(
    ("code", "plan", "deliveries"),
    [
        ("good", "200", 1),
        ("down", "500,503,200", 3),
        ("lost", "drop,200", 2),
        ("slow", "hang,200", 2),
        ("said", "late,500,200", 3),
        ("busy", "429,409,200", 3),
    ],
)
async def test_each_message_has_one_effect_whatever_the_receiver_does(
    erp: Outside, code: str, plan: str, deliveries: int
) -> None:
    await told(erp, code, plan, "lot/A", "lot/B")
    (first, second) = erp.messages(code)
    assert (first.state, second.state) == ("delivered", "delivered")
    assert [(own["key"], own["body"]["subject"]) for own in erp.effects(code)] == [
        (first.id, "lot/A"), (second.id, "lot/B"),
    ]  # fmt: skip
    assert first.attempts == deliveries
    assert sum(own["key"] == first.id for own in erp.requests(code)) == deliveries
    # Every attempt says the same.
    assert len({json.dumps(own["body"]) for own in erp.requests(code) if own["key"] == first.id}) == 1


@pytest.mark.accepts("IN-02")
async def test_a_message_is_an_event_with_a_signature_that_is_good_for_this_body_alone(erp: Outside) -> None:
    await told(erp, "seal", "200", "lot/S")
    (request,) = erp.requests("seal")
    headers, body = request["headers"], request["body"]
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    assert headers["Millwright-Signature"] == f"sha256={signature(SECRET, headers['Millwright-Timestamp'], raw)}"
    assert headers["Idempotency-Key"] == body["id"] == request["key"]
    assert (body["specversion"], body["type"], body["subject"]) == ("1.0", "seal.released", "lot/S")
    assert body["data"]["actor"] == "sam"
    assert body["data"]["new"] == {"n": "lot/S"}


@pytest.mark.accepts("IN-02")
def test_what_is_rolled_back_is_not_told_and_what_is_told_stands_in_the_record(erp: Outside, engine: Engine) -> None:
    erp.endpoint("both", "both.*")

    class Changed(Exception):
        pass

    def tell_and_fail() -> None:
        with engine.begin() as connection:
            audit.append(connection, [audit.Entry(datetime.now(UTC), "sam", "both.released", "lot/X", source="test")])
            raise Changed

    with pytest.raises(Changed):
        tell_and_fail()
    assert erp.messages("both") == []
    erp.fact("both.released", "lot/X")
    erp.fact("other.released", "lot/X")
    erp.fact("both.login", "user/sam")
    (message,) = erp.messages("both")
    assert (message.subject, message.state, message.attempts) == ("lot/X", "pending", 0)


@pytest.mark.accepts("IN-02", "B21")
async def test_a_receiver_that_never_takes_it_parks_the_message_and_calls_somebody(erp: Outside) -> None:
    await told(erp, "dead", "500", "lot/A", attempts=3)
    (message,) = erp.messages("dead")
    assert (message.state, message.attempts, message.last_error) == ("parked", 3, "dead did not answer: HTTP 500")
    assert len(erp.requests("dead")) == 3
    (alarm,) = erp.rows("SELECT * FROM alarm WHERE subject = :s", s=f"message/{message.id}")
    assert alarm.code == "MESSAGE_PARKED"
    assert "dead did not answer: HTTP 500" in alarm.detail
    (row,) = erp.rows("SELECT * FROM audit_row WHERE action = 'message.parked' AND entity = :e",
                      e=f"message/{message.id}")  # fmt: skip
    assert row.new["attempts"] == 3


@pytest.mark.accepts("IN-02")
async def test_a_no_is_not_asked_again_and_holds_up_what_follows_about_the_same_subject(erp: Outside) -> None:
    erp.endpoint("shut", "shut.*", "422")
    erp.fact("shut.released", "lot/A")
    erp.fact("shut.closed", "lot/A")
    await erp.deliver("shut")
    first, second = erp.messages("shut")
    assert (first.state, first.attempts) == ("parked", 1)
    assert "HTTP 422" in first.last_error
    assert (second.state, second.attempts) == ("pending", 0)
    # About another subject life goes on.
    erp.endpoint("shut", "shut.*", "200")
    erp.fact("shut.released", "lot/B")
    await erp.deliver("shut")
    assert [own.state for own in erp.messages("shut")] == ["parked", "pending", "delivered"]


@pytest.mark.accepts("IN-02")
async def test_without_its_secret_nothing_is_sent(erp: Outside) -> None:
    erp.endpoint("mute", "mute.*")
    erp.fact("mute.released", "lot/A")
    courier, receiver = erp.courier()
    await courier.look()
    for task in list(courier._running.values()):
        await task
    await receiver.close()
    (message,) = erp.messages("mute")
    assert message.state == "parked"
    assert "MES_ENDPOINT_SECRET_MUTE is not set" in message.last_error
    assert erp.requests("mute") == []


@pytest.mark.accepts("IN-02", "RC-04")
async def test_a_courier_killed_between_delivery_and_mark_sends_again_and_nothing_happens_twice(
    erp: Outside, database: Database
) -> None:
    erp.endpoint("kill", "kill.*")
    for subject in ("lot/A", "lot/B"):
        erp.fact("kill.released", subject)
    environment = {**os.environ, **erp.environment("kill"), "DATABASE_URL": database.app_url}
    command = (sys.executable, "-m", "tests.kills.deadly_courier", "kill")
    for _ in range(2):
        erp.hurry("kill")
        died = await asyncio.create_subprocess_exec(*command, env=environment)
        assert await died.wait() == -signal.SIGKILL
    assert {own.state for own in erp.messages("kill")} == {"pending"}
    await erp.deliver("kill")
    messages = erp.messages("kill")
    assert [own.state for own in messages] == ["delivered", "delivered"]
    assert [own["key"] for own in erp.effects("kill")] == [own.id for own in messages]
    assert len(erp.requests("kill")) > len(messages)


@pytest.mark.accepts("IN-02")
async def test_two_couriers_share_the_work(erp: Outside) -> None:
    erp.endpoint("pair", "pair.*")
    for number in range(20):
        erp.fact("pair.released", f"lot/{number}")
    await asyncio.gather(erp.deliver("pair"), erp.deliver("pair"))
    assert {own.state for own in erp.messages("pair")} == {"delivered"}
    assert len(erp.effects("pair")) == 20


def test_a_receiver_that_bears_little_is_sent_little(erp: Outside, engine: Engine) -> None:
    erp.endpoint("calm", "calm.*")
    erp.rows("UPDATE outbound_endpoint SET per_minute = 2 WHERE code = 'calm' RETURNING 1")
    for number in range(3):
        erp.fact("calm.released", f"lot/{number}")
    sent = 0
    while True:
        with engine.begin() as connection:
            endpoints = [own for own in outbox.due(connection) if own.code == "calm"]
            if not endpoints:
                break
            assert outbox.claim(connection, endpoints[0], 1) is not None
            sent += 1
    assert sent == 2
