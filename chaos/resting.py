"""Orders that go to rest while everything is killed: a plant's wait a quarter of an hour for it, these two seconds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from temporalio.client import Client

from system import Addresses, ChildSpec

Children: TypeAlias = Callable[[Addresses], Sequence[ChildSpec]]
REST_AFTER_SECONDS: Final = 2
_NEW_RUNS: Final = "WorkflowType = 'ProductionOrder' AND ExecutionStatus = 'ContinuedAsNew'"


def resting_soon(children: Children) -> Children:
    """The product's processes, with orders that wait on in a new run as soon as nobody touches them for a moment."""

    def of(addresses: Addresses) -> Sequence[ChildSpec]:
        own = {"MES_REST_AFTER_SECONDS": str(REST_AFTER_SECONDS)}
        return [replace(spec, env={**spec.env, **own}) for spec in children(addresses)]

    return of


async def new_runs(addresses: Addresses) -> int:
    """How many runs of orders were replaced by a new one so far."""
    client = await Client.connect(addresses.temporal_address, namespace=addresses.temporal_namespace)
    return (await client.count_workflows(_NEW_RUNS)).count
