"""What a route gets handed: the services of the process, and who asks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine
from starlette.concurrency import run_in_threadpool

from adapters.equipment_register.port import EquipmentRegister
from adapters.inventory.port import Inventory
from adapters.printing.port import Printer
from adapters.quality.port import Quality
from api import permissions
from api.cases_door import Cases
from api.errors import Problem
from api.history import Histories
from api.lot_holds_door import LotHolds
from api.orders_door import Orders
from api.outcomes import Outcomes
from api.roles import Role
from api.scopes import Scope
from api.security import Session, Sessions, now
from db import audit
from db.queries import scopes, targets, users
from db.queries.targets import Target
from db.session import reading
from domain.errors import Blocker
from domain.policy import Policy
from settings import Settings

TARGETS_KEPT: Final = 20_000


@dataclass(frozen=True)
class Services:
    """Everything that lives as long as the process."""

    settings: Settings
    engine: Engine
    sessions: Sessions
    outcomes: Outcomes
    orders: Orders
    cases: Cases
    lot_holds: LotHolds
    histories: Histories
    inventory: Inventory
    quality: Quality
    equipment: EquipmentRegister
    printer: Printer

    @cached_property
    def frozen_policies(self) -> dict[str, Policy]:
        """Number of an order or a quality case → the policy that it was made under, which never changes."""
        return {}

    @cached_property
    def _targets(self) -> dict[tuple[str, UUID], Target]:
        return {}

    def target(self, what: str, identity: UUID) -> Target | None:
        """The object of that uuid (see `db.queries.targets`): which order decides about it never changes, so the
        record is asked once. It reads: call it in a thread."""
        known = self._targets.get((what, identity))
        if known is not None:
            return known
        with reading(self.engine) as connection:
            found = targets.find(connection, what, identity)
        if found is not None:
            if len(self._targets) >= TARGETS_KEPT:
                self._targets.clear()
            self._targets[what, identity] = found
        return found


@dataclass(frozen=True)
class Caller:
    """Who asks, and from where."""

    session: Session
    source: str
    services: Services

    @property
    def id(self) -> str:
        """The user id."""
        return self.session.user_id

    @property
    def scope(self) -> Scope:
        """The plants and lines that the caller is limited to."""
        return Scope(self.session.plants, self.session.lines)

    def entry(self, action: str, entity: str, **more: object) -> audit.Entry:
        """An audit entry about something that this caller did."""
        return audit.Entry(now(), self.id, action, entity, source=self.source, **more)  # type: ignore[arg-type]

    def may(self, action: str, entity: str, roles: Iterable[str]) -> None:
        """Raise 403 NOT_AUTHORISED, and audit it, unless the caller has one of the roles. Writes: call in a thread."""
        allowed = tuple(roles)
        if not set(allowed).isdisjoint(self.session.roles):
            return
        with self.services.engine.begin() as connection:
            new = {"action": action, "needed": list(allowed)}
            audit.append(connection, [self.entry("auth.denied", entity, new=new)])
            appointed = users.people_with(connection, allowed) if action in APPOINTED else ()
        raise not_authorised(self.session, action, entity, allowed, appointed)


APPOINTED: Final = {"certifyBatch": "QP_REQUIRED"}
"""What only people may do who are appointed by name: the code of the refusal, which names them (QL-09)."""


def not_authorised(
    session: Session, action: str, entity: str, roles: tuple[str, ...], appointed: Sequence[str] = ()
) -> Problem:
    """403 that names user, action, entity and who may."""
    code = APPOINTED.get(action, "NOT_AUTHORISED")
    people = f" (appointed: {', '.join(appointed) or 'nobody'})" if action in APPOINTED else ""
    kind, _, identity = entity.partition("/")
    blocker = Blocker(
        code=code,
        entity=kind,
        id=identity,
        found=f"{session.user_id} is {', '.join(session.roles) or 'nothing'}",
        required=f"{action} needs one of: {', '.join(roles)}{people}",
        who_can_fix=", ".join(roles),
    )
    detail = f"{session.user_id} may not {action} on {entity}; {', '.join(roles)} may"
    return Problem(403, code, detail, blockers=(blocker,))


async def services(request: Request) -> Services:
    """The services of this process. (Not a plain function: FastAPI would hand it to a thread.)"""
    found: Services = request.app.state.services
    return found


With = Annotated[Services, Depends(services)]


async def caller(request: Request, found: With) -> Caller:
    """Who asks. The gate has looked the session up."""
    return Caller(request.state.session, request.state.source, found)


Who = Annotated[Caller, Depends(caller)]


def _reading(found: With) -> Iterator[Connection]:
    """A connection for reads."""
    with found.engine.connect() as connection:
        yield connection


Reading = Annotated[Connection, Depends(_reading)]


def only(action: str, entity: str, *roles: Role) -> Callable[[Caller], Caller]:
    """A dependency: only callers who may do the action get to the route. Who that is stands in `api/permissions.py`.

    `roles` are for an action that is not in that table yet; a test asks for it to be.
    """
    allowed = permissions.DIRECT.get(action, roles)
    if not allowed or (roles and set(roles) != set(allowed)):
        raise ValueError(f"{action}: {roles} are not the roles of the table of permissions, {allowed}")

    def check(who: Who) -> Caller:
        who.may(action, entity, allowed)
        return who

    return check


async def inside(request: Request, who: Who) -> None:
    """Refuse what lies outside the caller's plants and lines, by what the address names. For every route."""
    if not who.scope.is_everywhere:
        # A code is that of an operation, a user …; below this address it is equipment's.
        is_equipment = "/equipment/{code}" in getattr(request.scope.get("route"), "path", "")
        own = [("equipment" if name == "code" and is_equipment else name, value)
               for name, value in request.path_params.items()]  # fmt: skip
        await run_in_threadpool(_refuse_outside, (*own, *request.query_params.items()), who)


def _refuse_outside(named: Iterable[tuple[str, str]], who: Caller) -> None:
    for name, value in named:
        with who.services.engine.connect() as connection:
            place = scopes.named(connection, name, str(value))
        if place is not None:
            who.scope.refuse_outside(who, f"{name.removesuffix('_id').replace('_', '-')}/{value}", place, who.id)


@contextmanager
def writing(who: Caller, *entries: audit.Entry) -> Iterator[Connection]:
    """One transaction of a direct write; the audit entries are appended last."""
    with who.services.engine.begin() as connection:
        yield connection
        audit.append(connection, entries)
