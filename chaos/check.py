"""Compares a disturbed run with an undisturbed one, and what clients were told with what the record says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chaos.record import Record
from chaos.told import Answer, Told, answer_of

KINDS: Final = ("contradicted", "retold", "broken", "doubled", "changed", "lost")
"""Worst first."""


@dataclass(frozen=True)
class Finding:
    """Something that must not be. `kind` is one of KINDS, `where` what it was found in, `detail` the thing itself."""

    kind: str
    where: str
    detail: str

    def document(self) -> dict[str, str]:
        """As JSON data."""
        return {"kind": self.kind, "where": self.where, "detail": self.detail}


def check(wanted: Record, wanted_told: Told, found: Record, told: Told, more: Sequence[Finding] = ()) -> list[Finding]:
    """All findings about the disturbed run, `more` among them; none if it is as if nobody had disturbed it."""
    everything = (
        *more,
        *_differences(wanted, found),
        *sound(found),
        *honest(found, told),
        *_other_answers(wanted_told, told),
    )
    return sorted(everything, key=lambda finding: KINDS.index(finding.kind))


def _differences(wanted: Record, found: Record) -> Iterator[Finding]:
    """Rows that one record has and the other has not; a missing and a new row about the same thing are one change."""
    for where, rows in wanted.same.items():
        missing, extra = rows - found.same[where], found.same[where] - rows
        kept = Counter(row[0] for row in missing.elements()) & Counter(row[0] for row in extra.elements())
        for kind, side in (("lost", missing), ("doubled", extra)):
            left = kept.copy()
            for row in sorted(side.elements(), key=repr):
                is_change = left[row[0]] > 0
                left[row[0]] -= is_change
                if not is_change:
                    yield Finding(kind, where, _said(row))
                elif kind == "lost":
                    now = next(other for other in extra if other[0] == row[0])
                    yield Finding("changed", where, f"{_said(row)} → {_said(now)}")


def sound(found: Record) -> Iterator[Finding]:
    """What contradicts itself in a record."""
    for where, rows in found.broken.items():
        kind = "doubled" if where == "a command was judged twice" else "broken"
        yield from (Finding(kind, where, _said(row)) for row in rows)
    if found.audit_broken is not None:
        yield Finding("broken", "audit trail", found.audit_broken)


def honest(found: Record, told: Told) -> Iterator[Finding]:
    """Every answer that somebody got stands in the record, and nobody was told two things."""
    for command, answers in sorted(told.answers.items()):
        first = answers[0]
        for other in answers[1:]:
            if _differ(first, other):
                yield Finding("contradicted", f"command {command}", f"told {_brief(first)}, then {_brief(other)}")
        stored = found.outcomes.get(command)
        if stored is not None:
            own = answer_of(dict(stored), told.path(command))
            if _differ(own, first):
                yield Finding("contradicted", f"command {command}", f"told {_brief(first)}, recorded {_brief(own)}")
        elif first.accepted:
            yield Finding("lost", f"command {command}", f"told {_brief(first)}, not in the record")
    for command in sorted(told.taken - set(told.answers)):
        if command not in found.outcomes:
            yield Finding("lost", f"command {command}", "taken (202), never judged")
    yield from _sightings(found, told)


def _sightings(found: Record, told: Told) -> Iterator[Finding]:
    """An order as somebody saw it is the order as it was at that revision."""
    for seen in sorted(told.sightings, key=lambda own: (own.number, own.revision)):
        states = [state for revision, state in found.states.get(seen.number, ()) if revision <= seen.revision]
        if not states:
            yield Finding("lost", f"order {seen.number}", f"seen {seen.state} at {seen.revision}, not in the record")
        elif states[-1] != seen.state:
            said = f"seen {seen.state} at revision {seen.revision}, recorded {states[-1]}"
            yield Finding("contradicted", f"order {seen.number}", said)


def _other_answers(wanted: Told, told: Told) -> Iterator[Finding]:
    """A command that both runs sent is accepted in both or refused in both, for the same reasons."""
    for command, answers in sorted(told.answers.items()):
        before = wanted.answers.get(command)
        if before is None:
            continue
        if _codes(answers[0]) == ["EXCEPTION_OPEN"]:
            continue  # a neighbour was away: the step was done again under another id, and is compared in the record
        if (before[0].accepted, _codes(before[0])) != (answers[0].accepted, _codes(answers[0])):
            said = f"undisturbed {_brief(before[0])}, disturbed {_brief(answers[0])}"
            yield Finding("contradicted", f"command {command} {told.sent[command].path}", said)


def _differ(one: Answer, other: Answer) -> bool:
    if one.accepted != other.accepted:
        return True
    return _codes(one) != _codes(other) if not one.accepted else one.content != other.content


def _codes(answer: Answer) -> list[str]:
    if answer.accepted:
        return []
    return sorted({str(own.get("code")) for own in answer.content["blockers"]}) or [answer.content["code"]]


def _brief(answer: Answer) -> str:
    return f"accepted {answer.content}" if answer.accepted else f"refused {', '.join(_codes(answer))}"


def _said(row: tuple[Any, ...]) -> str:
    return " | ".join("–" if own is None else str(own) for own in row)
