"""Which pages a terminal may keep for the time without a network, and for whom.

The service worker (`static/worker.js`) keeps a page only when its answer carries `x-keep`: the session that it was made
for (a hash), the idle time in seconds, the end of the session in milliseconds since 1970, and the language. What is
secret or rarely needed is never marked. `x-state` is the server's time of the page, in the plant's zone.
"""

import hashlib
from typing import Final

from fastapi import Request

KEPT: Final = (
    "/ui/tasks", "/ui/board", "/ui/orders", "/ui/picks", "/ui/put-away", "/ui/receipts", "/ui/inspections",
    "/ui/equipment", "/ui/alarms", "/ui/help",
)  # fmt: skip
"""Pages of the shop floor, with everything below them; and the first page of each person."""


def is_kept(path: str) -> bool:
    """Whether a terminal may keep this page for as long as its session lives."""
    return path == "/ui/" or any(path == kept or path.startswith(f"{kept}/") for kept in KEPT)


def mark(request: Request, language: str, state: str) -> dict[str, str]:
    """The headers of a page that may be kept; none for another one."""
    session = request.state.session
    if session is None or request.method != "GET" or not is_kept(request.url.path):
        return {}
    key = hashlib.sha256(f"keep/{request.state.token}".encode()).hexdigest()[:24]
    idle = int(request.app.state.services.sessions.idle.total_seconds())
    until = int(session.expires_at.timestamp() * 1000)
    return {"x-keep": f"{key} {idle} {until} {language}", "x-state": state}
