"""The people who act in a replay: one for each duty, and two where the rules want two.

Nobody does what they may not: the planner does not approve, who enters results does not decide them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Person:
    """A user of the system."""

    user_id: str
    full_name: str
    roles: tuple[str, ...]
    password: str = field(default="", repr=False)


ENGINEER: Final = "replay.engineer"
PLANNER: Final = "replay.planner"
SUPERVISOR: Final = "replay.supervisor"
RELEASER: Final = "replay.supervisor2"
KEEPER: Final = "replay.warehouse"
KEEPER_2: Final = "replay.warehouse2"
OPERATOR: Final = "replay.operator"
OPERATOR_2: Final = "replay.operator2"
ANALYST: Final = "replay.analyst"
ANALYST_2: Final = "replay.analyst2"
REVIEWER: Final = "replay.reviewer"
QUALIFIED: Final = "replay.qualified"
QUALITY: Final = "replay.quality"
METROLOGIST: Final = "replay.metrology"
MECHANIC: Final = "replay.maintenance"

CREW: Final[tuple[Person, ...]] = (
    Person(ENGINEER, "Enno Engineer", ("processEngineer",)),
    Person(PLANNER, "Petra Planner", ("planner",)),
    Person(SUPERVISOR, "Susan Supervisor", ("supervisor",)),
    Person(RELEASER, "Simon Supervisor", ("supervisor",)),
    Person(KEEPER, "Wanda Warehouse", ("warehouseKeeper",)),
    Person(KEEPER_2, "Walter Warehouse", ("warehouseKeeper",)),
    Person(OPERATOR, "Olga Operator", ("operator",)),
    Person(OPERATOR_2, "Oscar Operator", ("operator",)),
    Person(ANALYST, "Anna Analyst", ("qcAnalyst",)),
    Person(ANALYST_2, "Arne Analyst", ("qcAnalyst",)),
    Person(REVIEWER, "Rita Reviewer", ("qaReviewer",)),
    Person(QUALIFIED, "Quentin Qualified", ("qualifiedPerson",)),
    Person(QUALITY, "Quirin Quality", ("qualityManager",)),
    Person(METROLOGIST, "Meg Metrology", ("metrology",)),
    Person(MECHANIC, "Max Maintenance", ("maintenance",)),
)
"""Everybody whom a replay needs, without passwords."""


def crew(password_of: Callable[[str], str]) -> dict[str, Person]:
    """User id → person, with the password that `password_of` gives for the id."""
    return {
        person.user_id: Person(person.user_id, person.full_name, person.roles, password_of(person.user_id))
        for person in CREW
    }
