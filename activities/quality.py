"""Asking quality: make an inspection order, or void it. Results come back to the order as commands."""

from temporalio import activity

from activities.errors import adapter_errors
from activities.stubs import CancelInspectionRequest, InspectionRequest, InspectionTicket, SettleLotRequest
from adapters.quality.port import Quality


class QualityActivities:
    """The order's requests, translated for whichever quality system the plant has."""

    def __init__(self, quality: Quality) -> None:
        self._quality = quality

    @activity.defn(name="quality.request-inspection")
    def request_inspection(self, request: InspectionRequest) -> InspectionTicket:
        """Make the inspection order for a work order's lot."""
        with adapter_errors():
            ticket = self._quality.request_inspection(
                request.lot,
                request.material,
                request.work_order,
                request.characteristics,
                key=request.key,
                actor=request.actor,
            )
        return InspectionTicket(number=ticket.number)

    @activity.defn(name="quality.cancel-inspection")
    def cancel_inspection(self, request: CancelInspectionRequest) -> None:
        """Void an inspection order; nothing to do when there never was one."""
        with adapter_errors():
            number = request.inspection or (self._quality.find(request.asked_under) or {}).get("number")
            if number is not None:
                self._quality.cancel_inspection(number, key=request.key, actor=request.actor)

    @activity.defn(name="quality.settle-lot")
    def settle_lot(self, request: SettleLotRequest) -> str:
        """Hold, free or reject a lot as its deviation was decided; the answer is the lot's status then."""
        with adapter_errors():
            answer = self._quality.settle_lot(
                request.lot, request.deviation, request.standing, request.disposition, key=request.key
            )
        return answer.lot_status
