"""Systems outside, for tests: a receiver process, endpoints that lead to it, and what it has made of the messages."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from adapters.outbound.courier import Courier
from adapters.outbound.http import HttpReceiver, variable
from db import audit, outbox
from tests.plant import pauses

SECRET = "a secret that the receiver knows"


class Outside:
    """A receiver process and the endpoints that lead to it."""

    def __init__(self, engine: Engine, folder: Path, port: int) -> None:
        self.engine, self.folder, self.port = engine, folder, port

    def environment(self, *codes: str) -> dict[str, str]:
        """The secrets of endpoints, as the courier's environment holds them."""
        return {variable(kind, code): SECRET for code in codes for kind in ("SECRET", "TOKEN")}

    def endpoint(
        self, code: str, topics: str, plan: str = "200", format: str = "event", attempts: int = 4, **query: str
    ) -> None:
        """An endpoint whose receiver behaves as planned."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        values = {
            "code": code, "topics": topics, "format": format, "attempts": attempts, "at": datetime.now(UTC),
            "url": f"http://127.0.0.1:{self.port}/{code}?plan={plan}{more}",
        }  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO outbound_endpoint (code, name, format, url, topics, attempts, timeout_seconds, "
                    "is_active, set_by, set_at) VALUES (:code, :code, :format, :url, :topics, :attempts, 1, true, "
                    "'ada', :at) ON CONFLICT (code) DO UPDATE SET url = :url, attempts = :attempts"
                ),
                values,
            )

    def courier(self, *codes: str) -> tuple[Courier, HttpReceiver]:
        """A courier in this process; close the receiver when done."""
        receiver = HttpReceiver(self.environment(*codes))
        return Courier(self.engine, receiver), receiver

    async def deliver(self, code: str) -> None:
        """A courier works until nothing of an endpoint can be sent any more; pauses are skipped."""
        courier, receiver = self.courier(code)
        try:
            for _ in range(200):
                self.hurry(code)
                with self.engine.begin() as connection:
                    endpoint = next((own for own in outbox.due(connection) if own.code == code), None)
                if endpoint is None or not self.is_waiting(code):
                    return
                await courier.deliver_next(endpoint)
        finally:
            await receiver.close()

    def hurry(self, code: str) -> None:
        """What waits for its next attempt need not wait."""
        with self.engine.begin() as connection:
            statement = "UPDATE outbound_message SET next_attempt_at = now() WHERE endpoint = :e AND state = 'pending'"
            connection.execute(text(statement), {"e": code})

    def is_waiting(self, code: str) -> bool:
        """Whether something may still be sent: it is pending, and no parked message holds it up."""
        statement = (
            "SELECT 1 FROM outbound_message m WHERE endpoint = :e AND state = 'pending' AND NOT EXISTS (SELECT 1 FROM "
            "outbound_message b WHERE b.endpoint = m.endpoint AND b.subject = m.subject AND b.position < m.position "
            "AND b.state = 'parked')"
        )
        return bool(self.rows(statement, e=code))

    def fact(self, action: str, entity: str, new: dict[str, Any] | None = None) -> None:
        """Something happens in the plant."""
        with self.engine.begin() as connection:
            entry = audit.Entry(datetime.now(UTC), "sam", action, entity, new=new, source="test")
            audit.append(connection, [entry])

    def messages(self, code: str) -> list[Any]:
        """The messages of an endpoint, as they were written."""
        return self.rows("SELECT * FROM outbound_message WHERE endpoint = :e ORDER BY position", e=code)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Rows of the record."""
        with self.engine.begin() as connection:
            return list(connection.execute(text(statement), values).all())

    def effects(self, code: str) -> list[dict[str, Any]]:
        """What the receiver has done, in its order."""
        return self._lines("effects.jsonl", code)

    def requests(self, code: str) -> list[dict[str, Any]]:
        """What reached the receiver."""
        return self._lines("requests.jsonl", code)

    def _lines(self, name: str, code: str) -> list[dict[str, Any]]:
        path = self.folder / name
        lines = path.read_text().splitlines() if path.exists() else []
        found: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [own for own in found if own["path"] == f"/{code}"]


@contextmanager
def outside(engine: Engine, folder: Path) -> Iterator[Outside]:
    """A receiver that listens."""
    process = subprocess.Popen([sys.executable, "-m", "tests.receiver", str(folder), SECRET])
    try:
        for pause in pauses(60):
            if (folder / "port").exists():
                break
            time.sleep(pause)
        yield Outside(engine, folder, int((folder / "port").read_text()))
    finally:
        process.kill()
        process.wait()
