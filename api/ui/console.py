"""The console on an application: its pages, its socket, its files."""

from typing import Final

from fastapi import FastAPI

from api.ui import (
    actions,
    ask,
    audit,
    board,
    cases,
    files,
    home,
    inspections,
    live,
    login,
    lots,
    orders,
    picks,
    plan,
    problem,
    put_away,
    receipts,
    reviews,
    scan,
    signing,
    tasks,
)

AREAS: Final = (
    login, home, tasks, board, orders, plan, picks, put_away, receipts, inspections, scan, problem, reviews, cases,
    lots, audit, signing, ask, actions, live, files,
)  # fmt: skip


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
