"""What the clock of reports asks for (see `activities.stubs`)."""

from datetime import datetime

from temporalio import activity

from domain.base import Message


class MakeDueRequest(Message):
    """Time has come to `at`: make the reports that are due."""

    at: datetime


class MakeDueAnswer(Message):
    """When the next report is due; none when nothing is planned."""

    next_look_at: datetime | None = None


@activity.defn(name="reports.make-due")
def make_due(request: MakeDueRequest) -> MakeDueAnswer:
    """Make the reports that are due, each once; when to look again."""
    raise NotImplementedError
