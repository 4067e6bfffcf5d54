"""The console on an application: its pages, its socket, its files."""

from typing import Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api.ui import actions, ask, board, home, live, login, orders, spc, tasks
from api.ui.shell import STATIC

AREAS: Final = (login, home, tasks, board, orders, ask, actions, live, spc)


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
    app.mount("/ui/static", StaticFiles(directory=STATIC), name="static")
