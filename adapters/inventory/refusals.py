"""How the warehouse says no: everything that stands in the way, at once."""

from domain.errors import AdapterRefused, Blocker


def check(blockers: list[Blocker]) -> None:
    """Raise AdapterRefused with all blockers, under the code of the first; nothing when there are none."""
    if blockers:
        detail = "; ".join(f"{own.code} {own.id}: {own.found}" for own in blockers)
        raise AdapterRefused(blockers[0].code, detail, tuple(blockers))


def blocker(code: str, entity: str, identity: str, found: str, required: str, who: str) -> Blocker:
    """One thing in the way; `who` can help."""
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix=who)
