"""Asking the equipment register: may an operation start here, and what has time changed."""

from temporalio import activity

from activities.errors import adapter_errors
from activities.stubs import ExpireAnswer, ExpireRequest, OccupyAnswer, OccupyRequest, ScaleAnswer, ScaleRequest
from adapters.equipment_register.port import EquipmentRegister
from adapters.quality.lot_dates import PostgresLotDates
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
