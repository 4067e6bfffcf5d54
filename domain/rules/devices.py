"""A terminal, scanner or instrument is registered for the work centre that it is used at (AC-10)."""

from domain.commands import Command
from domain.errors import Blocker
from domain.process import Process

NOT_ALLOWED = "DEVICE_NOT_ALLOWED"


def device_blockers(process: Process, command: Command) -> list[Blocker]:
    """What is wrong with the device of a command, where the policy asks for registered ones.

    What is done at an operation has to come from a device of its workstation; every other command may come from any
    registered device, or from none.
    """
    if not process.specification.policy.registered_devices:
        return []
    centre = _work_centre(process, command)
    device = command.device
    if device is None:
        return [] if centre is None else [not_allowed("none", "no device", centre)]
    if device.work_centres is None:
        return [not_allowed(device.code, "an unknown device", centre)]
    if centre is not None and centre not in device.work_centres:
        return [not_allowed(device.code, f"registered for {', '.join(device.work_centres) or 'nothing'}", centre)]
    return []


def not_allowed(device: str, found: str, centre: str | None) -> Blocker:
    """The blocker that names the device and the work centre it would have to be registered for."""
    return Blocker(
        code=NOT_ALLOWED, entity="device", id=device, found=found,
        required=f"a device that is registered for {centre}" if centre else "a registered device",
        who_can_fix="processEngineer",
    )  # fmt: skip


def _work_centre(process: Process, command: Command) -> str | None:
    """The workstation at which the command is given; None when it may be given anywhere, or there is no such one."""
    number, code = getattr(command, "work_order", None), getattr(command, "operation", "")
    if not command.is_bound_to_device or number not in process.work_orders:
        return None
    operation = process.specification.work_order(number).operation(code)
    return None if operation is None else operation.workstation
