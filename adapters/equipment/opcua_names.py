"""What the press and its driver both know: the OPC UA names, and how a view and readings travel as method results.

Node ids are strings in our own namespace, so that they are found by the namespace's URI: its index moves between
starts.
Numbers that go into the batch record travel as text, for a Double would not keep what was recorded.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from asyncua import ua

from adapters.equipment.port import JobState, JobView, Quality, Reading, StateChange
from domain.machine_states import StateProfile
from domain.quantities import exact, plain

NAMESPACE: Final = "urn:millwright:press"
PRESS: Final = "Press"
JOB: Final = "Press.Job"
TAGS: Final = "Press.Tags"


class Method(StrEnum):
    """The press's methods, all under the node `JOB`."""

    LOAD = "LoadJob"
    START = "StartJob"
    PAUSE = "PauseJob"
    RESUME = "ResumeJob"
    ABORT = "AbortJob"
    GET = "GetJob"
    READINGS = "ReadingsSince"
    STATES = "StatesSince"


VIEW_OUTPUTS: Final = (
    ("Refusal", ua.VariantType.String, False),
    ("Detail", ua.VariantType.String, False),
    ("State", ua.VariantType.String, False),
    ("Good", ua.VariantType.String, False),
    ("Waste", ua.VariantType.String, False),
    ("StartedAt", ua.VariantType.DateTime, True),
    ("EndedAt", ua.VariantType.DateTime, True),
    ("LastSequence", ua.VariantType.UInt32, False),
)
"""Name, type, array: what a job method answers. With a `Refusal` the rest is empty; no state = the job is not known."""

READING_OUTPUTS: Final = (
    ("Refusal", ua.VariantType.String, False),
    ("Detail", ua.VariantType.String, False),
    ("Tags", ua.VariantType.String, True),
    ("Sequences", ua.VariantType.UInt32, True),
    ("SourceTimes", ua.VariantType.DateTime, True),
    ("RecordedAt", ua.VariantType.String, True),
    ("Qualities", ua.VariantType.UInt32, True),
    ("Values", ua.VariantType.String, True),
)
"""The journal's answer: one entry per row; `Values` row by row, as many as there are `Tags`, empty = not measured."""

STATE_OUTPUTS: Final = (
    ("Journal", ua.VariantType.String, False),
    ("Sequences", ua.VariantType.UInt32, True),
    ("Times", ua.VariantType.DateTime, True),
    ("States", ua.VariantType.Int32, True),
)
"""The machine's changes of state: one entry per change, numbered as its profile has it."""

_STATUS: Final = {Quality.GOOD: 0x0000_0000, Quality.UNCERTAIN: 0x4000_0000, Quality.BAD: 0x8000_0000}


def quality_of(status: int) -> Quality:
    """The quality that the two top bits of an OPC UA status code stand for."""
    match status >> 30:
        case 0:
            return Quality.GOOD
        case 1:
            return Quality.UNCERTAIN
        case _:
            return Quality.BAD


def status_of(quality: Quality) -> int:
    """The plain OPC UA status code of a quality."""
    return _STATUS[quality]


def node_id(name: str, namespace_index: int) -> ua.NodeId:
    """The node of that name in our namespace, which has `namespace_index` on this connection."""
    return ua.NodeId(ua.String(name), ua.Int16(namespace_index))


def _variants(outputs: Sequence[tuple[str, ua.VariantType, bool]], values: Sequence[Any]) -> list[ua.Variant]:
    return [ua.Variant(value, kind, is_array=array) for (_, kind, array), value in zip(outputs, values, strict=True)]


def view_outputs(view: JobView | None, refusal: str = "", detail: str = "") -> list[ua.Variant]:
    """A view, or none, or a refusal, as method results."""
    if view is None:
        return _variants(VIEW_OUTPUTS, (refusal, detail, "", "0", "0", [], [], 0))
    started = [view.started_at] if view.started_at else []
    ended = [view.ended_at] if view.ended_at else []
    counts = (plain(view.good), plain(view.waste))
    return _variants(VIEW_OUTPUTS, (refusal, detail, str(view.state), *counts, started, ended, view.last_sequence))


def view_from(job_id: str, results: Sequence[Any]) -> JobView | None:
    """The view that a job method answered, or None for a job that is not known. The refusal is looked at before."""
    _, _, state, good, waste, started, ended, last = results
    if not state:
        return None
    return JobView(
        job_id=job_id,
        state=JobState(state),
        good=exact(good),
        waste=exact(waste),
        started_at=utc(started[0]) if started else None,
        ended_at=utc(ended[0]) if ended else None,
        last_sequence=last,
    )


def reading_outputs(readings: Sequence[Reading], tags: Sequence[str], refusal: str, detail: str) -> list[ua.Variant]:
    """Readings as method results."""
    values = [plain(reading.values[tag]) if tag in reading.values else "" for reading in readings for tag in tags]
    rows = (
        list(tags),
        [reading.sequence for reading in readings],
        [reading.source_time for reading in readings],
        [reading.recorded_at for reading in readings],
        [status_of(reading.quality) for reading in readings],
        values,
    )
    return _variants(READING_OUTPUTS, (refusal, detail, *rows))


def readings_from(results: Sequence[Any]) -> list[Reading]:
    """The readings that the journal answered. Raises `ValueError` if its columns do not fit together."""
    tags, sequences, times, recorded, qualities, values = (column or [] for column in results[2:])
    if len(values) != len(sequences) * len(tags):
        raise ValueError(f"{len(values)} values for {len(sequences)} rows of {len(tags)} tags")
    width = len(tags)
    return [
        Reading(
            sequence=sequence,
            source_time=utc(time),
            values=_row(tags, values[index * width : (index + 1) * width]),
            quality=quality_of(status),
            recorded_at=text,
        )
        for index, (sequence, time, text, status) in enumerate(zip(sequences, times, recorded, qualities, strict=True))
    ]


def state_outputs(changes: Sequence[StateChange], journal: str) -> list[ua.Variant]:
    """Changes of state as method results."""
    rows = ([own.sequence for own in changes], [own.at for own in changes], [own.number for own in changes])
    return _variants(STATE_OUTPUTS, (journal, *rows))


def states_from(results: Sequence[Any], profile: StateProfile) -> list[StateChange]:
    """The changes that a machine answered. Raises `ValueError` if its columns do not fit together."""
    journal, *columns = results
    return [
        StateChange(journal=journal, sequence=sequence, at=utc(at), number=number, profile=profile)
        for sequence, at, number in zip(*(column or [] for column in columns), strict=True)
    ]


def _row(tags: Sequence[str], texts: Sequence[str]) -> dict[str, Decimal]:
    return {tag: exact(text) for tag, text in zip(tags, texts, strict=True) if text}


def utc(moment: datetime) -> datetime:
    """A time of the library in UTC."""
    # An OPC UA DateTime is UTC by definition; the library hands it out with or without a zone, by version.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
