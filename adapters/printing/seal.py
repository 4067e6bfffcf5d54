"""The seal of an archived record (ES-09): PAdES by the organisation's key, and its verification without any server."""

from __future__ import annotations

import io
import logging
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adapters.printing.port import SealKeyUnusable

if TYPE_CHECKING:
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

# pyHanko is loaded where it is needed: it takes seconds, and a worker that archives nothing has no use for it.

FIELD: Final = "OrganisationSeal"
_RANGE: Final = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")


class OrganisationSeal:
    """Seals with the key of a PKCS#12 file, which is read anew each time: a key may be changed while all runs."""

    def __init__(self, path: Path, password: str) -> None:
        self._path, self._password = path, password

    def seal(self, pdf: bytes) -> bytes:
        """The same pages with a seal that allows no change. Raises `SealKeyUnusable`."""
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
        from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

        what = PdfSignatureMetadata(
            field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES, reason="Archive copy of a batch production record",
        )  # fmt: skip
        sealed = io.BytesIO()
        PdfSigner(what, self._signer()).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=sealed)
        return sealed.getvalue()

    def _signer(self) -> SimpleSigner:
        from pyhanko.sign.signers import SimpleSigner

        try:
            content = self._path.read_bytes()
            found: SimpleSigner | None = SimpleSigner.load_pkcs12_data(
                content, other_certs=[], passphrase=self._password.encode()
            )
        except (OSError, ValueError) as error:
            raise SealKeyUnusable(f"the seal key {self._path} cannot be used: {error}") from error
        if found is None:
            raise SealKeyUnusable(f"the seal key {self._path} holds no private key")
        return found


@dataclass(frozen=True)
class SealVerdict:
    """What a file says about its seal.

    `is_whole`: not a byte differs from what was sealed. `is_known`: sealed by the certificate that was asked for; none
    when nobody asked. `fingerprint` is SHA-256 of the sealing certificate, for comparing by eye.
    """

    is_whole: bool
    detail: str
    signer: str = ""
    fingerprint: str = ""
    sealed_at: str = ""
    is_known: bool | None = None

    @property
    def is_good(self) -> bool:
        """Whole, and not sealed by a stranger."""
        return self.is_whole and self.is_known is not False


def verify(pdf: bytes, certificate: bytes | None = None) -> SealVerdict:
    """Look at a file's seal, without any server; `certificate` (PEM or DER) is the organisation's, or its authority's.

    Uses an event loop of its own: call it in a thread where one runs already.
    """
    from pyhanko.pdf_utils.reader import PdfFileReader

    # What a damaged file does to a parser has no limits; each of it means that the file is not what was sealed.
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    try:
        found = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        if not found:
            return SealVerdict(is_whole=False, detail="the file has no seal")
        if len(found) > 1:
            return SealVerdict(is_whole=False, detail=f"the file has {len(found)} seals, not one")
        return _judged(pdf, found[0], certificate)
    except Exception as error:
        return SealVerdict(is_whole=False, detail=f"the file is damaged: {error}")


def _judged(pdf: bytes, seal: EmbeddedPdfSignature, certificate: bytes | None) -> SealVerdict:
    from pyhanko.keys import load_certs_from_pemder_data
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    own = seal.signer_cert
    roots = [own]
    if certificate is not None:
        roots = list(load_certs_from_pemder_data(certificate))
    at = seal.self_reported_timestamp
    context = ValidationContext(trust_roots=roots, allow_fetching=False, moment=at)
    status = validate_pdf_signature(seal, context)
    everything = status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    exactly = _is_exact(pdf, seal)
    if not (status.intact and status.valid and everything and exactly):
        detail = "the file was changed after it was sealed"
        return SealVerdict(False, detail, *_who(own, at))
    known = None if certificate is None else bool(status.trusted)
    detail = "sealed by another certificate than the organisation's" if known is False else "as it was sealed"
    return SealVerdict(True, detail, *_who(own, at), is_known=known)


def _who(certificate: Any, at: datetime | None) -> tuple[str, str, str]:
    """Signer, fingerprint and time, as a verdict has them."""
    return certificate.subject.human_friendly, certificate.sha256.hex(), "" if at is None else at.isoformat()


def _is_exact(pdf: bytes, seal: EmbeddedPdfSignature) -> bool:
    """Whether the place of the seal holds the seal and nothing but zeros behind it.

    The seal cannot cover its own place: what is hidden in the padding, or writes the same digits in another way, is
    no fault for a PDF reader, but it is a changed byte.
    """
    ranges = _RANGE.findall(pdf)
    if len(ranges) != 1:
        return False
    first, length, second, _ = map(int, ranges[0])
    place = pdf[first + length : second]
    written: bytes = seal.pkcs7_content
    size = _der_length(written)
    padding = len(place) - 2 - 2 * size
    return place == b"<" + written[:size].hex().upper().encode() + b"0" * padding + b">"


def _der_length(content: bytes) -> int:
    """How many bytes the first DER element of `content` takes."""
    if content[1] < 0x80:
        return 2 + content[1]
    size = content[1] & 0x7F
    return 2 + size + int.from_bytes(content[2 : 2 + size], "big")
