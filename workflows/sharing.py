"""Orders of one product hold the same parts: in a worker's memory each part stands once, however many orders have it.
So do quality cases with the rules of their policy.

A value that is frozen says nothing about the order that holds it, so nobody can tell whether two orders have one part
or two that are equal. It is told apart by its class and its JSON, and goes when the last order that has it goes.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from domain.base import Message
from domain.maintenance import MaintenanceSpecification
from domain.quality_cases import CapaSpecification, DeviationSpecification
from domain.specification import OrderSpecification, WorkOrderSpecification
from domain.start import StartCapa, StartDeviation, StartMaintenanceOrder, StartOrder

Part = TypeVar("Part", bound=Message)
Start = StartOrder | StartDeviation | StartCapa | StartMaintenanceOrder
CaseSpecification = DeviationSpecification | CapaSpecification | MaintenanceSpecification
_PARTS: Final[WeakValueDictionary[tuple[type[Message], str], Message]] = WeakValueDictionary()


def one_for_all(part: Part) -> Part:
    """The first value that was equal to this one and is still there; else this one."""
    found = _PARTS.setdefault((type(part), part.model_dump_json()), part)
    return found  # type: ignore[return-value]  # the key names the class


def shared(start: Start) -> Start:
    """The same beginning of an order or a quality case, with the parts that others of this process have, too.

    A run that goes on has its specification as it stands now. It comes with the state and with the beginning, where it
    may be older; whoever holds both has it in memory once.
    """
    state: Any = None
    if start.carried is not None:
        state = start.carried.process if isinstance(start, StartOrder) else start.carried.case
    own = start.specification if state is None else state.specification
    specification = _specification(own) if isinstance(own, OrderSpecification) else _case(own)
    if state is not None:
        state.specification = specification
    return _with(start, specification=specification)


def _specification(own: OrderSpecification) -> OrderSpecification:
    return _with(own, policy=one_for_all(own.policy), work_orders=tuple(map(_work_order, own.work_orders)))


def _case(own: CaseSpecification) -> CaseSpecification:
    return _with(own, rules=one_for_all(own.rules))


def _work_order(own: WorkOrderSpecification) -> WorkOrderSpecification:
    return _with(
        own, materials=_all(own.materials), operations=_all(own.operations), inspection=_all(own.inspection)
    )  # fmt: skip


def _all(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(map(one_for_all, parts))


Whole = TypeVar("Whole", bound=Message)


def _with(whole: Whole, **parts: object) -> Whole:
    """The same value with equal parts; what was not set when it was read still is not."""
    made = whole.model_copy(update=parts)
    object.__setattr__(made, "__pydantic_fields_set__", whole.__pydantic_fields_set__)
    return made
