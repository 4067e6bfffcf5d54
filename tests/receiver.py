"""An ERP, QMS or chat robot as a process of its own: takes messages over HTTP, and fails as it is told to.

`python -m tests.receiver FOLDER SECRET` writes its port into FOLDER/port. In the address `plan=500,hang,200` says how
the first, second … delivery of each message ends; the last word repeats. `hang` and `drop` do the work first and then
answer late or not at all; `late` says 503 and does the work all the same. Every request is a line in requests.jsonl,
every effect one in effects.jsonl: an idempotency key that was seen before has no second one.
"""

import hashlib
import hmac
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

LATE_SECONDS = 2.5


class Receiver(ThreadingHTTPServer):
    """What was received, and the effects of it."""

    def __init__(self, folder: Path, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.secret = folder, secret
        self.lock = threading.Lock()
        self.deliveries: dict[tuple[str, str], int] = {}
        self.done: set[tuple[str, str]] = set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Senders hang up on us: that is what the tests are about."""

    def note(self, name: str, what: dict[str, Any]) -> None:
        """A line in a file."""
        with (self.folder / name).open("a") as sink:
            sink.write(json.dumps(what) + "\n")


class Handler(BaseHTTPRequestHandler):
    """One message."""

    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        key = self.headers.get("Idempotency-Key") or hashlib.sha256(body).hexdigest()
        with self.server.lock:
            plan = query.get("plan", ["200"])[0].split(",")
            nth = self.server.deliveries[parts.path, key] = self.server.deliveries.get((parts.path, key), 0) + 1
            step = plan[min(nth, len(plan)) - 1]
            content = json.loads(body)
            self.server.note("requests.jsonl", {"path": parts.path, "query": parts.query, "key": key, "step": step,
                                                "headers": dict(self.headers.items()), "body": content})  # fmt: skip
            if query.get("unsigned") != ["yes"] and not self._is_signed(body):
                self._answer(401)
                return
            if step in ("200", "hang", "drop", "late", "robot") and (parts.path, key) not in self.server.done:
                self.server.done.add((parts.path, key))
                self.server.note("effects.jsonl", {"path": parts.path, "key": key, "body": content})
        match step:
            case "hang":
                time.sleep(LATE_SECONDS)
                self._answer(200)
            case "drop":
                self.connection.close()
            case "late":
                self._answer(503)
            case "robot":
                self._answer(200, b'{"errcode":0,"errmsg":"ok"}')
            case "busy":
                self._answer(200, b'{"errcode":45009,"errmsg":"too many"}')
            case _:
                self._answer(int(step))

    def _is_signed(self, body: bytes) -> bool:
        stamp = self.headers.get("Millwright-Timestamp", "")
        expected = hmac.new(self.server.secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.headers.get("Millwright-Signature", ""), f"sha256={expected}")

    def _answer(self, status: int, body: bytes = b"{}") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""


if __name__ == "__main__":
    where = Path(sys.argv[1])
    receiver = Receiver(where, sys.argv[2])
    (where / "port.new").write_text(str(receiver.server_port))
    (where / "port.new").rename(where / "port")
    receiver.serve_forever()
