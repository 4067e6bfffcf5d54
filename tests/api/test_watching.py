"""The API publishes the head of the audit trail and looks at its clock; both against things that may lie or be gone."""

import asyncio
import dataclasses
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from adapters.clock.port import ReferenceUnreachable
from adapters.clock.record import RecordClock
from adapters.clock.sntp import Sntp
from api.app import create_app
from api.watching import ClockWatch, reference_of
from db import audit
from db.audit_heads import Heads
from settings import Settings, SettingWrong, from_environment
from tests.api.company import Company
from tests.api.signing import audited

SINCE_1900 = 2_208_988_800


class FakeTimeServer:
    """An SNTP server whose clock is wrong by as much as it is told."""

    def __init__(self) -> None:
        self.ahead, self.stratum, self.is_silent, self.forges = 0.0, 1, False, False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                asked, where = self._socket.recvfrom(512)
            except OSError:
                return
            if len(asked) < 48 or self.is_silent:
                continue
            mark = asked[40:48] if not self.forges else b"12345678"
            stamp = int((datetime.now(UTC).timestamp() + self.ahead + SINCE_1900) * 2**32) % 2**64
            head = bytes((0b00_100_100, self.stratum, 0, 0)) + bytes(12)
            self._socket.sendto(head + struct.pack("!Q", stamp) + mark + struct.pack("!QQ", stamp, stamp), where)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def server() -> Iterator[FakeTimeServer]:
    made = FakeTimeServer()
    yield made
    made.close()


def alarms(engine: Engine, code: str) -> list[str]:
    with engine.connect() as connection:
        statement = text("SELECT detail FROM alarm WHERE code = :code ORDER BY id")
        return list(connection.execute(statement, {"code": code}).scalars())


def until(ready: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    for _ in range(600):
        if ready():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.mark.accepts("AT-07")
def test_a_clock_that_is_off_by_more_than_two_seconds_raises_one_alarm(engine: Engine, server: FakeTimeServer) -> None:
    watch = ClockWatch(engine, Sntp("127.0.0.1", server.port))
    for ahead, expected in ((0.0, 0.0), (-1.5, 1.5), (2.5, -2.5), (3.5, -3.5), (0.5, -0.5), (-60.0, 60.0)):
        server.ahead = ahead
        found = watch.look()
        assert found == pytest.approx(expected, abs=0.4), ahead
    raised = alarms(engine, "CLOCK_DIFFERS")
    assert len(raised) == 2
    assert "behind ntp://127.0.0.1" in raised[0]
    assert "ahead of ntp://127.0.0.1" in raised[1]
    assert [row.action for row in [*audited(engine, "clock.differs"), *audited(engine, "clock.agrees")]] == [
        "clock.differs", "clock.differs", "clock.agrees",
    ]  # fmt: skip
    with engine.connect() as connection:
        assert audit.verify(connection).broken_at is None


@pytest.mark.accepts("AT-07")
def test_a_reference_that_does_not_answer_or_lies_is_an_alarm_and_no_time(
    engine: Engine, server: FakeTimeServer
) -> None:
    clock = Sntp("127.0.0.1", server.port, timeout=0.2)
    for change in ({"stratum": 0}, {"forges": True}, {"is_silent": True}):
        vars(server).update({"stratum": 1, "forges": False, "is_silent": False, **change})
        with pytest.raises(ReferenceUnreachable, match="ntp://127"):
            clock.ahead()
    watch = ClockWatch(engine, clock)
    assert (watch.look(), watch.look()) == (None, None)
    assert len(alarms(engine, "CLOCK_NOT_CHECKED")) == 1


def test_the_record_may_be_the_reference(engine: Engine, settings: Settings) -> None:
    assert abs(RecordClock(engine).ahead()) < 2
    chosen = {
        "": None, "record": "the database server", "ntp://time.plant": "ntp://time.plant",
        "ntp://time.plant:1123": "ntp://time.plant:1123",
    }  # fmt: skip
    for name, shown in chosen.items():
        found = reference_of(dataclasses.replace(settings, clock_reference=name), engine)
        assert (found and found.name) == shown
    least = {"DATABASE_URL": "postgresql://x", "TEMPORAL_ADDRESS": "x:1"}
    assert from_environment({**least, "MES_CLOCK_REFERENCE": "ntp://t"}).clock_reference == "ntp://t"
    for wrong in ("time.plant", "http://time.plant", "ntp://"):
        with pytest.raises(SettingWrong, match="MES_CLOCK_REFERENCE"):
            from_environment({**least, "MES_CLOCK_REFERENCE": wrong})


@pytest.mark.accepts("AT-07")
async def test_the_plants_time_zone_is_said(company: Company) -> None:
    answer = (await company.client.get("/api/v1/healthz")).json()
    assert answer["timeZone"] == "Asia/Shanghai"
    assert datetime.fromisoformat(answer["time"]).utcoffset() is not None


@pytest.mark.accepts("AT-04")
async def test_the_head_is_published_while_the_api_runs_and_when_it_stops(
    company: Company, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    heads = Heads(tmp_path / "heads.jsonl")
    app = create_app(dataclasses.replace(settings, audit_heads=heads.path, audit_head_seconds=3600))
    async with app.router.lifespan_context(app):
        await asyncio.to_thread(until, heads.read)
        await company.login("aud")
    with engine.connect() as connection:
        last = audit.head(connection)
        assert audit.verify(connection, heads.read()).broken_at is None
    assert (heads.read()[-1].seq, heads.read()[-1].hash) == last
    assert len(heads.read()) == 2
    # A file that cannot be written to is an alarm, and keeps nobody from working.
    (tmp_path / "file").write_text("")
    app = create_app(dataclasses.replace(settings, audit_heads=tmp_path / "file" / "heads.jsonl"))
    async with app.router.lifespan_context(app):
        await asyncio.to_thread(until, lambda: alarms(engine, "AUDIT_HEAD_NOT_PUBLISHED"))
