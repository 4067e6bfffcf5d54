"""The way of a batch record: production's review, quality's approval, the certificate, the archive.

People ask by commands; whether their yes may stand is answered by the record itself, in PostgreSQL, once everything
that the order has decided so far stands there.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Literal

from temporalio import workflow

from activities import stubs
from domain import events as e
from domain.errors import Refused
from domain.record_states import BatchRecordEvent, BatchRecordState
from domain.rules.common import SYSTEM
from domain.rules.record_review import approval_request, certification_request, move_record, review_request
from domain.states import OrderState
from workflows import policies
from workflows.journal import Journal
from workflows.neighbours import NeighbourRefused, Neighbours
from workflows.one_by_one import OneByOne

Purpose = Literal["review", "approval", "certification"]
ARCHIVE: Final = "archive"
_WORKED_ON: Final = (OrderState.RELEASED, OrderState.IN_PROGRESS, OrderState.COMPLETED)


def begin_review(
    number: str, journal: Journal, neighbours: Neighbours, is_ending: Callable[[], bool]
) -> list[asyncio.Task[None]]:
    """People review the batch record beside the procedure, where the policy asks for one: one task, or none."""
    if not journal.process.specification.policy.batch_record_review:
        return []
    return [asyncio.create_task(RecordReview(number, journal, neighbours, is_ending).run())]


class RecordReview(OneByOne[str]):
    """Leads the batch record of one work order from its review to the archive. May be entered again in a new run."""

    def __init__(self, number: str, journal: Journal, neighbours: Neighbours, is_ending: Callable[[], bool]) -> None:
        super().__init__(number, journal, neighbours, is_ending)
        self._requests: dict[str, Purpose] = {
            review_request(number): "review",
            approval_request(number): "approval",
            certification_request(number): "certification",
        }

    def _next(self) -> str | None:
        """The request that is asked first, or `ARCHIVE`."""
        if self._process.state not in _WORKED_ON:
            return None
        asked = self._next_formerly()
        return None if asked == ARCHIVE and not self._may_be_archived() else asked

    def _next_formerly(self) -> str:
        return next((request for request in self._requests if request in self._process.pending), ARCHIVE)

    async def _serve(self, asked: str) -> None:
        await (self._archive() if asked == ARCHIVE else self._answer(asked))

    def _may_be_archived(self) -> bool:
        """Approved, and nothing more will be signed: rejected, released, or nobody asks for more."""
        own, policy = self._work_order, self._process.specification.policy
        if own.record_state != BatchRecordState.APPROVED:
            return False
        is_final = self._process.specification.work_order(self._number).feeds is None
        waits = is_final and (
            (policy.certification and own.certified_by is None)
            or (policy.production_release and own.lot_status == "quarantine")
        )
        return own.lot_status == "rejected" or not waits

    async def _answer(self, request: str) -> None:
        pending = self._process.pending[request]
        ask = stubs.RecordCheckRequest(
            key=f"{request}/{pending.command_id}", actor=pending.actor, work_order=self._number,
            revision=self._process.revision, purpose=self._requests[request],
        )  # fmt: skip
        try:
            answer = await self._neighbours.ask(
                "record", request, lambda: workflow.execute_activity(stubs.check_record, ask, **policies.ASK_NEIGHBOUR)
            )
        except NeighbourRefused as refused:
            self._journal.note(answers=request, blockers=refused.reasons("batch record", self._number))
            return
        if answer.blockers:
            self._journal.note(answers=request, blockers=answer.blockers)
            return
        try:
            event = self._accepted(request, ask.revision, answer.content_hash)
        except Refused as refused:  # the record has moved meanwhile, such as by a correction
            self._journal.note(answers=request, blockers=refused.blockers)
            return
        self._journal.note(event, answers=request)

    def _accepted(self, request: str, revision: int, content_hash: str) -> e.Event:
        match self._requests[request]:
            case "review":
                return move_record(self._process, self._number, BatchRecordEvent.REVIEW)
            case "approval":
                return move_record(
                    self._process, self._number, BatchRecordEvent.APPROVE, content_hash=content_hash,
                    content_revision=revision,
                )  # fmt: skip
            case "certification":
                lot = self._process.specification.work_order(self._number).output_lot
                return e.BatchCertified(work_order=self._number, lot=lot)

    async def _archive(self) -> None:
        """The approved record is put away: what it says now is what it says for ever."""
        step = f"{self._number}/record-archive"
        ask = stubs.ArchiveRequest(key=step, actor=SYSTEM, work_order=self._number, revision=self._process.revision)
        digest = await self._neighbours.ask(
            "record", step, lambda: workflow.execute_activity(stubs.archive_record, ask, **policies.ARCHIVE_RECORD)
        )
        moved = move_record(self._process, self._number, BatchRecordEvent.ARCHIVE, content_hash=digest)
        self._journal.note(moved)
