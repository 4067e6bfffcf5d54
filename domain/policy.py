"""Ceremony is policy, not code: what a plant asks for before, during and after an order.

A policy is versioned master data; the version in force when an order is made is frozen into that order.
"""

from decimal import Decimal
from enum import StrEnum

from domain.base import Message
from domain.quantities import Exact


class OverReport(StrEnum):
    """What happens when more is reported than was ordered plus the tolerance."""

    REFUSE = "refuse"
    FLAG = "flag"
    APPROVE = "approve"
    """It waits until a supervisor allows it."""


class Policy(Message):
    """The rules of one plant. Durations are in seconds, percentages in percent of the ordered quantity."""

    code: str
    version: int = 1
    approvals: int = 1
    approver_differs_from_creator: bool = True
    approval_deadline_seconds: int = 24 * 3600
    approval_escalation_seconds: int = 8 * 3600
    pick_list_approval: bool = True
    pick_list_approver_differs: bool = True
    issue_automatically: bool = False
    inspect_before_put_away: bool = True
    results_reviewed_by_second_person: bool = True
    put_away_by_person: bool = True
    put_away_place: str = "QUARANTINE"
    """Where a finished lot goes when no person says so."""
    certification: bool = True
    production_release: bool = True
    over_report: OverReport = OverReport.REFUSE
    over_report_tolerance_percent: Exact = Decimal(0)
    operations_may_reopen: bool = False
    hold_on_out_of_limit: bool = True
    deviation_process: bool = False
    """Each deviation has a process of its own: classified, investigated, approved. Off: one decision of quality."""
    deviation_classification_seconds: int = 8 * 3600
    """Until a deviation has to be classified: one shift."""
    deviation_escalation_seconds: int = 8 * 3600
    deviation_closing_seconds: int = 30 * 24 * 3600
    signatures: dict[str, str] = {}
    """Command kind → signature meaning; a command that is not named needs no signature."""
