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
    batch_record_review: bool = False
    """Each batch has a record that production reviews and quality approves before the certificate (EB-01, EB-08)."""
    record_judged_by_others: bool = False
    """Whoever started or completed an operation of the batch neither reviews nor approves its record (AC-03)."""
    late_entry_seconds: int | None = None
    """A value that is entered later than this after it was measured is late and needs a reason (AT-07)."""
    master_batch_record: bool = False
    """Every batch is made by the effective version of its product's master batch record (MD-01)."""
    gmp_relevant: tuple[str, ...] = ("quantity", "dueAt")
    """Fields of an order whose change voids its approvals, and after the release needs a change request (PO-03)."""
    controlled_changes: bool = False
    """A relevant field of a released order is changed by a signed change request alone, and a version of this policy
    by a configuration change alone (B3, MD-03)."""
    complete_to_submit: bool = False
    """An order is submitted only when nothing that it needs is missing (PO-02). If not, its release asks for it."""
    start_gate: bool = False
    """An operation starts only when equipment, room, line clearance, training and lots are as they should be."""
    rework_lots: bool = False
    """What is reworked is a lot of its own, by an approved procedure, with tests that quality sets (CN 133, 135)."""
    scan_required: bool = False
    """Starting, picking and charging take scanned codes; typing one needs a reason and a second person (MT-05)."""
    weighing: bool = False
    """Lines with a weighing tolerance are weighed and dispensed, container by container, before they are used."""
    registered_devices: bool = False
    """What is done at an operation comes from a device that is registered for its workstation (AC-10)."""
    deviation_process: bool = False
    """Each deviation has a process of its own: classified, investigated, approved. Off: one decision of quality."""
    deviation_classification_seconds: int = 8 * 3600
    """Until a deviation has to be classified: one shift."""
    deviation_escalation_seconds: int = 8 * 3600
    deviation_closing_seconds: int = 30 * 24 * 3600
    signatures: dict[str, str] = {}
    """Command kind → signature meaning; a command that is not named needs no signature."""
    second_signatures: dict[str, str] = {}
    """Command kind → meaning of the signature that a second person gives at the same terminal."""
    signature_shows_content: bool = False
    """A signature is taken only in a ceremony that has shown what is signed (ES-05)."""
    signature_strict: bool = True
    """Every signing asks for user id and password. If not, later ones of a session need the password alone (ES-03)."""
    second_factor: tuple[str, ...] = ()
    """Meanings whose signatures need a one-time code beside the password (ES-02)."""
    signs_other_acts: bool = False
    """These rules of signatures count for what no order judges, too: holds of lots, recalls, destruction."""

    @property
    def asks_why(self) -> bool:
        """Whether it asks for ceremony: then whoever takes other lots than those that expire first says why."""
        return bool(self.signatures or self.second_signatures or self.scan_required)
