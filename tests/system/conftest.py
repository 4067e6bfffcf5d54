"""A data folder that was started once, to be copied: making the database is the slow part of a first start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from system import Addresses, EmbeddedSystem
from tests.system.supervise import copy_of, run_as_owner


def make_note_table(addresses: Addresses) -> None:
    """Stands for the migrations: a table the application may write to."""
    run_as_owner(addresses, "CREATE TABLE IF NOT EXISTS note (words text); GRANT ALL ON note TO mes_app")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "mes"
    with EmbeddedSystem(folder, migrate=make_note_table, environment={}):
        pass
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A stopped system's own copy of the template."""
    return copy_of(template, tmp_path / "mes")


@pytest.fixture(scope="session")
def shared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSystem]:
    """A running system for tests that do not stop it."""
    copy = copy_of(template, tmp_path_factory.mktemp("shared") / "mes")
    with EmbeddedSystem(copy, environment={}) as system:
        yield system
