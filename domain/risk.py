"""A risk score: how likely a batch is to end badly, by logistic regression on its quality history.

Advice, never a gate. The model is small enough to be looked at: each value's contribution to the score is its own
coefficient times its distance from what is usual, so every score is explained by the numbers that made it.
Pure functions, no library: the same history gives the same model on every machine.
"""

from collections.abc import Mapping, Sequence
from math import exp, log
from statistics import fmean, pstdev
from typing import Final

from domain.base import Message

STEPS: Final = 200
RATE: Final = 0.5
RIDGES: Final = (3.0, 10.0, 30.0, 100.0)
HELD_OUT: Final = 0.3
VALIDATED: Final = 0.25
"""The newest share of the history that is only measured on; the newest share of the rest that chooses the penalty."""
FEWEST: Final = 40
_SMALLEST: Final = 1e-9


class Example(Message):
    """A batch whose end is known: its values by name (those that were measured) and whether it ended badly."""

    batch: str
    values: Mapping[str, float]
    bad: bool


class Feature(Message):
    """What the model knows of one value: what was usual in its history, and the log-odds of one standard deviation."""

    name: str
    usual: float
    deviation: float
    coefficient: float


class Contribution(Message):
    """How much one value moves a score, in log-odds; a value that was not measured moves nothing."""

    name: str
    value: float | None
    usual: float
    effect: float


class Score(Message):
    """The probability of a bad end, and what it comes from, the largest effect first."""

    probability: float
    base_probability: float
    contributions: tuple[Contribution, ...]
    missing: int


class Model(Message):
    """A trained model; `intercept` in log-odds, `base_rate` the share of bad ends in its history."""

    features: tuple[Feature, ...]
    intercept: float
    base_rate: float
    trained_on: int


class Metrics(Message):
    """How well scores tell bad from good on batches that were not learned from.

    `auc`: how often a bad one has the higher score than a good one (0.5 is chance). `brier`: mean squared error of the
    probability (less is better). The baseline gives every batch the share of bad ends of the history.
    """

    batches: int
    bad: int
    auc: float
    brier: float
    baseline_auc: float
    baseline_brier: float


class Learned(Message):
    """A model, the penalty that was chosen for it, how well it does, and from which batch on nothing was learned."""

    model: Model
    ridge: float
    metrics: Metrics
    held_out_from: str


def learn(history: Sequence[Example], names: Sequence[str]) -> Learned:
    """A model from a history in the order of time, measured on its newest part, which it has not seen.

    The penalty is chosen within the older part, by the Brier score on its own newest quarter. What is measured is the
    very model that gives scores. Raises `ValueError` where the history is too short or has ends of one kind alone.
    """
    if len(history) < FEWEST:
        raise ValueError(f"{len(history)} batches whose end is known: {FEWEST} are needed")
    at = round(len(history) * (1 - HELD_OUT))
    older, newest = history[:at], history[at:]
    inner = round(at * (1 - VALIDATED))
    tried = [(measured(train(older[:inner], names, ridge), older[inner:]).brier, ridge) for ridge in RIDGES]
    ridge = min(tried)[1]
    model = train(older, names, ridge)
    return Learned(model=model, ridge=ridge, metrics=measured(model, newest), held_out_from=newest[0].batch)


def train(examples: Sequence[Example], names: Sequence[str], ridge: float = 1.0) -> Model:
    """Fit by gradient descent with a ridge penalty on everything but the intercept.

    Raises `ValueError` without both good and bad ends. A value that was never measured, or never differs, is left out.
    """
    bad = sum(own.bad for own in examples)
    if bad in (0, len(examples)):
        raise ValueError(f"{bad} bad ends in {len(examples)} batches: nothing can be learned")
    scaled = [(name, *_usual([own.values[name] for own in examples if name in own.values])) for name in names]
    kept = [(name, usual, deviation) for name, usual, deviation in scaled if deviation > _SMALLEST]
    rows = [_scaled(own.values, kept) for own in examples]
    ends = [1.0 if own.bad else 0.0 for own in examples]
    rate = bad / len(examples)
    intercept, weights = log(rate / (1 - rate)), [0.0] * len(kept)
    for _ in range(STEPS):
        errors = [_logistic(intercept + _dot(weights, row)) - end for row, end in zip(rows, ends, strict=True)]
        intercept -= RATE * fmean(errors)
        slopes = [
            (sum(error * row[index] for error, row in zip(errors, rows, strict=True)) + ridge * weight) / len(rows)
            for index, weight in enumerate(weights)
        ]
        weights = [weight - RATE * slope for weight, slope in zip(weights, slopes, strict=True)]
    features = tuple(
        Feature(name=name, usual=round(usual, 6), deviation=round(deviation, 6), coefficient=round(weight, 6))
        for (name, usual, deviation), weight in zip(kept, weights, strict=True)
    )
    return Model(features=features, intercept=round(intercept, 6), base_rate=round(rate, 6), trained_on=len(examples))


def score(model: Model, values: Mapping[str, float]) -> Score:
    """The probability for one batch. What was not measured counts as usual, and is named as missing."""
    effects = [
        Contribution(
            name=own.name,
            value=values.get(own.name),
            usual=own.usual,
            effect=own.coefficient * (values.get(own.name, own.usual) - own.usual) / own.deviation,
        )
        for own in model.features
    ]
    return Score(
        probability=_logistic(model.intercept + sum(own.effect for own in effects)),
        base_probability=model.base_rate,
        contributions=tuple(sorted(effects, key=lambda own: -abs(own.effect))),
        missing=sum(own.value is None for own in effects),
    )


def measured(model: Model, held_out: Sequence[Example]) -> Metrics:
    """The model on batches that it has not seen, beside the baseline."""
    scores = [score(model, own.values).probability for own in held_out]
    ends = [own.bad for own in held_out]
    base = [model.base_rate] * len(held_out)
    return Metrics(
        batches=len(held_out), bad=sum(ends), auc=auc(scores, ends), brier=brier(scores, ends),
        baseline_auc=auc(base, ends), baseline_brier=brier(base, ends),
    )  # fmt: skip


def auc(scores: Sequence[float], ends: Sequence[bool]) -> float:
    """The area under the ROC curve: pairs of a bad and a good one in which the bad one scores higher; ties are half."""
    bad = [own for own, end in zip(scores, ends, strict=True) if end]
    good = [own for own, end in zip(scores, ends, strict=True) if not end]
    if not bad or not good:
        raise ValueError("without both good and bad ends there is no such area")
    wins = sum(1.0 if one > other else 0.5 if one == other else 0.0 for one in bad for other in good)
    return wins / (len(bad) * len(good))


def brier(scores: Sequence[float], ends: Sequence[bool]) -> float:
    """The mean squared distance of probability and end."""
    return fmean((own - end) ** 2 for own, end in zip(scores, ends, strict=True))


def _usual(values: Sequence[float]) -> tuple[float, float]:
    return (fmean(values), pstdev(values)) if len(values) > 1 else (0.0, 0.0)


def _scaled(values: Mapping[str, float], kept: Sequence[tuple[str, float, float]]) -> list[float]:
    return [(values.get(name, usual) - usual) / deviation for name, usual, deviation in kept]


def _dot(weights: Sequence[float], row: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, row, strict=True))


def _logistic(logit: float) -> float:
    return 1 / (1 + exp(-logit)) if logit >= 0 else exp(logit) / (1 + exp(logit))
