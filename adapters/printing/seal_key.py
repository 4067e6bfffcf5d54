"""The organisation's key in a PKCS#12 file, and a certificate of its own for a system that has none.

A self-made certificate shows that a file is as this system made it. Who the organisation is, it cannot show: for that
a certificate authority has to sign the key (ES-09 leaves the place for it).
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

_BITS, _EXPONENT = 3072, 65537
_YEARS: Final = 30
"""Longer than any batch record has to be kept: the certificate must not run out before the record does."""


def make(path: Path, certificate: Path, password: str, organisation: str) -> None:
    """Make a key with a certificate signed by itself; `path` is readable by the owner only, `certificate` by all."""
    key = rsa.generate_private_key(_EXPONENT, _BITS)
    made = _certificate(key, organisation)
    sealed = pkcs12.serialize_key_and_certificates(
        b"organisation", key, made, None, serialization.BestAvailableEncryption(password.encode())
    )
    _write(certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
    # The key comes last: where it is, everything is.
    _write(path, sealed, 0o600)


def _certificate(key: rsa.RSAPrivateKey, organisation: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, organisation)])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of the machines that verify may be a little behind.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    return builder.sign(key, hashes.SHA256())


def _write(path: Path, content: bytes, mode: int) -> None:
    part = path.with_name(path.name + ".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())
    part.replace(path)
