"""Import of master data: one document, one transaction, an audit row for every object that is new or changed.

A version of a bill of material, a route or a policy is never changed: orders were made by it. A change is a new
version.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table

from api import impacts
from api import master_data_values as v
from api.deps import Caller
from api.master_data_document import MasterDataDocument, faults
from api.number_patterns import shared_numbers
from api.security import now
from db import audit
from db.queries import configuration, numbers, structure
from db.queries import master_data as tables
from domain.base import uuid_for
from domain.errors import Blocker, Refused
from domain.impacts import MasterDataChange
from domain.policy import Policy
from domain.rules.configuration import uncontrolled

Values = dict[str, Any]


def publish(connection: Connection, who: Caller, document: MasterDataDocument, at: datetime) -> list[audit.Entry]:
    """Write what a configuration change has made of one object, in its transaction; the audit rows come last."""
    if found := tuple(faults(document)):
        raise Refused(found)
    work = _Import(connection, who, document, at, is_published=True)
    work.run()
    return work.entries


def import_document(who: Caller, document: MasterDataDocument) -> dict[str, int]:
    """Write the document; answers how many objects were new or changed, by kind. Raises `Refused`: all or nothing."""
    if found := tuple(faults(document)):
        raise Refused(found)
    with who.services.engine.begin() as connection:
        work = _Import(connection, who, document, now())
        work.run()
        audit.append(connection, work.entries)
    return work.counts


def preview(who: Caller, document: MasterDataDocument) -> list[Values]:
    """What the document would change, object by object; nothing is written. Raises `Refused` as the import does."""
    if found := tuple(faults(document)):
        raise Refused(found)
    with who.services.engine.connect() as connection, connection.begin() as transaction:
        work = _Import(connection, who, document, now())
        work.run()
        transaction.rollback()
    return [
        {"entity": entry.entity, "isNew": entry.action.endswith(".created"), "old": entry.old, "new": entry.new}
        for entry in work.entries
        if not entry.action.startswith(f"{impacts.ENTITY}.")
    ]


def would_refuse(connection: Connection, who: Caller, document: MasterDataDocument, at: datetime) -> Sequence[Blocker]:
    """What would keep a document from being published; nothing of it is left. `faults` and `unfit` come before."""
    savepoint = connection.begin_nested()
    try:
        _Import(connection, who, document, at, is_published=True).run()
    except Refused as refused:
        return refused.blockers
    finally:
        savepoint.rollback()
    return ()


def unfit(connection: Connection, document: MasterDataDocument) -> Iterator[Blocker]:
    """Materials that are named and do not exist; components that are counted in another unit than their own."""
    named = {line.material for bom in document.bills_of_material for line in bom.lines}
    named |= {bom.product for bom in document.bills_of_material}
    named |= {route.product for route in document.routes}
    named |= {plan.material for plan in document.inspection_plans}
    units = {row.code: row.unit for row in tables.by_key(connection, tables.MATERIALS, named, "code")}
    for code in sorted(named - units.keys()):
        yield _blocker("UNKNOWN_MATERIAL", "material", code, "no such material", "a material")
    for bom in document.bills_of_material:
        for line in bom.lines:
            if line.material in units and units[line.material] != line.unit:
                place = f"{bom.product}/{bom.version} line {line.line}"
                required = f"{units[line.material]}, the unit of {line.material}"
                yield _blocker("UNIT_MISMATCH", "bill of material", place, line.unit, required)


@dataclass
class _Import:
    connection: Connection
    who: Caller
    document: MasterDataDocument
    at: datetime
    is_published: bool = False
    """By a configuration change that was approved and tested: what is under change control may be written."""
    entries: list[audit.Entry] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    changes: list[MasterDataChange] = field(default_factory=list)
    """What running orders do not have."""

    def run(self) -> None:
        document = self.document
        self._simple("material", tables.MATERIALS, "code", [v.material(entry) for entry in document.materials])
        self._simple("place", tables.PLACES, "code", [v.columns(entry) for entry in document.places])
        self._workstations()
        names = [v.columns(own) | {"name": own.key} for own in document.display_names]
        self._simple("display-name", tables.DISPLAY_NAMES, "name", names)
        self._units()
        self._versions("bill-of-material", tables.BOMS, document.bills_of_material, self._bom, self._read_boms)
        self._versions("route", tables.ROUTES, document.routes, self._route, self._read_routes)
        self._plans()
        self._policies()
        self._patterns()
        self._loops()
        self.entries += impacts.raise_for(self.connection, self.who, self.changes, self.at)

    def _note(self, kind: str, identity: str, old: Values | None, new: Values) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        action = f"{kind}.{'created' if old is None else 'changed'}"
        entry = self.who.entry(action, f"{kind}/{identity}", old=old, new=new, reason=self.document.reason)
        self.entries.append(entry)

    # What may be changed -----------------------------------------------------------------------------------------

    def _simple(self, kind: str, table: Table, key: str, rows: Sequence[Values]) -> None:
        known = {row._mapping[key]: row for row in tables.by_key(self.connection, table, [r[key] for r in rows], key)}
        changed = [row for row in rows if row[key] not in known or v.differs(known[row[key]], row)]
        for row in changed:
            old = known.get(row[key])
            self._note(kind, row[key], None if old is None else v.as_json({name: old._mapping[name] for name in row}),
                       v.as_json(row))  # fmt: skip
            if old is not None and kind == "material":
                self.changes.append(MasterDataChange(kind, row[key], self.at.isoformat(timespec="seconds")))
        if changed:
            tables.write(self.connection, table, changed, key)

    def _workstations(self) -> None:
        entries = self.document.workstations
        rows = [v.columns(entry, "capabilities") | {"uuid": uuid_for("workstation", entry.code)} for entry in entries]
        self._simple("workstation", tables.STATIONS, "code", rows)
        codes = [entry.code for entry in entries]
        before = v.grouped(tables.by_key(self.connection, tables.CAPABILITIES, codes, "workstation"), "workstation")
        changed = [
            entry for entry in entries
            if {row.capability for row in before.get(entry.code, ())} != set(entry.capabilities)
        ]  # fmt: skip
        for entry in changed:
            old = {"capabilities": sorted(row.capability for row in before.get(entry.code, ()))}
            self._note("workstation-capability", entry.code, old, {"capabilities": sorted(set(entry.capabilities))})
        tables.remove(self.connection, tables.CAPABILITIES, "workstation", [entry.code for entry in changed])
        capabilities = [
            {"workstation": entry.code, "capability": name} for entry in changed for name in set(entry.capabilities)
        ]
        tables.add(self.connection, tables.CAPABILITIES, capabilities)

    def _plans(self) -> None:
        plans = self.document.inspection_plans
        materials = [plan.material for plan in plans]
        before = v.grouped(tables.by_key(self.connection, tables.PLANS, materials, "material"), "material")
        changed: list[str] = []
        rows: list[Values] = []
        for plan in plans:
            new = [
                v.limits(entry, position)
                | {"method": entry.method, "sample_size": entry.sample_size}
                | {"evidence": [str(one) for one in entry.evidence] or None}
                for position, entry in enumerate(plan.characteristics)
            ]
            known = sorted(before.get(plan.material, ()), key=v.position)
            old = [v.without(row, "material", "version") for row in known]
            if v.as_json(old) == v.as_json(new):
                continue
            last = max((row.version for row in known), default=0)
            if old and not self.is_published and configuration.is_controlled(self.connection):
                raise Refused((uncontrolled("inspection plan", plan.material),))
            told = {"characteristics": v.as_json(old), "version": last} if old else None
            self._note("inspection-plan", plan.material, told, {"characteristics": v.as_json(new), "version": last + 1})
            changed.append(plan.material)
            self.changes.append(MasterDataChange("inspection-plan", plan.material, str(last + 1)))
            rows += [row | {"material": plan.material, "version": last + 1} for row in new]
        tables.remove(self.connection, tables.PLANS, "material", changed)
        tables.add(self.connection, tables.PLANS, rows)

    # What is never changed ---------------------------------------------------------------------------------------

    def _versions(
        self,
        kind: str,
        table: Table,
        entries: Sequence[Any],
        add: Callable[[Sequence[Any]], None],
        read: Callable[[Sequence[Row[Any]]], dict[tuple[str, str], Any]],
    ) -> None:
        keys = [(entry.product, entry.version) for entry in entries]
        there = tables.by_key(self.connection, table, keys, "product", "version")
        known = read(there)
        new = [entry for entry in entries if (entry.product, entry.version) not in known]
        self._locked(kind, known, {(entry.product, entry.version): v.comparable(entry) for entry in entries})
        if self.is_published:
            self._make_effective(kind, table, [row for row in there if row.state == "draft"])
        for entry in new:
            said = {"state": entry.state, "effective_from": entry.effective_from or self.at, **v.comparable(entry)}
            self._note(kind, f"{entry.product}/{entry.version}", None, v.as_json(said))
            if entry.state == "effective":
                self.changes.append(MasterDataChange(kind, entry.product, entry.version))
        rows = [
            {
                "id": uuid_for(kind, f"{entry.product}/{entry.version}"), "product": entry.product,
                "version": entry.version, "state": entry.state, "effective_from": entry.effective_from or self.at,
            } | ({"base_quantity": entry.base_quantity} if kind == "bill-of-material" else {})
            for entry in new
        ]  # fmt: skip
        tables.add(self.connection, table, rows)
        add(new)

    def _make_effective(self, kind: str, table: Table, drafts: Sequence[Row[Any]]) -> None:
        """Drafts whose content was approved: the version that stands there counts from now on."""
        new = {"state": "effective", "effective_from": self.at}
        for row in drafts:
            tables.change(self.connection, table, row.id, new)
            old = {name: row._mapping[name] for name in new}
            self._note(kind, f"{row.product}/{row.version}", v.as_json(old), v.as_json(new))
            self.changes.append(MasterDataChange(kind, row.product, row.version))

    def _locked(self, kind: str, known: dict[Any, Any], sent: dict[Any, Any]) -> None:
        blockers = tuple(
            Blocker(
                code="VERSION_LOCKED", entity=kind, id="/".join(map(str, key)), found="another content",
                required="a new version: orders were made by this one", who_can_fix="processEngineer",
            )
            for key, content in sent.items()
            if key in known and v.as_json(known[key]) != v.as_json(content)
        )  # fmt: skip
        if blockers:
            raise Refused(blockers)

    def _read_boms(self, found: Sequence[Row[Any]]) -> dict[tuple[str, str], Any]:
        rows = tables.by_key(self.connection, tables.BOM_LINES, [row.id for row in found], "bill_of_material")
        lines = v.grouped(rows, "bill_of_material")
        return {
            (row.product, row.version): {
                "base_quantity": row.base_quantity,
                "lines": [v.without(own, "bill_of_material") for own in sorted(lines.get(row.id, ()), key=v.line)],
            }
            for row in found
        }

    def _bom(self, entries: Sequence[Any]) -> None:
        rows = [
            v.columns(line) | {"bill_of_material": uuid_for("bill-of-material", f"{bom.product}/{bom.version}")}
            for bom in entries
            for line in bom.lines
        ]
        tables.add(self.connection, tables.BOM_LINES, rows)

    def _read_routes(self, found: Sequence[Row[Any]]) -> dict[tuple[str, str], Any]:
        ids = [row.id for row in found]
        operations = v.grouped(tables.by_key(self.connection, tables.ROUTE_OPERATIONS, ids, "route"), "route")
        parameters = v.grouped(tables.by_key(self.connection, tables.PARAMETERS, ids, "route"), "route")
        return {
            (row.product, row.version): {
                "operations": sorted(
                    (v.without(own, "route", "uuid") for own in operations.get(row.id, ())), key=v.code
                ),
                "parameters": sorted((v.without(own, "route") for own in parameters.get(row.id, ())), key=v.parameter),
            }
            for row in found
        }

    def _route(self, entries: Sequence[Any]) -> None:
        operations: list[Values] = []
        parameters: list[Values] = []
        for route in entries:
            own = {"route": uuid_for("route", f"{route.product}/{route.version}")}
            content = v.comparable(route)
            name = f"{route.product}/{route.version}"
            operations += [
                row | own | {"uuid": uuid_for("route-operation", f"{name}/{row['code']}")}
                for row in content["operations"]
            ]
            parameters += [row | own for row in content["parameters"]]
        tables.add(self.connection, tables.ROUTE_OPERATIONS, operations)
        tables.add(self.connection, tables.PARAMETERS, parameters)

    def _policies(self) -> None:
        sent = {(entry.code, entry.version): v.policy(entry) for entry in self.document.policies}
        found = tables.by_key(self.connection, tables.POLICIES, list(sent), "code", "version")
        # A version that was written before a rule was thought of says the rule's default.
        known = {(row.code, row.version): v.policy(Policy.model_validate(row.body)) for row in found}
        self._locked("policy", known, sent)
        new = [{"code": key[0], "version": key[1], "body": body} for key, body in sent.items() if key not in known]
        locked = [] if self.is_published else [
            uncontrolled("policy", f"{row['code']}/{row['version']}")
            for row in new
            if configuration.is_controlled(self.connection, str(row["code"]))
        ]  # fmt: skip
        if locked:
            raise Refused(tuple(locked))
        for row in new:
            self._note("policy", f"{row['code']}/{row['version']}", None, v.as_json(row["body"]))
            self.changes.append(MasterDataChange("policy", str(row["code"]), str(row["version"])))
        tables.add(self.connection, tables.POLICIES, new)

    def _patterns(self) -> None:
        sent = {(entry.plant, entry.kind, entry.version): entry.pattern for entry in self.document.number_patterns}
        found = tables.by_key(self.connection, tables.PATTERNS, list(sent), "plant", "kind", "version")
        known = {(row.plant, row.kind, row.version): row.pattern for row in found}
        self._locked("number-pattern", known, sent)
        new = [dict(zip(("plant", "kind", "version"), key, strict=True)) | {"pattern": text}
               for key, text in sent.items() if key not in known]  # fmt: skip
        for row in new:
            self._note("number-pattern", "{plant}/{kind}/{version}".format(**row), None, {"pattern": row["pattern"]})
        tables.add(self.connection, tables.PATTERNS, new)
        if blockers := shared_numbers(numbers.patterns(self.connection, {key[0] for key in sent})):
            raise Refused(blockers)

    # What has to fit together ------------------------------------------------------------------------------------

    def _units(self) -> None:
        """Every material that is named exists, and a component is counted in its own unit."""
        if blockers := tuple(unfit(self.connection, self.document)):
            raise Refused(blockers)

    def _loops(self) -> None:
        """No product may be made of itself: today, from a day on which a version becomes effective, or by a draft."""
        document = self.document.bills_of_material
        products = [bom.product for bom in document]
        if not products:
            return
        for moment in (self.at, *tables.coming_versions(self.connection, self.at)):
            _refuse_loop(structure.loop(structure.parts(self.connection, products, moment)))
        drafts = {bom.product: bom for bom in document if bom.state == "draft"}
        if drafts:
            below = {line.material for bom in drafts.values() for line in bom.lines}
            found = structure.parts(self.connection, {*products, *below}, self.at)
            found |= {code: replace(found[code], lines=bom.lines) for code, bom in drafts.items()}
            _refuse_loop(structure.loop(found, sorted(drafts)))


def _refuse_loop(loop: tuple[str, ...] | None) -> None:
    if loop is not None:
        found = " → ".join(loop)
        blocker = _blocker("BOM_LOOP", "bill of material", loop[0], found, "a product that is not made of itself")
        raise Refused((blocker,))


def _blocker(code: str, entity: str, identity: str, found: str, required: str) -> Blocker:
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix="processEngineer")
