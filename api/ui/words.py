"""What a state looks like, and how limits, shares and durations are written for people."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, Final

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
            "analysed", "prepared",
        ),
        "hold",
    ),
    # red: it is bad
    **dict.fromkeys(
        (
            "outOfSpecification", "rejected", "expired", "recalled", "aborted", "overdue", "down", "outOfTolerance",
            "unqualified", "outOfService", "uncalibrated", "cleanExpired", "dirtyHoldExceeded", "late", "refused",
            "confirmed",
            "ineffective", "failed", "executing", "blocked",
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
