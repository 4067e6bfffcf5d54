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
    exchange,
    files,
    holds,
    home,
    impacts,
    inspections,
    learned,
    live,
    login,
    lots,
    maintenance,
    master,
    master_import,
    master_records,
    neighbours,
    number_patterns,
    offline,
    operations,
    orders,
    picks,
    pictures,
    plan,
    problem,
    product_review,
    put_away,
    recalls,
    receipts,
    registering,
    reports,
    reviews,
    saved_reports,
    scan,
    schedule,
    serials,
    shipments,
    signing,
    spc,
    stock_moves,
    suspects,
    tasks,
    weighing,
)

PLANT: Final = (
    direct,
    equipment,
    equipment_classes,
    exchange,
    maintenance,
    learned,
    master,
    master_import,
    configuration,
    master_records,
    pictures,
    impacts,
    registering,
    admin,
    account,
    operations,
    neighbours,
    number_patterns,
)
AREAS: Final = (
    login, home, tasks, board, orders, plan, schedule, picks, put_away, shipments, receipts, inspections, scan, problem,
    reviews, cases, lots, serials, stock_moves, holds, recalls, weighing, audit, signing, spc, reports, saved_reports,
    suspects, product_review, andon, ask, actions, live, files, offline, *PLANT,
)  # fmt: skip


def install(app: FastAPI) -> None:
    """Add every page."""
    for area in AREAS:
        app.include_router(area.router)
