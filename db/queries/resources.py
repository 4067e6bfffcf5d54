"""Equipment and skills that the plant has at all, whether they are free now or not."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import distinct_on

from db.tables import EquipmentItem, TrainingRecord, UserAccount, core
from domain.equipment_states import Qualification

ITEMS: Final = core(EquipmentItem)
TRAININGS: Final = core(TrainingRecord)
PEOPLE: Final = core(UserAccount)

_CLASSES: Final = select(ITEMS.c.equipment_class).where(ITEMS.c.qualification != Qualification.RETIRED).distinct()


@dataclass(frozen=True)
class Resources:
    """Classes of which there is at least one item, and qualifications that somebody holds who can log in."""

    equipment_classes: frozenset[str]
    qualifications: frozenset[str]


def known(connection: Connection, moment: datetime) -> Resources:
    """What the register knows at that moment. Two statements."""
    classes = connection.execute(_CLASSES).scalars()
    newest = (
        select(TRAININGS.c.qualification, TRAININGS.c.valid_until)
        .ext(distinct_on(TRAININGS.c.person, TRAININGS.c.qualification))
        .join_from(TRAININGS, PEOPLE, PEOPLE.c.id == TRAININGS.c.person)
        .where(PEOPLE.c.is_active)
        .order_by(TRAININGS.c.person, TRAININGS.c.qualification, TRAININGS.c.id.desc())
        .subquery()
    )
    held = select(newest.c.qualification).where(newest.c.valid_until > moment).distinct()
    return Resources(frozenset(classes), frozenset(connection.execute(held).scalars()))
