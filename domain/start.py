"""What each workflow begins with. Beside the other models, because a model in a workflow's own file is built
anew for every order that a worker holds: measured at half a megabyte and several milliseconds each."""

from datetime import datetime

from pydantic import Field

from domain.base import Message
from domain.case_commands import AnyCapaCommand, AnyDeviationCommand
from domain.commands import AnyCommand
from domain.maintenance import MaintenanceCase, MaintenanceSpecification
from domain.maintenance_commands import AnyMaintenanceCommand
from domain.process import Process
from domain.quality_cases import CapaCase, CapaSpecification, DeviationCase, DeviationSpecification
from domain.specification import OrderSpecification


class Carried(Message):
    """What continues in a new run of the same order."""

    process: Process
    seen: tuple[str, ...] = ()
    inbox: tuple[AnyCommand, ...] = Field(default=())


class StartOrder(Message):
    """What an order begins with; `carried` is set when a run continues an earlier one.

    `rests_after_seconds`: how long nothing has to happen until it waits on in a new run; None: it does not, as orders
    that began before there was a rest.
    """

    specification: OrderSpecification
    command_id: str
    received_at: datetime
    carried: Carried | None = None
    rests_after_seconds: int | None = None


class StartLotHold(Message):
    """What the process of a hold of lots begins with: everything else stands in the record."""

    hold: str


class CarriedDeviation(Message):
    """What continues in a new run of the same deviation, or begins again when a closed one is reopened."""

    case: DeviationCase
    seen: tuple[str, ...] = ()
    inbox: tuple[AnyDeviationCommand, ...] = Field(default=())


class StartDeviation(Message):
    """What a deviation's own process begins with."""

    specification: DeviationSpecification
    command_id: str
    carried: CarriedDeviation | None = None


class CarriedCapa(Message):
    """What continues in a new run of the same corrective action."""

    case: CapaCase
    seen: tuple[str, ...] = ()
    inbox: tuple[AnyCapaCommand, ...] = Field(default=())


class StartCapa(Message):
    """What a corrective action's process begins with."""

    specification: CapaSpecification
    command_id: str
    carried: CarriedCapa | None = None


class CarriedMaintenance(Message):
    """What continues in a new run of the same maintenance order."""

    case: MaintenanceCase
    seen: tuple[str, ...] = ()
    inbox: tuple[AnyMaintenanceCommand, ...] = Field(default=())


class StartMaintenanceOrder(Message):
    """What a maintenance order's process begins with."""

    specification: MaintenanceSpecification
    command_id: str
    carried: CarriedMaintenance | None = None
