"""What a workflow may ask for: names, requests and answers of all activities, without any I/O.

Workflows refer to these; the implementations beside this file carry the same names and signatures (a test compares
them). A request always carries the key under which its effect happens once.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from temporalio import activity

from activities.alarm_stubs import EscalateAnswer as EscalateAnswer
from activities.alarm_stubs import EscalateRequest as EscalateRequest
from activities.alarm_stubs import escalate_alarms as escalate_alarms
from activities.maintenance_stubs import FaultBegins as FaultBegins
from activities.maintenance_stubs import FaultRequest as FaultRequest
from activities.maintenance_stubs import MaintainRequest as MaintainRequest
from activities.maintenance_stubs import maintain as maintain
from activities.maintenance_stubs import report_fault as report_fault
from activities.recovery_stubs import IntroduceRequest as IntroduceRequest
from activities.recovery_stubs import introduce as introduce
from activities.report_stubs import MakeDueAnswer as MakeDueAnswer
from activities.report_stubs import MakeDueRequest as MakeDueRequest
from activities.report_stubs import make_due as make_due
from domain.base import Message
from domain.equipment_gate import StartNeed
from domain.errors import Blocker
from domain.events import Allocation, Fact, ShortLine
from domain.material_commands import ChosenLots
from domain.material_events import ReturnedLine, ReturnLine
from domain.quality_cases import CaseDisposition, CaseFact
from domain.quantities import Exact
from domain.specification import Characteristic, MaterialLine
from domain.tasks import Task
from domain.weighing import ScaleReading


class FactBatch(Message):
    """Facts of one order, in the order of their revisions."""

    order_number: str
    facts: tuple[Fact, ...]
    tasks: tuple[Task, ...] | None = None
    """What the order waits for after these facts; None from a process of an earlier release."""


class CaseFactBatch(Message):
    """Facts of one quality case, in the order of their revisions."""

    case_number: str
    facts: tuple[CaseFact, ...]


class Keyed(Message):
    """A request to a neighbour for one work order."""

    key: str
    actor: str
    work_order: str


class AllocateRequest(Keyed):
    """`chosen`: lots that are to be taken for a line before those that expire first."""

    lines: tuple[MaterialLine, ...]
    chosen: tuple[ChosenLots, ...] = ()


class AllocateAnswer(Message):
    """Either all lines are reserved, or `short` says what is missing and nothing is reserved."""

    allocations: tuple[Allocation, ...] = ()
    short: tuple[ShortLine, ...] = ()
    proposed: tuple[Allocation, ...] = ()
    """What first expired first out would have taken, when lots were chosen."""


class ReturnRequest(Keyed):
    lines: tuple[ReturnLine, ...]


class ReturnAnswer(Message):
    """Where each line's quantity went; a line whose lot came from several places may come in several parts."""

    lines: tuple[ReturnedLine, ...]


class DispenseRequest(Keyed):
    """A net weight of a lot that goes into a container."""

    lot: str
    quantity: Exact
    unit: str


class PutAwayRequest(Keyed):
    lot: str
    quantity: Exact
    unit: str
    place: str


class ReleaseRequest(Keyed):
    lot: str
    place: str


class ScrapRequest(Keyed):
    lot: str


class InspectionRequest(Keyed):
    lot: str
    material: str
    characteristics: tuple[Characteristic, ...]


class InspectionTicket(Message):
    number: str


class CancelInspectionRequest(Keyed):
    """`inspection` is none when the answer that would have named it never came; then `asked_under` is its key."""

    inspection: str | None
    asked_under: str = ""


class RecordCheckRequest(Keyed):
    """May the batch record, as it stands at `revision` of the order, be passed on? `purpose` says to what."""

    revision: int
    purpose: Literal["review", "approval", "certification"]


class RecordCheckAnswer(Message):
    """What stands in the way, and the SHA-256 of the content that was looked at."""

    blockers: tuple[Blocker, ...] = ()
    content_hash: str = ""


class ArchiveRequest(Keyed):
    """`revision` is the order's when quality approved the record."""

    revision: int


class OccupyRequest(Keyed):
    """What an operation needs before it starts. With `only_check` nothing is occupied: the start is refused anyway."""

    need: StartNeed
    only_check: bool = False


class OccupyAnswer(Message):
    """Codes of the equipment and rooms that the operation occupies now; none after a check."""

    equipment: tuple[str, ...] = ()


class ScaleRequest(Message):
    """A scale at a workstation. `is_bound`: it has to be registered for it."""

    scale: str
    workstation: str
    is_bound: bool = False


class ScaleAnswer(Message):
    """What stands in the way of weighing on a scale now, and the certificate of its calibration."""

    blockers: tuple[Blocker, ...] = ()
    certificate: str | None = None
    calibration_due_at: datetime | None = None


class ExpireRequest(Message):
    """Time has come to `at`."""

    at: datetime


class ExpireAnswer(Message):
    """When to look again; none when time changes nothing."""

    next_look_at: datetime | None = None


class SettleLotRequest(Message):
    """What the decision about a deviation means for a lot that no running order keeps. `key` has one effect."""

    key: str
    deviation: str
    lot: str
    standing: str
    disposition: CaseDisposition | None = None


class HoldStep(Message):
    """One step of a hold of lots: stop, or release."""

    hold: str
    step: str


class OrderToTell(Message):
    """An order that has to hear of a step; `makes` are the held ones among its own lots."""

    order_number: str
    lots: tuple[str, ...]
    makes: tuple[str, ...]
    placed_by: str
    reason: str
    is_recall: bool


class HoldAnswersRequest(HoldStep):
    """Orders that were asked; `over` are the ones that no process runs for."""

    asked: tuple[str, ...]
    over: tuple[str, ...]


class JobRequest(Message):
    """A job for the machine of a workstation; `job` is its key."""

    job: str
    workstation: str
    order_number: str
    work_order: str
    operation: str
    batch: str
    product: str
    quantity: Exact
    unit: str
    recipe: dict[str, str] = {}


class JobResult(Message):
    """What the machine counted, and how many readings of the run stand in the record."""

    good: Exact = Decimal(0)
    waste: Exact = Decimal(0)
    readings: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None


@activity.defn(name="record.write")
def write_record(batch: FactBatch) -> int:
    """Write facts to the record; the answer is the highest revision that stands there."""
    raise NotImplementedError


@activity.defn(name="record.check")
def check_record(request: RecordCheckRequest) -> RecordCheckAnswer:
    """Look at a batch record: what is missing, which exceptions are open, is every input lot still usable."""
    raise NotImplementedError


@activity.defn(name="record.archive")
def archive_record(request: ArchiveRequest) -> str:
    """Put the approved batch record away, for people and for programs; the answer is the SHA-256 of the document."""
    raise NotImplementedError


@activity.defn(name="record.write-case")
def write_case(batch: CaseFactBatch) -> int:
    """Write facts of a quality case to the record; the answer is the highest revision that stands there."""
    raise NotImplementedError


@activity.defn(name="inventory.allocate")
def allocate(request: AllocateRequest) -> AllocateAnswer:
    """Reserve lots for all lines, or none."""
    raise NotImplementedError


@activity.defn(name="inventory.issue")
def issue(request: Keyed) -> int:
    """Move the reserved lots to the line. Refused when one of them may not be used any more."""
    raise NotImplementedError


@activity.defn(name="inventory.give-back")
def give_back(request: Keyed) -> int:
    """Free what is reserved and return what was issued and not consumed."""
    raise NotImplementedError


@activity.defn(name="inventory.return-materials")
def return_materials(request: ReturnRequest) -> ReturnAnswer:
    """Move unused material from the line back to where it came from, to quarantine, or to scrap."""
    raise NotImplementedError


@activity.defn(name="inventory.dispense")
def dispense(request: DispenseRequest) -> int:
    """Move a net weight from the line into a container. Refused when the lot may not be used any more."""
    raise NotImplementedError


@activity.defn(name="inventory.undispense")
def undispense(request: DispenseRequest) -> int:
    """Empty a container back to the line."""
    raise NotImplementedError


@activity.defn(name="inventory.put-away")
def put_away(request: PutAwayRequest) -> int:
    """Take the finished quantity from the line to a place whose zone fits the lot's status."""
    raise NotImplementedError


@activity.defn(name="inventory.release-to-stock")
def release_to_stock(request: ReleaseRequest) -> int:
    """Move a released lot from quarantine to saleable stock."""
    raise NotImplementedError


@activity.defn(name="inventory.scrap")
def scrap(request: ScrapRequest) -> int:
    """Throw away what is left of a work order's own lot."""
    raise NotImplementedError


@activity.defn(name="quality.request-inspection")
def request_inspection(request: InspectionRequest) -> InspectionTicket:
    """Make the inspection order for a work order's lot."""
    raise NotImplementedError


@activity.defn(name="quality.cancel-inspection")
def cancel_inspection(request: CancelInspectionRequest) -> None:
    """Void an inspection order."""
    raise NotImplementedError


@activity.defn(name="equipment-register.occupy")
def occupy(request: OccupyRequest) -> OccupyAnswer:
    """Occupy a workstation for an operation, or refuse with everything that stands in the way."""
    raise NotImplementedError


@activity.defn(name="equipment-register.check-scale")
def check_scale(request: ScaleRequest) -> ScaleAnswer:
    """Whether a scale may be used now: known, at its workstation, in service, calibrated."""
    raise NotImplementedError


@activity.defn(name="equipment-register.expire")
def expire(request: ExpireRequest) -> ExpireAnswer:
    """Write what time alone has changed."""
    raise NotImplementedError


@activity.defn(name="quality.settle-lot")
def settle_lot(request: SettleLotRequest) -> str:
    """Hold, free or reject a lot as its deviation was decided; the answer is the lot's status then."""
    raise NotImplementedError


@activity.defn(name="lot-hold.find-orders")
def find_held_orders(step: HoldStep) -> tuple[OrderToTell, ...]:
    """The orders that have to hear of this step of a hold."""
    raise NotImplementedError


@activity.defn(name="lot-hold.read-answers")
def read_hold_answers(request: HoldAnswersRequest) -> tuple[str, ...]:
    """Write down who has answered; the orders that have not."""
    raise NotImplementedError


@activity.defn(name="lot-hold.finish")
def finish_hold_step(step: HoldStep) -> str:
    """Everybody has answered; the hold's state then."""
    raise NotImplementedError


@activity.defn(name="equipment.run-job")
async def run_job(request: JobRequest) -> JobResult:
    """Run a job on a machine to its end, storing its readings. Cancelling the activity aborts the job."""
    raise NotImplementedError


@activity.defn(name="equipment.abort-job")
async def abort_job(request: JobRequest) -> None:
    """Abort a job, if the machine has it."""
    raise NotImplementedError


@activity.defn(name="equipment.read-scale")
async def read_scale(request: ScaleRequest) -> ScaleReading:
    """Read the connected scale of a workstation once: tare, gross, unit, and whether they may be used."""
    raise NotImplementedError
