"""The compose file says what the documentation promises, and its scripts run against real servers."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from system import EmbeddedSystem, temporal_server
from system.data_folder import DataFolder
from system.postgres import OWNER, Postgres, binary

FILE = Path(__file__).parents[2] / "docker-compose.temporal.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
SCRIPTS = [name for name in COMPOSE["configs"] if name.endswith(".sh")]


def script(name: str, folder: Path) -> Path:
    """An inline script as its container sees it."""
    path = folder / name
    path.write_text(COMPOSE["configs"][name]["content"].replace("$$", "$"))
    return path


def test_the_services() -> None:
    assert set(SERVICES) == {"postgres", "temporal-schema", "temporal", "temporal-namespace", "temporal-ui"}
    assert SERVICES["postgres"]["image"].startswith("postgres:")
    assert SERVICES["postgres"]["volumes"] == ["postgres-data:/var/lib/postgresql"]
    assert SERVICES["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"] in [
        config["target"] for config in SERVICES["temporal"]["configs"]
    ]
    used = {config["source"] for service in SERVICES.values() for config in service.get("configs", [])}
    assert used == set(COMPOSE["configs"])


def test_who_waits_for_whom() -> None:
    conditions = {
        (name, on): how["condition"]
        for name, service in SERVICES.items()
        for on, how in service.get("depends_on", {}).items()
    }
    assert conditions == {
        ("temporal-schema", "postgres"): "service_healthy",
        ("temporal", "temporal-schema"): "service_completed_successfully",
        ("temporal-namespace", "temporal"): "service_healthy",
        ("temporal-ui", "temporal"): "service_healthy",
    }
    for name in {on for (_, on), how in conditions.items() if how == "service_healthy"}:
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_no_port_is_open_to_other_machines() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_one_shot_jobs_end_and_servers_come_back() -> None:
    for name in ("postgres", "temporal", "temporal-ui"):
        assert SERVICES[name]["restart"] == "unless-stopped"
    for name in ("temporal-schema", "temporal-namespace"):
        assert SERVICES[name]["restart"].startswith("on-failure:")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_parsed(name: str, tmp_path: Path) -> None:
    subprocess.run(["sh", "-n", script(name, tmp_path)], check=True)


def test_the_dynamic_configuration_is_yaml() -> None:
    content = yaml.safe_load(COMPOSE["configs"]["dynamicconfig"]["content"])
    assert all(isinstance(entry[0]["value"], int) for entry in content.values())


def test_the_roles_script_makes_roles_with_no_more_rights_than_needed(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "mes")
    with folder.locked():
        folder.check()
        server = Postgres(folder)
        server.start()
        try:
            make_roles(server, tmp_path)
            check_roles(server)
        finally:
            server.stop()


def make_roles(server: Postgres, tmp_path: Path) -> None:
    """Run the script where the embedded server's own role and database are out of its way."""
    with psycopg.connect(server.url(OWNER, "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE millwright")
        connection.execute("DROP ROLE mes_app")
        connection.execute("CREATE ROLE postgres SUPERUSER LOGIN PASSWORD 'pg'")
    with psycopg.connect(f"postgresql://postgres:pg@127.0.0.1:{server.port}/postgres", autocommit=True) as connection:
        connection.execute("ALTER ROLE mes_owner RENAME TO initial")
    env = {
        **os.environ,
        "PATH": f"{binary('psql').parent}:{os.environ['PATH']}",
        **{"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": "pg", "POSTGRES_USER": "postgres"},
        **{"TEMPORAL_DB_PASSWORD": "t'p", "MES_OWNER_PASSWORD": 'o"p$', "MES_APP_PASSWORD": "ap"},
    }
    subprocess.run(["sh", "-eu", script("roles.sh", tmp_path)], env=env, check=True, stdout=subprocess.DEVNULL)


def log_in(server: Postgres, user: str, password: str, database: str = "millwright") -> psycopg.Connection:
    return psycopg.connect(host="127.0.0.1", port=server.port, dbname=database, user=user, password=password)


def check_roles(server: Postgres) -> None:
    with log_in(server, "mes_owner", 'o"p$') as connection:
        connection.execute("CREATE TABLE order_ (id int)")
        connection.execute("GRANT SELECT ON order_ TO mes_app")
    with log_in(server, "mes_app", "ap") as connection:
        assert connection.execute("SELECT * FROM order_").fetchall() == []
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        log_in(server, "temporal", "t'p")
    with log_in(server, "temporal", "t'p", "postgres") as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles"
            " WHERE rolname IN ('temporal', 'mes_owner', 'mes_app') ORDER BY 1"
        ).fetchall()
    assert rows == [
        ("mes_app", False, False, False),
        ("mes_owner", False, False, False),
        ("temporal", False, False, True),
    ]


async def test_the_namespace_script_can_be_run_twice(shared: EmbeddedSystem, tmp_path: Path) -> None:
    env = {
        **os.environ,
        "PATH": f"{temporal_server.binary().parent}:{os.environ['PATH']}",
        **{"TEMPORAL_ADDRESS": shared.temporal_address, "NAMESPACE": "plant", "RETENTION": "30d"},
    }
    for _ in range(2):
        subprocess.run(["sh", "-eu", script("namespace.sh", tmp_path)], env=env, check=True, timeout=60)  # noqa: ASYNC221
    client = await Client.connect(shared.temporal_address, namespace="plant")
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="plant"))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == temporal_server.RETENTION
    listed = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="plant"))
    assert set(temporal_server.SEARCH_ATTRIBUTES) <= set(listed.custom_attributes)


def test_docker_compose_accepts_it_where_there_is_docker_compose() -> None:
    """Without the client the other tests of this file are what there is: nothing is skipped, nothing is claimed."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        subprocess.run([docker, "compose", "-f", str(FILE), "config", "--quiet"], check=True)
