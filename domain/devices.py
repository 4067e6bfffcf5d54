"""The device that a command came from, as the register of devices knows it (AC-10)."""

from enum import StrEnum

from domain.base import Message


class DeviceKind(StrEnum):
    """What a device is. Scales stand in the equipment register: they are calibrated."""

    TERMINAL = "terminal"
    SCANNER = "scanner"
    SCALE = "scale"


class DeviceUsed(Message):
    """A device by its id. `work_centres` are the workstations that it is registered for; none: nobody knows it."""

    code: str
    work_centres: tuple[str, ...] | None = None
