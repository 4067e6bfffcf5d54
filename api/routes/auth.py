"""Log in, log out, who am I; one's own password and second factor."""

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field, SecretStr

from api import own_account, pins
from api.deps import Services, Who, With
from api.routing import Router
from api.security import Session
from api.shapes import Body, Identifier, OneTimeCode

router = Router(prefix="/auth", tags=["people"])


class LoginBody(Body):
    """User id and password."""

    user_id: Identifier
    password: SecretStr = Field(max_length=200)
    code: OneTimeCode | None = None
    """The one-time code, where a second factor is asked for at the login."""


class PasswordBody(Body):
    """A change of one's own password; no session is needed, so that one that has expired can be changed."""

    user_id: Identifier
    password: SecretStr = Field(max_length=200)
    new_password: SecretStr = Field(max_length=200)


class SecondFactorBody(Body):
    """Enrolment of a second factor; `code` of the one before, where there is one."""

    password: SecretStr = Field(max_length=200)
    code: OneTimeCode | None = None


Pin = Annotated[SecretStr, Field(max_length=20)]


class PinBody(Body):
    """A PIN of one's own: 4 to 8 digits, not the ones that everybody tries first; null takes it away."""

    password: SecretStr = Field(max_length=200)
    pin: Pin | None


class TakeOverBody(Body):
    """A badge as it was scanned (its number, the user id, or `person/…`), and its owner's PIN."""

    badge: Identifier
    pin: Pin


class CodeBody(Body):
    """A one-time code."""

    code: OneTimeCode


@router.post("/login")
def login(body: LoginBody, request: Request, having: With) -> dict[str, Any]:
    """A new session. The token goes into `Authorization: Bearer …`; unused for `idleSeconds` it ends.

    429 with Retry-After after too many failures of one place or account.
    """
    code = None if body.code is None else body.code.get_secret_value()
    token, session = having.sessions.login(body.user_id, body.password.get_secret_value(), request.state.source, code)
    return {"token": token} | _shown(session, having)


@router.post("/password", status_code=204)
def change_password(body: PasswordBody, request: Request, having: With) -> Response:
    """Change one's own password: at least 12 characters, none of the last five. All sessions of the account end."""
    own_account.change_password(
        having, body.user_id, body.password.get_secret_value(), body.new_password.get_secret_value(),
        request.state.source,
    )  # fmt: skip
    return Response(status_code=204)


@router.post("/pin", status_code=204)
def choose_pin(body: PinBody, who: Who) -> Response:
    """Choose a PIN for taking over a shared terminal, or take it away. It never signs."""
    pin = None if body.pin is None else body.pin.get_secret_value()
    pins.choose(who, body.password.get_secret_value(), pin)
    return Response(status_code=204)


@router.post("/take-over")
def take_over(body: TakeOverBody, request: Request, having: With) -> dict[str, Any]:
    """Take over a shared terminal by badge and PIN: another session in place of the one in `Authorization`.

    That one may be locked or idle, but somebody must have logged in there with a password in the last twelve hours
    (401 TERMINAL_NOT_OPEN). The fifth wrong PIN locks it (403 PIN_LOCKED); the password stays good.
    """
    terminal = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    token, session = pins.take_over(having, terminal, body.badge, body.pin.get_secret_value(), request.state.source)
    return {"token": token} | _shown(session, having)


@router.post("/second-factor", status_code=201)
def enrol(body: SecondFactorBody, who: Who) -> dict[str, str]:
    """Begin with a second factor: the secret for an authenticator, shown this once. It counts when it is confirmed."""
    code = None if body.code is None else body.code.get_secret_value()
    return {"uri": own_account.enrol(who, body.password.get_secret_value(), code)}


@router.post("/second-factor/confirm", status_code=204)
def confirm(body: CodeBody, who: Who) -> Response:
    """Show by a code that the authenticator has the secret: from now on the second factor counts."""
    own_account.confirm(who, body.code.get_secret_value())
    return Response(status_code=204)


@router.post("/logout", status_code=204)
def logout(who: Who, having: With) -> Response:
    """End this session."""
    having.sessions.logout(who.session, who.source)
    return Response(status_code=204)


@router.get("/me")
def me(who: Who, having: With) -> dict[str, Any]:
    """Whose session this is."""
    return _shown(who.session, having)


def _shown(session: Session, having: Services) -> dict[str, Any]:
    return {
        "userId": session.user_id,
        "fullName": session.full_name,
        "roles": list(session.roles),
        "expiresAt": session.expires_at.isoformat(),
        "idleSeconds": int(having.sessions.idle.total_seconds()),
        "plants": session.plants,
        "lines": session.lines,
    }
