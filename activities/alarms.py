"""Alarms that nobody has acknowledged in time."""

from datetime import timedelta

from sqlalchemy import Engine
from temporalio import activity

from activities.stubs import EscalateAnswer, EscalateRequest
from db.queries import alarms


class AlarmActivities:
    """The alarm clock's requests to the record."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @activity.defn(name="alarms.escalate")
    def escalate_alarms(self, request: EscalateRequest) -> EscalateAnswer:
        """Escalate what is due at that time; an alarm that was escalated is not due again until its next time."""
        with self._engine.begin() as connection:
            following = alarms.escalate(connection, request.at)
            latest = request.at + timedelta(seconds=alarms.shortest_seconds(connection))
        return EscalateAnswer(next_look_at=latest if following is None else min(following, latest))
