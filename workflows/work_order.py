"""The procedure of one work order: dispatch → pick → operations → inspect → put away → release."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

from temporalio import workflow

from activities import stubs
from domain import events as e
from domain.commands import ChooseLots, ReportProduction
from domain.errors import Blocker, Refused
from domain.process import Operation, WorkOrder
from domain.rules.common import SYSTEM, lot_moved, move_operation, move_pick_list, move_put_away
from domain.rules.materials import allocation_request, issue_request, to_bring
from domain.rules.order_deviations import deviation
from domain.rules.release import inspection_request, put_away_request, release_request
from domain.rules.reports import reported
from domain.specification import Equipment, OperationSpecification, WorkOrderSpecification
from domain.states import (
    LotEvent,
    LotStatus,
    OperationEvent,
    OperationState,
    OrderState,
    PickListEvent,
    PickListState,
    PutAwayEvent,
    PutAwayState,
    WorkOrderState,
)
from workflows import beside, machine_faults, policies
from workflows.hold_times import HoldTimes
from workflows.journal import Journal
from workflows.lot_choice import choose
from workflows.neighbours import NeighbourRefused, Neighbours, OrderIsEnding

_AFTER_PICK = (WorkOrderState.READY, WorkOrderState.RUNNING, WorkOrderState.PAUSED)
_AFTER_OPERATIONS = (
    WorkOrderState.INSPECTING, WorkOrderState.PUTTING_AWAY, WorkOrderState.COMPLETED, WorkOrderState.CLOSED,
)  # fmt: skip
_AFTER_INSPECTION = _AFTER_OPERATIONS[1:]
_AFTER_PUT_AWAY = _AFTER_OPERATIONS[2:]


class WorkOrderProcedure:
    """Leads one work order from dispatch to the shipping shelf. Every stage may be entered again after a new run."""

    def __init__(self, number: str, journal: Journal, neighbours: Neighbours, is_ending: Callable[[], bool]) -> None:
        self._number = number
        self._journal = journal
        self._neighbours = neighbours
        self._is_ending = is_ending

    async def run(self) -> None:
        """The procedure. It ends early, without an error, when the order is ending."""
        others = beside.begin(self._number, self._journal, self._neighbours, self._is_ending)
        try:
            await self._components()
            await self._pick()
            await self._execute()
            await self._inspect()
            await self._put_away()
            await self._release()
        except OrderIsEnding:
            pass
        await beside.all_of(others)

    # The words of the procedure ----------------------------------------------------------------------------------

    @property
    def _work_order(self) -> WorkOrder:
        return self._journal.process.work_orders[self._number]

    @property
    def _specification(self) -> WorkOrderSpecification:
        return self._journal.process.specification.work_order(self._number)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait until the order is worked on and `condition` holds."""

        def may_go_on() -> bool:
            return self._is_ending() or (self._is_worked_on() and condition())

        await workflow.wait_condition(may_go_on)
        if self._is_ending():
            raise OrderIsEnding

    def _is_worked_on(self) -> bool:
        return self._journal.process.state in (OrderState.RELEASED, OrderState.IN_PROGRESS, OrderState.COMPLETED)

    def _keyed(self, step: str, actor: str = SYSTEM) -> dict[str, str]:
        return {"key": f"{self._number}/{step}", "actor": actor, "work_order": self._number}

    # Stages ------------------------------------------------------------------------------------------------------

    async def _components(self) -> None:
        """Sub-assemblies come first: their lots are picked by this work order."""
        process = self._journal.process
        feeding = [work_order.number for work_order in process.specification.feeding(self._number)]

        def are_made() -> bool:
            work_orders = self._journal.process.work_orders
            return all(work_orders[number].state in _AFTER_PUT_AWAY for number in feeding)

        await self._until(lambda: self._work_order.state != WorkOrderState.PENDING and are_made())

    async def _pick(self) -> None:
        """Reserve lots, have them approved, issue them to the line; again, if the warehouse says no."""
        while self._work_order.state == WorkOrderState.DISPATCHED:
            await self._until(self._warehouse_has_work)
            if self._work_order.state in _AFTER_PICK or self._work_order.pick_list is None:
                return
            if self._work_order.pick_list.state == PickListState.ISSUING:
                await self._issue()
            else:
                await self._allocate()

    def _warehouse_has_work(self) -> bool:
        work_order, pending = self._work_order, self._journal.process.pending
        if work_order.state != WorkOrderState.DISPATCHED or work_order.pick_list is None:
            return work_order.state in _AFTER_PICK
        if allocation_request(self._number) in pending:
            return True
        return work_order.pick_list.state in (PickListState.CREATED, PickListState.ISSUING)

    async def _allocate(self) -> None:
        request = allocation_request(self._number)
        pending = self._journal.process.pending.get(request)
        if pending is not None and pending.command == ChooseLots.kind_name():
            await choose(self._number, self._journal, self._neighbours, pending, self._stop_if_ending)
            return
        actor = pending.actor if pending else SYSTEM
        # A new allocation is a new effect: its key is the command that asked for it.
        step = f"allocate/{pending.command_id}" if pending else "allocate"
        ask = stubs.AllocateRequest(
            **self._keyed(step, actor), lines=to_bring(self._journal.process.specification, self._number)
        )
        answer = await self._neighbours.ask(
            "warehouse",
            request,
            lambda: workflow.execute_activity(stubs.allocate, ask, **policies.ASK_NEIGHBOUR),
        )
        self._stop_if_ending()
        event = PickListEvent.FIND_SHORT if answer.short else PickListEvent.ALLOCATE
        moved = move_pick_list(self._work_order, event, answer.allocations, answer.short)
        blockers = [
            Blocker(
                code="SHORT",
                entity="material",
                id=line.material,
                found=f"{line.available} {line.unit} available, {line.held} held, {line.expired} expired, "
                f"{line.reserved_elsewhere} reserved elsewhere",
                required=f"{line.required} {line.unit}",
                who_can_fix="warehouseKeeper",
            )
            for line in answer.short
        ]
        self._journal.note(moved, answers=request, blockers=blockers)

    async def _issue(self) -> None:
        request = issue_request(self._number)
        pending = self._journal.process.pending.get(request)
        actor = pending.actor if pending else SYSTEM
        attempt = pending.command_id if pending else "automatic"
        ask = stubs.Keyed(**self._keyed(f"issue/{attempt}", actor))
        try:
            await self._neighbours.ask(
                "warehouse", request, lambda: workflow.execute_activity(stubs.issue, ask, **policies.ASK_NEIGHBOUR)
            )
        except NeighbourRefused as refused:
            self._stop_if_ending()
            blockers = refused.reasons("pick list", self._number)
            self._journal.note(
                move_pick_list(self._work_order, PickListEvent.REFUSE_ISSUE), answers=request, blockers=blockers
            )
            return
        self._stop_if_ending()
        self._journal.note(move_pick_list(self._work_order, PickListEvent.CONFIRM_ISSUE), answers=request)

    async def _execute(self) -> None:
        """Operations run as people start them; one with a machine is given to the machine when it starts."""
        machines = [op for op in self._specification.operations if op.equipment == Equipment.OPC_UA]
        tasks = [asyncio.create_task(self._run_on_machine(operation)) for operation in machines]
        tasks += HoldTimes(self._number, self._journal, self._is_ending).watch()
        try:
            await self._until(lambda: self._work_order.state in _AFTER_OPERATIONS)
        except OrderIsEnding:
            await beside.all_of(tasks)
            raise
        await beside.all_of(tasks)

    async def _run_on_machine(self, specification: OperationSpecification) -> None:
        """Give an operation to its machine when it starts, and report what the machine counted when it ends."""

        def operation() -> Operation:
            return self._work_order.operations[specification.code]

        try:
            await self._until(
                lambda: operation().state == OperationState.RUNNING or self._work_order.state in _AFTER_OPERATIONS
            )
            if self._work_order.state in _AFTER_OPERATIONS or operation().job_state in ("ended", "refused"):
                return
            await self._job(specification)
        except OrderIsEnding:
            return

    async def _job(self, specification: OperationSpecification) -> None:
        job = f"{self._number}/{specification.code}"
        if self._work_order.operations[specification.code].job_state != "started":
            self._journal.note(self._job_moved(specification, "started"))
        ask = self._job_request(specification)

        async def run() -> stubs.JobResult:
            handle = workflow.start_activity(stubs.run_job, ask, **policies.RUN_JOB)
            watch = asyncio.create_task(self._cancel_when_cancelling(handle))
            try:
                result: stubs.JobResult = await handle
                return result
            finally:
                watch.cancel()

        try:
            result = await self._neighbours.ask(specification.workstation, job, run)
        except NeighbourRefused as refused:
            # A machine that does not take the job is no reason to stop the batch: the operator reports instead.
            self._journal.note(self._job_moved(specification, "refused", f"{refused.code}: {refused.detail}"))
            await machine_faults.report(self._neighbours, self._journal, ask, refused)
            return
        ended = self._job_moved(specification, "ended").model_copy(
            update={"good": result.good, "waste": result.waste, "readings": result.readings}
        )
        self._journal.note(ended, *self._machine_report(specification, result))

    def _job_request(self, specification: OperationSpecification) -> stubs.JobRequest:
        own = self._specification
        return stubs.JobRequest(
            job=f"{self._number}/{specification.code}",
            workstation=specification.workstation,
            order_number=self._journal.process.specification.number,
            work_order=self._number,
            operation=specification.code,
            batch=own.output_lot,
            product=own.material,
            quantity=own.quantity,
            unit=own.unit,
            recipe=specification.recipe,
        )

    async def _cancel_when_cancelling(self, handle: workflow.ActivityHandle[stubs.JobResult]) -> None:
        await workflow.wait_condition(lambda: self._journal.process.state == OrderState.CANCELLING)
        handle.cancel()

    def _job_moved(self, specification: OperationSpecification, target: str, detail: str = "") -> e.EquipmentJobMoved:
        return e.EquipmentJobMoved.model_validate(
            {
                "work_order": self._number,
                "operation": specification.code,
                "job": f"{self._number}/{specification.code}",
                "workstation": specification.workstation,
                "batch": self._specification.output_lot,
                "target": target,
                "detail": detail,
            }
        )

    def _machine_report(self, specification: OperationSpecification, result: stubs.JobResult) -> tuple[e.Event, ...]:
        """The machine's counts as a production report; what may not be reported becomes a deviation instead."""
        process, work_order = self._journal.process, self._work_order
        operation = work_order.operations[specification.code]
        report = ReportProduction(
            command_id=f"{self._number}/{specification.code}/job",
            actor=SYSTEM,
            received_at=workflow.now(),
            work_order=self._number,
            operation=specification.code,
            good=result.good,
            scrap=result.waste,
            scrap_reason="rejected by the machine" if result.waste > 0 else None,
            started_at=result.started_at,
            ended_at=result.ended_at,
        )
        try:
            return reported(process, work_order, operation, specification, report, "machine")
        except Refused as refused:
            detail = f"machine counted {result.good} good, {result.waste} waste: {refused}"
            opened = deviation(process, "MACHINE_REPORT_REFUSED", detail, self._number, specification.code)
            if operation.state != OperationState.RUNNING:
                return (opened,)
            return (opened, move_operation(work_order, operation, OperationEvent.HOLD))

    async def _inspect(self) -> None:
        """Quality is asked for an inspection; the results come as commands, a second person decides."""
        policy = self._journal.process.specification.policy
        is_asked_for = policy.inspect_before_put_away and bool(self._specification.inspection)
        if is_asked_for and self._work_order.inspection is None:
            request = inspection_request(self._number)
            ask = stubs.InspectionRequest(
                key=request,
                actor=SYSTEM,
                work_order=self._number,
                lot=self._specification.output_lot,
                material=self._specification.material,
                characteristics=self._specification.inspection,
            )
            ticket = await self._neighbours.ask(
                "quality",
                request,
                lambda: workflow.execute_activity(stubs.request_inspection, ask, **policies.ASK_NEIGHBOUR),
            )
            self._stop_if_ending()
            self._journal.note(
                e.InspectionRequested(
                    work_order=self._number,
                    inspection=ticket.number,
                    characteristics=self._specification.inspection,
                )
            )
        await self._until(lambda: self._work_order.state in _AFTER_INSPECTION)

    async def _put_away(self) -> None:
        """The finished quantity goes to a place whose zone fits the lot; again, if the warehouse says no."""
        request = put_away_request(self._number)
        while self._work_order.state not in _AFTER_PUT_AWAY:
            await self._until(
                lambda: (
                    self._work_order.state in _AFTER_PUT_AWAY
                    or (
                        self._work_order.put_away is not None and self._work_order.put_away.state == PutAwayState.MOVING
                    )
                )
            )
            put_away = self._work_order.put_away
            if put_away is None or put_away.state != PutAwayState.MOVING:
                return
            pending = self._journal.process.pending.get(request)
            attempt = pending.command_id if pending else "automatic"
            ask = stubs.PutAwayRequest(
                **self._keyed(f"put-away/{attempt}", pending.actor if pending else SYSTEM),
                lot=self._specification.output_lot,
                quantity=put_away.quantity or Decimal(0),
                unit=self._specification.unit,
                place=put_away.place or "",
            )
            await self._ask_put_away(request, ask)

    async def _ask_put_away(self, request: str, ask: stubs.PutAwayRequest) -> None:
        try:
            await self._neighbours.ask(
                "warehouse", request, lambda: workflow.execute_activity(stubs.put_away, ask, **policies.ASK_NEIGHBOUR)
            )
        except NeighbourRefused as refused:
            self._stop_if_ending()
            blockers = refused.reasons("put-away", self._number)
            self._journal.note(
                move_put_away(self._work_order, ask.lot, PutAwayEvent.REFUSE), answers=request, blockers=blockers
            )
            return
        self._stop_if_ending()
        self._journal.note(move_put_away(self._work_order, ask.lot, PutAwayEvent.CONFIRM), answers=request)

    async def _release(self) -> None:
        """After production release the warehouse brings the lot to saleable stock, and only then it is saleable."""
        request = release_request(self._number)
        while self._work_order.lot_status == LotStatus.QUARANTINE:
            await self._until(
                lambda: request in self._journal.process.pending or self._work_order.lot_status != LotStatus.QUARANTINE
            )
            pending = self._journal.process.pending.get(request)
            if pending is None:
                return
            lot, place = self._specification.output_lot, self._work_order.release_place or ""
            keyed = self._keyed(f"release/{pending.command_id}", pending.actor)
            ask = stubs.ReleaseRequest(**keyed, lot=lot, place=place)
            try:
                await self._ask_release(request, ask)
            except NeighbourRefused as refused:
                blockers = refused.reasons("lot", lot)
                self._journal.note(answers=request, blockers=blockers)
                continue
            moved = lot_moved(self._work_order, lot, LotEvent.RELEASE, LotStatus.RELEASED)
            self._journal.note(moved, answers=request)

    async def _ask_release(self, request: str, ask: stubs.ReleaseRequest) -> int:
        return await self._neighbours.ask(
            "warehouse",
            request,
            lambda: workflow.execute_activity(stubs.release_to_stock, ask, **policies.ASK_NEIGHBOUR),
        )

    def _stop_if_ending(self) -> None:
        """An answer that comes while the order is being cancelled is not noted: compensation asks the ledger itself."""
        if self._journal.process.state == OrderState.CANCELLING:
            raise OrderIsEnding
