"""An address that lacks something of what its page needs says what, in the reader's language."""

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.ui.console import AREAS
from api.ui.shell import PageRoute
from tests.api.company import Company
from tests.ui.floor import word
from tests.ui.test_pages import filled, logged_in
from wording.texts import texts

pytestmark = pytest.mark.usefixtures("working")


def routes() -> list[APIRoute]:
    """All pages."""
    found = [route for area in AREAS for route in area.router.routes if isinstance(route, PageRoute)]
    return [route for route in found if "GET" in (route.methods or ())]


def needed() -> list[tuple[str, str]]:
    """Address of a page and what it cannot do without."""
    return [
        (route.path, field.alias)
        for route in routes()
        for field in route.dependant.query_params
        if field.field_info.is_required()
    ]


def test_everything_that_an_address_can_say_has_a_word() -> None:
    named = {field.alias for route in routes() for field in route.dependant.query_params}
    known = texts("zh")
    assert sorted(name for name in named if f"query.{name}" not in known and f"field.{name}" not in known) == []


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_what_is_missing_is_named(language: str, served: tuple[FastAPI, str], company: Company) -> None:
    assert len(needed()) > 10
    async with logged_in(served[1], "sam") as browser:
        browser.cookies.set("mes_language", language)
        for path, name in needed():
            if path == "/ui/language":
                continue
            answer = await browser.get(filled(path))
            _says(answer, path, name, language)
        wrong = await browser.get("/ui/lots/X?depth=99")
        _says(wrong, "/ui/lots", "depth", language)
        # What a dialog would have shown is told in the page that is open.
        part = await browser.get("/ui/act/clean", headers={"x-fragment": "1"})
        _says(part, "/ui/act", "path", language)


def _says(answer: httpx.Response, path: str, name: str, language: str) -> None:
    assert answer.status_code == 422, (path, answer.text[-400:])
    assert word("incomplete.title", language) in answer.text, path
    key = f"query.{name}"
    assert word(key if key in texts(language) else f"field.{name}", language) in answer.text, path
    assert "Field required" not in answer.text, path
    assert "query." not in answer.text, path
