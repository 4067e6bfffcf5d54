"""The shape of what is sent to the API: camelCase, bounded, without characters that a record cannot hold."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from domain.quantities import Exact

MAX_INT = 2_000_000_000


def storable(value: Any) -> bool:
    """Whether no text in it has a NUL or half a surrogate pair."""
    match value:
        case str():
            return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
        case Mapping():
            return all(storable(key) and storable(item) for key, item in value.items())
        case Sequence():
            return all(storable(item) for item in value)
        case _:
            return True


def _plausible(value: datetime) -> datetime:
    if not 1970 <= value.year <= 2200:
        raise ValueError("a time between 1970 and 2200 is needed")
    return value


Time = Annotated[AwareDatetime, AfterValidator(_plausible)]
Identifier = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$")]
"""A code or number: no blanks around it."""
Code = Annotated[str, Field(min_length=1, max_length=20)]
"""A part of a lot number."""
Text = Annotated[str, Field(min_length=1, max_length=200)]
LongText = Annotated[str, Field(min_length=1, max_length=2000)]


def _decimal(text: str, **bounds: int) -> WithJsonSchema:
    """What the document promises: a decimal as text, or a whole number. (Other exact numbers are taken too.)"""
    whole = {"type": "integer", **bounds, "maximum": 10**15}
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": text}, whole], "examples": ["12.500"]})


Positive = Annotated[Exact, Field(gt=0), _decimal(r"^(?=.*[1-9])[0-9]{1,18}([.][0-9]{1,12})?$", exclusiveMinimum=0)]
NotNegative = Annotated[Exact, Field(ge=0), _decimal(r"^[0-9]{1,18}([.][0-9]{1,12})?$", minimum=0)]
Reason = Annotated[str, Field(min_length=5, max_length=1000)]


class Body(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and not storable(value):
            raise ValueError("a text holds a character that cannot be stored")
        return value


OneTimeCode = Annotated[SecretStr, Field(min_length=6, max_length=6)]
"""A one-time code: six digits."""


class Ceremony(Body):
    """Re-authentication for a signature: both components, in this request.

    `user_id` may be left out where the policy is not strict and both were given in this session before. `code` is the
    one-time code of the second factor. What the signer was shown: the ceremony `request_id` of POST
    /signatures/requests, or its `content_hash` or `revision` alone.
    """

    user_id: Identifier | None = None
    password: SecretStr = Field(max_length=200)
    code: OneTimeCode | None = None
    request_id: UUID | None = None
    content_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    revision: Annotated[int, Field(ge=0, le=MAX_INT)] | None = None


class CommandBody(Body):
    """What every command carries. The client makes `command_id`: the same id has one effect and one answer.

    `second` is the signature of another person at the same terminal, always with user id and password. `device_id` is
    the terminal or scanner that it comes from.
    """

    command_id: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[!-~]+$")]
    reason: Annotated[str, Field(max_length=1000)] | None = None
    signature: Ceremony | None = None
    second: Ceremony | None = None
    device_id: Identifier | None = None


class ScanBody(CommandBody):
    """A command at which codes are scanned. `typed`: they were written down instead of scanned."""

    scans: tuple[Annotated[str, Field(min_length=1, max_length=500)], ...] = Field(default=(), max_length=200)
    typed: bool = False


class ReasonedBody(CommandBody):
    """A command that needs a reason."""

    reason: Reason


class Value(Body):
    """A measured value as it was entered."""

    name: Text
    text: Annotated[str, Field(max_length=200)]
    unit: Annotated[str, Field(max_length=40)] = ""


class ValuesBody(CommandBody):
    """Measured values."""

    values: tuple[Value, ...] = Field(min_length=1, max_length=200)


class ResultEvidence(Body):
    """What a result was measured with, where its characteristic asks for it: the instrument (a code of the equipment
    register), the method and its version, the lots of reagents and standards."""

    instrument: Annotated[str, Field(max_length=80)] = ""
    method: Annotated[str, Field(max_length=200)] = ""
    method_version: Annotated[str, Field(max_length=40)] = ""
    reagents: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()


class ResultValue(Value, ResultEvidence):
    """A laboratory's result."""


class ResultsBody(CommandBody):
    """A laboratory's results."""

    values: tuple[ResultValue, ...] = Field(min_length=1, max_length=200)


class DecisionBody(CommandBody):
    """Accept or reject."""

    accept: bool
