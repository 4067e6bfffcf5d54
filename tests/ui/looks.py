"""The looks at a screen, in both languages and two widths, and the terminals at which people take them."""

import os
from collections.abc import AsyncIterator
from typing import Final

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser

from api.ui.door import COOKIE
from tests.ui.screen import DESKTOP, PHONE, Console, Terminal

FOLDER = os.environ.get("MES_GALLERY")
"""Where `make gallery` wants its pictures."""

Look = tuple[str, str, tuple[int, int]]
"""Language, name of the width, and the width and height."""
ALL_LOOKS: Final[tuple[Look, ...]] = (
    ("en", "phone", PHONE), ("zh", "desktop", DESKTOP), ("en", "desktop", DESKTOP), ("zh", "phone", PHONE),
)  # fmt: skip
LOOKS = ALL_LOOKS if FOLDER else ALL_LOOKS[:2]
"""Language and width: a normal run opens each screen in both; pictures are made of every pair."""


class Desks:
    """A terminal for each look, at which one person after the other sits down.

    To open a browser for every person, or to log in for every picture, would take longer than to look at it. The
    service worker is left out: it would ask for twenty more pages after each (`tests/ui/test_offline.py` is about it).
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._terminals: dict[tuple[str, str], Terminal] = {}
        self._sessions: dict[str, str] = {}

    async def at(self, user: str | None, look: Look) -> Terminal:
        """The terminal of a look, with this person's session; nobody's has none."""
        language, label, size = look
        if (language, label) not in self._terminals:
            more = {"bypass_csp": True, "service_workers": "block"}
            self._terminals[language, label] = await self.console.terminal(None, language, size, **more)
        terminal = self._terminals[language, label]
        context = terminal.page.context
        await context.clear_cookies(name=COOKIE)
        if user in self._sessions:
            await context.add_cookies(
                [{"name": COOKIE, "value": self._sessions[user], "url": f"{self.console.address}/ui"}]
            )
        elif user is not None:
            await terminal.let_in(user)
            self._sessions[user] = next(one["value"] for one in await context.cookies() if one["name"] == COOKIE)
        return terminal


@pytest.fixture(scope="module")
async def desks(browser: Browser, served: tuple[FastAPI, str]) -> AsyncIterator[Desks]:
    """The terminals of all screens."""
    desks = Desks(Console(browser, served[1]))
    yield desks
    await desks.console.close()
