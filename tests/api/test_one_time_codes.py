"""One-time codes against the vectors of their RFCs; how their secrets are sealed; how often somebody may fail."""

import base64
import hashlib
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from api.attempts import PER_ACCOUNT, PER_SOURCE, WINDOW_SECONDS, Attempts
from api.errors import Problem, answer
from api.one_time_codes import DRIFT_STEPS, hotp, new_secret, seal, step_at, step_of, unseal, uri

SECRET = b"12345678901234567890"
RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
RFC_6238 = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]
KEYS = ("the newest key of all the keys there are", "an older key that sealed what is there yet")


@pytest.mark.accepts("ES-02")
@pytest.mark.parametrize(("counter", "code"), list(enumerate(RFC_4226)))
def test_hotp_is_that_of_rfc_4226(counter: int, code: str) -> None:
    assert hotp(SECRET, counter) == code


@pytest.mark.accepts("ES-02")
@pytest.mark.parametrize(("seconds", "sha1", "sha256", "sha512"), RFC_6238)
def test_totp_is_that_of_rfc_6238(seconds: int, sha1: str, sha256: str, sha512: str) -> None:
    step = step_at(datetime.fromtimestamp(seconds, UTC))
    assert hotp(SECRET, step, 8) == sha1
    assert hotp(SECRET + b"123456789012", step, 8, hashlib.sha256) == sha256
    assert hotp((SECRET * 4)[:64], step, 8, hashlib.sha512) == sha512


def test_a_code_is_good_for_a_step_before_and_after_and_once() -> None:
    at = datetime(2026, 11, 26, 8, tzinfo=UTC)
    now = step_at(at)
    for step in range(now - 3, now + 4):
        found = step_of(SECRET, hotp(SECRET, step), at, None)
        assert found == (step if abs(step - now) <= DRIFT_STEPS else None)
    assert step_of(SECRET, hotp(SECRET, now), at, now) is None
    assert step_of(SECRET, hotp(SECRET, now - 1), at, now) is None
    assert step_of(SECRET, hotp(SECRET, now + 1), at, now) == now + 1
    assert step_of(SECRET, "12345٣", at, None) is None


def test_a_sealed_secret_opens_with_its_key_for_its_account_alone() -> None:
    secret = new_secret()
    sealed = seal(KEYS, "sam", secret)
    assert secret not in base64.b64decode(sealed)
    assert seal(KEYS, "sam", secret) != sealed
    assert unseal(KEYS, "sam", sealed) == secret
    assert unseal(KEYS, "sue", sealed) is None
    assert unseal(KEYS[1:], "sam", sealed) is None
    assert unseal(KEYS, "sam", seal(KEYS[1:], "sam", secret)) == secret


def test_an_authenticator_reads_the_secret() -> None:
    parts = urlsplit(uri(SECRET, "sam müller/1"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path == "/Millwright:sam%20m%C3%BCller%2F1"
    assert base64.b32decode(parse_qs(parts.query)["secret"][0]) == SECRET


def test_after_too_many_failures_of_one_account_it_has_to_wait() -> None:
    clock = [1000.0]
    attempts = Attempts(lambda: clock[0])
    for _ in range(PER_ACCOUNT):
        attempts.failed("10.0.0.1; browser", "sam")
        clock[0] += 1
    with pytest.raises(Problem) as refused:
        attempts.check("10.0.0.2; browser", "sam")
    assert (refused.value.status, refused.value.code) == (429, "TOO_MANY_ATTEMPTS")
    left = 1000.0 + WINDOW_SECONDS - clock[0]
    assert 0 <= int(answer(refused.value).headers["retry-after"]) - left <= 1
    attempts.check("10.0.0.2; browser", "sue")
    clock[0] += WINDOW_SECONDS
    attempts.check("10.0.0.2; browser", "sam")


def test_a_place_that_tries_many_accounts_has_to_wait_whatever_program_it_says_it_is() -> None:
    attempts = Attempts(lambda: 0.0)
    for number in range(PER_SOURCE):
        attempts.failed(f"10.0.0.1; program {number}", f"user-{number}")
    with pytest.raises(Problem, match="TOO_MANY_ATTEMPTS"):
        attempts.check("10.0.0.1; another", "sam")
    attempts.check("10.0.0.9; another", "sam")
