"""Which screens there are, and for whom: everybody may read, so this is only what is of use to whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from api.roles import Role

ALL: Final = tuple(Role)
_QUALITY: Final = (Role.QC_ANALYST, Role.QA_REVIEWER, Role.QUALITY_MANAGER, Role.QUALIFIED_PERSON)
_LOOKING: Final = (Role.QUALITY_MANAGER, Role.DATA_ANALYST, Role.AUDITOR)
_PRODUCTION: Final = (Role.PLANNER, Role.SUPERVISOR, Role.OPERATOR)


@dataclass(frozen=True)
class Item:
    """One entry of the navigation: `key` names its text and icon; `shortcut` goes with `g`."""

    key: str
    href: str
    roles: tuple[Role, ...]
    shortcut: str


ITEMS: Final = (
    Item("home", "/ui/", ALL, "h"),
    Item(
        "alarms",
        "/ui/alarms",
        (Role.SUPERVISOR, *_QUALITY, Role.MAINTENANCE, Role.PROCESS_ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR),
        "2",
    ),
    Item("tasks", "/ui/tasks", (Role.OPERATOR, Role.SUPERVISOR), "t"),
    Item(
        "board",
        "/ui/board",
        (Role.PLANNER, Role.SUPERVISOR, *_LOOKING),
        "b",
    ),
    Item("plan", "/ui/plan", (Role.PLANNER,), "p"),
    Item("schedule", "/ui/schedule", (Role.PLANNER, Role.SUPERVISOR), "z"),
    Item("orders", "/ui/orders", (*_PRODUCTION, *_QUALITY, *_LOOKING, Role.PROCESS_ENGINEER), "o"),
    Item("reviews", "/ui/reviews", (Role.SUPERVISOR, *_QUALITY, Role.AUDITOR), "r"),
    Item("exceptions", "/ui/exceptions", (Role.SUPERVISOR, *_QUALITY, Role.MAINTENANCE, Role.AUDITOR), "e"),
    Item("lots", "/ui/lots", (Role.SUPERVISOR, Role.WAREHOUSE_KEEPER, *_QUALITY, Role.AUDITOR), "l"),
    Item("holds", "/ui/holds", (Role.SUPERVISOR, *_QUALITY, Role.AUDITOR), "v"),
    Item("recalls", "/ui/recalls", (*_QUALITY[1:], Role.AUDITOR), "x"),
    Item("audit", "/ui/audit", (Role.QA_REVIEWER, Role.QUALITY_MANAGER, Role.AUDITOR), "a"),
    Item("signatures", "/ui/signatures", (Role.QUALITY_MANAGER, Role.AUDITOR), "s"),
    Item("interfaces", "/ui/interfaces", (Role.PLANNER, Role.SUPERVISOR, *_QUALITY[:3], Role.ADMINISTRATOR), "1"),
    Item("picks", "/ui/picks", (Role.WAREHOUSE_KEEPER, Role.SUPERVISOR), "k"),
    Item("put_away", "/ui/put-away", (Role.WAREHOUSE_KEEPER,), "w"),
    Item(
        "shipments",
        "/ui/shipments",
        (Role.WAREHOUSE_KEEPER, Role.QA_REVIEWER, Role.QUALITY_MANAGER, Role.AUDITOR),
        "3",
    ),
    Item("receipts", "/ui/receipts", (Role.WAREHOUSE_KEEPER,), "d"),
    Item("inspections", "/ui/inspections", (*_QUALITY[:3], Role.SUPERVISOR), "i"),
    Item("reports", "/ui/reports", (Role.PLANNER, Role.SUPERVISOR, *_QUALITY, *_LOOKING, Role.PROCESS_ENGINEER), "f"),
    Item("andon", "/ui/andon", (Role.SUPERVISOR, Role.ADMINISTRATOR), "n"),
    Item("spc", "/ui/spc", (Role.SUPERVISOR, *_QUALITY, *_LOOKING, Role.PROCESS_ENGINEER), "c"),
    Item(
        "equipment",
        "/ui/equipment",
        (
            Role.OPERATOR,
            Role.SUPERVISOR,
            Role.MAINTENANCE,
            Role.METROLOGY,
            Role.PROCESS_ENGINEER,
            Role.QA_REVIEWER,
            Role.QUALITY_MANAGER,
        ),
        "q",
    ),
    Item(
        "master",
        "/ui/master",
        (Role.PLANNER, Role.SUPERVISOR, Role.PROCESS_ENGINEER, *_QUALITY, Role.AUDITOR),
        "m",
    ),
    Item("operations", "/ui/operations", (Role.SUPERVISOR, Role.MAINTENANCE, Role.ADMINISTRATOR), "y"),
    Item("maintenance", "/ui/maintenance", (Role.MAINTENANCE, Role.METROLOGY, Role.SUPERVISOR), "j"),
    Item("admin", "/ui/admin", (Role.ADMINISTRATOR, Role.AUDITOR), "u"),
)


def nav(roles: Iterable[str]) -> tuple[Item, ...]:
    """The entries for somebody with these roles."""
    own = set(roles)
    return tuple(item for item in ITEMS if not own.isdisjoint(str(role) for role in item.roles))
