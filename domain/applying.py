"""The one door to changes of an order's state; its implementations stand in `folding` and `folding_record`."""

from functools import singledispatch

from domain import events as e
from domain.process import Process


@singledispatch
def apply(event: object, process: Process, fact: e.Fact) -> None:
    """Change `process` as `event` says. Every kind of event has an implementation of its own."""
    raise NotImplementedError(f"no rule for {type(event).__name__}")
