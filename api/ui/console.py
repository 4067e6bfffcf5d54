"""The console on an application: its pages, its socket, its files."""

from typing import Final

from fastapi import FastAPI

from api.ui import (
    account,
    actions,
    admin,
    andon,
    ask,
    audit,
    board,
    cases,
    configuration,
    direct,
    equipment,
    files,
    holds,
    home,
    inspections,
    live,
    login,
    lots,
    maintenance,
    master,
    master_records,
    operations,
    orders,
    picks,
    plan,
    problem,
    put_away,
    recalls,
    receipts,
    reports,
    reviews,
    scan,
    signing,
    spc,
    tasks,
    weighing,
)

PLANT: Final = (direct, equipment, maintenance, master, configuration, master_records, admin, account, operations)
AREAS: Final = (
    login, home, tasks, board, orders, plan, picks, put_away, receipts, inspections, scan, problem, reviews, cases,
    lots, holds, recalls, weighing, audit, signing, spc, reports, andon, ask, actions, live, files, *PLANT,
)  # fmt: skip


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
