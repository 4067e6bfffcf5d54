"""A run can be repeated: its kills and its orders follow from a seed, or from what an earlier run has written."""

import csv
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from chaos import orders, plan
from chaos.run import Settings, Sources
from plants.jobshop.source import read as read_jobs
from plants.tablets.source import read as read_batches


def test_a_seed_has_one_plan_that_kills_everybody_equally_often() -> None:
    drawn = plan.draw(7, 200)
    assert drawn == plan.draw(7, 200) != plan.draw(8, 200)
    assert Counter(kill.victim for kill in drawn) == dict.fromkeys(plan.VICTIMS, 40)
    assert [kill.share for kill in drawn] == sorted(kill.share for kill in drawn)
    assert drawn[-1].share <= plan.LAST_SHARE


def test_the_plan_of_a_result_is_read_again(tmp_path: Path) -> None:
    drawn = plan.draw(7, 20)
    result = tmp_path / "result.json"
    result.write_text(json.dumps({"passed": False, "plan": plan.document(drawn)}))
    assert plan.read(result) == drawn
    result.write_text(json.dumps(plan.document(drawn)[:3]))
    assert plan.read(result) == drawn[:3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "no kill plan"),
        ('{"passed": true}', "no kill plan"),
        ('[{"share": 0.1, "pause": 0, "victim": "janitor"}]', "kills janitor; there are: worker"),
        ('[{"share": 1.5, "pause": 0, "victim": "api"}]', "between 0 and 1"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(content)
    with pytest.raises(plan.PlanUnreadable, match=said):
        plan.read(file)


def test_the_samples_make_as_many_orders_as_are_asked_for(tmp_path: Path) -> None:
    made = Sources(Settings(seed=3, kills=0, orders=51), tmp_path)
    assert made.tablets is not None
    assert made.jobshop is not None
    batches, jobs = read_batches(made.tablets), read_jobs(made.jobshop)
    assert (len(batches.batches), len(jobs.jobs)) == (25, 26)
    assert batches.unreadable == jobs.unreadable == ()
    assert len({batch.finished_lot for batch in batches.batches}) == 25
    assert len({job.finished_lot for job in jobs.jobs}) == 26
    again = next(batch for batch in batches.batches if batch.number > 10_000 and batch.process)
    first = next(batch for batch in batches.batches if batch.number == again.number % 10_000)
    assert (again.lots, again.waste()) == (first.lots, first.waste()), "the same material under another number"


def test_plants_have_weights() -> None:
    settings = Settings(seed=3, kills=0, orders=101, plants={"tablets": 1, "jobshop": 4})
    assert (settings.orders_of("tablets"), settings.orders_of("jobshop")) == (20, 81)


def test_a_batch_that_is_made_again_has_its_run_on_the_press(tmp_path: Path) -> None:
    made = Sources(Settings(seed=3, kills=0, orders=24, plants={"tablets": 1}), tmp_path)
    assert made.series() is not None
    with (tmp_path / "tablets" / "press_timeseries.csv").open(newline="") as file:
        runs = Counter(row["batch"] for row in csv.DictReader(file, delimiter=";"))
    assert set(runs) == {"19", "60", "10019", "10060"}
    assert runs["19"] == runs["10019"]


def test_a_plant_that_is_not_there_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"laboratory\.csv"):
        orders.tablets(tmp_path / "nowhere", 3, random.Random(1), tmp_path / "to")
