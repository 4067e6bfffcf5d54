"""Faults that only a log told: a full inbox answers its sender, a fact that the record does not take calls somebody."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from activities.records import RecordActivities
from activities.stubs import FactBatch
from domain import commands as c
from domain.events import Fact, OrderCreated
from tests.desk import GMP, tablet_order
from tests.plant import Plant
from workflows import verdicts
from workflows.journal import Journal


def test_a_full_inbox_refuses_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "INBOX_LIMIT", 2)
    journal = Journal(tablet_order(GMP, "PO-FULL"), None)
    for number in range(3):
        command = c.SubmitOrder(command_id=f"c{number}", actor="pia", received_at=datetime.now(UTC))
        journal.receive(command)
        journal.receive(command)
    assert [own.command_id for own in journal.inbox] == ["c0", "c1"]
    ((fact, _),) = journal.outbox
    assert fact.outcome is not None
    assert (fact.outcome.command_id, fact.outcome.accepted) == ("c2", False)
    assert [blocker.code for blocker in fact.outcome.blockers] == ["INBOX_FULL"]


async def test_a_fact_that_the_record_does_not_take_is_an_alarm_once(plant: Plant) -> None:
    order = await plant.order()
    other = tablet_order(GMP, plant.next_number()).model_copy(update={"plan_line": order.specification.plan_line})
    fact = Fact(
        order_number=other.number, revision=1, at=datetime.now(UTC), actor="pia",
        events=(OrderCreated(specification=other),),
    )  # fmt: skip
    for _ in range(2):
        with pytest.raises(IntegrityError):
            RecordActivities(plant.engine).write_record(FactBatch(order_number=other.number, facts=(fact,)))
    (alarm,) = plant.rows("SELECT * FROM alarm WHERE code = 'PROJECTION_FAILED'")
    assert (alarm.order_number, alarm.severity) == (other.number, "warning")
    assert "IntegrityError" in alarm.detail
