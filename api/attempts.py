"""How often somebody may fail to log in: by the place it comes from, and by the account.

It keeps a guesser from trying many accounts from one place, and from making the server compute password hashes. It
counts in this process: with n API processes a guesser gets n times as many attempts, and each account its lock-out.
"""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from api.errors import Problem

WINDOW_SECONDS: Final = 60.0
PER_SOURCE: Final = 60
PER_ACCOUNT: Final = 10
_KEPT: Final = 20_000


class Attempts:
    """Failed attempts of the last minute. May be asked from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, source: str, account: str) -> None:
        """Raise 429 TOO_MANY_ATTEMPTS with Retry-After when one of both has failed too often.

        Attempts that are under way are not counted: thirty good logins of one account at once are no guesses, and a
        guesser who sends many at once gets as many more as the server takes at a time; then each account's own lock.
        """
        at = self._clock()
        with self._lock:
            found = [(self._of(key, at), limit) for key, limit in _limits(source, account)]
            waits = [times[-limit] + WINDOW_SECONDS - at for times, limit in found if len(times) >= limit]
        if waits:
            seconds = max(1, math.ceil(max(waits)))
            detail = f"too many failed attempts; try again in {seconds} seconds"
            raise Problem(429, "TOO_MANY_ATTEMPTS", detail, retryAfterSeconds=seconds)

    def failed(self, source: str, account: str) -> None:
        """One more failure."""
        at = self._clock()
        with self._lock:
            for key, _ in _limits(source, account):
                self._of(key, at).append(at)

    def _of(self, key: str, at: float) -> deque[float]:
        times = self._failed.setdefault(key, deque())
        self._failed.move_to_end(key)
        while times and times[0] <= at - WINDOW_SECONDS:
            times.popleft()
        while len(self._failed) > _KEPT:
            self._failed.popitem(last=False)
        return times


def _limits(source: str, account: str) -> tuple[tuple[str, int], ...]:
    # A source is "address; program": the program is what the caller says of itself.
    return (f"source/{source.partition(';')[0]}", PER_SOURCE), (f"account/{account}", PER_ACCOUNT)
