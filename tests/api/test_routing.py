"""An address is looked for only where one like it can be: nothing is found less, nothing is found elsewhere."""

import re
from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Match
from starlette.types import Scope

from api.app import create_app
from api.routing import Router
from settings import Settings


@pytest.fixture(scope="module")
def app() -> FastAPI:
    nowhere = "127.0.0.1:9"
    return create_app(
        Settings(database_url=f"postgresql://nobody@{nowhere}/x", database_owner_url="", temporal_address=nowhere)
    )


def included(app: FastAPI) -> Iterator[tuple[object, APIRouter]]:
    """What the application has taken in, and whose routes it is."""
    for own in app.router.routes:
        router = getattr(own, "original_router", None)
        if router is not None:
            yield own, router


def addressed(path: str, root: str = "") -> Scope:
    return {"type": "http", "path": root + path, "method": "GET", "root_path": root, "path_params": {}}


def test_every_router_of_the_application_is_passed_over_quickly(app: FastAPI) -> None:
    routers = [router for _, router in included(app)]
    assert len(routers) > 90
    assert [router.prefix for router in routers if not isinstance(router, Router)] == []


@pytest.mark.parametrize("root", ["", "/behind/a/proxy"])
def test_each_route_is_found_as_without_the_short_way(app: FastAPI, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = list(included(app))
    paths = {
        re.sub(r"{[^}]*}", "6f1e3a52-0000-4000-8000-000000000000", prefix + getattr(route, "path", ""))
        for _, router in everybody
        for route in router.routes
        for prefix in ("", "/api/v1")
    }
    paths |= {path + "/" for path in paths} | {"/", "/api/v1", "/api/v1/", "/nothing/here"}

    def found() -> dict[tuple[str, int], Match]:
        return {
            (path, at): own.matches(addressed(path, root))[0]  # type: ignore[attr-defined]
            for path in paths
            for at, (own, _) in enumerate(everybody)
        }

    quick = found()
    monkeypatch.delattr(Router, "matches")
    slow = found()
    assert set(slow.values()) == {Match.FULL, Match.PARTIAL, Match.NONE}
    assert quick == slow
