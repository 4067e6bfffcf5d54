"""Task queues, timeouts and retry policies: one table, each number with its reason."""

from datetime import timedelta
from typing import Any, Final

from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.workflow import ActivityCancellationType, ParentClosePolicy

TASK_QUEUE: Final = "mes-orders"
EQUIPMENT_QUEUE: Final = "mes-equipment"


def workflow_id(order_number: str) -> str:
    """The workflow id of an order: its business id, so that a second start is refused by the server."""
    return f"production-order/{order_number}"


def deviation_id(number: str) -> str:
    """The workflow id of a deviation."""
    return f"deviation/{number}"


def capa_id(number: str) -> str:
    """The workflow id of a corrective and preventive action."""
    return f"capa/{number}"


def lot_hold_id(number: str) -> str:
    """The workflow id of a hold of lots."""
    return f"lot-hold/{number}"


def maintenance_id(number: str) -> str:
    """The workflow id of a maintenance order."""
    return f"maintenance/{number}"


LONGEST_TRANSACTION_SECONDS: Final = 8
"""Shorter than any time-out of an activity that writes: when an order asks again, or gives back what it took, the
earlier attempt is over and cannot come after it."""

WRITE_RECORD_AT_ONCE: Final[dict[str, Any]] = {
    # One short transaction; a database that is down is asked for ever: the facts are not lost meanwhile.
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=2)),
    # Above this wait the retry is a timer of the server instead of a busy workflow task.
    "local_retry_threshold": timedelta(seconds=5),
}

WRITE_RECORD: Final[dict[str, Any]] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10)),
}

ASK_NEIGHBOUR: Final[dict[str, Any]] = {
    # A lost worker, not a slow neighbour, is what this bounds: so long does an order stand still after a kill. Asking
    # again while the first ask still runs is harmless: both carry the same key.
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}

ARCHIVE_RECORD: Final[dict[str, Any]] = {
    # A record of thousands of lines takes a while to be set in type.
    "start_to_close_timeout": timedelta(minutes=10),
    # A worker that died over it is noticed by the missing heartbeat.
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}

WATCH_EQUIPMENT: Final[dict[str, Any]] = {
    # One short transaction for each item that is due: what an attempt that took too long has written stays written. So
    # long does the register's time stand still after a kill. A database that is down is asked for ever.
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=60)),
}

MAKE_REPORTS: Final[dict[str, Any]] = {
    # Some reports after a long stop, each in a transaction of its own: what was made stays made. A report that cannot
    # be made is tried again, more and more rarely; the others do not wait for it.
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=15)),
}

SETTLE_LOT: Final[dict[str, Any]] = {
    # Keyed, so it is asked until somebody answers; a refusal is an answer.
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
}

HOLD_LOT: Final[dict[str, Any]] = {
    # Reads and keyed writes; waits up to two seconds for answers. Asked until it is done: a hold is never given up.
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
}

OWN_LIFE: Final[dict[str, Any]] = {
    # Begun by another process, and ended by its own decision alone. A number is used once.
    "parent_close_policy": ParentClosePolicy.ABANDON,
    "id_reuse_policy": WorkflowIDReusePolicy.REJECT_DUPLICATE,
}

RUN_JOB: Final[dict[str, Any]] = {
    "task_queue": EQUIPMENT_QUEUE,
    # A job lasts as long as the batch; a dead gateway is noticed by the missing heartbeat.
    "start_to_close_timeout": timedelta(days=7),
    "heartbeat_timeout": timedelta(seconds=6),
    "retry_policy": RetryPolicy(maximum_attempts=1),
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}

READ_SCALE: Final[dict[str, Any]] = {
    "task_queue": EQUIPMENT_QUEUE,
    # A person stands beside the scale and waits; without a gateway the order says so and asks again.
    "start_to_close_timeout": timedelta(seconds=10),
    "schedule_to_start_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}

ABORT_JOB: Final[dict[str, Any]] = {
    "task_queue": EQUIPMENT_QUEUE,
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}

WORTH_A_REST: Final = 24
"""From so many events on a run is replaced by a new one, which has four, when nobody touches its order."""
WORTH_A_REST_RELEASED: Final = 8
"""The same for an order that waits for its dispatch, as most of a plant's open orders do."""
REST_SPREAD: Final = 1.5
"""The longest time until then, as a multiple of the shortest: orders that were released together do not all begin their
new runs in one moment."""

NEIGHBOUR_BACK_OFF: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300)
"""Seconds between attempts at a neighbour that does not answer; the last one repeats. People may ask for it now."""


def back_off(attempt: int) -> timedelta:
    """How long to wait after attempt number `attempt` (from 1)."""
    return timedelta(seconds=NEIGHBOUR_BACK_OFF[min(attempt, len(NEIGHBOUR_BACK_OFF)) - 1])
