"""The list of what is proved tells the truth: a failure shows, and what was skipped does not count as proved."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.trace_matrix import known_ids, must_be_proved, result_of, verdict, waiting

ROOT = Path(__file__).parent.parent.parent


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


@pytest.mark.accepts("RC-05")
def test_a_p0_requirement_without_a_passing_test_fails_the_build(tmp_path: Path) -> None:
    needed, later = ["AT-01", "AT-02", "AT-03", "AT-04"], {"AT-04": "next month"}
    good = {"AT-01": "passed", "AT-02": "passed", "AT-03": "passed", "AT-04": "none", "B1": "none"}
    assert verdict(good, needed, later) == []
    bad = good | {"AT-01": "failed", "AT-02": "none"}
    assert verdict(bad, needed, later) == ["AT-01: failed", "AT-02: none"]
    assert verdict(good | {"AT-04": "passed"}, needed, later) == ["AT-04: proved; take it off later.csv"]
    assert verdict(good, needed, {**later, "B1": "why"}) == ["B1: in later.csv, and no P0 requirement"]
    # And so does a run: all that is there passes, and it is not enough.
    code, said = matrix(tmp_path, **{"test_good.py": GOOD})
    assert (code, said["A1"]) == (1, "passed 1")


@pytest.mark.accepts("RC-05")
def test_the_list_of_what_waits_is_short_and_says_why() -> None:
    assert len(must_be_proved()) > 60
    assert waiting().keys() <= set(must_be_proved())
    assert all(len(why) > 20 for why in waiting().values())
    assert len(waiting()) <= 13


def test_every_id_is_listed_once() -> None:
    ids = known_ids()
    assert len(ids) == len(set(ids)) == 189
    assert {"A1", "A23", "B22", "C8", "D7", "E9", "AC-01", "ES-08", "AT-04"} <= set(ids)


GOOD = 'import pytest\n@pytest.mark.accepts("A1")\ndef test_it(): pass\n'
PROOFS = {
    "test_first.py": """
        import pytest

        @pytest.mark.accepts("A1", "A2")
        @pytest.mark.parametrize("n", range(5))
        def test_good(n): pass

        @pytest.mark.accepts("A2")
        def test_bad(): assert False

        @pytest.mark.accepts("A3")
        @pytest.mark.skip(reason="not today")
        def test_skipped(): pass
    """,
    "test_second.py": """
        import pytest

        @pytest.fixture
        def broken_at_the_end():
            yield
            assert False

        @pytest.mark.accepts("A1", "A4")
        def test_good(): pass

        @pytest.mark.accepts("A4")
        def test_with_a_broken_end(broken_at_the_end): pass
    """,
}
DIES = """
        import os
        import pytest

        @pytest.mark.accepts("A5")
        def test_before(): pass

        @pytest.mark.accepts("A5", "A6")
        def test_that_ends_its_process(): os._exit(1)

        @pytest.mark.accepts("A7")
        def test_after(): pass
"""


def matrix(folder: Path, *arguments: str, **files: str) -> tuple[int, dict[str, str]]:
    """Exit code, and what is said of each id, of a run on these files in a folder of their own."""
    for name, content in files.items():
        (folder / name).write_text(textwrap.dedent(content), encoding="utf-8")
    plugins = ("-p", "xdist", "-p", "tests.trace_matrix", "-p", "tests.spread")
    command = [sys.executable, "-m", "pytest", "-q", "--trace-matrix", *plugins, "-p", "no:cacheprovider", *arguments]
    # What other plugins bring takes seconds to load in each process, and nothing here needs it.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = accepts\n", encoding="utf-8")
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False, text=True)
    found = [line.split(" ", 1) for line in done.stdout.splitlines()]
    return done.returncode, {line[0]: line[1] for line in found if line[0] in known_ids()}


def test_several_processes_say_what_one_says(tmp_path: Path) -> None:
    alone = matrix(tmp_path, **PROOFS)
    assert alone == matrix(tmp_path, "-n", "2", **PROOFS)
    code, said = alone
    assert code == 1
    assert list(said) == known_ids()
    assert [said[name] for name in ("A1", "A2", "A3", "A4", "A5")] == [
        "passed 6", "failed 6", "none 0", "failed 2", "none 0",
    ]  # fmt: skip


def test_what_was_run_when_a_process_died_has_failed_and_the_rest_is_run(tmp_path: Path) -> None:
    code, said = matrix(tmp_path, "-n", "2", **PROOFS, **{"test_third.py": DIES})
    assert code == 1
    assert [said[name] for name in ("A1", "A5", "A6", "A7")] == ["passed 6", "failed 2", "failed 1", "passed 1"]


def test_an_unknown_id_is_an_error_in_several_processes_too(tmp_path: Path) -> None:
    bad = 'import pytest\n@pytest.mark.accepts("A999")\ndef test_it(): pass\n'
    code, said = matrix(tmp_path, "-n", "2", **{"test_it.py": bad})
    assert code not in (0, 1)
    assert set(said.values()) <= {"none 0"}
