"""The state machines of quality cases: a deviation, an out-of-specification result, a corrective and preventive action.

Sources: SM-7 and SM-8 of the GMP requirements. Beside what they list, a proposal may be sent back to its investigation.
"""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class DeviationState(StrEnum):
    """A deviation, from the moment it is opened to the decision of quality."""

    OPEN = "open"
    CLASSIFIED = "classified"
    INVESTIGATION = "investigation"
    PROPOSED = "proposed"
    QA_APPROVED = "qaApproved"
    CLOSED = "closed"
    REOPENED = "reopened"
    VOIDED = "voided"


class DeviationEvent(StrEnum):
    """What can happen to a deviation."""

    CLASSIFY = "classify"
    ASSIGN = "assign"
    PROPOSE = "propose"
    SEND_BACK = "sendBack"
    APPROVE = "approve"
    CLOSE = "close"
    REOPEN = "reopen"
    VOID = "void"


class OutOfSpecificationState(StrEnum):
    """An out-of-specification result, from its detection to its end."""

    DETECTED = "detected"
    LABORATORY_PHASE_1 = "laboratoryPhase1"
    LABORATORY_ERROR_PROVEN = "laboratoryErrorProven"
    RETEST = "retest"
    PHASE_2 = "phase2"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "notConfirmed"
    CLOSED = "closed"
    REOPENED = "reopened"


class OutOfSpecificationEvent(StrEnum):
    """What can happen to an out-of-specification result."""

    INVESTIGATE_LABORATORY = "investigateLaboratory"
    PROVE_LABORATORY_ERROR = "proveLaboratoryError"
    AUTHORISE_RETEST = "authoriseRetest"
    BEGIN_PHASE_2 = "beginPhase2"
    CONFIRM = "confirm"
    NOT_CONFIRM = "notConfirm"
    CLOSE = "close"
    REOPEN = "reopen"


class CapaState(StrEnum):
    """A corrective and preventive action, from its plan to the proof that it works."""

    DRAFT = "draft"
    APPROVED = "approved"
    IN_PROGRESS = "inProgress"
    IMPLEMENTED = "implemented"
    EFFECTIVENESS_CHECK = "effectivenessCheck"
    CLOSED_EFFECTIVE = "closedEffective"
    INEFFECTIVE = "ineffective"


class CapaEvent(StrEnum):
    """What can happen to a corrective and preventive action."""

    APPROVE = "approve"
    START = "start"
    IMPLEMENT = "implement"
    FALL_DUE_FOR_CHECK = "fallDueForCheck"
    CLOSE_EFFECTIVE = "closeEffective"
    FIND_INEFFECTIVE = "findIneffective"


_D, _DE = DeviationState, DeviationEvent
DEVIATION: Final = StateMachine(
    "deviation",
    _D.OPEN,
    {
        (_D.OPEN, _DE.CLASSIFY): _D.CLASSIFIED,
        (_D.CLASSIFIED, _DE.ASSIGN): _D.INVESTIGATION,
        (_D.INVESTIGATION, _DE.PROPOSE): _D.PROPOSED,
        (_D.PROPOSED, _DE.SEND_BACK): _D.INVESTIGATION,
        (_D.PROPOSED, _DE.APPROVE): _D.QA_APPROVED,
        (_D.QA_APPROVED, _DE.CLOSE): _D.CLOSED,
        (_D.CLOSED, _DE.REOPEN): _D.REOPENED,
        (_D.REOPENED, _DE.CLASSIFY): _D.CLASSIFIED,
        **{
            (state, _DE.VOID): _D.VOIDED
            for state in (_D.OPEN, _D.CLASSIFIED, _D.INVESTIGATION, _D.PROPOSED, _D.REOPENED)
        },
    },
    {},
)

_O, _OE = OutOfSpecificationState, OutOfSpecificationEvent
OUT_OF_SPECIFICATION: Final = StateMachine(
    "out-of-specification result",
    _O.DETECTED,
    {
        (_O.DETECTED, _OE.INVESTIGATE_LABORATORY): _O.LABORATORY_PHASE_1,
        (_O.LABORATORY_PHASE_1, _OE.PROVE_LABORATORY_ERROR): _O.LABORATORY_ERROR_PROVEN,
        (_O.LABORATORY_PHASE_1, _OE.BEGIN_PHASE_2): _O.PHASE_2,
        # The only way to another test of the same lot.
        (_O.LABORATORY_ERROR_PROVEN, _OE.AUTHORISE_RETEST): _O.RETEST,
        (_O.RETEST, _OE.CONFIRM): _O.CONFIRMED,
        (_O.RETEST, _OE.NOT_CONFIRM): _O.NOT_CONFIRMED,
        (_O.PHASE_2, _OE.CONFIRM): _O.CONFIRMED,
        (_O.PHASE_2, _OE.NOT_CONFIRM): _O.NOT_CONFIRMED,
        (_O.CONFIRMED, _OE.CLOSE): _O.CLOSED,
        (_O.NOT_CONFIRMED, _OE.CLOSE): _O.CLOSED,
        (_O.CLOSED, _OE.REOPEN): _O.REOPENED,
        # There is no void: a result outside its limits is never as if it had not been.
        (_O.REOPENED, _OE.INVESTIGATE_LABORATORY): _O.LABORATORY_PHASE_1,
    },
    {},
)

_C, _CE = CapaState, CapaEvent
CAPA: Final = StateMachine(
    "corrective and preventive action",
    _C.DRAFT,
    {
        (_C.DRAFT, _CE.APPROVE): _C.APPROVED,
        (_C.APPROVED, _CE.START): _C.IN_PROGRESS,
        (_C.IN_PROGRESS, _CE.IMPLEMENT): _C.IMPLEMENTED,
        # By the calendar alone: nobody can call the check before its day.
        (_C.IMPLEMENTED, _CE.FALL_DUE_FOR_CHECK): _C.EFFECTIVENESS_CHECK,
        (_C.EFFECTIVENESS_CHECK, _CE.CLOSE_EFFECTIVE): _C.CLOSED_EFFECTIVE,
        # Its end: the next cycle is a draft of its own, linked to this one.
        (_C.EFFECTIVENESS_CHECK, _CE.FIND_INEFFECTIVE): _C.INEFFECTIVE,
    },
    {},
)

MACHINES: Final = (DEVIATION, OUT_OF_SPECIFICATION, CAPA)
