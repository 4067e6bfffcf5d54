"""Changes of configuration: the list, one with its differences and steps, and the form that asks for one."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response

from api.permissions import COMMAND_ROUTES
from api.routing import Router
from api.signed_acts import BY_ACTION
from api.ui.calls import read
from api.ui.direct import may_act
from api.ui.shell import PageRoute, page
from domain.configuration_states import ConfigurationState
from domain.order_fields import FIELDS
from domain.policy import OverReport
from domain.signing import Meaning

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
ACTS: Final = {
    "analyse": "analyseConfiguration", "approve": "approveConfiguration", "passTest": "testConfiguration",
    "publish": "publishConfiguration", "reject": "rejectConfiguration",
}  # fmt: skip
"""Step → the form in which it is taken."""
STEPS: Final = {name: name for name in ACTS} | {"passTest": "test"}
NOT_ASKED: Final = frozenset({"code", "version", "lateEntrySeconds"})


@router.get("/master/configuration")
async def listed(request: Request, state: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Changes, newest first."""
    known = state if state in set(ConfigurationState) else None
    found = await read(request, "/configuration-changes", **({"state": known} if known else {}))
    return page(
        request, "configurations.html", changes=found["configurationChanges"], state=state,
        states=list(ConfigurationState), live="configuration-change",
    )  # fmt: skip


@router.get("/master/configuration/{change_id}")
async def one(change_id: UUID, request: Request) -> Response:
    """One change: what would be other, who did what, what can be done."""
    found = await read(request, f"/configuration-changes/{change_id}")
    acts = [
        (ACTS[event], f"/configuration-changes/{change_id}/{STEPS[event]}", _given(event, found))
        for event in found["possible"]
        if event in ACTS and may_act(request, ACTS[event])
    ]
    return page(
        request, "configuration.html", change=found, acts=acts, may_act=lambda name: may_act(request, name),
        live="configuration-change",
    )  # fmt: skip


def _given(event: str, found: dict[str, Any]) -> dict[str, str]:
    """Who approves sends the hash of what stands on the page."""
    return {"contentHash": found["contentHash"]} if event == "approve" else {}


@router.get("/master/policies/{code}/change")
async def ask(code: str, request: Request) -> Response:
    """The form that asks for a change of a policy: every switch and number, as it is now."""
    found = await read(request, f"/master-data/policies/{code}")
    newest = found["versions"][-1]
    fields = [(name, value) for name, value in newest.items() if name not in NOT_ASKED and _is_simple(value)]
    return page(
        request, "configuration_new.html", code=code, version=newest["version"], fields=fields, now=newest,
        over_reports=[str(own) for own in OverReport], meanings=[str(own) for own in Meaning],
        order_fields=list(FIELDS), signable=_signable(newest),
    )  # fmt: skip


def _signable(policy: Mapping[str, Any]) -> list[str]:
    """What can be signed: every command, and acts that no order judges; those that are signed now come first."""
    known = {kind.kind_name() for kind in COMMAND_ROUTES.values()} | BY_ACTION.keys()
    signed = {*policy["signatures"], *policy["secondSignatures"]}
    return [*sorted(signed), *sorted(known - signed)]


def _is_simple(value: Any) -> bool:
    return isinstance(value, bool | int)
