"""The task queues as the engine sees them: who asks for work, and what lies there."""

from asyncio import gather
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from api.orders_door import RPC, reached
from workflows.policies import EQUIPMENT_QUEUE

KINDS: Final = {"workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY}


@dataclass(frozen=True)
class Queue:
    """One task queue. `workers`: who asks it for work, and when last; `backlog`: tasks that nobody has taken."""

    name: str
    kind: str
    workers: tuple[tuple[str, datetime], ...]
    backlog: int
    oldest_seconds: int


async def queues(client: Client, names: tuple[str, ...]) -> list[Queue]:
    """The queues as the engine sees them. Raises 503 when it cannot be reached."""
    # Machines are asked by activities alone: nobody waits for decisions in their queue.
    asked = [(name, kind) for name in names for kind in KINDS if (name, kind) != (EQUIPMENT_QUEUE, "workflow")]
    return await gather(*(_queue(client, name, kind) for name, kind in asked))


async def _queue(client: Client, name: str, kind: str) -> Queue:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=KINDS[kind], report_stats=True
    )
    found = await reached(client.workflow_service.describe_task_queue(request, timeout=RPC))
    workers = tuple(
        (own.identity, own.last_access_time.ToDatetime(tzinfo=UTC))
        for own in sorted(found.pollers, key=lambda own: own.identity)
    )
    stats = found.stats
    return Queue(
        name, kind, workers, stats.approximate_backlog_count, stats.approximate_backlog_age.ToTimedelta().seconds
    )  # fmt: skip


LONGEST_POLL: Final = timedelta(seconds=75)
"""A worker asks again after a minute at the latest. The engine remembers for five minutes who has asked."""


async def is_served(client: Client, name: str) -> bool:
    """Whether a worker asks for decisions and for activities of a queue. Raises 503 when the engine is away."""
    since = datetime.now(UTC) - LONGEST_POLL
    found = await gather(*(_queue(client, name, kind) for kind in KINDS))
    return all(any(asked > since for _, asked in queue.workers) for queue in found)
