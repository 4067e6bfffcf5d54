"""Asking the equipment register: may an operation start here, and what has time changed."""

from temporalio import activity

from activities.errors import adapter_errors
from activities.stubs import (
    ExpireAnswer,
    ExpireRequest,
    FaultBegins,
    FaultRequest,
    MaintainRequest,
    OccupyAnswer,
    OccupyRequest,
    ScaleAnswer,
    ScaleRequest,
)
from adapters.equipment_register.port import EquipmentRegister
from adapters.quality.lot_dates import PostgresLotDates
from domain.equipment_acts import Act, DemandRequalification, ReturnToService, StartMaintenance
from domain.errors import AdapterRefused


class EquipmentRegisterActivities:
    """The order's requests and the clock's, translated for the equipment register."""

    def __init__(self, register: EquipmentRegister, lot_dates: PostgresLotDates) -> None:
        self._register, self._lot_dates = register, lot_dates

    @activity.defn(name="equipment-register.occupy")
    def occupy(self, request: OccupyRequest) -> OccupyAnswer:
        """Occupy a workstation for an operation, or refuse with everything that stands in the way."""
        with adapter_errors():
            if not request.only_check:
                answer = self._register.occupy(request.need, key=request.key, actor=request.actor)
                return OccupyAnswer(equipment=answer.equipment)
            if found := self._register.check(request.need):
                raise AdapterRefused("START_REFUSED", request.key, tuple(found))
        return OccupyAnswer()

    @activity.defn(name="equipment-register.expire")
    def expire(self, request: ExpireRequest) -> ExpireAnswer:
        """Write what time alone has changed: to equipment, and to the lots that have a date."""
        with adapter_errors():
            looks = (self._register.expire(request.at), self._lot_dates.expire(request.at))
        return ExpireAnswer(next_look_at=min((look for look in looks if look is not None), default=None))

    @activity.defn(name="equipment-register.check-scale")
    def check_scale(self, request: ScaleRequest) -> ScaleAnswer:
        """Whether a scale may be used now: known, at its workstation, in service, calibrated."""
        with adapter_errors():
            found = self._register.check_scale(request.scale, request.workstation if request.is_bound else None)
        return ScaleAnswer(
            blockers=found.blockers, certificate=found.certificate, calibration_due_at=found.calibration_due_at
        )

    @activity.defn(name="equipment-register.maintain")
    def maintain(self, request: MaintainRequest) -> None:
        """Begin or end maintenance of equipment, or take its qualification back, as its maintenance order says."""
        with adapter_errors():
            self._register.act(
                request.equipment, _act_of(request), key=request.key, actor=request.actor,
                reason=f"maintenance order {request.order}",
            )  # fmt: skip

    @activity.defn(name="equipment-register.report-fault")
    def report_fault(self, request: FaultRequest) -> FaultBegins:
        """A machine has failed: its equipment is down."""
        with adapter_errors():
            answer = self._register.report_fault_at(
                request.workstation, request.detail, key=request.key, actor=request.workstation,
                order_number=request.order_number,
            )  # fmt: skip
            return FaultBegins(begin=tuple(self._register.unstarted()), orders=answer.maintenance_orders)


def _act_of(request: MaintainRequest) -> Act:
    match request.act:
        case "startMaintenance":
            return StartMaintenance(order=request.order)
        case "demandRequalification":
            return DemandRequalification(order=request.order)
        case "returnToService":
            return ReturnToService(major=False, order=request.order, is_planned=request.is_planned)
