"""A score of risk: learned, measured on what it has not seen, explained by its values (A22)."""

import random
from pathlib import Path

import pytest

from domain.risk import Example, auc, brier, learn, measured, score, train
from plants.tablets.risk import history, names

pytestmark = pytest.mark.accepts("A22")
SAMPLE = Path(__file__).parents[2] / "plants" / "tablets" / "sample"


def made(count: int, seed: int = 7) -> list[Example]:
    """Batches that end badly the likelier, the more water they have; the noise says nothing."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        water, noise = chance.gauss(3, 1), chance.gauss(0, 1)
        bad = chance.random() < 1 / (1 + 2.718281828 ** (-2 * (water - 3)))
        found.append(Example(batch=f"B{number}", values={"water": water, "noise": noise, "same": 1.0}, bad=bad))
    return found


def test_what_matters_is_found_and_measured_on_batches_that_were_not_seen() -> None:
    learned = learn(made(400), ["water", "noise", "same", "never measured"])
    by_name = {own.name: own for own in learned.model.features}
    assert set(by_name) == {"water", "noise"}, "what never differs and what nobody measured says nothing"
    assert by_name["water"].coefficient > 5 * abs(by_name["noise"].coefficient)
    metrics = learned.metrics
    assert (metrics.batches, learned.held_out_from, learned.model.trained_on) == (120, "B280", 280)
    assert metrics.auc > 0.75
    assert metrics.baseline_auc == 0.5
    assert metrics.brier < metrics.baseline_brier


def test_a_history_of_chance_alone_is_not_better_than_the_baseline() -> None:
    chance = random.Random(3)
    noise = [Example(batch=f"B{n}", values={"a": chance.random()}, bad=chance.random() < 0.3) for n in range(400)]
    metrics = learn(noise, ["a"]).metrics
    assert abs(metrics.auc - 0.5) < 0.12
    assert abs(metrics.brier - metrics.baseline_brier) < 0.02


def test_a_score_is_explained_by_its_values_and_says_what_is_missing() -> None:
    model = train(made(400), ["water", "noise"])
    high, usual = score(model, {"water": 6.0, "noise": 0.0}), score(model, {})
    assert high.probability > 0.9
    assert high.contributions[0].name == "water"
    assert high.contributions[0].effect > 0
    assert (usual.missing, {own.effect for own in usual.contributions}) == (2, {0.0})
    assert abs(usual.probability - model.base_rate) < 0.1


def test_the_same_history_gives_the_same_model() -> None:
    assert learn(made(200), ["water", "noise"]) == learn(made(200), ["noise", "water"][::-1])


@pytest.mark.parametrize("bad", [True, False])
def test_ends_of_one_kind_teach_nothing(bad: bool) -> None:
    same = [own.model_copy(update={"bad": bad}) for own in made(50)]
    with pytest.raises(ValueError, match="nothing can be learned"):
        learn(same, ["water"])


def test_a_short_history_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="40 are needed"):
        learn(made(39), ["water"])


def test_the_figures_are_those_of_their_definitions() -> None:
    ends = [True, False, True, False]
    assert auc([0.9, 0.1, 0.4, 0.4], ends) == (1 + 1 + 1 + 0.5) / 4
    assert brier([1.0, 0.0, 0.5, 0.5], ends) == (0 + 0 + 0.25 + 0.25) / 4
    with pytest.raises(ValueError, match="both good and bad"):
        auc([0.5], [True])
    assert measured(train(made(100), ["water"]), made(60, seed=8)).batches == 60


def test_the_plants_files_are_read_in_the_order_of_time() -> None:
    found = history(SAMPLE / "laboratory.csv", SAMPLE / "process.csv", "impurities_total", 0.2, above=True)
    assert len(found) == 12
    assert found[0].batch == "1"
    assert found[0].bad, "0.33 % are above 0.2 %"
    assert found[0].values["api_water"] == 1.53
    assert found[0].values["press_speed_mean"] == 99.86465621
    assert set(found[0].values) <= set(names())
