"""What Temporal stores of an order is encrypted: arguments, results, signals, answers to queries, messages of errors.

AES-256-GCM with a random nonce for each payload; the key's id stands beside it, in the clear, and is authenticated. The
first key encrypts, every key decrypts: so keys are changed while orders run (the new one on the first line, the old
one below until no history needs it). What was written without a key is read as it is.

Not encrypted, because Temporal has to read it: workflow ids, names of signals and activities, search attributes, times.
"""

from collections.abc import Sequence
from dataclasses import replace
from os import urandom
from typing import Any, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.exceptions import ApplicationError

from workflows.sharing import Start, shared

ENCODING: Final = b"binary/encrypted"
KEY_ID: Final = "encryption-key-id"
_NONCE: Final = 12
"""Bytes; the length that GCM is made for (NIST SP 800-38D, 5.2.1.1)."""


class PayloadKeyMissing(ApplicationError):
    """A history was encrypted with a key that this process does not have."""

    def __init__(self, wanted: str, have: Sequence[str]) -> None:
        super().__init__(
            f"payload encrypted with key {wanted}, which this process does not have "
            f"(it has: {', '.join(have) or 'none'}); put it back into MES_PAYLOAD_KEY or its file, below the new one",
            type="PayloadKeyMissing",
        )


class PayloadDamaged(ApplicationError):
    """An encrypted payload was changed, or its key id is that of another key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"payload of key {key} was changed after it was encrypted", type="PayloadDamaged")


def _derived(secret: str, purpose: bytes, length: int) -> bytes:
    """A key of its own for each purpose (RFC 5869). The secret is random, so no salt and no slow hash are needed."""
    return HKDF(SHA256(), length, None, b"millwright temporal payload " + purpose).derive(secret.encode())


def key_id(secret: str) -> str:
    """What a key is called: a fingerprint that tells nothing of it."""
    return _derived(secret, b"id", 6).hex()


class Encryption(PayloadCodec):
    """Encrypts with the first key, decrypts with each."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = {key_id(secret): AESGCM(_derived(secret, b"key", 32)) for secret in secrets}
        self._first = next(iter(self._keys), None)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt; without a key nothing is changed."""
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt what is encrypted. Raises PayloadKeyMissing, PayloadDamaged."""
        return [self._decrypted(payload) for payload in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        if self._first is None:
            return payload
        nonce, name = urandom(_NONCE), self._first.encode()
        data = nonce + self._keys[self._first].encrypt(nonce, payload.SerializeToString(), name)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: name}, data=data)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        name = payload.metadata.get(KEY_ID, b"")
        wanted = name.decode("ascii", "replace")
        key = self._keys.get(wanted)
        if key is None:
            raise PayloadKeyMissing(wanted, tuple(self._keys))
        try:
            plain = key.decrypt(payload.data[:_NONCE], payload.data[_NONCE:], name)
        except InvalidTag:
            raise PayloadDamaged(wanted) from None
        return Payload.FromString(plain)


class OneConverter(PydanticPayloadConverter):
    """The same instance however often the SDK makes one: it does for every order and for every activation.

    Each would build its own validator of every type it meets, that of all commands together among them: measured at
    half of an order's memory in a worker, and a third of the CPU of its replay. A converter holds nothing of an order.
    """

    _only: Self | None = None

    def __new__(cls) -> Self:
        """The one that was made first."""
        if cls._only is None:
            made = super().__new__(cls)
            PydanticPayloadConverter.__init__(made)
            cls._only = made
        return cls._only

    def __init__(self) -> None:
        """Nothing is left to do."""

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """The values; of a beginning the parts that other orders or cases have, too, stand in memory once."""
        values = super().from_payloads(payloads, type_hints)
        return [shared(value) if isinstance(value, Start) else value for value in values]


def data_converter(secrets: Sequence[str] = ()) -> DataConverter:
    """How every process of ours writes and reads what Temporal stores.

    Without a key nothing is encrypted, and what was encrypted is named with the key that is missing.
    """
    converter = DataConverter(payload_converter_class=OneConverter, payload_codec=Encryption(secrets))
    if not secrets:
        return converter
    # Messages and stack traces of errors hold data, too.
    return replace(converter, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
