"""One-time codes (HOTP, RFC 4226; TOTP, RFC 6238), and how their secrets rest sealed in the record.

Our own few lines over the standard library: the RFCs' vectors are the tests. A secret is sealed with AES-256-GCM under
a key from the environment; the user id is bound to it, so that a sealed secret copied to another account does not open.
"""

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

STEP_SECONDS: Final = 30
DIGITS: Final = 6
DRIFT_STEPS: Final = 1
"""A code of the step before or after counts, too: clocks of telephones differ."""
SECRET_BYTES: Final = 20
_NONCE = 12

Digest = Callable[[], Any]


def hotp(secret: bytes, counter: int, digits: int = DIGITS, digest: Digest = hashlib.sha1) -> str:
    """The code of a counter (RFC 4226, section 5.3)."""
    mac = hmac.new(secret, struct.pack(">Q", counter), digest).digest()
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_at(at: datetime) -> int:
    """The counter of a time (RFC 6238, section 4.2)."""
    return int(at.timestamp()) // STEP_SECONDS


def step_of(secret: bytes, code: str, at: datetime, after: int | None) -> int | None:
    """The counter that a code belongs to, above `after` and not far from `at`; None for a wrong or used code."""
    found: int | None = None
    for step in range(step_at(at) - DRIFT_STEPS, step_at(at) + DRIFT_STEPS + 1):
        is_it = hmac.compare_digest(hotp(secret, step).encode(), code.encode())
        if is_it and (after is None or step > after):
            found = step
    return found


def new_secret() -> bytes:
    """A random secret of 160 bits, as RFC 4226 wants it."""
    return secrets.token_bytes(SECRET_BYTES)


def uri(secret: bytes, user_id: str, issuer: str = "Millwright") -> str:
    """What an authenticator takes in as a QR code (`otpauth://`)."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/{quote(issuer)}:{quote(user_id, safe='')}?secret={text}&issuer={quote(issuer)}"


def seal(keys: Sequence[str], user_id: str, secret: bytes) -> str:
    """The secret, sealed with the first key."""
    nonce = secrets.token_bytes(_NONCE)
    return base64.b64encode(nonce + _cipher(keys[0]).encrypt(nonce, secret, user_id.encode())).decode()


def unseal(keys: Sequence[str], user_id: str, sealed: str) -> bytes | None:
    """The secret, by whichever key sealed it; None when none of them did, or not for this account."""
    raw = base64.b64decode(sealed)
    for key in keys:
        try:
            return _cipher(key).decrypt(raw[:_NONCE], raw[_NONCE:], user_id.encode())
        except InvalidTag:
            continue
    return None


def _cipher(key: str) -> AESGCM:
    return AESGCM(hashlib.sha256(key.encode()).digest())
