"""The four axes of a piece of equipment or a room, as tables (SM-6 of the GMP requirements).

Each axis lives for itself: a press may be qualified, overdue for calibration, clean and down at once. Whether it may be
used is computed from all of them (`domain/equipment_gate.py`), and every axis that fails is named.
"""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class Qualification(StrEnum):
    """Whether it was shown to do what it has to do."""

    UNQUALIFIED = "unqualified"
    QUALIFIED = "qualified"
    REQUALIFICATION_DUE = "requalificationDue"
    RETIRED = "retired"


class QualificationEvent(StrEnum):
    """What can happen to a qualification."""

    QUALIFY = "qualify"
    FALL_DUE = "fallDue"
    RETIRE = "retire"


class Calibration(StrEnum):
    """Whether its instruments measure right."""

    UNCALIBRATED = "uncalibrated"
    NOT_REQUIRED = "notRequired"
    PERFORMED = "performed"
    """Done, and not yet reviewed by the second person."""
    CALIBRATED = "calibrated"
    DUE_SOON = "dueSoon"
    OVERDUE = "overdue"
    OUT_OF_TOLERANCE = "outOfTolerance"


class CalibrationEvent(StrEnum):
    """What can happen to a calibration."""

    EXEMPT = "exempt"
    PERFORM = "perform"
    ACCEPT = "accept"
    REJECT = "reject"
    FALL_DUE_SOON = "fallDueSoon"
    FALL_OVERDUE = "fallOverdue"
    FIND_OUT_OF_TOLERANCE = "findOutOfTolerance"


class Cleaning(StrEnum):
    """Whether it is clean, and for how long it may wait."""

    CLEAN = "clean"
    IN_USE = "inUse"
    TO_BE_CLEANED = "toBeCleaned"
    CLEANING = "cleaning"
    CLEAN_EXPIRED = "cleanExpired"
    DIRTY_HOLD_EXCEEDED = "dirtyHoldExceeded"


class CleaningEvent(StrEnum):
    """What can happen to the cleanliness."""

    OCCUPY = "occupy"
    FREE = "free"
    START_CLEANING = "startCleaning"
    VERIFY = "verify"
    FIND_DIRTY = "findDirty"
    EXPIRE = "expire"
    EXCEED_DIRTY_HOLD = "exceedDirtyHold"


class Availability(StrEnum):
    """What it is doing: the operation axis."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    IN_USE = "inUse"
    DOWN = "down"
    UNDER_MAINTENANCE = "underMaintenance"
    OUT_OF_SERVICE = "outOfService"


class AvailabilityEvent(StrEnum):
    """What can happen to the operation axis."""

    RESERVE = "reserve"
    CANCEL_RESERVATION = "cancelReservation"
    OCCUPY = "occupy"
    FREE = "free"
    FAIL = "fail"
    START_MAINTENANCE = "startMaintenance"
    RETURN_TO_SERVICE = "returnToService"
    TAKE_OUT_OF_SERVICE = "takeOutOfService"


_Q, _QE = Qualification, QualificationEvent
QUALIFICATION: Final = StateMachine(
    "equipment qualification",
    _Q.UNQUALIFIED,
    {
        (_Q.UNQUALIFIED, _QE.QUALIFY): _Q.QUALIFIED,
        (_Q.QUALIFIED, _QE.QUALIFY): _Q.QUALIFIED,
        (_Q.REQUALIFICATION_DUE, _QE.QUALIFY): _Q.QUALIFIED,
        # By date, or after a major repair or change (EQ-06).
        (_Q.QUALIFIED, _QE.FALL_DUE): _Q.REQUALIFICATION_DUE,
        **{(state, _QE.RETIRE): _Q.RETIRED for state in (_Q.UNQUALIFIED, _Q.QUALIFIED, _Q.REQUALIFICATION_DUE)},
    },
    {},
)

_C, _CE = Calibration, CalibrationEvent
_CALIBRATABLE = (_C.UNCALIBRATED, _C.CALIBRATED, _C.DUE_SOON, _C.OVERDUE, _C.OUT_OF_TOLERANCE)
CALIBRATION: Final = StateMachine(
    "equipment calibration",
    _C.UNCALIBRATED,
    {
        (_C.UNCALIBRATED, _CE.EXEMPT): _C.NOT_REQUIRED,
        **{(state, _CE.PERFORM): _C.PERFORMED for state in _CALIBRATABLE},
        **{(state, _CE.FIND_OUT_OF_TOLERANCE): _C.OUT_OF_TOLERANCE for state in _CALIBRATABLE},
        (_C.PERFORMED, _CE.ACCEPT): _C.CALIBRATED,
        (_C.PERFORMED, _CE.REJECT): _C.UNCALIBRATED,
        (_C.CALIBRATED, _CE.FALL_DUE_SOON): _C.DUE_SOON,
        (_C.CALIBRATED, _CE.FALL_OVERDUE): _C.OVERDUE,
        (_C.DUE_SOON, _CE.FALL_OVERDUE): _C.OVERDUE,
    },
    {},
)

_L, _LE = Cleaning, CleaningEvent
CLEANING: Final = StateMachine(
    "equipment cleaning",
    _L.TO_BE_CLEANED,
    {
        (_L.CLEAN, _LE.OCCUPY): _L.IN_USE,
        # The same batch goes on in its own residue.
        (_L.TO_BE_CLEANED, _LE.OCCUPY): _L.IN_USE,
        (_L.IN_USE, _LE.OCCUPY): _L.IN_USE,
        (_L.IN_USE, _LE.FREE): _L.TO_BE_CLEANED,
        **{
            (state, _LE.START_CLEANING): _L.CLEANING
            for state in (_L.TO_BE_CLEANED, _L.DIRTY_HOLD_EXCEEDED, _L.CLEAN_EXPIRED, _L.CLEAN)
        },
        (_L.CLEANING, _LE.VERIFY): _L.CLEAN,
        (_L.CLEANING, _LE.FIND_DIRTY): _L.TO_BE_CLEANED,
        (_L.CLEAN, _LE.EXPIRE): _L.CLEAN_EXPIRED,
        (_L.TO_BE_CLEANED, _LE.EXCEED_DIRTY_HOLD): _L.DIRTY_HOLD_EXCEEDED,
    },
    {},
)

_A, _AE = Availability, AvailabilityEvent
_IN_SERVICE = (_A.AVAILABLE, _A.RESERVED, _A.IN_USE, _A.DOWN, _A.UNDER_MAINTENANCE)
AVAILABILITY: Final = StateMachine(
    "equipment operation",
    _A.AVAILABLE,
    {
        (_A.AVAILABLE, _AE.RESERVE): _A.RESERVED,
        (_A.RESERVED, _AE.CANCEL_RESERVATION): _A.AVAILABLE,
        (_A.AVAILABLE, _AE.OCCUPY): _A.IN_USE,
        (_A.RESERVED, _AE.OCCUPY): _A.IN_USE,
        (_A.IN_USE, _AE.OCCUPY): _A.IN_USE,
        (_A.IN_USE, _AE.FREE): _A.AVAILABLE,
        **{(state, _AE.FAIL): _A.DOWN for state in (_A.AVAILABLE, _A.RESERVED, _A.IN_USE, _A.UNDER_MAINTENANCE)},
        (_A.DOWN, _AE.START_MAINTENANCE): _A.UNDER_MAINTENANCE,
        (_A.AVAILABLE, _AE.START_MAINTENANCE): _A.UNDER_MAINTENANCE,
        # A batch that the fault interrupted goes on: what it occupies is in use again.
        (_A.UNDER_MAINTENANCE, _AE.RETURN_TO_SERVICE): _A.AVAILABLE,
        **{(state, _AE.TAKE_OUT_OF_SERVICE): _A.OUT_OF_SERVICE for state in _IN_SERVICE},
    },
    {},
)

MACHINES: Final = (QUALIFICATION, CALIBRATION, CLEANING, AVAILABILITY)
