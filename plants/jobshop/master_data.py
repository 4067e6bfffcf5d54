"""Builds the job shop's master-data document from its reports: nobody wrote a routing, so it is taken from the work."""

from collections.abc import Collection
from typing import Any, Final

from domain.policy import OverReport, Policy
from plants import places
from plants.jobshop.source import Job

Document = dict[str, Any]

PLANT: Final = "jobshop"
POLICY: Final = Policy(
    code="discrete",
    approvals=0,
    approver_differs_from_creator=False,
    pick_list_approval=False,
    pick_list_approver_differs=False,
    issue_automatically=True,
    inspect_before_put_away=False,
    results_reviewed_by_second_person=False,
    put_away_by_person=False,
    put_away_place="FINISHED",
    certification=False,
    production_release=False,
    over_report=OverReport.FLAG,
    operations_may_reopen=True,
)


def build(jobs: Collection[Job]) -> Document:
    """The master-data document: one product with its own route per work order, machines as workstations.

    The route is a parallel network without predecessors: in the data operations overlap and come back, so any fixed
    sequence would be contradicted by what the shop really did. `sequence` keeps the order of first occurrence.
    """
    return {
        "materials": [
            {"code": job.product, "name": f"{job.part}, {job.work_order}", "kind": "finished", "unit": "pcs"}
            for job in jobs
        ],
        "places": places.documents(),
        "workstations": _workstations(jobs),
        # Nothing is known of the material that parts are made from.
        "billsOfMaterial": [{"product": job.product, "version": "1", "baseQuantity": "1", "lines": []} for job in jobs],
        "routes": [{"product": job.product, "version": "1", "operations": _operations(job)} for job in jobs],
        "inspectionPlans": [],
        "policies": [POLICY.model_dump(mode="json", by_alias=True)],
    }


def _operations(job: Job) -> list[Document]:
    operations = job.operations
    last = list(operations.values())[-1]
    return [
        {
            "code": code,
            "sequence": int(code[2:]),
            "name": activity,
            "capability": activity,
            "predecessors": [],
            "countsPieces": True,
            "isOutput": code == last,
            "parameters": [],
        }
        for activity, code in operations.items()
    ]


def _workstations(jobs: Collection[Job]) -> list[Document]:
    capabilities: dict[str, dict[str, None]] = {}
    for job in jobs:
        for report in job.reports:
            capabilities.setdefault(report.machine, {})[report.activity] = None
    return [
        {"code": machine, "name": machine, "line": PLANT, "equipment": "manual", "capabilities": list(activities)}
        for machine, activities in capabilities.items()
    ]
