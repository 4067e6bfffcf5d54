"""From a plan line and the master data of today to the frozen specification of one production order.

A number of statements that does not depend on levels, components or operations (8, counted in a test; 9 where the
policy asks for master batch records, 11 where it has a gate before the start of operations).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from db.queries import master_batch_records, policies, resources, structure
from db.queries.master_batch_records import Nearest
from db.queries.resources import Resources
from db.queries.structure import Part, RouteVersion, Station
from domain.batch_rework import reworked
from domain.errors import Blocker, Refused
from domain.policy import Policy
from domain.quantities import plain, rounded
from domain.record_freeze import completed
from domain.rules.master_batch_record import not_effective
from domain.specification import (
    ApprovedRecovery,
    Characteristic,
    Equipment,
    InspectionRule,
    MaterialLine,
    OperationSpecification,
    OrderSpecification,
    WorkOrderSpecification,
)

PLACES = 6
"""Decimals of a calculated quantity."""
MADE_KINDS = ("semiFinished", "finished")
MOST_WORK_ORDERS = 200


@dataclass(frozen=True)
class _Master:
    """The master data of some plan lines: what every line's products are made of, how, where and by which policy."""

    policies: dict[str, Policy]
    parts: dict[str, Part]
    routes: dict[str, RouteVersion]
    plans: dict[str, tuple[Characteristic, ...]]
    stations: dict[str, list[Station]]
    records: dict[str, Nearest]
    resources: Resources | None
    """None: no policy of these lines has a gate that asks for equipment and people."""


def load_specification(
    connection: Connection, line: Row[Any], created_by: str, moment: datetime | None = None
) -> OrderSpecification:
    """The specification of a plan line's order; what release must refuse stands in its `gaps`.

    `line` is a row of plan_line; without a batch number its order number names the lot. Raises `Refused` when the
    policy is unknown or the bill of material has a loop.
    """
    return _Builder(line, _load(connection, [line], moment or datetime.now(UTC)), created_by).build()


def gaps_of(connection: Connection, lines: Sequence[Row[Any]]) -> list[tuple[Blocker, ...]]:
    """For each plan line what the release of its order would be refused for. No more statements than for one line."""
    master = _load(connection, lines, datetime.now(UTC))
    return [_gaps(_Builder(line, master, line.created_by)) for line in lines]


def _gaps(builder: "_Builder") -> tuple[Blocker, ...]:
    try:
        return builder.build().gaps
    except Refused as refused:
        return refused.blockers


def _load(connection: Connection, lines: Sequence[Row[Any]], moment: datetime) -> _Master:
    products = {line.product for line in lines}
    parts = structure.parts(connection, products, moment)
    made = [code for code, part in parts.items() if code in products or _can_be_made(part)]
    routes = structure.routes(connection, made, moment)
    capabilities = {row.capability for route in routes.values() for row in route.operations}
    known = policies.newest(connection, {line.policy for line in lines})
    asked = any(policy.master_batch_record for policy in known.values())
    gated = any(policy.start_gate for policy in known.values())
    return _Master(
        policies=known, parts=parts, routes=routes, plans=structure.inspection_plans(connection, made),
        stations=structure.stations(connection, capabilities),
        records=master_batch_records.nearest(connection, made, moment) if asked else {},
        resources=resources.known(connection, moment) if gated else None,
    )  # fmt: skip


def _can_be_made(part: Part) -> bool:
    return part.kind in MADE_KINDS and part.version is not None


def _blocker(code: str, entity: str, identity: str, found: str, required: str, who: str) -> Blocker:
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix=who)


@dataclass
class _Builder:
    line: Row[Any]
    master: _Master
    created_by: str
    gaps: dict[tuple[str, str], Blocker] = field(default_factory=dict)
    work_orders: list[WorkOrderSpecification] = field(default_factory=list)
    count: int = 0

    def build(self) -> OrderSpecification:
        line, engineer = self.line, "processEngineer"
        if line.policy not in self.master.policies:
            raise Refused((_blocker("POLICY_MISSING", "plant policy", line.policy, "none", "a policy", engineer),))
        self.policy = self.master.policies[line.policy]
        self.lot = line.batch_number or line.order_number
        self.parts, self.routes = self.master.parts, self.master.routes
        if (loop := structure.loop(self.parts, [line.product])) is not None:
            found = " → ".join(loop)
            raise Refused((_blocker("BOM_LOOP", "bill of material", loop[0], found, "no loop", engineer),))
        product = self.parts[line.product]
        self._check_product(product)
        self._check_dates()
        self._work_order(product, line.quantity, self.lot, None)
        return self._order(product)

    def _order(self, product: Part) -> OrderSpecification:
        line, route = self.line, self.routes.get(self.line.product)
        return OrderSpecification(
            number=line.order_number, plan_line=line.reference, plant=line.plant, product=line.product,
            product_name=product.name, quantity=line.quantity, unit=line.unit, policy=self.policy,
            created_by=self.created_by, bill_of_material_version=product.version or "",
            route_version=route.version if route else "", start_at=line.start_at, due_at=line.due_at,
            work_orders=tuple(self.work_orders), gaps=tuple(self.gaps.values()),
        )  # fmt: skip

    def _gap(self, code: str, entity: str, identity: str, found: str, required: str, who: str) -> None:
        self.gaps.setdefault((code, identity), _blocker(code, entity, identity, found, required, who))

    def _check_product(self, product: Part) -> None:
        if not product.is_known:
            self._gap("UNKNOWN_PRODUCT", "material", product.code, "no such material", "a material", "processEngineer")
        elif product.unit != self.line.unit:
            self._gap("UNIT_MISMATCH", "plan line", self.line.reference, self.line.unit, product.unit, "planner")

    def _check_dates(self) -> None:
        start, due = self.line.start_at, self.line.due_at
        if start is not None and due is not None and start >= due:
            found = f"start {start.isoformat()}, due {due.isoformat()}"
            self._gap("DATES_OUT_OF_ORDER", "plan line", self.line.reference, found, "a start before it", "planner")

    def _check_resources(self, made: WorkOrderSpecification) -> None:
        """Equipment and people that the gate before an operation will ask for have to be there at all."""
        there = self.master.resources
        if not self.policy.start_gate or there is None:
            return
        for own in made.operations:
            identity = f"{made.material}/{own.code}"
            if own.equipment_class and own.equipment_class not in there.equipment_classes:
                found, required = f"no equipment of class {own.equipment_class}", "one that is registered"
                self._gap("NO_EQUIPMENT", "operation", identity, found, required, "maintenance")
            if own.training and own.training not in there.qualifications:
                found, required = f"nobody holds {own.training}", "a person who is trained"
                self._gap("NO_QUALIFIED_PERSON", "operation", identity, found, required, "supervisor")

    def _is_made(self, code: str) -> bool:
        """A component that is made here, unless the plan names lots of it to be taken from stock."""
        return _can_be_made(self.parts[code]) and code not in (self.line.fixed_lots or {})

    # One work order ----------------------------------------------------------------------------------------------

    def _work_order(self, part: Part, quantity: Decimal, lot: str, feeds: str | None) -> None:
        self.count += 1
        if self.count > MOST_WORK_ORDERS:
            found, required = f"more than {MOST_WORK_ORDERS} made levels", "fewer"
            raise Refused((_blocker("TOO_MANY_LEVELS", "material", part.code, found, required, "processEngineer"),))
        number, place = f"{self.line.order_number}-{self.count:02d}", len(self.work_orders)
        self._check_part(part)
        # A whole batch that is reworked is made from its rejected lot, and from nothing else.
        rework = None if self.line.rework is None else ApprovedRecovery.model_validate(self.line.rework)
        if rework is None:
            self._check_bom(part)
        route = self.routes.get(part.code)
        operations = self._operations(part, route)
        lines = part.lines if rework is None else ()
        materials = tuple(self._material(part, row, quantity, number, operations) for row in lines)
        made = WorkOrderSpecification(
            number=number, material=part.code, quantity=quantity, unit=part.unit or self.line.unit, output_lot=lot,
            materials=materials, operations=operations, inspection=self.master.plans.get(part.code, ()),
            feeds=feeds, shelf_life_days=part.shelf_life_days, dosage_form=part.dosage_form,
        )  # fmt: skip
        # Before the work orders of its components.
        made = self._by_record(part, route, made)
        made = made if rework is None else reworked(made, rework)
        self._check_resources(made)
        self.work_orders.insert(place, made)

    def _by_record(
        self, part: Part, route: RouteVersion | None, made: WorkOrderSpecification
    ) -> WorkOrderSpecification:
        """With all that the master batch record adds, where the policy asks for one; without one in force a gap."""
        if not self.policy.master_batch_record or not part.is_known:
            return made
        found = self.master.records.get(part.code)
        if found is None or not found.is_in_force:
            known = None if found is None else (found.record.version, found.state, found.effective_from)
            gap = not_effective(part.code, known)
            self.gaps.setdefault((gap.code, gap.id), gap)
            return made
        version, identity = found.record.version, f"{part.code}/{found.record.version}"
        stands_on = (found.body.bill_of_material_version, found.body.route_version)
        counts = (part.version, route.version if route else None)
        if stands_on != counts:
            words = ["bill of material {}, route {}".format(*(one or "none" for one in pair))
                     for pair in (stands_on, counts)]  # fmt: skip
            self._gap("RECIPE_MISMATCH", "master batch record", identity, f"version {version} stands on {words[0]}",
                      f"a version for what is effective: {words[1]}", "processEngineer")  # fmt: skip
        if not found.is_intact:
            self._gap("SIGNATURE_MISMATCH", "master batch record", identity, "not the content that was signed",
                      "the signed content", "qualityManager")  # fmt: skip
        return completed(made, found.record, found.body)

    def _check_part(self, part: Part) -> None:
        if part.is_known and not part.is_active:
            self._gap("OBSOLETE_PART", "material", part.code, "obsolete", "an active material", "processEngineer")

    def _check_bom(self, part: Part) -> None:
        """Where batches are certified nothing is made without a list of what goes into it. A job shop may."""
        if part.version is None and self.policy.certification and part.is_known:
            self._gap("NO_BOM", "material", part.code, "no effective bill of material", "one", "processEngineer")

    def _material(
        self, parent: Part, row: Row[Any], quantity: Decimal, number: str, operations: tuple[Any, ...]
    ) -> MaterialLine:
        part = self.parts[row.material]
        self._check_part(part)
        if operations and row.operation not in {operation.code for operation in operations}:
            identity = f"{parent.code}/{row.line}"
            found, required = f"used at {row.operation}", "an operation of the route"
            self._gap("NO_OPERATION", "bill of material line", identity, found, required, "processEngineer")
        needed = needed_quantity(row.quantity, quantity, parent.base_quantity, row.loss_percent)
        lots = tuple((self.line.fixed_lots or {}).get(row.material, ()))
        if part.kind in MADE_KINDS and not lots:
            self._check_bom(part)
        if self._is_made(row.material):
            lots = (f"{self.lot}-{self.count + 1:02d}",)
            self._work_order(part, needed, lots[0], number)
        return MaterialLine(
            line=row.line, material=row.material, quantity=needed, unit=row.unit, operation=row.operation,
            fixed_lots=lots,
        )  # fmt: skip

    # Its operations ----------------------------------------------------------------------------------------------

    def _operations(self, part: Part, route: RouteVersion | None) -> tuple[OperationSpecification, ...]:
        if route is None or not route.operations:
            if part.is_known:
                self._gap("NO_ROUTE", "material", part.code, "no effective route", "one", "processEngineer")
            return ()
        return tuple(self._operation(part, row, route.parameters.get(row.code, ())) for row in route.operations)

    def _operation(self, part: Part, row: Row[Any], parameters: tuple[Characteristic, ...]) -> OperationSpecification:
        station = self._least_loaded(part, row)
        return OperationSpecification(
            sequence=row.sequence, code=row.code, name=row.name, workstation=station.code if station else "",
            equipment=station.equipment if station else Equipment.MANUAL, predecessors=tuple(row.predecessors),
            parameters=parameters, counts_pieces=row.counts_pieces, is_output=row.is_output, recipe=row.recipe or {},
            inspection_rule=InspectionRule(row.inspection_rule),
        )  # fmt: skip

    def _least_loaded(self, part: Part, row: Row[Any]) -> Station | None:
        """The capable station with the fewest open operations, those of this order included; then the first by code.

        A route has no standard times, so an operation is the unit of work. What other orders get in the same moment
        is not in the record yet and does not count.
        """
        candidates = self.master.stations.get(row.capability, ())
        if not candidates:
            found = f"no active station for {row.capability}"
            required = f"a station that can do {row.name}"
            self._gap("NO_WORKSTATION", "operation", f"{part.code}/{row.code}", found, required, "processEngineer")
            return None
        station = min(candidates, key=lambda candidate: (candidate.load, candidate.code))
        station.load += 1
        return station


def needed_quantity(quantity: Decimal, of_parent: Decimal, base: Decimal, loss_percent: Decimal) -> Decimal:
    """What is needed of a component for `of_parent`, loss included, without superfluous zeros."""
    needed = quantity * of_parent * (100 + loss_percent) / (base * 100)
    return Decimal(plain(rounded(needed, PLACES).normalize()))
