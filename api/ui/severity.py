"""How bad something is, so that the worst stands first. What quality has classified counts as it was classified."""

from typing import Final

from domain.exceptions import ExceptionType as E

RANK: Final = {"critical": 0, "major": 1, "": 2, "minor": 3}
"""Severity → place in a list; what nobody has classified yet stands before what is known to be minor."""
TONES: Final = {"critical": "bad", "major": "hold", "": "ready", "minor": "done"}
"""Severity → colour."""
_CRITICAL: Final = frozenset(
    {
        E.PARAMETER_OUT_OF_LIMITS, E.CHARGE_OUT_OF_LIMITS, E.OUT_OF_SPECIFICATION, E.IN_PROCESS_TEST_FAILED,
        E.MATERIAL_NOT_USABLE, E.MATERIAL_NOT_SPECIFIED, E.ABORTED,
    }
)  # fmt: skip
"""The product itself, or what it is made from, was not as it has to be."""
_MINOR: Final = frozenset({E.COMMENT, E.COMMUNICATION_FAILURE, E.MANUAL_INSTEAD_OF_AUTOMATIC})
"""Nothing was wrong with the product or the data; somebody should have read it."""


def of_exception(kind: str) -> str:
    """critical, major or minor: the order in which a reviewer looks at the exceptions of a batch."""
    if kind in _CRITICAL:
        return "critical"
    return "minor" if kind in _MINOR else "major"
