"""Orders that go to rest while everything is killed: a plant's wait a quarter of an hour for it, these two seconds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from system import Addresses, ChildSpec

Children: TypeAlias = Callable[[Addresses], Sequence[ChildSpec]]
REST_AFTER_SECONDS: Final = 2


def resting_soon(children: Children) -> Children:
    """The product's processes, with orders that wait on in a new run as soon as nobody touches them for a moment."""

    def of(addresses: Addresses) -> Sequence[ChildSpec]:
        own = {"MES_REST_AFTER_SECONDS": str(REST_AFTER_SECONDS)}
        return [replace(spec, env={**spec.env, **own}) for spec in children(addresses)]

    return of
