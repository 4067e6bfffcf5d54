"""The shape every message and record of ours shares: frozen, camelCase in JSON, snake_case in Python."""

import uuid
from typing import Self

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
