"""Stale, incomplete and duplicate master data, each with what to do about it. One statement a check (C3)."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from domain.errors import Blocker

REVIEW_MONTHS: Final = 24
"""How long a master batch record counts before somebody has to look at it again. Our assumption: every two years."""
STALE_DAYS: Final = 90
"""How long a draft may lie, and how long a material may be there without being used."""
MOST: Final = 500
"""Findings of one check: whoever has more begins with these."""
ENGINEER: Final = "processEngineer"

_ROUTE: Final = """newest_route AS (
    SELECT DISTINCT ON (product) id, product, version FROM route
    WHERE state = 'effective' AND effective_from <= now() ORDER BY product, effective_from DESC, version DESC)"""
_BOM: Final = """newest_bom AS (
    SELECT DISTINCT ON (product) id, product, version FROM bill_of_material
    WHERE state = 'effective' AND effective_from <= now() ORDER BY product, effective_from DESC, version DESC)"""


def _blocker(code: str, entity: str, identity: str, found: str, required: str, who: str = ENGINEER) -> Blocker:
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix=who)


def _without_route(row: Row[Any]) -> Blocker:
    return _blocker("PRODUCT_WITHOUT_ROUTE", "material", row.code, "it is made here and has no effective route",
                    "import a route, or make the material inactive")  # fmt: skip


def _without_station(row: Row[Any]) -> Blocker:
    found = f"operation {row.operation} needs {row.capability}, which no active workstation can"
    return _blocker("OPERATION_WITHOUT_STATION", "route", f"{row.product}/{row.version}", found,
                    "give the capability to a workstation, or a new version of the route")  # fmt: skip


def _obsolete(row: Row[Any]) -> Blocker:
    return _blocker("OBSOLETE_COMPONENT", "bill of material", f"{row.product}/{row.version}",
                    f"line {row.line} is {row.material}, which is inactive",
                    "a new version without it, or make the material active")  # fmt: skip


def _same_name(row: Row[Any]) -> Blocker:
    return _blocker("DUPLICATE_NAME", "material", row.code, f"the same name as {row.others}",
                    "another name, or make one of them inactive")  # fmt: skip


def _same_gtin(row: Row[Any]) -> Blocker:
    found = f"the item number of {row.gtin} is that of {row.others}, too"
    return _blocker("DUPLICATE_GTIN", "material", row.code, found,
                    "a number of its own, or make one of them inactive")  # fmt: skip


def _unreviewed(row: Row[Any]) -> Blocker:
    return _blocker("RECORD_REVIEW_OVERDUE", "master batch record", f"{row.product}/{row.version}",
                    f"it counts since {row.since:%Y-%m-%d}, review was due on {row.due:%Y-%m-%d}",
                    "look at it, and make a new version effective", "processEngineer, qualityManager")  # fmt: skip


def _old_recipe(row: Row[Any]) -> Blocker:
    found = f"it stands on route {row.own_route} and bill of material {row.own_bom}; {row.route} and {row.bom} count"
    return _blocker("RECORD_ON_OLD_RECIPE", "master batch record", f"{row.product}/{row.version}", found,
                    "a new version that stands on what counts", "processEngineer, qualityManager")  # fmt: skip


def _old_draft(row: Row[Any]) -> Blocker:
    return _blocker("STALE_DRAFT", "master batch record", f"{row.product}/{row.version}",
                    f"it is {row.state} since {row.since:%Y-%m-%d}", "finish it or withdraw it")  # fmt: skip


def _uncalibrated(row: Row[Any]) -> Blocker:
    return _blocker("EQUIPMENT_WITHOUT_CALIBRATION", "equipment", row.code,
                    f"calibration {row.calibration}, no due date", "calibrate it, or register that it needs none",
                    "metrology")  # fmt: skip


def _empty_class(row: Row[Any]) -> Blocker:
    found = f"operation {row.operation} needs equipment of class {row.equipment_class}, and there is none"
    return _blocker("EQUIPMENT_CLASS_EMPTY", "master batch record", f"{row.product}/{row.version}", found,
                    "register equipment of that class, or a new version of the record")  # fmt: skip


def _unused(row: Row[Any]) -> Blocker:
    return _blocker("MATERIAL_UNUSED", "material", row.code,
                    "no bill of material, route, plan line or lot has it", "make it inactive")  # fmt: skip


_CHECKS: Final[tuple[tuple[str, Callable[[Row[Any]], Blocker]], ...]] = (
    (f"""WITH {_ROUTE} SELECT code FROM material m WHERE is_active AND kind <> 'raw'
         AND NOT EXISTS (SELECT 1 FROM newest_route r WHERE r.product = m.code) ORDER BY code""", _without_route),
    (f"""WITH {_ROUTE} SELECT r.product, r.version, o.code AS operation, o.capability
         FROM newest_route r JOIN route_operation o ON o.route = r.id
         WHERE NOT EXISTS (SELECT 1 FROM workstation_capability c JOIN workstation w ON w.code = c.workstation
                           WHERE c.capability = o.capability AND w.is_active)
         ORDER BY r.product, o.sequence""", _without_station),
    (f"""WITH {_BOM} SELECT b.product, b.version, l.line, l.material
         FROM newest_bom b JOIN bill_of_material_line l ON l.bill_of_material = b.id
         JOIN material m ON m.code = l.material WHERE NOT m.is_active ORDER BY b.product, l.line""", _obsolete),
    ("""SELECT a.code, string_agg(b.code, ', ' ORDER BY b.code) AS others FROM material a JOIN material b
        ON b.code <> a.code
        AND lower(regexp_replace(b.name, '\\s+', '', 'g')) = lower(regexp_replace(a.name, '\\s+', '', 'g'))
        WHERE a.is_active AND b.is_active GROUP BY a.code ORDER BY min(lower(a.name)), a.code""", _same_name),
    ("""SELECT a.code, a.gtin, string_agg(b.code, ', ' ORDER BY b.code) AS others FROM material a JOIN material b
        ON b.code <> a.code AND substr(b.gtin, 2, 12) = substr(a.gtin, 2, 12)
        WHERE a.is_active AND b.is_active GROUP BY a.code, a.gtin ORDER BY a.gtin, a.code""", _same_gtin),
    ("""SELECT product, version, effective_from AS since, effective_from + make_interval(months => :months) AS due
        FROM master_batch_record WHERE state = 'effective' AND effective_from + make_interval(months => :months) < now()
        ORDER BY effective_from""", _unreviewed),
    (f"""WITH {_ROUTE}, {_BOM} SELECT m.product, m.version, m.body ->> 'routeVersion' AS own_route,
         coalesce(m.body ->> 'billOfMaterialVersion', '—') AS own_bom, coalesce(r.version, '—') AS route,
         coalesce(b.version, '—') AS bom FROM master_batch_record m
         LEFT JOIN newest_route r ON r.product = m.product LEFT JOIN newest_bom b ON b.product = m.product
         WHERE m.state = 'effective' AND (r.version IS DISTINCT FROM m.body ->> 'routeVersion'
               OR b.version IS DISTINCT FROM m.body ->> 'billOfMaterialVersion')
         ORDER BY m.product""", _old_recipe),
    ("""SELECT product, version, state, created_at AS since FROM master_batch_record
        WHERE state IN ('draft', 'inReview') AND created_at < now() - make_interval(days => :days)
        ORDER BY created_at""", _old_draft),
    ("""SELECT code, calibration FROM equipment_item WHERE kind = 'equipment' AND qualification <> 'retired'
        AND calibration <> 'notRequired' AND calibration_due_at IS NULL ORDER BY code""", _uncalibrated),
    ("""SELECT m.product, m.version, o ->> 'operation' AS operation, o ->> 'equipmentClass' AS equipment_class
        FROM master_batch_record m CROSS JOIN jsonb_array_elements(m.body -> 'operations') o
        WHERE m.state = 'effective' AND o ->> 'equipmentClass' <> '' AND EXISTS (SELECT 1 FROM equipment_item)
        AND NOT EXISTS (SELECT 1 FROM equipment_item e WHERE e.equipment_class = o ->> 'equipmentClass'
                        AND e.qualification <> 'retired') ORDER BY m.product, 3""", _empty_class),
    ("""SELECT code FROM material m WHERE is_active
        AND NOT EXISTS (SELECT 1 FROM bill_of_material_line l WHERE l.material = m.code)
        AND NOT EXISTS (SELECT 1 FROM route r WHERE r.product = m.code)
        AND NOT EXISTS (SELECT 1 FROM plan_line p WHERE p.product = m.code)
        AND NOT EXISTS (SELECT 1 FROM lot o WHERE o.material = m.code) ORDER BY code""", _unused),
)  # fmt: skip


def findings(connection: Connection, review_months: int = REVIEW_MONTHS, stale_days: int = STALE_DAYS) -> list[Blocker]:
    """Everything that was found, check by check; at most `MOST` of each."""
    return list(_found(connection, {"months": review_months, "days": stale_days}))


def _found(connection: Connection, values: dict[str, Any]) -> Iterator[Blocker]:
    for query, show in _CHECKS:
        asked = {name: value for name, value in values.items() if f":{name}" in query}
        for row in connection.execute(text(f"{query} LIMIT {MOST}"), asked):
            yield show(row)
