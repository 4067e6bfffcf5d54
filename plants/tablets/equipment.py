"""Rooms, equipment, line clearances and qualifications of the plant: what has to be ready before an operation starts.

All of it is our assumption (README.md): the data name neither rooms nor machines. One room for each station, because a
room holds one batch at a time (PO-08).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from plants.tablets.master_data import ONLINE_PRESS, PLANT

Document = dict[str, Any]
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR

CLASSES: Final[tuple[Document, ...]] = (
    {
        "code": "production room", "name": "Production room, grade D",
        "cleanHoldSeconds": 14 * _DAY, "dirtyHoldSeconds": 3 * _DAY, "clearanceValidSeconds": 8 * _HOUR,
    },
    *(
        {
            "code": code, "name": name, "cleanHoldSeconds": 14 * _DAY, "dirtyHoldSeconds": 3 * _DAY,
            "calibrationWarningSeconds": 30 * _DAY,
        }
        for code, name in (
            ("dispensing booth with balances", "Dispensing booth with balances"),
            ("bin blender", "Bin blender"),
            ("rotary tablet press", "Rotary tablet press"),
            ("perforated drum coater", "Perforated drum coater"),
        )
    ),
)  # fmt: skip
"""Classes as the register takes them. Clean stays clean for 14 days, dirt waits for 3 at most, a clearance is good for
a shift. No campaigns: every batch is followed by a full cleaning."""
ROOM_CLASS: Final = "production room"


@dataclass(frozen=True)
class Station:
    """A workstation's room, and what stands in it."""

    workstation: str
    room: str
    equipment_class: str
    name: str


STATIONS: Final[Mapping[str, Station]] = {
    one.workstation: one
    for one in (
        Station("DISP-1", "D-101", "dispensing booth with balances", "Dispensing booth 1"),
        Station("DISP-2", "D-102", "dispensing booth with balances", "Dispensing booth 2"),
        Station("BLEND-1", "B-103", "bin blender", "Bin blender 1"),
        Station("BLEND-2", "B-104", "bin blender", "Bin blender 2"),
        Station(ONLINE_PRESS, "P-105", "rotary tablet press", "Tablet press 1"),
        Station("PRESS-2", "P-106", "rotary tablet press", "Tablet press 2"),
        Station("PRESS-3", "P-107", "rotary tablet press", "Tablet press 3"),
        Station("COAT-1", "C-108", "perforated drum coater", "Coater 1"),
        Station("COAT-2", "C-109", "perforated drum coater", "Coater 2"),
    )
}

CLEARANCE: Final[Mapping[str, tuple[str, ...]]] = {
    operation: (
        "no material or product of another batch in the room / 室内无其他批次的物料或产品",
        "no documents or labels of another batch / 无其他批次的文件和标签",
        "room and equipment carry the label 'clean', within its time / 房间和设备挂有“已清洁”标识且在有效期内",
        *own,
    )
    for operation, own in {
        "DISPENSE": ("balances levelled and checked with test weights / 天平已调平并用砝码核对",),
        "BLEND": ("sieve whole and clean / 筛网完好清洁",),
        "COMPRESS": (
            "punches and dies are those of the product / 冲模与本产品一致",
            "metal detector checked with test pieces / 金属检测仪已用测试片核查",
        ),
        "COAT": ("spray nozzles free, hoses flushed / 喷枪畅通，管路已冲洗",),
    }.items()
}
"""Operation → what the doer looks at and another person checks before a batch may begin."""

TRAINING: Final[Mapping[str, str]] = {
    "DISPENSE": "dispensing",
    "BLEND": "blending",
    "COMPRESS": "compression",
    "COAT": "film coating",
}
"""Operation → the qualification that whoever starts it has to hold."""


def build(*, online: bool) -> list[Document]:
    """Rooms and equipment as the register takes them, rooms first; with the press that takes jobs if `online`."""
    stations = [one for one in STATIONS.values() if online or one.workstation != ONLINE_PRESS]
    rooms: list[Document] = [
        {
            "code": one.room, "name": f"Room {one.room}", "kind": "room", "equipmentClass": ROOM_CLASS, "line": PLANT,
            "calibrated": False,
        }
        for one in stations
    ]  # fmt: skip
    return rooms + [
        {
            "code": f"EQ-{one.workstation}", "name": one.name, "kind": "equipment", "line": PLANT,
            "equipmentClass": one.equipment_class, "workstation": one.workstation, "room": one.room,
            "calibrated": True,
        }
        for one in stations
    ]  # fmt: skip
