"""The console on an application: its pages, its socket, its files."""

from typing import Final

from fastapi import FastAPI

from api.ui import (
    actions,
    andon,
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
    reports,
    reviews,
    scan,
    signing,
    spc,
    tasks,
)

AREAS: Final = (
    login, home, tasks, board, orders, plan, picks, put_away, receipts, inspections, scan, problem, reviews, cases,
    lots, audit, signing, spc, reports, andon, ask, actions, live, files,
)  # fmt: skip


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
