"""Reports as files, for those that are made by themselves: the same figures and words as on the page."""

from dataclasses import dataclass
from typing import get_args
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from adapters.reports.port import MadeFile, ReportJob
from db.queries.scopes import Limits
from reporting.figures import Asked
from reporting.period import Period
from reporting.summaries import Report, figures_of, summary
from reporting.tables import Table, as_csv
from wording.texts import Words


@dataclass(frozen=True)
class ReportFiles:
    """Writes reports as CSV, in the plant's zone (`adapters.reports.port.ReportMaker`)."""

    zone: ZoneInfo

    def make(self, connection: Connection, job: ReportJob) -> MadeFile:
        """The file. Raises LookupError for a report that there is not."""
        if job.report not in get_args(Report):
            raise LookupError(f"there is no report {job.report}")
        days = Period(job.first, job.last, self.zone)
        asked = Asked(days, Limits(job.plants, job.lines), job.at, job.product or None)
        words = Words(job.language)
        table = summary(connection, asked, job.report, figures_of(connection, asked), words)  # type: ignore[arg-type]
        content = as_csv(table or Table(()), words).encode()
        return MadeFile(f"{job.report}-{job.first}-{job.last}.csv", content)
