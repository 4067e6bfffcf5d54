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
    equipment_classes,
    files,
    holds,
    home,
    inspections,
    live,
    login,
    lots,
    maintenance,
    master,
    master_import,
    master_records,
    neighbours,
    operations,
    orders,
    picks,
    plan,
    problem,
    product_review,
    put_away,
    recalls,
    receipts,
    reports,
    reviews,
    saved_reports,
    scan,
    schedule,
    signing,
    spc,
    suspects,
    tasks,
    weighing,
)

PLANT: Final = (
    direct,
    equipment,
    equipment_classes,
    maintenance,
    master,
    master_import,
    configuration,
    master_records,
    admin,
    account,
    operations,
    neighbours,
)
AREAS: Final = (
    login, home, tasks, board, orders, plan, schedule, picks, put_away, receipts, inspections, scan, problem, reviews,
    cases, lots, holds, recalls, weighing, audit, signing, spc, reports, saved_reports, suspects, product_review, andon,
    ask, actions, live, files, *PLANT,
)  # fmt: skip


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
