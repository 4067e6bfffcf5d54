"""One work order of the job shop from its plan line to its closed order: every report that was made, in time order."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from plants.jobshop.master_data import PLANT, POLICY
from plants.jobshop.source import Job, Report
from replay import people as p
from replay.client import Document, NotTaken, Plant
from replay.progress import Count, refusal_of
from replay.report import Refusal

SCRAP_REASON: Final = "not stated in the source"
REVIEW_DECISION: Final = "held pieces counted as reported; what the review board decided is not in the source"


class JobOrder:
    """The life of one order. `run` leaves what was refused on the way in `refusals`."""

    def __init__(self, plant: Plant, job: Job, zone: tzinfo, count: Count) -> None:
        self._plant, self._job, self._zone, self._count = plant, job, zone, count
        self._number = job.order_number
        self._order, self._work_order = "", ""
        self.refusals: list[Refusal] = []
        self.reported: list[Report] = []
        """The reports that the system took."""

    async def run(self) -> None:
        """Make, do and close the order. Raises `NotTaken` when a step is refused that it cannot do without."""
        await self._plan()
        for step in ("submit", "release"):
            await self._command(step, p.PLANNER if step == "submit" else p.SUPERVISOR)
        await self._work("dispatch", p.PLANNER)
        codes = self._job.operations
        last = {report.activity: report.row for report in self._job.reports}
        begun: set[str] = set()
        for report in self._job.reports:
            code = codes[report.activity]
            if code not in begun:
                begun.add(code)
                await self._work(f"operations/{code}/start", p.OPERATOR)
            await self._report(code, report)
            if last[report.activity] == report.row:
                await self._work(f"operations/{code}/complete", p.OPERATOR)
        await self._finish()

    async def _plan(self) -> None:
        line = {
            "reference": f"{PLANT}/{self._job.work_order}",
            "product": self._job.product,
            "quantity": str(self._job.quantity),
            "unit": "pcs",
            "policy": POLICY.code,
            "plant": PLANT,
            "orderNumber": self._number,
            "batchNumber": self._job.finished_lot,
        }
        planned = await self._plant.post(p.PLANNER, "/mes/plan-lines", [line])
        made = await self._plant.post(p.PLANNER, f"/mes/orders/from-plan/{planned[0]['id']}", {})
        self._order, self._work_order = made["id"], made["workOrders"][0]["id"]
        await self._plant.wait(p.PLANNER, self._number, lambda _: True)
        self._count.at(self._number, "planned")

    async def _report(self, code: str, report: Report) -> None:
        """One report. A refusal is kept, and the work order goes on: the shop went on, too."""
        key = (self._number, "report", report.row)
        body = content(self._work_order, code, report, self._zone)
        try:
            await self._plant.command(p.OPERATOR, "/mes/production-reports/report", body, key=key)
        except NotTaken as refused:
            self.refusals.append(refusal_of(report.row, f"{self._number}/{code}", refused))
        else:
            self.reported.append(report)
            self._count.at(self._number, report.activity)

    async def _finish(self) -> None:
        """Parts go to stock by themselves; what the review board holds is decided before the order is closed."""
        order = await self._plant.wait(p.SUPERVISOR, self._number, lambda own: own["state"] in ("completed", "closed"))
        for deviation in order.get("openDeviations", ()):
            path, body = (
                f"/mes/orders/{self._order}/decide-deviation",
                {"deviation": deviation, "decision": REVIEW_DECISION},
            )
            await self._plant.command(p.REVIEWER, path, body, key=(self._number, "decide", deviation))
        await self._command("close", p.SUPERVISOR)

    async def _command(self, step: str, who: str) -> None:
        await self._plant.command(who, f"/mes/orders/{self._order}/{step}", {}, key=(self._number, step))

    async def _work(self, step: str, who: str, body: Mapping[str, Any] | None = None) -> None:
        path = f"/mes/work-orders/{self._work_order}/{step}"
        await self._plant.command(who, path, body or {}, key=(self._number, step))


def content(work_order: str, code: str, report: Report, zone: tzinfo) -> Document:
    """A report as the API takes it. Where the source's end lies before its start, no working time is claimed."""
    body: Document = {
        "workOrderId": work_order,
        "operation": code,
        "good": str(report.good),
        "scrap": str(report.scrap),
        "reviewBoard": str(report.review_board),
        "isRework": report.is_rework,
        "reportType": report.report_type,
        "workstation": report.machine,
        "startedAt": _time(report.start, zone),
        "endedAt": _time(report.complete, zone),
    }
    if report.worker:
        body["worker"] = report.worker
    if report.labour_seconds is not None:
        body["labourSeconds"] = report.labour_seconds
    if report.scrap:
        body["scrapReason"] = SCRAP_REASON
    return body


def _time(local: datetime, zone: tzinfo) -> str:
    return local.replace(tzinfo=zone).isoformat()
