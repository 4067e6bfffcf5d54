"""A batch in which things go wrong on purpose, to be seen: a value out of limits, a correction, a failed release test.

It is made of a real row, under a number of its own (`PLANTED` before the row's), and what goes wrong is invented. Each
time the system says no first; then the people whose duty it is resolve it, and the batch is certified.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from domain.quantities import plain
from plants.tablets import characteristics as c
from plants.tablets.formula import target_weight_mg
from plants.tablets.source import Batch
from replay import people as p
from replay.client import Document, NotTaken, Plant
from replay.deviations import resolve, retest, set_aside
from replay.floor import Floor
from replay.lots import Values, as_entered
from replay.progress import Count
from replay.tablet_order import TabletOrder, findings

PLANTED: Final = 9_000_000
"""Before the number of the row that the planted batch is made of."""
MISREAD: Final = "1"
FAILED_DISSOLUTION: Final = "41.0"
LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True)
class No:
    """Something that was tried and refused: who tried what, and the codes of what stood in the way."""

    who: str
    what: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """How the planted batch went: what was refused, which exceptions its review read, and its record on paper."""

    order: str
    lot: str
    state: str
    refused: tuple[No, ...]
    exceptions: tuple[Document, ...]
    prints: Mapping[str, bytes]

    def lines(self) -> Iterator[str]:
        """The story for people."""
        yield f"planted batch {self.lot}, order {self.order}: {self.state}"
        for no in self.refused:
            yield f"  refused: {no.who} {no.what}: {', '.join(no.codes)}"
        for own in self.exceptions:
            yield f"  {own['type']}: {own['detail']} → {own['decision']} ({own['decidedBy']})"

    def write(self, folder: Path) -> Iterator[Path]:
        """Write the record on paper into a folder, one file for each language."""
        folder.mkdir(exist_ok=True)
        for language, pdf in self.prints.items():
            file = folder / f"batch-record-{self.lot}-{language}.pdf"
            file.write_bytes(pdf)
            yield file


def planted(batch: Batch) -> Batch:
    """The batch to be spoiled, of the materials and values of a real one."""
    return replace(batch, number=PLANTED + batch.number)


def will_do(batch: Batch) -> bool:
    """Whether a row measured what is spoiled here, and nothing else about it is out of the ordinary."""
    return bool(batch.cells.get("tbl_av_hardness") and batch.cells.get("dissolution_min")) and not findings(batch)


class PlantedOrder(TabletOrder):
    """The life of the planted batch. `refused` is what was tried in between and was not taken."""

    def __init__(self, plant: Plant, floor: Floor, batch: Batch, count: Count) -> None:
        super().__init__(plant, floor, batch, count)
        self.refused: list[No] = []

    async def story(self) -> Story:
        """Make the batch, and tell how it went. Raises `NotTaken` when something else is refused than is planned."""
        made = await self._plant.order(p.SUPERVISOR, self._number)
        if made is None or made["state"] != "closed":
            await self.run()
        else:
            self._work_order = made["workOrders"][0]["id"]
        record = f"/mes/work-orders/{self._work_order}/batch-record"
        found = (await self._plant.get(p.REVIEWER, f"{record}/exceptions"))["exceptions"]
        order = await self._plant.order(p.SUPERVISOR, self._number)
        return Story(
            order=self._number, lot=self._batch.finished_lot, state=order["state"] if order else "",
            refused=tuple(self.refused), exceptions=tuple(found),
            prints={
                language: await self._plant.file(p.REVIEWER, f"{record}/pdf", language=language)
                for language in LANGUAGES
            },
        )  # fmt: skip

    async def _record(
        self, code: str, operator: str, second: str, cells: Mapping[str, str], limits: Mapping[str, c.Limits]
    ) -> None:
        """At the press: cores that are too heavy, and a hardness that was typed wrong."""
        if code != "COMPRESS":
            await super()._record(code, operator, second, cells, limits)
            return
        heavy = plain(target_weight_mg(self._batch.code, self._batch.strength) * Decimal("1.3"))
        await self._extra(operator, f"operations/{code}/parameters", "heavy", {"tbl_max_weight": heavy}, limits)
        await self._tries(operator, f"operations/{code}/complete", signed=True)
        number = await self._first("OUT_OF_LIMIT")
        cause = "the fill depth was set for another punch; the heavy cores were sorted out"
        await resolve(self._plant, number, cause, report="planted: 300 cores were weighed one by one")
        await self._plant.wait(p.SUPERVISOR, self._number, lambda order: not order["openDeviations"])
        right = cells["tbl_av_hardness"]
        await super()._record(code, operator, second, {**cells, "tbl_av_hardness": MISREAD}, limits)
        await self._correct(code, operator, "tbl_av_hardness", right)

    async def _correct(self, code: str, operator: str, name: str, text: str) -> None:
        found = await self._plant.get(operator, f"/mes/work-orders/{self._work_order}/batch-record")
        stage = next(own for own in found["operations"] if own["code"] == code)
        number = next(value["number"] for value in stage["values"] if value["name"] == name)
        body = {"text": text, "reason": "a digit was lost in typing; the tester's print-out is attached"}
        await self._work(f"operations/{code}/parameters/{number}/correct", operator, body, signed=True)

    async def _test(self, values: Values) -> bool:
        """A release test that fails because the laboratory erred: proven, tested again, set aside."""
        failed = {**values, "dissolution_min": FAILED_DISSOLUTION}
        await self._extra(p.ANALYST, "inspection/results", "failed", failed, c.RELEASE)
        await self._tries(p.ANALYST_2, "inspection/decision", {"accept": True}, signed=True)
        await self._tries(p.QUALIFIED, "certify", signed=True)
        number = await self._first("OUT_OF_SPECIFICATION")
        error = "the dissolution medium had pH 7.2 instead of 6.8, as its log shows"
        await retest(self._plant, number, error)
        await self._wait(lambda own: own["inspection"]["state"] == "created")
        accept = await super()._test(values)
        await set_aside(self._plant, number, error, "planted: medium, log and balance were checked")
        await self._plant.wait(p.SUPERVISOR, self._number, lambda order: not order["openDeviations"])
        return accept

    async def _first(self, code: str) -> str:
        """The number of the order's first deviation of that code."""
        order = await self._plant.get(p.REVIEWER, "/quality/deviations", orderId=self._order)
        return next(str(own["number"]) for own in reversed(order["deviations"]) if own["code"] == code)

    async def _extra(self, who: str, step: str, name: str, values: Values, limits: Mapping[str, c.Limits]) -> None:
        body = {"values": as_entered(values, limits)}
        path = f"/mes/work-orders/{self._work_order}/{step}"
        await self._plant.command(who, path, body, key=(self._number, step, name))

    async def _tries(self, who: str, step: str, body: Mapping[str, Any] | None = None, *, signed: bool = False) -> None:
        """Somebody tries what must not be possible now. Raises `NotTaken` if it is taken."""
        path, key = f"/mes/work-orders/{self._work_order}/{step}", (self._number, step, "tried")
        try:
            await self._plant.command(who, path, body or {}, key=key, signed=signed)
        except NotTaken as no:
            self.refused.append(No(who, step, _codes(no)))
            return
        raise NotTaken(0, "TAKEN", f"{self._number}: {step} was accepted although the batch is stopped")


def _codes(no: NotTaken) -> tuple[str, ...]:
    found: Sequence[str] = [blocker["code"] for blocker in no.blockers] or [no.code]
    return tuple(dict.fromkeys(found))
