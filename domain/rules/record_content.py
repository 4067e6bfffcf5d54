"""What a batch record must hold before it may be passed on (EB-02): a pure look at its content."""

from typing import Any

from domain.errors import Blocker

Document = dict[str, Any]


def missing_items(content: Document, needed_materials: tuple[str, ...]) -> tuple[Blocker, ...]:
    """Everything that is not there, at once. `needed_materials` are those of the bill of material."""
    blockers = [
        _missing(content, name, name)
        for name in ("product", "batch", "startedAt", "endedAt", "routeVersion")
        if not content.get(name)
    ]
    there = {row["material"] for row in content["materials"]}
    blockers += [
        _missing(content, f"materials/{code}", "lot and quantity") for code in needed_materials if code not in there
    ]
    for stage in content["operations"]:
        blockers += _of_stage(content, stage)
    inspection = content["inspection"]
    if inspection is not None and not (inspection["results"] and inspection["enteredBy"] and inspection["decidedBy"]):
        blockers.append(_missing(content, "inspection", "results, who entered and who decided them"))
    return tuple(blockers)


def _of_stage(content: Document, stage: Document) -> list[Blocker]:
    """Times, people, station, values with their limits, yield and balance of one operation."""
    where = f"operations/{stage['code']}"
    blockers = [
        _missing(content, f"{where}/{name}", name)
        for name in ("startedAt", "endedAt", "startedBy", "completedBy", "workstation")
        if not stage[name]
    ]
    if stage["isVerified"] and not stage["verifiedBy"]:
        blockers.append(_missing(content, f"{where}/verifiedBy", "the second person"))
    recorded = {value["name"] for value in stage["values"]}
    blockers += [
        _missing(content, f"{where}/parameters/{parameter['name']}", "a value")
        for parameter in stage["parameters"]
        if parameter["required"] and parameter["name"] not in recorded
    ]
    if stage["countsPieces"] and (stage["yieldPercent"] is None or stage["balancePercent"] is None):
        blockers.append(_missing(content, f"{where}/yieldPercent", "yield and balance"))
    return blockers


def _missing(content: Document, field: str, required: str) -> Blocker:
    return Blocker(
        code="RECORD_INCOMPLETE", entity="batch record", id=f"{content['workOrder']}/{field}", found="nothing",
        required=required, who_can_fix="supervisor",
    )  # fmt: skip


def open_exceptions(content: Document, exceptions: list[Document]) -> tuple[Blocker, ...]:
    """A blocker for each exception that nobody has explained and whose deviation nobody has decided (EB-07)."""
    return tuple(
        Blocker(
            code="EXCEPTION_OPEN", entity="exception", id=f"{content['workOrder']}/{own['id']}",
            found=f"{own['type']}: {own['detail']}",
            required=f"the decision of {own['deviation']}" if own["deviation"] else "an explanation",
            who_can_fix="qaReviewer" if own["deviation"] else "supervisor",
        )
        for own in exceptions
        if own["isOpen"]
    )  # fmt: skip
