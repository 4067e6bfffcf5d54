"""Log in, log out, who am I."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, SecretStr

from api.deps import Who, With
from api.security import IDLE, Session
from api.shapes import Body, Identifier

router = APIRouter(prefix="/auth", tags=["people"])


class LoginBody(Body):
    """User id and password."""

    user_id: Identifier
    password: SecretStr = Field(max_length=200)


@router.post("/login")
def login(body: LoginBody, request: Request, having: With) -> dict[str, Any]:
    """A new session. The token goes into `Authorization: Bearer …`; unused for 15 minutes it ends."""
    token, session = having.sessions.login(body.user_id, body.password.get_secret_value(), request.state.source)
    return {"token": token} | _shown(session)


@router.post("/logout", status_code=204)
def logout(who: Who, having: With) -> Response:
    """End this session."""
    having.sessions.logout(who.session, who.source)
    return Response(status_code=204)


@router.get("/me")
def me(who: Who) -> dict[str, Any]:
    """Whose session this is."""
    return _shown(who.session)


def _shown(session: Session) -> dict[str, Any]:
    return {
        "userId": session.user_id,
        "fullName": session.full_name,
        "roles": list(session.roles),
        "expiresAt": session.expires_at.isoformat(),
        "idleSeconds": int(IDLE.total_seconds()),
    }
