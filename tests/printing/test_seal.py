"""The organisation's seal: a changed byte is found with nothing but the file and a certificate."""

from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.printing import seal_key
from adapters.printing.port import SealKeyUnusable
from adapters.printing.seal import OrganisationSeal, verify
from adapters.printing.typst_printer import TypstPrinter
from tests.printing.paper import job


class Sealed(NamedTuple):
    """A sealed print, and what it was made with."""

    pdf: bytes
    plain: bytes
    folder: Path

    @property
    def certificate(self) -> bytes:
        """The organisation's certificate."""
        return (self.folder / "own.pem").read_bytes()


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """A print with the organisation's seal."""
    folder = tmp_path_factory.mktemp("seal")
    for name in ("own", "other"):
        seal_key.make(folder / f"{name}.p12", folder / f"{name}.pem", "secret", f"{name} organisation")
    plain = TypstPrinter().print(job(for_archive="sealed"))
    return Sealed(OrganisationSeal(folder / "own.p12", "secret").seal(plain), plain, folder)


@pytest.mark.accepts("ES-09")
def test_a_sealed_print_is_whole_and_says_who_sealed_it(sealed: Sealed) -> None:
    assert sealed.pdf.startswith(sealed.plain), "the pages are those that were printed, byte by byte"
    verdict = verify(sealed.pdf, sealed.certificate)
    assert (verdict.is_whole, verdict.is_known, verdict.is_good) == (True, True, True)
    assert "own organisation" in verdict.signer
    assert len(verdict.fingerprint) == 64
    assert verify(sealed.pdf).is_known is None


@pytest.mark.accepts("ES-09", "B14")
def test_one_changed_byte_anywhere_is_found(sealed: Sealed) -> None:
    place = sealed.pdf.index(b"/Contents <")
    positions = [*range(0, len(sealed.pdf), 5003), *range(place - 200, len(sealed.pdf), 211)]
    for at in positions:
        for bit in (0x01, 0x20):
            changed = bytearray(sealed.pdf)
            changed[at] ^= bit
            assert not verify(bytes(changed)).is_whole, (at, bit)


@pytest.mark.accepts("ES-09")
def test_what_is_added_behind_the_seal_or_cut_off_is_found(sealed: Sealed) -> None:
    assert not verify(sealed.pdf + b"\n%").is_whole
    assert not verify(sealed.pdf[:-20]).is_whole
    assert not verify(b"").is_whole


@pytest.mark.accepts("ES-09")
def test_a_stranger_s_seal_is_no_seal_of_ours(sealed: Sealed) -> None:
    forged = OrganisationSeal(sealed.folder / "other.p12", "secret").seal(sealed.plain)
    verdict = verify(forged, sealed.certificate)
    assert (verdict.is_whole, verdict.is_known, verdict.is_good) == (True, False, False)
    assert "another certificate" in verdict.detail


def test_a_file_without_a_seal_is_not_taken_for_sealed(sealed: Sealed) -> None:
    verdict = verify(sealed.plain, sealed.certificate)
    assert not verdict.is_whole
    assert verdict.detail == "the file has no seal"


def test_a_key_that_cannot_be_used_says_which(sealed: Sealed) -> None:
    for path, password in ((sealed.folder / "own.p12", "wrong"), (sealed.folder / "none.p12", "secret")):
        with pytest.raises(SealKeyUnusable, match=path.name):
            OrganisationSeal(path, password).seal(sealed.plain)


def test_a_key_is_readable_by_its_owner_only(sealed: Sealed) -> None:
    assert (sealed.folder / "own.p12").stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in sealed.certificate
