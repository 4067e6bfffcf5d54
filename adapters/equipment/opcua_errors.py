"""What an error of the OPC UA library means for the machine: a no, surely not done, or nobody knows."""

from enum import Enum
from typing import Final

from asyncua.ua.status_codes import StatusCodes as _Code
from asyncua.ua.uaerrors import UaStatusCodeError

from adapters.equipment.port import AdapterRefused, Refusal


class Outcome(Enum):
    """What is known after an error."""

    NO = "no"
    NOT_DONE = "not done"
    NOBODY_KNOWS = "nobody knows"


_LOGIN: Final = frozenset({_Code.BadUserAccessDenied, _Code.BadIdentityTokenRejected, _Code.BadIdentityTokenInvalid})
_CERTIFICATE: Final = frozenset(
    {
        _Code.BadCertificateUntrusted,
        _Code.BadCertificateInvalid,
        _Code.BadCertificateTimeInvalid,
        _Code.BadCertificateUriInvalid,
        _Code.BadCertificateUseNotAllowed,
        _Code.BadCertificateRevoked,
        _Code.BadSecurityChecksFailed,
        _Code.BadSecurityModeRejected,
        _Code.BadSecurityPolicyRejected,
    }
)
_NO_SUCH_METHOD: Final = frozenset(
    {
        _Code.BadNodeIdInvalid,
        _Code.BadNodeIdUnknown,
        _Code.BadMethodInvalid,
        _Code.BadNothingToDo,
        _Code.BadNotSupported,
        _Code.BadServiceUnsupported,
        _Code.BadArgumentsMissing,
        _Code.BadTooManyArguments,
        _Code.BadInvalidArgument,
    }
)
# The server answered that it did not look at the request: it knows neither session nor channel, or goes down.
_NOT_TAKEN: Final = frozenset(
    {
        _Code.BadSessionIdInvalid,
        _Code.BadSessionClosed,
        _Code.BadSessionNotActivated,
        _Code.BadSecureChannelIdInvalid,
        _Code.BadSecureChannelTokenUnknown,
        _Code.BadServerHalted,
        _Code.BadShutdown,
        _Code.BadTooManySessions,
        _Code.BadTooManyOperations,
    }
)


def judged(error: Exception) -> tuple[Outcome, str]:
    """What an error means, and for a no its code, else an empty one."""
    if isinstance(error, AdapterRefused):
        return Outcome.NO, error.code
    if not isinstance(error, UaStatusCodeError):
        return Outcome.NOBODY_KNOWS, ""
    if error.code in _LOGIN:
        return Outcome.NO, Refusal.LOGIN
    if error.code in _CERTIFICATE:
        return Outcome.NO, Refusal.CERTIFICATE
    if error.code in _NO_SUCH_METHOD:
        return Outcome.NO, Refusal.NOT_SUPPORTED
    return (Outcome.NOT_DONE if error.code in _NOT_TAKEN else Outcome.NOBODY_KNOWS), ""
