"""How a neighbour's failure reaches the workflow: a refusal ends the attempts, silence does not."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError

from domain.errors import AdapterRefused


@contextmanager
def adapter_errors() -> Iterator[None]:
    """Turn a refusal into an answer that is not asked for again; unreachable and unknown pass through."""
    try:
        yield
    except AdapterRefused as refusal:
        blockers = [blocker.model_dump(mode="json", by_alias=True) for blocker in refusal.blockers]
        raise ApplicationError(refusal.detail, blockers, type=refusal.code, non_retryable=True) from refusal
