"""What two number patterns of a plant have to keep: a number says by itself what it is the number of."""

import itertools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from domain.errors import Blocker
from domain.numbering import compile_pattern, overlap


def shared_numbers(rows: Sequence[Row[Any]]) -> tuple[Blocker, ...]:
    """A blocker for every two patterns of a plant, of different kinds, that could make one and the same number."""
    compiled = [(row, compile_pattern(row.pattern)) for row in rows]
    return tuple(
        Blocker(
            code="PATTERNS_OVERLAP", entity="number pattern", id=f"{one.plant}/{one.kind}/{one.version}",
            found=f"{text} could be of {other.kind} version {other.version}, too",
            required="a number that tells its kind", who_can_fix="processEngineer",
        )
        for (one, first), (other, second) in itertools.combinations(compiled, 2)
        if one.plant == other.plant and one.kind != other.kind and (text := overlap(first, second)) is not None
    )  # fmt: skip
