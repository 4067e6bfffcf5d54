"""The equipment register in our own PostgreSQL: the implementation of `EquipmentRegister`."""

from datetime import datetime
from typing import Final

from adapters.equipment_register import occupying, papers, upkeep
from adapters.equipment_register.port import (
    ClassAnswer,
    ClearanceAnswer,
    ClearanceForm,
    FaultAnswer,
    ItemAnswer,
    OccupyAnswer,
    ScaleAnswer,
    TrainingAnswer,
)
from adapters.in_the_record import InTheRecord
from db import register as register_rows
from db.once import reached
from db.queries import cases
from domain.equipment import EquipmentClass, Item
from domain.equipment_acts import Act
from domain.equipment_gate import StartNeed, blockers, scale_blockers
from domain.errors import Blocker
from domain.maintenance import MaintenanceSpecification

SYSTEM: Final = "equipment register"


class PostgresEquipmentRegister(InTheRecord):
    """Equipment, rooms, clearances and training in the record. `now` is asked when the rows are locked."""

    _system = SYSTEM

    def occupy(self, need: StartNeed, *, key: str, actor: str) -> OccupyAnswer:
        """See `EquipmentRegister.occupy`."""
        request = self._request("occupy", f"workstation/{need.workstation}", key, actor, need=need)
        return self._once(request, OccupyAnswer, lambda c: occupying.occupy(c, request, need, self._now))

    def check(self, need: StartNeed) -> list[Blocker]:
        """See `EquipmentRegister.check`."""
        with reached(self._engine, SYSTEM) as connection:
            return blockers(need, occupying.situation(connection, need, lock=False), self._now())

    def check_scale(self, scale: str, workstation: str | None) -> ScaleAnswer:
        """See `EquipmentRegister.check_scale`."""
        with reached(self._engine, SYSTEM) as connection:
            item = next(iter(register_rows.read(connection, [scale])), None)
        blockers = scale_blockers(scale, item, workstation, self._now())
        if item is None:
            return ScaleAnswer(blockers=tuple(blockers))
        return ScaleAnswer(
            blockers=tuple(blockers), certificate=item.certificate, calibration_due_at=item.calibration_due_at
        )

    def expire(self, at: datetime) -> datetime | None:
        """See `EquipmentRegister.expire`."""
        for code in self._due(at):
            with reached(self._engine, SYSTEM) as connection:
                upkeep.expire(connection, code, at)
        with reached(self._engine, SYSTEM) as connection:
            return upkeep.next_look(connection, at)

    def _due(self, at: datetime) -> list[str]:
        with reached(self._engine, SYSTEM) as connection:
            return upkeep.due(connection, at)

    def define_class(self, of: EquipmentClass, *, key: str, actor: str) -> ClassAnswer:
        """See `EquipmentRegister.define_class`."""
        request = self._request("defineEquipmentClass", f"equipment-class/{of.code}", key, actor, of=of)
        return self._once(request, ClassAnswer, lambda c: upkeep.define_class(c, request, of))

    def register(self, item: Item, *, calibrated: bool, key: str, actor: str) -> ItemAnswer:
        """See `EquipmentRegister.register`."""
        fields = {"code", "name", "kind", "equipment_class", "workstation", "room", "line"}
        # Without a plant a request has the content that it always had: its key still finds its answer.
        content = item.model_dump(include=fields | ({"plant"} if item.plant else set()), mode="json")
        request = self._request(
            "registerEquipment", f"equipment/{item.code}", key, actor, item=content, calibrated=calibrated
        )
        return self._once(request, ItemAnswer, lambda c: upkeep.register(c, request, Item(**content), calibrated))

    def act(self, code: str, act: Act, *, key: str, actor: str, reason: str | None = None) -> ItemAnswer:
        """See `EquipmentRegister.act`."""
        request = self._request(act.kind, f"equipment/{code}", key, actor, act=act, reason=reason)
        return self._once(request, ItemAnswer, lambda c: upkeep.act(c, request, code, act, reason))

    def report_fault_at(
        self, workstation: str, detail: str, *, key: str, actor: str, order_number: str | None = None
    ) -> FaultAnswer:
        """See `EquipmentRegister.report_fault_at`."""
        request = self._request("reportFault", f"workstation/{workstation}", key, actor, detail=detail)
        return self._once(request, FaultAnswer, lambda c: upkeep.fail_at(c, request, workstation, detail, order_number))

    def unstarted(self) -> list[MaintenanceSpecification]:
        """See `EquipmentRegister.unstarted`."""
        with reached(self._engine, SYSTEM) as connection:
            return cases.unstarted_maintenance(connection)

    def record_clearance(self, form: ClearanceForm, *, key: str, actor: str) -> ClearanceAnswer:
        """See `EquipmentRegister.record_clearance`."""
        request = self._request("recordLineClearance", f"equipment/{form.room}", key, actor, form=form)
        return self._once(request, ClearanceAnswer, lambda c: papers.record_clearance(c, request, form))

    def check_clearance(
        self, number: str, accept: bool, *, key: str, actor: str, reason: str | None = None
    ) -> ClearanceAnswer:
        """See `EquipmentRegister.check_clearance`."""
        request = self._request("checkLineClearance", f"line-clearance/{number}", key, actor, accept=accept)
        return self._once(
            request, ClearanceAnswer, lambda c: papers.check_clearance(c, request, number, accept, reason)
        )

    def register_training(
        self, person: str, qualification: str, valid_until: datetime, *, key: str, actor: str
    ) -> TrainingAnswer:
        """See `EquipmentRegister.register_training`."""
        training = TrainingAnswer(person=person, qualification=qualification, valid_until=valid_until)
        request = self._request("registerTraining", f"training/{person}", key, actor, training=training)
        return self._once(request, TrainingAnswer, lambda c: papers.register_training(c, request, training))
