"""The console on an application: its pages, its socket, its files."""

from typing import Final

from fastapi import FastAPI

from api.ui import actions, andon, ask, board, files, home, live, login, orders, reports, spc, tasks

AREAS: Final = (login, home, tasks, board, orders, ask, actions, live, files, spc, reports, andon)


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
