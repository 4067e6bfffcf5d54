"""A heartbeat beside work that does not come back in between: a worker that died is noticed soon, a slow one is not."""

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from temporalio import activity

_SECONDS: Final = 2.0


@contextmanager
def heartbeat() -> Iterator[None]:
    """Beat from a thread of its own for as long as the block lasts. For activities that run in a thread themselves."""
    over = threading.Event()

    def beat() -> None:
        while not over.is_set():
            activity.heartbeat()
            over.wait(_SECONDS)

    # The activity that beats is known by the context of its thread.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(beat,), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
