"""Reports as files, for those that are made by themselves: the same figures and words as on the page."""

from dataclasses import dataclass
from typing import get_args
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from adapters.reports.port import MadeFile, ReportJob
from api.periods import Period
from api.reporting import Asked
from api.scopes import Scope
from api.ui.report_summaries import Report, figures_of, summary
from api.ui.report_tables import Table, as_csv
from api.ui.texts import Words


@dataclass(frozen=True)
class ReportFiles:
    """Writes reports as CSV, in the plant's zone (`adapters.reports.port.ReportMaker`)."""

    zone: ZoneInfo

    def make(self, connection: Connection, job: ReportJob) -> MadeFile:
        """The file. Raises LookupError for a report that there is not."""
        if job.report not in get_args(Report):
            raise LookupError(f"there is no report {job.report}")
        asked = Asked(Period(job.first, job.last, self.zone), Scope(job.plants, job.lines), job.at, job.product or None)
        words = Words(job.language)
        table = summary(connection, asked, job.report, figures_of(connection, asked), words)  # type: ignore[arg-type]
        content = as_csv(table or Table(()), words).encode()
        return MadeFile(f"{job.report}-{job.first}-{job.last}.csv", content)
