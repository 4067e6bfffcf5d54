"""Which language the console speaks with somebody."""

from typing import Final

from fastapi import Request

from wording.texts import LANGUAGES

COOKIE: Final = "mes_language"


def language_of(request: Request) -> str:
    """What somebody chose; else what the browser prefers; else Chinese."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    for part in request.headers.get("accept-language", "").split(","):
        name = part.split(";")[0].strip().lower()[:2]
        if name in LANGUAGES:
            return name
    return LANGUAGES[0]
