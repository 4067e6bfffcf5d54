"""The house: who may import whom, what a workflow may touch, what a message looks like."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities import stubs
from activities.alarms import AlarmActivities
from activities.batch_records import BatchRecordActivities
from activities.equipment import EquipmentActivities
from activities.equipment_register import EquipmentRegisterActivities
from activities.inventory import InventoryActivities
from activities.lot_holds import LotHoldActivities
from activities.quality import QualityActivities
from activities.records import RecordActivities
from activities.reports import ReportActivities
from domain import commands, events
from domain.base import Message

ROOT = Path(__file__).parent.parent.parent

MAY_IMPORT: dict[str, set[str]] = {
    "domain": set(),
    "db": {"domain"},
    "adapters": {"domain", "db"},
    "activities": {"domain", "adapters", "db"},
    "workflows": {"domain", "activities"},
    "wording": set(),
    "reporting": {"domain", "adapters", "db", "wording"},
    "api": {"domain", "workflows", "activities", "adapters", "db", "reporting", "settings", "telemetry", "wording"},
    "system": {"settings"},
    "plants": {"domain"},
    "replay": {"domain", "plants"},
    "benchmarks": {"adapters", "domain", "plants", "replay", "db", "workflows", "system", "settings", "wiring"},
    "chaos": {"replay", "system", "wiring"},
}
ROOMS = (*MAY_IMPORT, "worker", "cli", "records", "recovery", "settings", "telemetry", "wiring")
OUTSIDE_WORLD = {
    "sqlmodel", "sqlalchemy", "psycopg", "alembic", "fastapi", "uvicorn", "asyncua", "httpx", "os", "socket", "random",
    "requests", "time", "uuid", "secrets",
}  # fmt: skip


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, with its full dotted name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def files_of(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_each_room_imports_only_from_the_rooms_it_may(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(room)
        for name in imports_of(path)
        if (top := name.split(".")[0]) in ROOMS and top != room and top not in MAY_IMPORT[room]
    ]
    assert wrong == []


def test_the_worker_knows_nothing_of_the_api() -> None:
    assert [name for name in imports_of(ROOT / "worker.py") if name.split(".")[0] == "api"] == []


@pytest.mark.parametrize("room", ["domain", "workflows"])
def test_workflow_code_touches_nothing_of_the_outside_world(room: str) -> None:
    allowed = {("domain", "base.py", "uuid")}  # uuid5 is a pure function
    if room == "workflows":
        allowed |= {("workflows", "runtime.py", name) for name in ("hashlib", "pathlib", "asyncio")}
        allowed |= {("workflows", "encryption.py", "os")}  # the nonces of what a client or worker encrypts
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(room)
        for name in imports_of(path)
        if name.split(".")[0] in OUTSIDE_WORLD and (room, path.name, name.split(".")[0]) not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ["domain", "workflows"])
def test_workflow_code_asks_no_clock_but_the_workflows_own(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} asks {ast.unparse(node)}"
        for path in files_of(room)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ("now", "utcnow", "today")
        and ast.unparse(node.value) in ("datetime", "date", "datetime.datetime", "datetime.date", "asyncio")
    ]
    assert wrong == []


def test_workflows_know_activities_by_their_stubs_alone() -> None:
    wrong = [
        f"{path.name} imports {name}"
        for path in files_of("workflows")
        for name in imports_of(path)
        if name.startswith("activities.") and name != "activities.stubs"
    ]
    assert wrong == []


IMPLEMENTATIONS = (
    RecordActivities.write_record,
    RecordActivities.write_case,
    InventoryActivities.allocate,
    InventoryActivities.issue,
    InventoryActivities.give_back,
    InventoryActivities.return_materials,
    InventoryActivities.dispense,
    InventoryActivities.undispense,
    InventoryActivities.introduce,
    InventoryActivities.put_away,
    InventoryActivities.release_to_stock,
    InventoryActivities.scrap,
    QualityActivities.request_inspection,
    QualityActivities.cancel_inspection,
    AlarmActivities.escalate_alarms,
    BatchRecordActivities.check_record,
    BatchRecordActivities.archive_record,
    EquipmentRegisterActivities.occupy,
    EquipmentRegisterActivities.expire,
    EquipmentRegisterActivities.check_scale,
    EquipmentRegisterActivities.maintain,
    EquipmentRegisterActivities.report_fault,
    QualityActivities.settle_lot,
    LotHoldActivities.find_held_orders,
    LotHoldActivities.read_hold_answers,
    LotHoldActivities.finish_hold_step,
    ReportActivities.make_due,
    EquipmentActivities.run_job,
    EquipmentActivities.abort_job,
    EquipmentActivities.read_scale,
)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS, ids=lambda function: function.__name__)
def test_an_activity_has_the_name_and_the_signature_of_its_stub(implementation: object) -> None:
    name = implementation.__name__  # type: ignore[attr-defined]
    stub = getattr(stubs, name)
    definition = "__temporal_activity_definition"
    assert getattr(implementation, definition).name == getattr(stub, definition).name
    own = inspect.signature(implementation)  # type: ignore[arg-type]
    parameters = [parameter.annotation for parameter in own.parameters.values()][1:]
    expected = inspect.signature(stub)
    assert parameters == [parameter.annotation for parameter in expected.parameters.values()]
    assert own.return_annotation == expected.return_annotation


def test_every_stub_has_an_implementation() -> None:
    named = {
        name
        for name, value in vars(stubs).items()
        if callable(value) and hasattr(value, "__temporal_activity_definition")
    }
    assert named == {function.__name__ for function in IMPLEMENTATIONS}


def test_every_message_is_frozen() -> None:
    for module in (commands, events, stubs):
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, Message):
                assert value.model_config["frozen"], value


LONG_FILES = {
    "domain/events.py": "one list of what can happen",
    "domain/states.py": "one list of state machines",
    "db/tables.py": "one list of tables",
    "domain/commands.py": "one list of commands",
    "adapters/printing/audit_texts.py": "one list of words",
}


def test_files_stay_readable() -> None:
    """A file above 400 lines wants a reason."""
    long = {
        str(path.relative_to(ROOT))
        for room in (*MAY_IMPORT, "tests")
        for path in files_of(room)
        if "migrations" not in path.parts and len(path.read_text().splitlines()) > 400
    }
    assert long <= set(LONG_FILES)


LONG_FUNCTIONS = {"domain/rules/reports.py:reported": "one event with all its fields"}


def test_functions_stay_readable() -> None:
    """A function above 40 lines wants a reason."""
    long = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for room in MAY_IMPORT
        for path in files_of(room)
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 40 + len((ast.get_docstring(node) or "").splitlines())
    ]
    assert set(long) <= set(LONG_FUNCTIONS)


def test_a_worker_of_orders_and_the_api_do_not_load_the_opc_ua_library() -> None:
    """83 MB and most of a second for each process that has no machines."""
    code = "import sys, worker, api.app; print([name for name in sys.modules if name.split('.')[0] == 'asyncua'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
