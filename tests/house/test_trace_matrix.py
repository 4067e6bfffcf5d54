"""The list of what is proved tells the truth: a failure shows, and what was skipped does not count as proved."""

import pytest

from tests.trace_matrix import known_ids, result_of


@pytest.mark.parametrize(
    ("outcomes", "result"),
    [
        ([], ("none", 0)),
        (["skipped", "skipped"], ("none", 0)),
        (["passed", "skipped"], ("passed", 1)),
        (["passed", "failed", "passed"], ("failed", 3)),
    ],
)
def test_one_failure_is_a_failure_and_a_skip_is_no_proof(outcomes: list[str], result: tuple[str, int]) -> None:
    assert result_of(outcomes) == result


def test_every_id_is_listed_once() -> None:
    ids = known_ids()
    assert len(ids) == len(set(ids)) == 189
    assert {"A1", "A23", "B22", "C8", "D7", "E9", "AC-01", "ES-08", "AT-04"} <= set(ids)
