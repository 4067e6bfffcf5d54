"""The shape every message and record of ours shares: frozen, camelCase in JSON, snake_case in Python."""

import copy
import uuid
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

# Everything that stands for one business object has one uuid, derived from its number, in every layer.
NAMESPACE = uuid.UUID("6d1c3f0e-6f0b-5d6e-9a57-3a1f1f1d9b10")


def uuid_for(kind: str, number: str) -> uuid.UUID:
    """The uuid of a business object: the same kind and number always give the same uuid (RFC 9562, version 5)."""
    return uuid.uuid5(NAMESPACE, f"{kind}/{number}")


class Message(BaseModel):
    """A value that is sent or stored. Never changed after it was made.

    Unknown fields are ignored, because a history may hold fields that a later release no longer reads.
    """

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="ignore"
    )

    def __deepcopy__(self, memo: dict[int, object] | None = None) -> Self:
        """A frozen value is its own copy."""
        return self


class Holder(BaseModel):
    """A value that changes in place: the state of one order inside its workflow."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="ignore")

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy that shares what never changes; a state is a tree, so nobody has to remember what was copied.

        Every command is judged on one, and pydantic's own copy takes longer than the judging.
        """
        made = type(self).__new__(type(self))
        object.__setattr__(made, "__dict__", {name: copied(value) for name, value in self.__dict__.items()})
        object.__setattr__(made, "__pydantic_fields_set__", self.__pydantic_fields_set__.copy())
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made


_NEVER_CHANGES: Final = (str, int, Message, Decimal, datetime, date, StrEnum, float, type(None))


def copied(value: Any) -> Any:
    """A copy of a value of a state: what never changes is its own copy."""
    if isinstance(value, _NEVER_CHANGES):
        return value
    match value:
        case Holder():
            return value.__deepcopy__()
        case dict():
            return {key: copied(part) for key, part in value.items()}
        case tuple():
            return tuple([copied(part) for part in value])
        case _:
            return copy.deepcopy(value)
