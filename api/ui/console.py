"""The console on an application: its pages, its socket, its files."""

from typing import Final

from fastapi import FastAPI

from api.ui import (
    account,
    actions,
    admin,
    ask,
    board,
    direct,
    equipment,
    files,
    home,
    live,
    login,
    master,
    master_records,
    operations,
    orders,
    tasks,
)

PLANT: Final = (direct, equipment, master, master_records, admin, account, operations)
AREAS: Final = (login, home, tasks, board, orders, ask, actions, live, files, *PLANT)


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
