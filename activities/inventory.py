"""Asking the warehouse. Every request carries its key: the same key has one effect and one answer."""

from temporalio import activity

from activities.errors import adapter_errors
from activities.stubs import (
    AllocateAnswer,
    AllocateRequest,
    DispenseRequest,
    IntroduceRequest,
    Keyed,
    PutAwayRequest,
    ReleaseRequest,
    ReturnAnswer,
    ReturnRequest,
    ScrapRequest,
)
from adapters.inventory.port import Inventory, MaterialNeed


class InventoryActivities:
    """The order's requests, translated for whichever warehouse the plant has."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    @activity.defn(name="inventory.allocate")
    def allocate(self, request: AllocateRequest) -> AllocateAnswer:
        """Reserve lots for all lines, or none."""
        needs = [
            MaterialNeed(
                line=line.line,
                material=line.material,
                quantity=line.quantity,
                unit=line.unit,
                fixed_lots=line.fixed_lots,
            )
            for line in request.lines
        ]
        with adapter_errors():
            answer = self._inventory.allocate(
                request.work_order, needs, key=request.key, actor=request.actor, chosen=request.chosen
            )
        return AllocateAnswer(allocations=answer.allocations, short=answer.short, proposed=answer.proposed)

    @activity.defn(name="inventory.issue")
    def issue(self, request: Keyed) -> int:
        """Move the reserved lots to the line. Refused when one of them may not be used any more."""
        with adapter_errors():
            return self._inventory.issue(request.work_order, key=request.key, actor=request.actor).moves

    @activity.defn(name="inventory.give-back")
    def give_back(self, request: Keyed) -> int:
        """Free what is reserved and return what was issued and not consumed."""
        with adapter_errors():
            answer = self._inventory.give_back(request.work_order, key=request.key, actor=request.actor)
        return answer.freed + answer.returned

    @activity.defn(name="inventory.return-materials")
    def return_materials(self, request: ReturnRequest) -> ReturnAnswer:
        """Move unused material from the line back to where it came from, to quarantine, or to scrap."""
        with adapter_errors():
            answer = self._inventory.return_materials(
                request.work_order, request.lines, key=request.key, actor=request.actor
            )
        return ReturnAnswer(lines=answer.lines)

    @activity.defn(name="inventory.dispense")
    def dispense(self, request: DispenseRequest) -> int:
        """Move a net weight from the line into a container. Refused when the lot may not be used any more."""
        with adapter_errors():
            answer = self._inventory.dispense(
                request.work_order, request.lot, request.quantity, request.unit, key=request.key, actor=request.actor
            )
        return answer.moves

    @activity.defn(name="inventory.undispense")
    def undispense(self, request: DispenseRequest) -> int:
        """Empty a container back to the line."""
        with adapter_errors():
            answer = self._inventory.undispense(
                request.work_order, request.lot, request.quantity, request.unit, key=request.key, actor=request.actor
            )
        return answer.moves

    @activity.defn(name="inventory.introduce")
    def introduce(self, request: IntroduceRequest) -> int:
        """Bring a lot that quality approved to the line. Refused when it was stopped meanwhile, or is not there."""
        with adapter_errors():
            answer = self._inventory.introduce(
                request.work_order, request.lot, request.quantity, request.unit, key=request.key, actor=request.actor
            )
        return answer.moves

    @activity.defn(name="inventory.put-away")
    def put_away(self, request: PutAwayRequest) -> int:
        """Take the finished quantity from the line to a place whose zone fits the lot's status."""
        with adapter_errors():
            self._inventory.put_away(
                request.work_order,
                request.lot,
                request.quantity,
                request.unit,
                request.place,
                key=request.key,
                actor=request.actor,
            )
        return 1

    @activity.defn(name="inventory.release-to-stock")
    def release_to_stock(self, request: ReleaseRequest) -> int:
        """Move a released lot from quarantine to saleable stock."""
        with adapter_errors():
            self._inventory.release_to_stock(
                request.work_order, request.lot, request.place, key=request.key, actor=request.actor
            )
        return 1

    @activity.defn(name="inventory.scrap")
    def scrap(self, request: ScrapRequest) -> int:
        """Throw away what is left of a work order's own lot."""
        with adapter_errors():
            self._inventory.scrap(request.work_order, request.lot, key=request.key, actor=request.actor)
        return 1
