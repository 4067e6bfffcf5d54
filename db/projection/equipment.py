"""What orders occupy and free in the equipment register. Importing this registers it."""

from db.projection.events import Context, project
from db.register import By, Left
from domain.equipment_events import EquipmentFaultNoted, EquipmentOccupationMoved


@project.register
def _(event: EquipmentOccupationMoved, context: Context) -> None:
    """Occupied was written by the register itself; what is freed is freed with the fact that ends the operation."""
    fact = context.fact
    if event.target == "freed":
        by = By("free", fact.actor, fact.at, None, fact.order_number, fact.revision)
        context.batch.free(Left(event.work_order, event.operation, by))
    if event.target in ("occupied", "freed"):
        new = {"workstation": event.workstation, "equipment": list(event.equipment)}
        context.audit(f"operation.{event.target}", f"operation/{event.work_order}/{event.operation}", new=new)


@project.register
def _(event: EquipmentFaultNoted, context: Context) -> None:
    """What happened to the equipment itself was written by the register and by the maintenance order."""
    new = {"equipment": event.equipment, "maintenanceOrder": event.maintenance_order}
    entity = f"operation/{event.work_order}/{event.operation}"
    context.audit("operation.equipmentFailed" if event.standing == "failed" else "operation.equipmentRepaired", entity,
                  new=new)  # fmt: skip
