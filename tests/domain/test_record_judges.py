"""Who judges a batch record: nobody who made something of the batch, where the policy says so (AC-03)."""

import pytest

from domain import commands as c
from domain.errors import Refused
from tests.desk import GMP, Desk, tablet_order
from tests.domain.test_order_on_the_desk import inspected

REVIEWED = GMP.model_copy(update={"batch_record_review": True})


def complete(*, by_others: bool) -> Desk:
    """A batch that is made, tested and put away; its record waits for production's review."""
    policy = REVIEWED.model_copy(update={"record_judged_by_others": by_others})
    desk = inspected(Desk(tablet_order(policy)))
    desk.do(c.PutAway, "wil", place="QUARANTINE")
    desk.stored()
    return desk


def refusal(desk: Desk, who: str) -> list[tuple[str, str]]:
    """The blockers of a review by somebody."""
    with pytest.raises(Refused) as refused:
        desk.do(c.ReviewBatchRecord, who)
    return [(blocker.code, blocker.found) for blocker in refused.value.blockers]


@pytest.mark.accepts("AC-03")
def test_who_worked_on_the_batch_does_not_judge_its_record() -> None:
    desk = complete(by_others=True)
    doers = {who for own in desk.process.work_orders[desk.work_order].operations.values() for who in own.done_by}
    assert doers
    for who in sorted(doers):
        ((code, found),) = refusal(desk, who)
        assert code == "SEPARATION_OF_DUTIES"
        assert found.startswith(f"{who} did ")
    desk.do(c.ReviewBatchRecord, "sam")


def test_an_older_policy_keeps_no_one_apart_that_it_did_not_before() -> None:
    desk = complete(by_others=False)
    (doer, *_) = desk.process.work_orders[desk.work_order].operations.values()
    desk.do(c.ReviewBatchRecord, str(doer.started_by))
