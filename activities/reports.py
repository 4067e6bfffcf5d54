"""Making the reports that are due."""

from temporalio import activity

from activities.beating import heartbeat
from activities.stubs import MakeDueAnswer, MakeDueRequest
from adapters.reports.due import DueReports


class ReportActivities:
    """Makes what is due; a second call makes nothing twice."""

    def __init__(self, due: DueReports) -> None:
        self._due = due

    @activity.defn(name="reports.make-due")
    def make_due(self, request: MakeDueRequest) -> MakeDueAnswer:
        """Make every report that is due; when to look again."""
        with heartbeat():
            return MakeDueAnswer(next_look_at=self._due.make(request.at))
