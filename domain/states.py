"""The state machines, as tables. They drive the code, the docs, the API's "possible now" and the tests.

Sources: SM-1, SM-2, SM-5, SM-10, SM-11, SM-12 of the GMP requirements; the names follow ISA-95 and OPC 10031-4.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, Generic, TypeVar


class OrderState(StrEnum):
    """A production order (B2MML RequestState)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RELEASED = "released"
    IN_PROGRESS = "inProgress"
    HELD = "held"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    ABORTED = "aborted"


class OrderEvent(StrEnum):
    """What can happen to a production order."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    RELEASE = "release"
    START = "start"
    HOLD = "hold"
    RESUME = "resume"
    COMPLETE = "complete"
    CHANGE = "change"
    CLOSE = "close"
    CANCEL = "cancel"
    COMPENSATE = "compensate"
    ABORT = "abort"


class WorkOrderState(StrEnum):
    """A work order: one batch on its way through dispatch, pick, operations, inspection and put-away."""

    PENDING = "pending"
    DISPATCHED = "dispatched"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    INSPECTING = "inspecting"
    PUTTING_AWAY = "puttingAway"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    ABORTED = "aborted"


class WorkOrderEvent(StrEnum):
    """What can happen to a work order."""

    DISPATCH = "dispatch"
    MATERIALS_ISSUED = "materialsIssued"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    OPERATIONS_COMPLETED = "operationsCompleted"
    INSPECTION_DECIDED = "inspectionDecided"
    PUT_AWAY = "putAway"
    CLOSE = "close"
    CANCEL = "cancel"
    ABORT = "abort"


class OperationState(StrEnum):
    """An operation: ISA-95 job order states (OPC 10031-4)."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    HELD = "held"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    ABORTED = "aborted"


class OperationEvent(StrEnum):
    """What can happen to an operation."""

    MAKE_READY = "makeReady"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    HOLD = "hold"
    RELEASE_HOLD = "releaseHold"
    COMPLETE = "complete"
    REOPEN = "reopen"
    CLOSE = "close"
    CANCEL = "cancel"
    ABORT = "abort"


class PickListState(StrEnum):
    """A pick list: what the warehouse hands to one work order."""

    CREATED = "created"
    SHORT = "short"
    ALLOCATED = "allocated"
    APPROVED = "approved"
    ISSUING = "issuing"
    ISSUED = "issued"
    CANCELLED = "cancelled"


class PickListEvent(StrEnum):
    """What can happen to a pick list."""

    ALLOCATE = "allocate"
    FIND_SHORT = "findShort"
    APPROVE = "approve"
    ISSUE = "issue"
    CONFIRM_ISSUE = "confirmIssue"
    REFUSE_ISSUE = "refuseIssue"
    CANCEL = "cancel"


class InspectionState(StrEnum):
    """An inspection order."""

    CREATED = "created"
    RESULTS_ENTERED = "resultsEntered"
    OUT_OF_SPECIFICATION = "outOfSpecification"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class InspectionEvent(StrEnum):
    """What can happen to an inspection order."""

    ENTER_RESULTS = "enterResults"
    FIND_OUT_OF_SPECIFICATION = "findOutOfSpecification"
    ACCEPT = "accept"
    REJECT = "reject"
    AUTHORISE_RETEST = "authoriseRetest"
    SET_ASIDE = "setAside"
    CANCEL = "cancel"


class PutAwayState(StrEnum):
    """A put-away order: a finished quantity on its way into the warehouse."""

    CREATED = "created"
    MOVING = "moving"
    DONE = "done"
    CANCELLED = "cancelled"


class PutAwayEvent(StrEnum):
    """What can happen to a put-away order."""

    MOVE = "move"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    CANCEL = "cancel"


class LotStatus(StrEnum):
    """The quality status of a lot."""

    QUARANTINE = "quarantine"
    RELEASED = "released"
    REJECTED = "rejected"
    ON_HOLD = "onHold"
    RETEST_DUE = "retestDue"
    EXPIRED = "expired"
    RECALLED = "recalled"
    RETURNED = "returned"
    DESTROYED = "destroyed"


class LotEvent(StrEnum):
    """What can happen to a lot's quality status."""

    RELEASE = "release"
    REJECT = "reject"
    HOLD = "hold"
    RELEASE_HOLD = "releaseHold"
    FALL_DUE_FOR_RETEST = "fallDueForRetest"
    PASS_RETEST = "passRetest"
    EXPIRE = "expire"
    RECALL = "recall"
    SEND_BACK = "sendBack"
    DESTROY = "destroy"
    RETURN_TO_QUARANTINE = "returnToQuarantine"


State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class TransitionRefused(Exception):
    """The event is not possible in this state; `possible` names the events that are."""

    def __init__(self, machine: str, state: StrEnum, event: StrEnum, possible: tuple[StrEnum, ...]) -> None:
        names = ", ".join(possible) or "nothing"
        super().__init__(f"{machine} is {state}: {event} is not possible now; possible: {names}")
        self.machine, self.state, self.event, self.possible = machine, state, event, possible


@dataclass(frozen=True)
class StateMachine(Generic[State, Event]):
    """One table of transitions.

    `returns` are the events that lead back to the state from which a hold or pause was entered: their target is
    not in the table but in the memory of the object.
    """

    name: str
    initial: State
    transitions: Mapping[tuple[State, Event], State]
    returns: Mapping[tuple[State, Event], tuple[State, ...]]
    unlisted: Mapping[tuple[State, Event], State] = field(default_factory=dict)
    """Ways that came later than the first release. Refusals do not list them: their texts stand in recorded facts."""

    def advance(self, state: State, event: Event, remembered: State | None = None) -> State:
        """The state that `event` leads to, or `TransitionRefused`."""
        if (target := self.transitions.get((state, event), self.unlisted.get((state, event)))) is not None:
            return target
        if (origins := self.returns.get((state, event))) is not None and remembered in origins:
            return remembered
        raise TransitionRefused(self.name, state, event, self.possible(state))

    def allows(self, state: State, event: Event) -> bool:
        """Whether the table has a way out of `state` by `event`."""
        return any((state, event) in ways for ways in (self.transitions, self.returns, self.unlisted))

    def possible(self, state: State) -> tuple[Event, ...]:
        """The events that the table allows in this state, in the table's order."""
        return self._ways.get(state, ())

    @cached_property
    def _ways(self) -> Mapping[State, tuple[Event, ...]]:
        """The same by state, made once: it is asked many times for every command."""
        ways: dict[State, dict[Event, None]] = {}
        for origin, event in (*self.transitions, *self.returns):
            ways.setdefault(origin, {})[event] = None
        return {origin: tuple(events) for origin, events in ways.items()}

    def is_final(self, state: State) -> bool:
        """Whether no way leads out of this state."""
        return not self.possible(state)


_O, _OE = OrderState, OrderEvent
ORDER: Final = StateMachine(
    "production order",
    _O.DRAFT,
    {
        (_O.DRAFT, _OE.SUBMIT): _O.SUBMITTED,
        (_O.SUBMITTED, _OE.APPROVE): _O.APPROVED,
        (_O.SUBMITTED, _OE.REJECT): _O.DRAFT,
        (_O.APPROVED, _OE.RELEASE): _O.RELEASED,
        (_O.RELEASED, _OE.START): _O.IN_PROGRESS,
        (_O.IN_PROGRESS, _OE.COMPLETE): _O.COMPLETED,
        (_O.COMPLETED, _OE.CLOSE): _O.CLOSED,
        (_O.APPROVED, _OE.HOLD): _O.HELD,
        (_O.RELEASED, _OE.HOLD): _O.HELD,
        (_O.IN_PROGRESS, _OE.HOLD): _O.HELD,
        **{
            (state, _OE.CANCEL): _O.CANCELLING
            for state in (_O.DRAFT, _O.SUBMITTED, _O.APPROVED, _O.RELEASED, _O.IN_PROGRESS, _O.HELD)
        },
        # What was taken is given back on the way through CANCELLING; what was consumed makes it an abort.
        (_O.CANCELLING, _OE.COMPENSATE): _O.CANCELLED,
        (_O.CANCELLING, _OE.ABORT): _O.ABORTED,
    },
    {(_O.HELD, _OE.RESUME): (_O.APPROVED, _O.RELEASED, _O.IN_PROGRESS)},
    {
        # What was approved is not what is there any more (PO-03).
        (_O.APPROVED, _OE.CHANGE): _O.SUBMITTED,
    },
)

_W, _WE = WorkOrderState, WorkOrderEvent
_WORK_ORDER_UNDER_WAY = (
    _W.PENDING, _W.DISPATCHED, _W.READY, _W.RUNNING, _W.PAUSED, _W.INSPECTING, _W.PUTTING_AWAY,
)  # fmt: skip
WORK_ORDER: Final = StateMachine(
    "work order",
    _W.PENDING,
    {
        (_W.PENDING, _WE.DISPATCH): _W.DISPATCHED,
        (_W.DISPATCHED, _WE.MATERIALS_ISSUED): _W.READY,
        (_W.READY, _WE.START): _W.RUNNING,
        (_W.RUNNING, _WE.PAUSE): _W.PAUSED,
        (_W.PAUSED, _WE.RESUME): _W.RUNNING,
        (_W.RUNNING, _WE.OPERATIONS_COMPLETED): _W.INSPECTING,
        (_W.INSPECTING, _WE.INSPECTION_DECIDED): _W.PUTTING_AWAY,
        (_W.PUTTING_AWAY, _WE.PUT_AWAY): _W.COMPLETED,
        (_W.COMPLETED, _WE.CLOSE): _W.CLOSED,
        **{(state, _WE.CANCEL): _W.CANCELLED for state in _WORK_ORDER_UNDER_WAY},
        **{
            (state, _WE.ABORT): _W.ABORTED
            for state in (_W.RUNNING, _W.PAUSED, _W.INSPECTING, _W.PUTTING_AWAY, _W.COMPLETED)
        },
    },
    {},
)

_P, _PE = OperationState, OperationEvent
OPERATION: Final = StateMachine(
    "operation",
    _P.PENDING,
    {
        (_P.PENDING, _PE.MAKE_READY): _P.READY,
        (_P.READY, _PE.START): _P.RUNNING,
        (_P.RUNNING, _PE.PAUSE): _P.PAUSED,
        (_P.PAUSED, _PE.RESUME): _P.RUNNING,
        (_P.RUNNING, _PE.HOLD): _P.HELD,
        (_P.HELD, _PE.RELEASE_HOLD): _P.RUNNING,
        (_P.RUNNING, _PE.COMPLETE): _P.COMPLETED,
        (_P.COMPLETED, _PE.REOPEN): _P.RUNNING,
        (_P.COMPLETED, _PE.CLOSE): _P.CLOSED,
        (_P.PENDING, _PE.CANCEL): _P.CANCELLED,
        (_P.READY, _PE.CANCEL): _P.CANCELLED,
        **{(state, _PE.ABORT): _P.ABORTED for state in (_P.RUNNING, _P.PAUSED, _P.HELD, _P.COMPLETED)},
    },
    {},
)

_L, _LE = PickListState, PickListEvent
PICK_LIST: Final = StateMachine(
    "pick list",
    _L.CREATED,
    {
        (_L.CREATED, _LE.ALLOCATE): _L.ALLOCATED,
        (_L.CREATED, _LE.FIND_SHORT): _L.SHORT,
        (_L.SHORT, _LE.ALLOCATE): _L.ALLOCATED,
        (_L.SHORT, _LE.FIND_SHORT): _L.SHORT,
        (_L.ALLOCATED, _LE.APPROVE): _L.APPROVED,
        (_L.APPROVED, _LE.ISSUE): _L.ISSUING,
        (_L.ISSUING, _LE.CONFIRM_ISSUE): _L.ISSUED,
        (_L.ISSUING, _LE.REFUSE_ISSUE): _L.APPROVED,
        # A lot that was stopped after the approval is replaced by a new allocation.
        (_L.APPROVED, _LE.ALLOCATE): _L.ALLOCATED,
        (_L.APPROVED, _LE.FIND_SHORT): _L.SHORT,
        **{(state, _LE.CANCEL): _L.CANCELLED for state in (_L.CREATED, _L.SHORT, _L.ALLOCATED, _L.APPROVED,
                                                           _L.ISSUING, _L.ISSUED)},
    },
    {},
)  # fmt: skip

_I, _IE = InspectionState, InspectionEvent
INSPECTION: Final = StateMachine(
    "inspection",
    _I.CREATED,
    {
        (_I.CREATED, _IE.ENTER_RESULTS): _I.RESULTS_ENTERED,
        (_I.CREATED, _IE.FIND_OUT_OF_SPECIFICATION): _I.OUT_OF_SPECIFICATION,
        (_I.RESULTS_ENTERED, _IE.ACCEPT): _I.ACCEPTED,
        (_I.RESULTS_ENTERED, _IE.REJECT): _I.REJECTED,
        # An out-of-specification result is never averaged or tested away: the batch can only be rejected here.
        (_I.OUT_OF_SPECIFICATION, _IE.REJECT): _I.REJECTED,
        # Only through the case of the result: the laboratory's error is proven, or the result is not confirmed.
        (_I.OUT_OF_SPECIFICATION, _IE.AUTHORISE_RETEST): _I.CREATED,
        (_I.OUT_OF_SPECIFICATION, _IE.SET_ASIDE): _I.RESULTS_ENTERED,
        **{(state, _IE.CANCEL): _I.CANCELLED for state in (_I.CREATED, _I.RESULTS_ENTERED, _I.OUT_OF_SPECIFICATION)},
    },
    {},
)  # fmt: skip

_A, _AE = PutAwayState, PutAwayEvent
PUT_AWAY: Final = StateMachine(
    "put-away order",
    _A.CREATED,
    {
        (_A.CREATED, _AE.MOVE): _A.MOVING,
        (_A.MOVING, _AE.CONFIRM): _A.DONE,
        (_A.MOVING, _AE.REFUSE): _A.CREATED,
        (_A.CREATED, _AE.CANCEL): _A.CANCELLED,
        (_A.MOVING, _AE.CANCEL): _A.CANCELLED,
    },
    {},
)

_S, _SE = LotStatus, LotEvent
LOT: Final = StateMachine(
    "lot",
    _S.QUARANTINE,
    {
        (_S.QUARANTINE, _SE.RELEASE): _S.RELEASED,
        (_S.QUARANTINE, _SE.REJECT): _S.REJECTED,
        (_S.QUARANTINE, _SE.EXPIRE): _S.EXPIRED,
        (_S.QUARANTINE, _SE.HOLD): _S.ON_HOLD,
        (_S.RELEASED, _SE.HOLD): _S.ON_HOLD,
        (_S.ON_HOLD, _SE.RELEASE_HOLD): _S.RELEASED,
        (_S.ON_HOLD, _SE.REJECT): _S.REJECTED,
        (_S.ON_HOLD, _SE.RETURN_TO_QUARANTINE): _S.QUARANTINE,
        (_S.RELEASED, _SE.FALL_DUE_FOR_RETEST): _S.RETEST_DUE,
        (_S.RETEST_DUE, _SE.PASS_RETEST): _S.RELEASED,
        (_S.RETEST_DUE, _SE.REJECT): _S.REJECTED,
        (_S.RELEASED, _SE.EXPIRE): _S.EXPIRED,
        (_S.RETEST_DUE, _SE.EXPIRE): _S.EXPIRED,
        **{
            (state, _SE.RECALL): _S.RECALLED
            for state in (_S.RELEASED, _S.QUARANTINE, _S.ON_HOLD, _S.RETEST_DUE, _S.EXPIRED)
        },
        (_S.RECALLED, _SE.HOLD): _S.ON_HOLD,
        (_S.RECALLED, _SE.DESTROY): _S.DESTROYED,
        (_S.REJECTED, _SE.SEND_BACK): _S.RETURNED,
        (_S.REJECTED, _SE.DESTROY): _S.DESTROYED,
        (_S.REJECTED, _SE.RETURN_TO_QUARANTINE): _S.QUARANTINE,
    },
    {},
)

MACHINES: Final[tuple[StateMachine[StrEnum, StrEnum], ...]] = (
    ORDER, WORK_ORDER, OPERATION, PICK_LIST, INSPECTION, PUT_AWAY, LOT,
)  # type: ignore[assignment]  # fmt: skip
