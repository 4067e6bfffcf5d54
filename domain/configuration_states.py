"""A change of configuration: requested, analysed, approved, tested, published (B19, MD-03)."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Literal

from domain.base import Message
from domain.command_base import Command
from domain.states import StateMachine


class ConfigurationKind(StrEnum):
    """What is changed: a plant policy, the inspection plan of a material, or a product's definition, which is its bill
    of material and its route."""

    POLICY = "policy"
    INSPECTION_PLAN = "inspectionPlan"
    PRODUCT_DEFINITION = "productDefinition"


class ConfigurationState(StrEnum):
    """A change of configuration. Its content is changed in `requested` and nowhere else."""

    REQUESTED = "requested"
    ANALYSED = "analysed"
    APPROVED = "approved"
    TESTED = "tested"
    PUBLISHED = "published"
    REJECTED = "rejected"


class ConfigurationEvent(StrEnum):
    """What can happen to a change of configuration."""

    ANALYSE = "analyse"
    APPROVE = "approve"
    PASS_TEST = "passTest"
    FAIL_TEST = "failTest"
    PUBLISH = "publish"
    REJECT = "reject"


class ConfigurationStep(Message):
    """One step: who took it, when, and what was found."""

    event: ConfigurationEvent
    by: str
    at: datetime
    note: str = ""
    signature_id: str | None = None


class ApproveConfiguration(Command):
    """What quality signs: this change with exactly this content. No order judges it."""

    kind: Literal["approveConfiguration"] = "approveConfiguration"
    number: str
    content_hash: str
    roles: ClassVar = ("qualityManager",)


_C, _CE = ConfigurationState, ConfigurationEvent
CONFIGURATION: Final = StateMachine(
    "configuration change",
    _C.REQUESTED,
    {
        (_C.REQUESTED, _CE.ANALYSE): _C.ANALYSED,
        (_C.ANALYSED, _CE.APPROVE): _C.APPROVED,
        (_C.APPROVED, _CE.PASS_TEST): _C.TESTED,
        # It is written anew, analysed and approved again.
        (_C.APPROVED, _CE.FAIL_TEST): _C.REQUESTED,
        # Nothing counts before this.
        (_C.TESTED, _CE.PUBLISH): _C.PUBLISHED,
        **{(state, _CE.REJECT): _C.REJECTED for state in (_C.REQUESTED, _C.ANALYSED, _C.APPROVED, _C.TESTED)},
    },
    {},
)

MACHINES: Final = (CONFIGURATION,)
