"""Ten kills while half a dozen real orders are made: the record is the one of a run that nobody disturbed.

The run of `make chaos` in small; what its checker finds is proved in tests/chaos.
"""

from pathlib import Path

import pytest

from chaos.moments import LEAST
from chaos.plan import VICTIMS
from chaos.run import Settings, Watch, run

KILLS = 10
ORDERS = 6
MOMENTS = 30
"""Some are the same twice, so not all are compared."""
SEED = 20261126
"""It draws a batch whose run on the press is recorded: machine jobs and readings are compared, too."""
PLANTS = {"tablets": 2, "jobshop": 1}


@pytest.mark.timeout(1200)
@pytest.mark.accepts("E1", "E2", "E3")
def test_ten_kills_change_nothing(tmp_path: Path) -> None:
    found = run(Settings(seed=SEED, kills=KILLS, orders=ORDERS, plants=PLANTS, moments=MOMENTS), tmp_path, Watch())
    assert found["findings"] == []
    assert found["passed"]
    assert found["undisturbed"]["orders"] == found["disturbed"]["orders"] == {"closed": ORDERS}
    disturbed = found["disturbed"]
    assert disturbed["kills"] == dict.fromkeys(VICTIMS, KILLS // len(VICTIMS))
    assert all(disturbed[what] for what in ("copies", "overtakings", "lostAnswers", "repeatedLater"))
    assert disturbed["answers"] > disturbed["commands"] > 0
    assert disturbed["moments"]["compared"] >= LEAST
    assert 0 < disturbed["moments"]["byQuery"] < disturbed["moments"]["compared"]
    assert all(found["compared"].values()), "nothing is compared that is not there"
