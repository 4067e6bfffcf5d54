"""What a "no" looks like, and the three ways in which a neighbour can fail."""

from domain.base import Message


class Blocker(Message):
    """One thing that stands in the way.

    `code` is stable and in CAPITALS; `entity` and `id` name what it is about; `found` and `required` say what is and
    what would have to be; `who_can_fix` names the role that can remove it.
    """

    code: str
    entity: str
    id: str
    found: str = ""
    required: str = ""
    who_can_fix: str = ""


class Refused(Exception):
    """A business "no" with everything that stands in the way. Nothing was changed."""

    def __init__(self, blockers: tuple[Blocker, ...], possible: tuple[str, ...] = ()) -> None:
        super().__init__("; ".join(f"{b.code} {b.entity} {b.id}: {b.found}, needed {b.required}" for b in blockers))
        self.blockers = blockers
        self.possible = possible


class AdapterRefused(Exception):
    """The neighbour understood and says no. Asking again gives the same answer: stop, and tell a person."""

    def __init__(self, code: str, detail: str, blockers: tuple[Blocker, ...] = ()) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.blockers = code, detail, blockers


class AdapterUnreachable(Exception):
    """The request was not taken: nothing happened there. Ask again later, visibly."""

    def __init__(self, system: str, detail: str) -> None:
        super().__init__(f"{system} cannot be reached: {detail}")
        self.system, self.detail = system, detail


class AdapterUnknown(Exception):
    """The request was sent and no answer came. Ask `find(key)` first, then send it again with the same key."""

    def __init__(self, system: str, detail: str) -> None:
        super().__init__(f"{system} did not answer: {detail}")
        self.system, self.detail = system, detail
