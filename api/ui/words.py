"""How values are written for people: times of the plant, quantities, what a state looks like."""

from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.ui.texts import Words

TONES: Final = {
    # blue: somebody can begin
    **dict.fromkeys(
        (
            "ready", "approved", "dispatched", "allocated", "reviewed", "implemented", "effective", "reconciled",
            "distributed",
            "tested",
        ),
        "ready",
    ),
    # green: it goes on, or is good
    **dict.fromkeys(
        (
            "running", "inProgress", "released", "accepted", "certified", "clean", "inUse", "passed", "resumed",
            "published",
        ),
        "running",
    ),
    # amber: somebody has to look
    **dict.fromkeys(
        (
            "paused", "held", "onHold", "quarantine", "submitted", "short", "created", "resultsEntered", "open",
            "proposed", "retestDue", "inReview", "correction", "cancelling", "dueSoon", "toBeCleaned", "cleaning",
            "underMaintenance", "reserved", "inspecting", "puttingAway", "requalificationDue", "detected", "qaReview",
            "performed", "made",
            "classified", "investigation", "laboratoryPhase1", "laboratoryErrorProven", "retest", "phase2", "reopened",
            "effectivenessCheck", "stopping", "scoped", "releasing", "asked", "stopped", "staysStopped", "requested",
            "analysed",
        ),
        "hold",
    ),
    # red: it is bad
    **dict.fromkeys(
        (
            "outOfSpecification", "rejected", "expired", "recalled", "aborted", "overdue", "down", "outOfTolerance",
            "unqualified", "outOfService", "uncalibrated", "cleanExpired", "dirtyHoldExceeded", "late", "refused",
            "confirmed",
            "ineffective", "failed", "executing",
        ),
        "bad",
    ),
}  # fmt: skip
"""State → colour. Every other state is grey: it is over, or has not begun."""
ICONS: Final = {"ready": "circle", "running": "play", "hold": "pause", "bad": "warning", "done": "check"}

LOT_ICONS: Final = {
    "released": "check", "quarantine": "clock", "onHold": "pause", "retestDue": "refresh", "rejected": "cross",
    "expired": "clock", "recalled": "warning", "returned": "swap", "destroyed": "cross",
}  # fmt: skip
"""Status of a lot → the icon that goes with it."""

_GOOD: Final = frozenset({"released", "accepted", "certified", "clean", "approved"})
_NOT_BEGUN: Final = frozenset({"draft", "pending", "cancelled", "voided"})


def tone(state: object) -> str:
    """`ready`, `running`, `hold`, `bad` or `done`."""
    return TONES.get(str(state), "done")


def icon(state: object) -> str:
    """The icon that goes with it: colour never says it alone."""
    if str(state) in _NOT_BEGUN:
        return "minus"
    return "check" if str(state) in _GOOD else ICONS[tone(state)]


def moment(value: Any) -> datetime | None:
    """A time from the record or from a document."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value).replace("Z", "+00:00"))


class Clock:
    """Times in the plant's own zone."""

    def __init__(self, zone: str, words: Words | None = None) -> None:
        self.zone, self.name = ZoneInfo(zone), zone
        self._words = words or Words("en")

    def offset(self) -> str:
        """`UTC+08:00`: what the plant's time is ahead of UTC now."""
        text = self.now().astimezone(self.zone).strftime("%z")
        return f"UTC{text[:3]}:{text[3:5]}"

    def now(self) -> datetime:
        """The server's time."""
        return datetime.now(UTC)

    def today(self) -> str:
        """`2026-11-27`: the plant's day."""
        return self.now().astimezone(self.zone).date().isoformat()

    def short(self, value: Any) -> str:
        """`11-27 14:05`: the day and minute, as a board shows it; with the year when it is another."""
        at = moment(value)
        if at is None:
            return ""
        local = at.astimezone(self.zone)
        same_year = local.year == self.now().astimezone(self.zone).year
        return local.strftime("%m-%d %H:%M" if same_year else "%Y-%m-%d")

    def exact(self, value: Any) -> str:
        """`2026-11-27 14:05:09 +0800`."""
        at = moment(value)
        return "" if at is None else at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S %z")

    def stamp(self, value: Any) -> str:
        """`11-27 14:05 +0800`: the minute and its zone, for what may be read much later."""
        at = moment(value)
        return "" if at is None else at.astimezone(self.zone).strftime("%m-%d %H:%M %z")

    def field(self, value: Any) -> str:
        """`2026-11-27T14:05`, as a field of a form takes it."""
        at = moment(value)
        return "" if at is None else at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M")

    def is_past(self, value: Any) -> bool:
        """Whether a time has passed; no time has not."""
        at = moment(value)
        return at is not None and at < self.now()

    def age(self, value: Any) -> str:
        """`4 min`, `3 h`, `2 d`: how long ago."""
        at = moment(value)
        if at is None:
            return ""
        seconds = max(0, int((self.now() - at).total_seconds()))
        if seconds < 3600:
            return self._words("age.minutes", count=seconds // 60)
        if seconds < 48 * 3600:
            return self._words("age.hours", count=seconds // 3600)
        return self._words("age.days", count=seconds // 86400)


def quantity(value: Any) -> str:
    """A quantity with groups of thousands and no needless zeros; what is no number stays as it is."""
    if value is None:
        return ""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(value)
    text = f"{number.normalize():,f}"
    return text


def inside(low: Any, high: Any, like: Any) -> tuple[Any, Any]:
    """Limits with three decimals, or as many as `like` has: rounded inwards, so never wider than what holds."""
    try:
        step = Decimal(1).scaleb(min(-3, int(Decimal(str(like)).normalize().as_tuple().exponent)))
        return (
            Decimal(str(low)).quantize(step, rounding=ROUND_CEILING),
            Decimal(str(high)).quantize(step, rounding=ROUND_FLOOR),
        )
    except (InvalidOperation, ValueError, TypeError):
        return low, high


def share(part: Any, whole: Any) -> float:
    """A part of a whole in percent, between 0 and 100."""
    try:
        found = float(Decimal(str(part)) * 100 / Decimal(str(whole)))
    except (InvalidOperation, ZeroDivisionError):
        return 0.0
    return min(100.0, max(0.0, found))


def duration(seconds: Any) -> str:
    """`1:05 h` or `4:30 min`."""
    whole = int(seconds or 0)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
    return f"{whole // 60}:{whole % 60:02d} min"
