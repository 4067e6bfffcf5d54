"""What a command says by code, looked up in the record before it is sent: scanned codes, the device.

The order judges what they turned out to be; it has no way to look them up itself.
"""

from collections.abc import Iterable
from typing import Any

from api.clock import now
from api.deps import Caller
from db.queries import containers, devices, recoveries, scans
from db.queries.evidence import with_evidence
from db.session import reading
from domain.command_base import Command, ScanningCommand
from domain.commands import EnterInspectionResults, Measurement, RequestRecovery, WeighMaterial
from domain.scanning import ScanKind

Content = dict[str, Any]
_DEVICE_NAMES = ("device_id", "deviceId")


def looked_up(who: Caller, kind: type[Command], content: Content) -> Content:
    """The content of a command with its codes resolved. What a client says about them itself does not count."""
    device = next((content[name] for name in _DEVICE_NAMES if content.get(name)), None)
    scanning = kind if issubclass(kind, ScanningCommand) else None
    codes = () if scanning is None else content.get("scans", ())
    if kind is RequestRecovery:
        with reading(who.services.engine) as connection:
            known = recoveries.recoverable(connection, str(content.get("lot")), now().date())
        content = content | {"known": known}
    if kind is EnterInspectionResults:
        content = content | {"values": _entered(who, content.get("values", ()))}
    more = {
        name: value for name, value in content.items() if name not in (*_DEVICE_NAMES, "device", "scans", "results")
    }
    if device is None and not codes:
        return more
    with reading(who.services.engine) as connection:
        if device is not None:
            more["device"] = devices.used(connection, str(device))
        if scanning is not None:
            more["scans"] = tuple(scans.resolve(connection, str(code), scanning.scanned_first) for code in codes)
        if kind is WeighMaterial:
            # What the laboratory says about the lot that was scanned: never what the sender says.
            lots = [scan.lot for scan in more["scans"] if scan.kind == ScanKind.LOT]
            more["results"] = containers.results_of(connection, lots[0]) if lots else None
    return more


def _entered(who: Caller, values: Iterable[Any]) -> tuple[Measurement, ...]:
    """Results with what the record says of their instruments and reagents, where any is named."""
    entered = [Measurement.model_validate(value).model_copy(update={"measured_with": None}) for value in values]
    if not any(value.instrument or value.method or value.method_version or value.reagents for value in entered):
        return tuple(entered)
    with reading(who.services.engine) as connection:
        return tuple(with_evidence(connection, entered, now()))
