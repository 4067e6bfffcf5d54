"""The console on an application: its pages, its socket, its files."""

from typing import Final

from fastapi import FastAPI

from api.ui import (
    actions,
    ask,
    board,
    files,
    home,
    inspections,
    live,
    login,
    orders,
    picks,
    plan,
    problem,
    put_away,
    receipts,
    scan,
    tasks,
)

AREAS: Final = (
    login, home, tasks, board, orders, plan, picks, put_away, receipts, inspections, scan, problem, ask, actions, live,
    files,
)  # fmt: skip


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
