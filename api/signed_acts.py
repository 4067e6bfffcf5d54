"""The signed acts that no order judges: what each is about, what its signatures mean, how its command is made.

A policy that speaks of them (`signsOtherActs`) may give a signature another meaning, ask for a second person or a
one-time code, and take signatures in ceremonies alone; without one the table counts as it stands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from api.deps import Caller
from api.errors import refused
from api.permissions import DIRECT
from api.security import now
from api.shapes import CommandBody
from api.signatures import SECOND, STRICT, Signing
from db.queries import lot_holds, policies, recalls
from db.queries.trace import LotUnknown
from domain.batch_rework import ApproveBatchRework
from domain.command_base import Command
from domain.disposal_commands import DecideDestruction, DestroyLot, MoveRejectedStock
from domain.evidence import DecideMaterialRelease
from domain.hold_commands import HoldLot, ReleaseLotHold
from domain.policy import Policy
from domain.quantities import plain
from domain.recall_commands import ApproveRecall
from domain.signing import Meaning

Values = dict[str, Any]


def _nothing_more(who: Caller, number: str) -> Values:
    return {}


def _as_it_is(who: Caller, command: Command) -> None:
    """Nothing of the command repeats what the record says."""


def _of_recall(who: Caller, number: str) -> Values:
    """What the record says of a recall, and its signature binds."""
    with who.services.engine.connect() as connection:
        known = recalls.detail(connection, number)
    scope = (known or {}).get("scope") or {"lots": [], "shipments": []}
    shipped = sum((Decimal(own["quantity"]) for own in scope["shipments"]), Decimal(0))
    is_mock = known is not None and known["isMock"]
    return {"is_mock": is_mock, "lots": len(scope["lots"]), "shipped": str(shipped)}


def check_reach(lot: str, reach: lot_holds.Reach, seen: tuple[int, int, Decimal]) -> None:
    """Refuse CONTENT_CHANGED when a hold would reach something else than its signer was shown."""
    is_now = (len(reach.lots), len(reach.orders), reach.shipped)
    if is_now != seen:
        found, was = (f"{n} lots, {o} running orders, {plain(s)} shipped" for n, o, s in (is_now, seen))
        raise refused("CONTENT_CHANGED", "lot", lot, found, f"{was}, as it was shown; look again", "signer")


def _reaches_the_same(who: Caller, command: Command) -> None:
    assert isinstance(command, HoldLot)
    with who.services.engine.connect() as connection:
        try:
            reach = lot_holds.reach(connection, command.lot, command.downstream)
        except LotUnknown:
            return
    check_reach(command.lot, reach, (command.lots, command.orders, command.shipped))


def _is_the_frozen_report(who: Caller, command: Command) -> None:
    assert isinstance(command, ApproveRecall)
    with who.services.engine.connect() as connection:
        known = recalls.detail(connection, command.recall)
    if known is not None and known["scopeHash"] != command.scope_hash:
        found, seen = f"report {known['scopeHash']}", f"report {command.scope_hash}, as it was shown; look again"
        raise refused("CONTENT_CHANGED", "recall", command.recall, found, seen, "signer")


@dataclass(frozen=True)
class SignedAct:
    """`action`: its name in the table of permissions; `subject`: what the number in its address is of, and the kind of
    entity; `first` and `second`: meanings of the two signatures, None for one that is not asked for."""

    kind: type[Command]
    action: str
    subject: str
    first: Meaning | None
    second: Meaning | None = None
    second_roles: tuple[str, ...] = ()
    more: Callable[[Caller, str], Values] = _nothing_more
    """Fields of the command that the record knows."""
    check: Callable[[Caller, Command], None] = _as_it_is
    """Refuses a command whose caller has seen something else on the page before than the record says now."""

    def entity(self, number: str) -> str:
        """What the audit trail calls the subject."""
        return f"{self.subject}/{number}"

    def command(self, who: Caller, number: str, command_id: str, content: Mapping[str, Any]) -> Command:
        """The command of a caller. Raises pydantic's ValidationError when the content does not fit."""
        about = {
            "command_id": command_id, "actor": who.id, "received_at": now(), "source": who.source,
            self.subject: number,
        }  # fmt: skip
        return self.kind.model_validate({**content, **self.more(who, number), **about})

    def meanings(self, policy: Policy) -> tuple[str | None, str | None]:
        """What the signatures mean under a policy, the second person's last; None: not asked for."""
        name = self.kind.kind_name()
        first = None if self.first is None else policy.signatures.get(name, self.first)
        return first, policy.second_signatures.get(name, self.second)


SIGNED_ACTS: Final = (
    SignedAct(HoldLot, "holdLot", "lot", Meaning.APPROVED, check=_reaches_the_same),
    SignedAct(ReleaseLotHold, "releaseLotHold", "lot", Meaning.RELEASED),
    SignedAct(ApproveRecall, "approveRecall", "recall", Meaning.APPROVED, more=_of_recall, check=_is_the_frozen_report),
    SignedAct(DecideDestruction, "decideDestruction", "lot", Meaning.APPROVED),
    SignedAct(ApproveBatchRework, "approveBatchRework", "lot", Meaning.APPROVED),
    SignedAct(DecideMaterialRelease, "decideMaterialRelease", "inspection", Meaning.APPROVED),
    SignedAct(DestroyLot, "destroyLot", "lot", Meaning.PERFORMED, Meaning.WITNESSED),
    SignedAct(MoveRejectedStock, "moveStock", "lot", None, Meaning.APPROVED, ("qualityManager",)),
)
BY_KIND: Final = {act.kind.kind_name(): act for act in SIGNED_ACTS}
BY_ACTION: Final = {act.action: act for act in SIGNED_ACTS}


def policy_of(who: Caller) -> Policy:
    """The rules of signatures of what no order judges."""
    with who.services.engine.connect() as connection:
        return policies.of_other_acts(connection) or STRICT


def signings(who: Caller, command: Command, number: str, body: CommandBody) -> list[Signing]:
    """The signatures that this act asks for, the second person's last."""
    act, policy = BY_KIND[command.kind_name()], policy_of(who)
    first, second = act.meanings(policy)
    entity = act.entity(number)
    wanted: list[Signing] = []
    if first is not None:
        wanted.append(Signing(command, entity, first, body.signature, policy=policy))
    if second is not None:
        roles = act.second_roles if act.second is not None else DIRECT[act.action]
        wanted.append(Signing(command, entity, second, body.second, policy=policy, part=SECOND, roles=roles))
    return wanted
