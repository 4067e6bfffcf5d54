"""Certificates for OPC UA: one identity a side, and each side's list of whom it trusts.

A side's folder holds `own.der`, `own.pem` (the private key, readable by its owner only) and `trusted/*.der`. The
certificate names the application's URI, for a peer compares the two (OPC UA part 6, 6.2.2).
"""

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PRESS_URI: Final = "urn:millwright:press:server"
CLIENT_URI: Final = "urn:millwright:mes:client"
_VALID: Final = timedelta(days=365)
_RENEW_BEFORE: Final = timedelta(days=30)
_CLOCK_DIFFERENCE: Final = timedelta(hours=1)


class CertificateMissing(Exception):
    """A side's folder lacks a certificate that is needed."""


@dataclass(frozen=True)
class Identity:
    """One side's folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The own certificate, DER."""
        return self.folder / "own.der"

    @property
    def key(self) -> Path:
        """The own private key, PEM, not encrypted."""
        return self.folder / "own.pem"

    @property
    def trusted(self) -> Path:
        """The folder of the certificates that this side trusts."""
        return self.folder / "trusted"

    def check(self) -> None:
        """Raise `CertificateMissing` unless the own certificate and key are there."""
        for path in (self.certificate, self.key):
            if not path.is_file():
                raise CertificateMissing(f"{path} is missing")

    def trust(self, other: "Identity", name: str) -> None:
        """Trust the other side's certificate from now on, in place of an earlier one of that name."""
        self.trusted.mkdir(parents=True, exist_ok=True)
        _write(self.trusted / f"{name}.der", other.certificate.read_bytes(), 0o644)

    def trusted_certificate(self, application_uri: str) -> Path:
        """The trusted certificate of that application; raises `CertificateMissing` if there is none."""
        for path in sorted(self.trusted.glob("*.der")):
            if application_uri in _uris(x509.load_der_x509_certificate(path.read_bytes())):
                return path
        raise CertificateMissing(f"no certificate of {application_uri} in {self.trusted}")

    def days_left(self) -> int:
        """Whole days until the own certificate ends; negative once it has."""
        certificate = x509.load_der_x509_certificate(self.certificate.read_bytes())
        return (certificate.not_valid_after_utc - datetime.now(UTC)).days


def ensure_pair(directory: Path) -> tuple[Identity, Identity]:
    """The press's and the client's identity in `directory/press` and `directory/client`, each trusting the other.

    Makes what is missing and renews what ends within 30 days. For plants whose certificates come from elsewhere, put
    the files there instead: what is valid is left alone.
    """
    press, client = Identity(directory / "press"), Identity(directory / "client")
    ensure_identity(press, PRESS_URI)
    ensure_identity(client, CLIENT_URI)
    press.trust(client, "client")
    client.trust(press, "press")
    return press, client


def ensure_identity(identity: Identity, application_uri: str) -> None:
    """Make a key and a self-signed certificate for that URI, unless there is one for it that holds 30 days more."""
    try:
        identity.check()
        certificate = x509.load_der_x509_certificate(identity.certificate.read_bytes())
        ends_soon = certificate.not_valid_after_utc - datetime.now(UTC) < _RENEW_BEFORE
        if application_uri in _uris(certificate) and not ends_soon:
            return
    except CertificateMissing:
        pass
    identity.folder.mkdir(parents=True, exist_ok=True)
    identity.trusted.mkdir(exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(identity.key, pem, 0o600)
    _write(identity.certificate, _self_signed(key, application_uri).public_bytes(serialization.Encoding.DER), 0o644)


def _self_signed(key: rsa.RSAPrivateKey, application_uri: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, application_uri.removeprefix("urn:"))])
    now = datetime.now(UTC)
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_DIFFERENCE)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(_names(application_uri), critical=False)
        # It signs itself, so it has to be its own authority to be found valid.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=False)
        .add_extension(_usage(), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    )
    return builder.sign(key, hashes.SHA256())


def _names(application_uri: str) -> x509.SubjectAlternativeName:
    hosts = dict.fromkeys((socket.gethostname(), "localhost"))
    return x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(application_uri), *(x509.DNSName(host) for host in hosts)]
    )


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _uris(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a whole file or nothing: a reader never sees half a key, nor a key with open permissions."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    part.replace(path)
