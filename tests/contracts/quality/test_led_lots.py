"""Received lots where deviations have a process of their own: stopped at once, freed or rejected by the decision."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, text

from adapters.quality.port import LotAnswer
from db.tables import PlantPolicy, core
from domain.errors import AdapterRefused
from domain.policy import Policy
from domain.quality_cases import CaseDisposition
from tests.contracts.quality.test_contract import Laboratory, water
from tests.db.database import Database, unique


@pytest.fixture
def laboratory(database: Database) -> Iterator[Laboratory]:
    """A laboratory of a plant whose policy in force gives deviations a process."""
    own = Laboratory(database)
    policy = Policy(code=unique("led"), deviation_process=True)
    with own.engine.begin() as connection:
        body = policy.model_dump(mode="json", by_alias=True)
        connection.execute(insert(core(PlantPolicy)).values(code=policy.code, version=1, body=body))
    yield own
    with own.engine.begin() as connection:
        off = "UPDATE plant_policy SET body = body || '{\"deviationProcess\": false}' WHERE code = :code"
        connection.execute(text(off), {"code": policy.code})


def numbers(own: Laboratory, lot: str) -> list[str]:
    with own.engine.connect() as connection:
        query = "SELECT number FROM deviation WHERE lot = :lot ORDER BY number"
        return list(connection.execute(text(query), {"lot": lot}).scalars())


def close(own: Laboratory, number: str) -> None:
    """What the projection of the deviation's own process writes."""
    with own.engine.begin() as connection:
        connection.execute(text("UPDATE deviation SET state = 'closed' WHERE number = :n"), {"n": number})


def settle(
    own: Laboratory, lot: str, number: str, disposition: CaseDisposition | None, how: str = "decided"
) -> LotAnswer:
    return own.quality.settle_lot(lot, number, how, disposition, key=unique("k"))


@pytest.mark.accepts("QL-04", "QL-07")
def test_a_failing_result_stops_the_lot_and_every_other_test(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    number = laboratory.inspect(lot, material, "2.5")
    assert laboratory.status(lot) == "onHold"
    assert laboratory.life("lot", lot)[-1] == "hold"
    before = laboratory.counts()
    for attempt in (
        lambda: laboratory.inspect(lot, material),
        lambda: laboratory.decide(number, accept=True),
        lambda: laboratory.quality.enter_results(number, water("1.0"), key=unique("k"), actor="ana"),
    ):
        with pytest.raises(AdapterRefused) as refused:
            attempt()
        assert refused.value.code == "OOS_OPEN"
        (blocker,) = refused.value.blockers
        assert "water 2.5 %" in blocker.found
        assert numbers(laboratory, lot)[0] in blocker.found
    assert laboratory.counts() == before


@pytest.mark.accepts("QL-07")
def test_the_decision_frees_the_lot_once_and_the_inspection_can_be_decided(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    number = laboratory.inspect(lot, material, "2.5")
    (deviation,) = numbers(laboratory, lot)
    close(laboratory, deviation)
    key = unique("k")
    answers = {
        laboratory.quality.settle_lot(lot, deviation, "decided", CaseDisposition.ACCEPT, key=key).lot_status
        for _ in range(3)
    }
    assert answers == {"quarantine"}
    assert laboratory.life("lot", lot).count("returnToQuarantine") == 1
    assert laboratory.decide(number, accept=True) == "released"


def test_a_lot_that_another_deviation_holds_stays_on_hold(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    laboratory.inspect(lot, material, "2.5")
    (first,) = numbers(laboratory, lot)
    second = laboratory.quality.open_deviation("TORN", "a sack", lot, None, key=unique("k"), actor="wil")
    assert second.has_process
    close(laboratory, first)
    assert settle(laboratory, lot, first, CaseDisposition.ACCEPT).lot_status == "onHold"
    close(laboratory, second.number)
    assert settle(laboratory, lot, second.number, CaseDisposition.ACCEPT).lot_status == "quarantine"


def test_a_released_lot_is_rejected_by_the_decision_and_held_again_when_it_is_reopened(laboratory: Laboratory) -> None:
    lot, material = laboratory.received()
    laboratory.decide(laboratory.inspect(lot, material, "1.0"), accept=True)
    deviation = laboratory.quality.open_deviation(
        "RECALL", "supplier's letter", lot, None, key=unique("k"), actor="wil"
    )
    close(laboratory, deviation.number)
    assert settle(laboratory, lot, deviation.number, CaseDisposition.ACCEPT).lot_status == "released"
    assert settle(laboratory, lot, deviation.number, None, "reopened").lot_status == "onHold"
    assert settle(laboratory, lot, deviation.number, CaseDisposition.ACCEPT).lot_status == "released"
    assert settle(laboratory, lot, deviation.number, CaseDisposition.REJECT).lot_status == "rejected"
    assert laboratory.life("lot", lot)[-4:] == ["hold", "releaseHold", "hold", "reject"]
