"""The console on an application: its pages, its socket, its files."""

from typing import Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api.ui import (
    account,
    actions,
    admin,
    ask,
    board,
    direct,
    equipment,
    home,
    live,
    login,
    master,
    master_records,
    operations,
    orders,
    tasks,
)
from api.ui.shell import STATIC

PLANT: Final = (direct, equipment, master, master_records, admin, account, operations)
AREAS: Final = (login, home, tasks, board, orders, ask, actions, live, *PLANT)


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
    app.mount("/ui/static", StaticFiles(directory=STATIC), name="static")
