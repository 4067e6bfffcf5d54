"""The words of the console's tests: a person at a terminal, what stands on the screen, what is pressed."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from axe_playwright_python.base import AxeResults
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.api.company import PASSWORD

DESKTOP: Final = (1280, 800)
PHONE: Final = (390, 844)
RULES: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
REFUSED: Final = "the server responded with a status of 4"
"""What a browser logs by itself when an answer says no; the test looks at what the page shows of it."""


class Console:
    """All terminals of one test."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self.address = browser, address
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    async def terminal(
        self, user: str | None = None, language: str = "en", size: tuple[int, int] = DESKTOP, **more: Any
    ) -> "Terminal":
        """A browser of its own that shows nothing yet; with a `user` somebody is logged in."""
        width, height = size
        context = await self._browser.new_context(viewport={"width": width, "height": height}, **more)
        await context.add_cookies([{"name": "mes_language", "value": language, "url": f"{self.address}/ui"}])
        self._contexts.append(context)
        page = await context.new_page()
        page.on("console", self._logged)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._asked)
        terminal = Terminal(page, self.address)
        if user is not None:
            await terminal.let_in(user)
        return terminal

    def _logged(self, message: ConsoleMessage) -> None:
        # A terminal whose network is cut says so, also when it was just looking for a newer service worker.
        expected = (REFUSED, "ERR_", "unknown error occurred when fetching the script")
        if message.type == "error" and not any(words in message.text for words in expected):
            self.faults.append(message.text)

    def _asked(self, request: Request) -> None:
        if request.url.startswith(("http", "ws")) and urlsplit(request.url).netloc != urlsplit(self.address).netloc:
            self.faults.append(f"another host: {request.url}")

    async def close(self) -> None:
        """Switch all terminals off."""
        for context in self._contexts:
            await context.close()


class Terminal:
    """One page of one person."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self._address = page, address

    async def open(self, path: str) -> None:
        """Go to a page of the console."""
        await self.page.goto(f"{self._address}{path}")

    async def let_in(self, user: str, password: str = PASSWORD) -> None:
        """By what the log-in page sends, without two pages that nobody looks at. `log_in` types."""
        form: dict[str, str | float | bool] = {"user_id": user, "password": password}
        asked = self.page.context.request
        answer = await asked.post(f"{self._address}/ui/login", form=form, headers={"x-fragment": "1"})
        assert answer.status == 204, await answer.text()

    async def log_in(self, user: str, password: str = PASSWORD) -> None:
        """By the log-in page."""
        await self.open("/ui/login")
        await self.page.fill("#user", user)
        await self.page.fill("#password", password)
        await self.page.click("form button.primary")
        await expect(self.page.locator("#header")).to_be_visible()

    async def press(self, name: str, *, within: str = "main", exact: bool = False) -> None:
        """Press a button or link by its words."""
        place = self.page.locator(within)
        button = place.get_by_role("button", name=name, exact=exact).or_(
            place.get_by_role("link", name=name, exact=exact)
        )
        await button.first.click()

    async def sign(self, password: str = PASSWORD, **second: str) -> None:
        """Give the password in the dialog of a signature; `user` and `word` are the second person's."""
        dialog = self.page.locator("#dialog")
        await dialog.locator("#sign-password").fill(password)
        if second:
            await dialog.locator("#second-user").fill(second["user"])
            await dialog.locator("#second-password").fill(second.get("word", PASSWORD))
        await dialog.locator("button.primary").click()

    async def shows(self, text: str, *, within: str = "main") -> None:
        """A text is to be seen, at once or when the page has heard of it."""
        await expect(self.page.locator(within)).to_contain_text(text, timeout=15000)

    async def said(self, text: str) -> None:
        """What the console answered to the last action."""
        await expect(self.page.locator("#notices")).to_contain_text(text, timeout=15000)

    async def has_no_sideways_scroll(self) -> bool:
        """Whether the page fits its width."""
        fits: bool = await self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        return fits

    async def breaks_no_rule(self, *where: object) -> None:
        """No rule of WCAG 2.2 AA is broken that a machine can judge. Wants a terminal with `bypass_csp`."""
        await self.page.evaluate(Axe().axe_script)
        found = await self.page.evaluate("rules => axe.run(rules).then(({violations}) => ({violations}))", RULES)
        assert found["violations"] == [], (*where, AxeResults(found).generate_report())

    async def picture(self, path: Path) -> None:
        """A screenshot of the whole page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path, full_page=True)
