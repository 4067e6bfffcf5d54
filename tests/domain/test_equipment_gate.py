"""The gate's rules without a database: change-over and campaigns, labels, and the order on the desk."""

from datetime import UTC, datetime, timedelta

import pytest

from domain import commands as c
from domain.equipment import CleaningLevel, EquipmentClass, Item, label
from domain.equipment_acts import Actor, Retire, StartCleaning, StartMaintenance, VerifyCleaning, perform
from domain.equipment_events import EquipmentOccupationMoved
from domain.equipment_gate import Situation, StartNeed, blockers, expire, free, next_look, occupy
from domain.equipment_states import Availability, Calibration, Cleaning, Qualification
from domain.errors import Refused
from domain.events import VerdictPending
from tests.desk import GMP, Desk, tablet_order

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
PRESS = EquipmentClass(
    code="press", name="Press", clean_hold_seconds=7200, dirty_hold_seconds=3600, campaign_batches=3,
    campaign_seconds=24 * 3600,
)  # fmt: skip
NEW = Item(
    code="E-1", name="Press 1", equipment_class="press", workstation="S-1", qualification=Qualification.QUALIFIED,
    calibration=Calibration.NOT_REQUIRED,
)  # fmt: skip


def cleaned(item: Item, level: CleaningLevel, at: datetime) -> Item:
    item = perform(item, PRESS, StartCleaning(level=level), Actor(person="olu", at=at))
    return perform(item, PRESS, VerifyCleaning(accept=True), Actor(person="ole", at=at))


def need(batch: str, product: str = "A") -> StartNeed:
    return StartNeed(
        work_order=f"WO-{batch}", operation="PRESS", workstation="S-1", product=product, batch=batch, person="olu"
    )


def found(item: Item, wanted: StartNeed, at: datetime = NOON) -> list[str]:
    return [b.found for b in blockers(wanted, Situation(items=(item,), classes={"press": PRESS}), at)]


def used(item: Item, wanted: StartNeed, at: datetime = NOON) -> Item:
    assert found(item, wanted, at) == []
    return free(occupy(item, wanted, at), PRESS, at)


@pytest.mark.accepts("EQ-04")
def test_the_same_product_after_a_minor_cleaning_another_one_after_a_full_one() -> None:
    press = used(cleaned(NEW, CleaningLevel.FULL, NOON), need("A-1"))
    assert found(press, need("A-2")) == ["toBeCleaned after batch A-1 (A)"]
    press = used(cleaned(press, CleaningLevel.MINOR, NOON), need("A-2"))
    press = cleaned(press, CleaningLevel.MINOR, NOON)
    assert found(press, need("B-1", "B")) == ["minor cleaning after A"]
    press = cleaned(press, CleaningLevel.FULL, NOON)
    assert found(press, need("B-1", "B")) == []


@pytest.mark.accepts("EQ-04")
def test_a_campaign_ends_by_batches_and_by_time() -> None:
    press = cleaned(NEW, CleaningLevel.FULL, NOON)
    for batch in ("A-1", "A-2", "A-3"):
        press = cleaned(used(press, need(batch)), CleaningLevel.MINOR, NOON)
    assert found(press, need("A-4")) == ["3 batches since the last full cleaning, at most 3"]
    assert found(cleaned(press, CleaningLevel.FULL, NOON), need("A-4")) == []
    day = NOON + timedelta(days=1)
    press = cleaned(used(cleaned(NEW, CleaningLevel.FULL, NOON), need("A-1")), CleaningLevel.MINOR, day)
    assert found(press, need("A-2"), day) == ["the campaign ended 2026-12-02T12:00:00Z"]


def test_a_batch_goes_on_in_its_own_residue_and_no_other_does() -> None:
    press = used(cleaned(NEW, CleaningLevel.FULL, NOON), need("A-1"))
    assert found(press, need("A-1")) == []
    press = free(occupy(press, need("A-1"), NOON), PRESS, NOON)
    assert press.batches_since_full == 1
    assert found(press, need("A-2")) != []


@pytest.mark.accepts("EQ-03")
def test_holds_end_at_their_instant_and_asking_twice_changes_nothing() -> None:
    press = cleaned(NEW, CleaningLevel.FULL, NOON)
    end = NOON + timedelta(hours=2)
    assert found(press, need("A-1"), end - timedelta(microseconds=1)) == []
    assert found(press, need("A-1"), end) == ["clean until 2026-12-01T14:00:00Z"]
    assert expire(press, PRESS, end - timedelta(microseconds=1)) == press
    over = expire(press, PRESS, end)
    assert over.cleaning == Cleaning.CLEAN_EXPIRED
    assert expire(over, PRESS, end) == over
    dirty = used(press, need("A-1"))
    assert expire(dirty, PRESS, NOON + timedelta(hours=1)).cleaning == Cleaning.DIRTY_HOLD_EXCEEDED


def test_the_clock_never_sleeps_longer_than_the_shortest_hold() -> None:
    assert next_look([(NEW, PRESS)], NOON) == NOON + timedelta(hours=1)
    soon = NEW.model_copy(update={"qualified_until": NOON + timedelta(minutes=5)})
    assert next_look([(NEW, PRESS), (soon, PRESS)], NOON) == NOON + timedelta(minutes=5)
    assert next_look([(NEW, EquipmentClass(code="x", name="x"))], NOON) is None


@pytest.mark.accepts("EQ-05")
def test_the_label_says_what_is_in_it_or_until_when_it_is_clean() -> None:
    clean = cleaned(NEW, CleaningLevel.FULL, NOON)
    end = NOON + timedelta(hours=2)
    assert (label(clean, NOON).status, label(clean, NOON).clean_until) == ("clean", end)
    assert (label(clean, end).status, label(clean, end).clean_until) == ("cleanExpired", None)
    busy = occupy(clean, need("A-1"), NOON)
    assert (label(busy, NOON).status, label(busy, NOON).product, label(busy, NOON).batch) == ("inUse", "A", "A-1")
    dirty = free(busy, PRESS, NOON)
    assert (label(dirty, NOON).status, label(dirty, NOON).previous_batch) == ("toBeCleaned", "A-1")
    down = dirty.model_copy(update={"availability": Availability.DOWN})
    assert label(down, NOON).status == "down"


def test_nobody_cleans_or_retires_around_a_batch_and_everything_is_said() -> None:
    busy = occupy(cleaned(NEW, CleaningLevel.FULL, NOON), need("A-1"), NOON)
    for act, codes in (
        (StartCleaning(level=CleaningLevel.FULL), ["EQUIPMENT_IN_USE", "INVALID_TRANSITION"]),
        (Retire(), ["REASON_REQUIRED", "EQUIPMENT_IN_USE"]),
        (StartMaintenance(), ["INVALID_TRANSITION"]),
    ):
        with pytest.raises(Refused) as refused:
            perform(busy, PRESS, act, Actor(person="olu", at=NOON))
        assert [blocker.code for blocker in refused.value.blockers] == codes


def gated() -> Desk:
    return Desk(tablet_order(GMP.model_copy(update={"start_gate": True})))


def test_a_start_asks_the_register_and_nothing_has_started_yet() -> None:
    desk = gated()
    for kind, who in ((c.SubmitOrder, "pia"), (c.ApproveOrder, "sam"), (c.ReleaseOrder, "sam")):
        desk.do(kind, who)
    fact = desk.do(c.StartOperation, "olu", operation="DISPENSE")
    assert [type(event) for event in fact.events] == [EquipmentOccupationMoved, VerdictPending]
    assert desk.process.work_orders[desk.work_order].operations["DISPENSE"].occupation == "asked"
    with pytest.raises(Refused) as refused:
        desk.do(c.StartOperation, "ole", operation="DISPENSE")
    assert refused.value.blockers[0].code == "IN_PROGRESS"
    assert "olu" in refused.value.blockers[0].found
