"""What people do with their own account: another password, a second factor."""

from api import one_time_codes, passwords
from api.clock import now
from api.deps import Caller, Services
from api.errors import Problem, refused
from api.passwords import Attempt
from db import audit
from db.queries import users


def change_password(having: Services, user_id: str, password: str, new: str, source: str) -> None:
    """Another password, by who knows the old one. Raises 401 LOGIN_FAILED, 403, 409 PASSWORD_USED_BEFORE, 429."""
    user = having.sessions.known(user_id, password, Attempt("password", source))
    new_hash = passwords.choose(having.engine, user, new)
    with having.engine.begin() as connection:
        passwords.replace(connection, user, new_hash, by_owner=True)
        entry = audit.Entry(now(), user.id, "password.changed", f"user/{user.id}", source=source)
        audit.append(connection, [entry])
    having.sessions.forget()


def enrol(who: Caller, password: str, code: str | None) -> str:
    """A new secret for the caller's authenticator, as its `otpauth://` address; it counts once it is confirmed.

    Raises 403 SIGNATURE_FAILED for a wrong password, SECOND_FACTOR_REQUIRED when one is to be replaced without its
    code; 409 SECOND_FACTOR_NOT_CONFIGURED without a key to seal the secret with.
    """
    having = who.services
    keys = having.settings.secret_keys
    if not keys:
        required = "MES_SECRET_KEY or MES_SECRET_KEY_FILE of the API"
        raise refused("SECOND_FACTOR_NOT_CONFIGURED", "system", "api", "no key to seal secrets with", required)
    if not who.session.is_person:
        raise Problem(403, "SIGNER_NOT_A_PERSON", f"{who.id} is a machine account and cannot sign")
    attempt = Attempt("secondFactor", who.source)
    user = passwords.check_password(having.engine, who.id, password, attempt)
    if user is None:
        raise Problem(403, "SIGNATURE_FAILED", f"the password of {who.id} is needed, and this is not it")
    if user.totp_confirmed_at is not None:
        if code is None:
            raise Problem(403, "SECOND_FACTOR_REQUIRED", "the code of the second factor that is replaced is needed")
        if not passwords.check_code(having.engine, user, code, keys, attempt):
            raise Problem(403, "SECOND_FACTOR_FAILED", "the one-time code is wrong or was used before")
    secret = one_time_codes.new_secret()
    sealed = one_time_codes.seal(keys, who.id, secret)
    _store(who, "secondFactor.enrolled", totp_secret=sealed, totp_confirmed_at=None, totp_last_counter=None)
    return one_time_codes.uri(secret, who.id)


def confirm(who: Caller, code: str) -> None:
    """The first code of a new secret. Raises 403 SECOND_FACTOR_FAILED, 409 when there is nothing to confirm."""
    with who.services.engine.connect() as connection:
        user = users.find(connection, who.id)
    if user is None or user.totp_secret is None or user.totp_confirmed_at is not None:
        required = "a second factor that was begun (POST /auth/second-factor)"
        raise refused("NOTHING_TO_CONFIRM", "user", who.id, "no second factor that waits for its first code", required)
    if user.locked_at is not None:
        raise passwords.locked(who.id)
    keys, attempt = who.services.settings.secret_keys, Attempt("secondFactor", who.source)
    if not passwords.check_code(who.services.engine, user, code, keys, attempt):
        raise Problem(403, "SECOND_FACTOR_FAILED", "the one-time code is wrong or was used before")
    _store(who, "secondFactor.confirmed", totp_confirmed_at=now())


def _store(who: Caller, action: str, **values: object) -> None:
    with who.services.engine.begin() as connection:
        users.change(connection, who.id, **values)
        audit.append(connection, [who.entry(action, f"user/{who.id}")])
