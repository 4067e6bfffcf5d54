"""One batch of tablets from its plan line to its closed order, each step by the person whose duty it is.

Steps carry ids made from the order's number and the step, so doing them all again changes nothing.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from domain.quantities import plain
from plants.tablets import characteristics as c
from plants.tablets.equipment import CLEARANCE, STATIONS
from plants.tablets.formula import target_weight_mg
from plants.tablets.master_batch_record import VERIFIED
from plants.tablets.master_data import PLANT, POLICY
from plants.tablets.source import Batch
from plants.texts import number_in, written_out
from replay import people as p
from replay.client import Document, NotTaken, Plant
from replay.deviations import confirm_result, open_deviations, resolve
from replay.floor import Floor, Step
from replay.lots import Values, as_entered, measured, not_numbers
from replay.progress import Count, refusal_of
from replay.report import Refusal

OPERATIONS: Final = (
    ("DISPENSE", p.OPERATOR, p.OPERATOR_2),
    ("BLEND", p.OPERATOR, p.OPERATOR_2),
    ("COMPRESS", p.OPERATOR_2, p.OPERATOR),
    ("COAT", p.OPERATOR_2, p.OPERATOR),
)
"""Operation, who does it, who checks and verifies it."""
MACHINE_PATIENCE_SECONDS: Final = 900.0
"""A machine's job changes nothing in the order while it runs."""
MOST_EXCEPTIONS: Final = 5
"""So often a step of the review is tried while neighbours are away."""
WASTE_REASON: Final = "start-up and in-process waste"
_JOB_OVER: Final = frozenset({"ended", "refused"})


class TabletOrder:
    """The life of one order. `run` leaves what was refused on the way in `refusals`."""

    def __init__(self, plant: Plant, floor: Floor, batch: Batch, count: Count) -> None:
        self._plant, self._floor, self._batch, self._count = plant, floor, batch, count
        self._number = batch.order_number
        self._order, self._work_order = "", ""
        self._stations: dict[str, str] = {}
        self.refusals: list[Refusal] = []

    async def run(self) -> None:
        """Make, do and close the order. Raises `NotTaken` when a step is refused that it cannot do without."""
        await self._plan()
        await self._prepare()
        await self._pick()
        for operation, operator, second in OPERATIONS:
            await self._at_the_station(operation, operator, second)
        accepted = await self._inspect()
        await self._put_away("QUARANTINE" if accepted else "REJECTED")
        await self._review()
        if accepted:
            await self._release()
        await self._wait(lambda own: own["batchRecord"]["state"] == "archived")
        await self._command("close", p.SUPERVISOR, signed=True)

    async def _plan(self) -> None:
        batch = self._batch
        line = {
            "reference": f"{PLANT}/{batch.number}",
            "product": batch.product,
            "quantity": str(batch.size),
            "unit": "pcs",
            "policy": POLICY.code,
            "plant": PLANT,
            "orderNumber": batch.order_number,
            "batchNumber": batch.finished_lot,
            "fixedLots": {material: [lot] for material, lot in batch.lots.items()},
            "fixedLotsReason": "the lots that the source names for this batch",
        }
        planned = await self._plant.post(p.PLANNER, "/mes/plan-lines", [line])
        made = await self._plant.post(p.PLANNER, f"/mes/orders/from-plan/{planned[0]['id']}", {})
        self._order, self._work_order = made["id"], made["workOrders"][0]["id"]
        # A from-plan that was answered before the record had the order: commands need it there.
        order = await self._plant.wait(p.PLANNER, self._number, lambda _: True)
        self._stations = {own["code"]: own["workstation"] for own in order["workOrders"][0]["operations"]}
        self._count.at(self._number, "planned")

    async def _prepare(self) -> None:
        """Findings about the data itself, then approval and release."""
        for index, found in enumerate(findings(self._batch)):
            body = {"orderId": self._order, "code": found[0], "detail": found[1]}
            await self._plant.command(p.REVIEWER, "/quality/deviations", body, key=(self._number, "finding", index))
        await self._command("submit", p.PLANNER)
        await self._command("approve", p.SUPERVISOR, signed=True)
        await self._command("release", p.RELEASER, signed=True)
        self._count.at(self._number, "released")

    async def _pick(self) -> None:
        """Exactly the lots of the row, let out by one keeper and issued by another."""
        await self._work("dispatch", p.PLANNER)
        order = await self._wait(lambda own: _state(own, "pickList") not in ("", "created"))
        pick_list = order["pickList"]
        path = f"/wms/outbound-orders/{pick_list['id']}"
        if pick_list["state"] == "short":
            # Stock may have come since; a further answer needs a further command.
            key = (self._number, "allocate", order["revision"])
            await self._plant.command(p.KEEPER, f"{path}/preallocate-inventory", {}, key=key)
            order = await self._wait(lambda own: _state(own, "pickList") != "created")
            if _state(order, "pickList") == "short":
                raise NotTaken(409, "SHORT", _shortage(order["pickList"]["short"]))
        await self._plant.command(p.KEEPER_2, f"{path}/approve", {}, key=(self._number, "approve-pick"))
        await self._plant.command(p.KEEPER, f"{path}/execute", {}, key=(self._number, "issue"), signed=True)
        self._count.at(self._number, "picked")

    async def _at_the_station(self, code: str, operator: str, second: str) -> None:
        """The line is cleared, the operation done, the room cleaned; then another person verifies what was done."""
        step = self._step(code, operator, second)
        async with self._floor.station(self._stations[code]):
            left = await self._floor.make_ready(step)
            if any(blocker["code"] == "DEVIATION_OPEN" for blocker in left):  # it waited longer than it may
                await self._resolve_deviations()
            await self._operate(code, operator, second)
            await self._floor.clean(step)
        if code in VERIFIED:
            await self._work(f"operations/{code}/verify", second, signed=True)
        self._count.at(self._number, code.lower())

    def _step(self, code: str, doer: str, second: str) -> Step:
        return Step(
            order=self._number, work_order_id=self._work_order, product=self._batch.product,
            batch=self._batch.finished_lot, operation=code, room=STATIONS[self._stations[code]].room,
            clearance=CLEARANCE[code], doer=doer, second=second,
        )  # fmt: skip

    async def _operate(self, code: str, operator: str, second: str) -> None:
        await self._work(f"operations/{code}/start", operator)
        if code == "COMPRESS":
            cores = c.compressed(target_weight_mg(self._batch.code, self._batch.strength))
            if not await self._machine_reported(code):
                good, waste = pressed(self._batch), self._batch.waste()
                await self._report(code, operator, good, waste, optional=True)
            await self._record(code, operator, second, in_process_cells(self._batch), cores)
        if code == "COAT":
            await self._record(code, operator, second, self._batch.cells, c.COATED)
            await self._report(code, operator, coated(self._batch), Decimal(0))
        await self._work(f"operations/{code}/complete", operator, signed=True)

    async def _machine_reported(self, code: str) -> bool:
        """Whether a machine did the job and counted; it may also refuse it, then the operator reports by hand."""
        order = await self._wait(lambda _: True)
        operation = _operation(order, code)
        if operation.get("equipment", "manual") == "manual":
            return False
        order = await self._wait(
            lambda own: _operation(own, code).get("jobState") in _JOB_OVER, MACHINE_PATIENCE_SECONDS
        )
        operation = _operation(order, code)
        return operation["jobState"] == "ended" and Decimal(operation["good"]) > 0

    async def _report(self, code: str, operator: str, good: Decimal, scrap: Decimal, *, optional: bool = False) -> None:
        """Pieces of an operation. A refusal of an `optional` one is kept and the order goes on."""
        body: Document = {
            "workOrderId": self._work_order, "operation": code, "good": plain(good), "scrap": plain(scrap),
        }  # fmt: skip
        if scrap:
            body["scrapReason"] = WASTE_REASON
        key = (self._number, code, "report")
        try:
            await self._plant.command(operator, "/mes/production-reports/report", body, key=key)
        except NotTaken as refused:
            if not optional:
                raise
            self.refusals.append(refusal_of(self._batch.row, f"{self._number}/{code}", refused))

    async def _record(
        self, code: str, operator: str, second: str, cells: Mapping[str, str], limits: Mapping[str, c.Limits]
    ) -> None:
        """In-process values as they stand in the source; another person compares the critical ones.

        Quality decides about those that are out of limits.
        """
        values = measured(cells, limits)
        if not values:
            return
        await self._work(f"operations/{code}/parameters", operator, {"values": as_entered(values, limits)})
        if outside(values, limits):
            await self._resolve_deviations()
        order = await self._wait(lambda own: _operation(own, code)["state"] == "running")
        if unchecked := sorted(_operation(order, code)["unchecked"]):
            await self._work(f"operations/{code}/parameters/check", second, {"numbers": unchecked})

    async def _resolve_deviations(self) -> None:
        """Whatever is open about the order is investigated and closed; the order goes on when it has heard of it."""
        for number in await open_deviations(self._plant, self._order, results=False):
            await resolve(self._plant, number, "as the source says; nothing is known against the batch")
        await self._plant.wait(p.SUPERVISOR, self._number, lambda order: not order["openDeviations"])

    async def _inspect(self) -> bool:
        """Release testing by one analyst, decided by another. Whether the batch was accepted."""
        order = await self._wait(lambda own: own.get("inspection") is not None)
        values = measured(self._batch.cells, c.RELEASE)
        if not values:
            raise NotTaken(0, "NOT_TESTED", "the source has no release test of this batch")
        accept = await self._test(values)
        if not accept:
            await self._confirm_results()
        await self._work("inspection/decision", p.ANALYST_2, {"accept": accept}, signed=True)
        self._count.at(self._number, f"tested in {order['inspection']['number']}")
        return accept

    async def _test(self, values: Values) -> bool:
        """The analyst's results; whether all are within specification."""
        await self._work("inspection/results", p.ANALYST, {"values": as_entered(values, c.RELEASE)})
        return not outside(values, c.RELEASE)

    async def _confirm_results(self) -> None:
        """Results out of specification stand: nothing says that the laboratory was wrong."""
        results = await open_deviations(self._plant, self._order, results=True)
        for number in results:
            await confirm_result(self._plant, number, "as the source says")
        await self._plant.wait(
            p.SUPERVISOR, self._number, lambda order: not set(results) & set(order["openDeviations"])
        )

    async def _put_away(self, place: str) -> None:
        order = await self._wait(lambda own: own.get("putAway") is not None)
        if _state(order, "putAway") != "cancelled":  # nothing was made, so nothing is put away
            await self._work("put-away", p.KEEPER, {"place": place})
        await self._wait(lambda own: own["state"] in ("completed", "closed"))

    async def _review(self) -> None:
        """Quality reads what was not normal; production reviews the record, quality approves it."""
        if (await self._plant.wait(p.SUPERVISOR, self._number, lambda _: True))["openDeviations"]:
            await self._resolve_deviations()
        await self._explain()
        await self._passed("batch-record/review", p.RELEASER)
        await self._passed("batch-record/approve", p.REVIEWER)
        self._count.at(self._number, "record approved")

    async def _explain(self) -> None:
        """Quality has an explanation for every exception that is open."""
        path = f"/mes/work-orders/{self._work_order}/batch-record/exceptions"
        for own in (await self._plant.get(p.REVIEWER, path))["exceptions"]:
            if own["isOpen"]:
                step = f"batch-record/exceptions/{own['id']}/explain"
                reason = "as the source says; nothing is known against the batch"
                await self._work(step, p.REVIEWER, {"reason": reason})

    async def _passed(self, step: str, who: str) -> None:
        """A signed step of the review. A neighbour that was away during it is an exception, too: once more after that.

        The step is another command then, for the first one was refused.
        """
        path = f"/mes/work-orders/{self._work_order}/{step}"
        for again in range(MOST_EXCEPTIONS):
            key = (self._number, step, again) if again else (self._number, step)
            try:
                await self._plant.command(who, path, {}, key=key, signed=True)
                return
            except NotTaken as refused:
                if refused.code != "EXCEPTION_OPEN" or again == MOST_EXCEPTIONS - 1:
                    raise
                await self._explain()

    async def _release(self) -> None:
        await self._passed("certify", p.QUALIFIED)
        await self._work("release-batch", p.RELEASER, {"place": "FINISHED"}, signed=True)
        self._count.at(self._number, "in saleable stock")

    async def _command(self, step: str, who: str, *, signed: bool = False) -> None:
        await self._plant.command(who, f"/mes/orders/{self._order}/{step}", {}, key=(self._number, step), signed=signed)

    async def _work(self, step: str, who: str, body: Mapping[str, Any] | None = None, *, signed: bool = False) -> None:
        path = f"/mes/work-orders/{self._work_order}/{step}"
        await self._plant.command(who, path, body or {}, key=(self._number, step), signed=signed)

    async def _wait(self, reached: Any, patience: float = 120.0) -> Document:
        """The work order, with the order's revision, as soon as it is as `reached` wants it."""
        order = await self._plant.wait(p.SUPERVISOR, self._number, lambda o: reached(o["workOrders"][0]), patience)
        own: Document = order["workOrders"][0]
        return {**own, "revision": order["revision"]}


def in_process_cells(batch: Batch) -> dict[str, str]:
    """The row's cells under the names that are asked for, with those of `process.csv`."""
    features = {name: batch.process.get(column, "") for column, (name, _) in c.PROCESS_COLUMNS.items()}
    return {**batch.cells, **features}


def unreadable_values(batch: Batch) -> list[Refusal]:
    """Cells with a measured value that is not a number: they are not entered, and said."""
    asked = {
        **c.compressed(Decimal(0)),
        **c.COATED,
        **c.RELEASE,
        **{k: v for one in c.INCOMING.values() for k, v in one.items()},
    }
    return [
        Refusal(row=batch.row, code="NOT_A_NUMBER", detail=f"{batch.order_number}: {found}")
        for found in not_numbers(in_process_cells(batch), list(asked))
    ]


def findings(batch: Batch) -> list[tuple[str, str]]:
    """(Code, detail) of everything about a row that somebody should know, though the batch can be made."""
    found = [("DATA_DISAGREES", detail) for detail in batch.disagreements()]
    for column, instead in (("tbl_yield", "the batch size less the waste"), ("batch_yield", "the compressed quantity")):
        if batch.share(column) is None:
            found.append(("QUANTITY_NOT_MEASURED", f"no {column} of batch {batch.number}; {instead} is reported"))
    return found


def pressed(batch: Batch) -> Decimal:
    """Good cores, by the yield of compression."""
    good = batch.share("tbl_yield")
    return max(batch.size - batch.waste(), Decimal(0)) if good is None else good


def coated(batch: Batch) -> Decimal:
    """Good tablets, by the yield of the whole batch."""
    good = batch.share("batch_yield")
    return pressed(batch) if good is None else good


def outside(values: Values, limits: Mapping[str, c.Limits]) -> list[str]:
    """Names of the values that lie outside their limits."""
    found = []
    for name, text in values.items():
        _, low, high = limits[name]
        value = number_in(written_out(text)) or Decimal(0)
        if (low is not None and value < Decimal(low)) or (high is not None and value > Decimal(high)):
            found.append(name)
    return found


def _state(work_order: Document, document: str) -> str:
    return str((work_order.get(document) or {}).get("state", ""))


def _operation(work_order: Document, code: str) -> Document:
    return next(operation for operation in work_order["operations"] if operation["code"] == code)


def _shortage(lines: list[Document]) -> str:
    return "; ".join(
        f"{line['material']}: {line['required']} {line['unit']} needed, {line['available']} available" for line in lines
    )
