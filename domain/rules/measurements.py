"""Judging measured values against limits: for operations, for inspections, for received lots alike."""

from collections.abc import Iterable

from domain import events as e
from domain.commands import Measurement
from domain.errors import Blocker
from domain.evidence import evidence_blockers
from domain.quantities import NotAPlainDecimal, exact
from domain.rules.common import check
from domain.specification import Characteristic


def judge_values(
    identity: str, characteristics: Iterable[Characteristic], values: Iterable[Measurement]
) -> tuple[e.JudgedValue, ...]:
    """Judge every value against its characteristic. The limits are inclusive; the entered text is kept (AT-10).

    Refuses, all at once, names that nobody asked for, texts that are not plain decimals, and units that differ.
    A value is never refused for being bad.
    """
    known = {characteristic.name: characteristic for characteristic in characteristics}
    blockers: list[Blocker] = []
    judged: list[e.JudgedValue] = []

    def stop(code: str, name: str, found: str, required: str) -> None:
        blockers.append(Blocker(code=code, entity="parameter", id=f"{identity}/{name}", found=found, required=required))

    for entered in values:
        characteristic = known.get(entered.name)
        if characteristic is None:
            stop("UNKNOWN_PARAMETER", entered.name, entered.name, f"one of {', '.join(known) or 'none'}")
            continue
        if entered.unit and entered.unit != characteristic.unit:
            stop("WRONG_UNIT", entered.name, entered.unit, characteristic.unit)
            continue
        try:
            value = exact(entered.text)
        except NotAPlainDecimal:
            stop("NOT_A_NUMBER", entered.name, entered.text.strip() or "nothing", "a plain decimal such as 12.500")
            continue
        blockers += evidence_blockers(identity, characteristic.evidence, entered)
        judged.append(
            e.JudgedValue(
                name=entered.name,
                text=entered.text,
                unit=characteristic.unit,
                value=value,
                low=characteristic.low,
                high=characteristic.high,
                within_limits=characteristic.accepts(value),
                is_warning=characteristic.accepts(value) and characteristic.warns(value),
                measured_with=entered.measured_with,
            )
        )
    check(blockers)
    return tuple(judged)
