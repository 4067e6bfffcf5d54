"""Orders as somebody saw them in the middle of it, and what `?at=` tells of the same moments when all is over (E3).

A moment has to be one: the time of the last fact that was seen. A look is not compared when that time does not name
its revision alone (a later fact has the same time or an earlier one: a command has the time at which it came in), or
when something beside the order's facts changed between that fact and the look: a deviation, a link of its plan line,
the status of one of its lots.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, LiteralString
from urllib.parse import quote

import psycopg

from chaos.check import Finding
from chaos.clients import API, Clients
from replay.people import PLANNER

LEAST: Final = 10
"""So many moments have to be compared in a run, if that many were asked for."""
NEWEST: Final = 12
"""A look is at one of the orders that were made last: they are on their way."""
_FIRST, _LAST = 0.03, 0.97
_LOT_NAMES: Final = ("lot", "batch", "outputLot")
_OF_THE_RECORD: Final = frozenset({"signatures", "deviations", "actualStart", "actualEnd", "inputLots"})
"""What `/state` takes from the record: it may be older or newer there than the order that was asked."""

_FACTS: Final[LiteralString] = "SELECT revision, at FROM order_fact WHERE order_number = %s ORDER BY revision"
_BESIDE: Final[LiteralString] = (
    "SELECT opened_at FROM deviation WHERE order_number = %(order)s "
    "UNION ALL SELECT created_at FROM plan_line_link WHERE child = %(line)s OR parent = %(line)s "
    "UNION ALL SELECT at FROM state_transition WHERE entity = 'lot' AND entity_id = ANY(%(lots)s)"
)


@dataclass(frozen=True)
class Look:
    """An order's document as it was shown. `is_query`: by the order's own process, not by the record."""

    document: dict[str, Any]
    answered_at: datetime
    is_query: bool

    @property
    def number(self) -> str:
        """The order's number."""
        return str(self.document["number"])

    @property
    def revision(self) -> int:
        """The last fact that was seen."""
        return int(self.document["revision"])

    @property
    def path(self) -> str:
        """Where the order is asked for."""
        return f"{API}/mes/orders/{self.document['id']}"


@dataclass
class Looks:
    """What the readers of a run saw and what they were told of it later."""

    wanted: int = 0
    taken: list[Look] = field(default_factory=list)
    compared: list[Look] = field(default_factory=list)
    unclear: int = 0
    """Looks at no moment that can be named."""
    findings: list[Finding] = field(default_factory=list)

    def enough(self) -> bool:
        """Whether as many moments were compared as a run has to have."""
        return len(self.compared) >= min(LEAST, self.wanted)

    def document(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "taken": len(self.taken), "compared": len(self.compared), "notOneMoment": self.unclear,
            "byQuery": sum(look.is_query for look in self.compared),
            "orders": len({look.number for look in self.compared}),
        }  # fmt: skip


class Readers:
    """They look at orders at moments of chance, while the orders are made and everything is killed."""

    def __init__(
        self, clients: Clients, *, seed: int, wanted: int, expected: int, long: Sequence[str] = (), who: str = PLANNER
    ) -> None:
        self.looks = Looks(wanted)
        self._clients, self._expected, self._long, self._who = clients, expected, long, who
        self._dice = random.Random(f"moments/{seed}")
        self._shares = sorted(self._dice.uniform(_FIRST, _LAST) for _ in range(wanted))

    async def run(self) -> None:
        """All looks, each when its share of the commands has been answered."""
        for share in self._shares:
            while self._clients.told.answered() < share * self._expected or not self._clients.orders():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await self.look(self._chosen(), is_query=self._dice.random() < 0.5)

    async def look(self, order_id: str, *, is_query: bool) -> None:
        """Take down what is shown of an order now, by its own process or by the record."""
        found = await self._clients.fetch(self._who, f"{API}/mes/orders/{order_id}{'/state' if is_query else ''}")
        if isinstance(found, dict) and "revision" in found:
            # No worker may have answered: then it is the record's own answer, and has to be told again whole.
            live = not found.pop("stale", True)
            self.looks.taken.append(Look(found, datetime.now(UTC), live))

    def _chosen(self) -> str:
        """One of the newest orders; where there is a long one, every other look is at that."""
        known = self._clients.orders()
        long = [order for order in known if order in self._long]
        return self._dice.choice(long if long and self._dice.random() < 0.5 else known[-NEWEST:])

    async def ask_again(self, database_url: Callable[[], str]) -> None:
        """`?at=` for every moment; what is told differently now is found. `database_url` is the owner's."""
        seen: dict[tuple[str, int, bool], Look] = {}
        for look in self.looks.taken:
            seen.setdefault((look.number, look.revision, look.is_query), look)
        for look in seen.values():
            moment = await asyncio.to_thread(_asked, database_url, look)
            if moment is None:
                self.looks.unclear += 1
                continue
            then = await self._clients.fetch(self._who, f"{look.path}?at={quote(moment.isoformat())}")
            self.looks.compared.append(look)
            self.looks.findings += told_again(look, moment, then)


def _asked(database_url: Callable[[], str], look: Look) -> datetime | None:
    """The moment of a look by a record that may just be coming back."""
    with psycopg.connect(database_url()) as connection:
        return moment_of(connection, look)


def moment_of(connection: psycopg.Connection[Any], look: Look) -> datetime | None:
    """The time of the last fact that was seen; None if that is not one moment of what was shown."""
    facts = connection.execute(_FACTS, (look.number,)).fetchall()
    last = next((at for revision, at in facts if revision == look.revision), None)
    if last is None or any(at <= last for revision, at in facts if revision > look.revision):
        return None
    about = {"order": look.number, "line": look.document["planLine"], "lots": sorted(set(_lots(look.document)))}
    beside = connection.execute(_BESIDE, about).fetchall()
    return None if any(last < at <= look.answered_at for (at,) in beside) else last


def told_again(look: Look, moment: datetime, then: Any) -> list[Finding]:
    """What is told of a moment otherwise than it was seen."""
    how = "its process" if look.is_query else "the record"
    where = f"order {look.number} at {moment.isoformat()}, revision {look.revision}"
    if not isinstance(then, dict):
        return [Finding("retold", where, f"seen by {how}; now nothing is told of it")]
    left_out = _OF_THE_RECORD if look.is_query else frozenset()
    return [Finding("retold", where, f"by {how}: {other}") for other in differences(look.document, then, left_out)]


def differences(live: Any, then: Any, left_out: frozenset[str] = frozenset(), path: str = "") -> Iterator[str]:
    """Where two documents differ, with both values; keys of `left_out` are not looked at, at any depth."""
    if isinstance(live, dict) and isinstance(then, dict):
        for key in sorted((live.keys() | then.keys()) - left_out):
            yield from differences(live.get(key), then.get(key), left_out, f"{path}/{key}")
    elif isinstance(live, list) and isinstance(then, list) and len(live) == len(then):
        for at, (one, other) in enumerate(zip(live, then, strict=True)):
            yield from differences(one, other, left_out, f"{path}/{at}")
    elif live != then:
        yield f"{path}: seen {live!r}, now {then!r}"


def _lots(part: Any) -> Iterator[str]:
    """The lots that a document names anywhere."""
    if isinstance(part, dict):
        for key, own in part.items():
            if key in _LOT_NAMES and isinstance(own, str):
                yield own
            yield from _lots(own)
    elif isinstance(part, list):
        for own in part:
            yield from _lots(own)
