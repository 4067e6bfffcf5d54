"""A data folder that is not as we left it is refused in words, and stays as it is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from system import EmbeddedSystem
from system.data_folder import DataFolder
from system.refusals import DataFolderBroken

Damage = Callable[[Path], None]


def writes(name: str, content: bytes) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def loses(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def file_instead(name: str) -> Damage:
    def damage(folder: Path) -> None:
        shutil.rmtree(folder / name)
        (folder / name).write_text("hello")

    return damage


def directory_instead(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return damage


def folder_is_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("hello")


DAMAGES: dict[str, tuple[Damage, str]] = {
    "a file instead": (folder_is_a_file, "found a file, expected a directory"),
    "somebody else's folder": (loses("layout.json"), "no layout.json beside"),
    "layout.json not JSON": (writes("layout.json", b"{"), "not JSON"),
    "layout.json empty": (writes("layout.json", b"{}"), "layout None"),
    "a newer layout": (writes("layout.json", b'{"product": "millwright", "layout": 9}'), "layout 9"),
    "another PostgreSQL": (writes("postgres/PG_VERSION", b"16\n"), "PostgreSQL '16'"),
    "no PG_VERSION": (loses("postgres/PG_VERSION"), "readable PG_VERSION"),
    "postgres a file": (file_instead("postgres"), "readable PG_VERSION"),
    "temporal.db not SQLite": (writes("temporal.db", b"hello"), "not SQLite"),
    "temporal.db a directory": (directory_instead("temporal.db"), "not SQLite"),
    "system.json a list": (writes("system.json", b"[]"), "a JSON list"),
    "system.json not text": (writes("system.json", b"\xff\xfe"), "not JSON"),
    "secrets.json not JSON": (writes("secrets.json", b"owner"), "not JSON"),
    "secrets.json lost": (loses("secrets.json"), "no passwords"),
    "logs a file": (file_instead("logs"), "found a file"),
}


@pytest.fixture
def outline(template: Path, tmp_path: Path) -> Path:
    """A copy without the tables: it is refused before a server would read them."""
    return Path(shutil.copytree(template, tmp_path / "mes", ignore=shutil.ignore_patterns("base", "pg_wal")))


def contents(path: Path) -> dict[str, bytes]:
    files = path.rglob("*") if path.is_dir() else [path]
    return {str(file): file.read_bytes() for file in files if file.is_file() and file.name != "lock"}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_broken_folder_is_refused_and_left_alone(outline: Path, name: str) -> None:
    damage, found = DAMAGES[name]
    damage(outline)
    before = contents(outline)
    with pytest.raises(DataFolderBroken) as refused:
        EmbeddedSystem(outline, environment={}).start()
    assert found in refused.value.detail
    assert "expected" in refused.value.detail
    assert refused.value.remedy.endswith("Nothing was changed or deleted.")
    assert contents(outline) == before


def test_a_foreign_folder_gets_no_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("hello")
    with pytest.raises(DataFolderBroken, match=r"thesis\.txt"):
        EmbeddedSystem(tmp_path, environment={}).start()
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("place", ["/proc/mes", "/dev/null/mes"])
def test_a_place_that_cannot_be_written_is_refused(place: str) -> None:
    with pytest.raises(DataFolderBroken, match="expected a directory this user may write to"):
        EmbeddedSystem(Path(place), environment={}).start()


def test_a_password_the_database_does_not_know_is_refused(folder: Path) -> None:
    (folder / "secrets.json").write_text(json.dumps({"owner": "x", "app": "y"}))
    with pytest.raises(DataFolderBroken, match=r"secrets\.json.*does not accept"):
        EmbeddedSystem(folder, environment={}).start()


def test_an_interrupted_first_start_is_no_damage(tmp_path: Path) -> None:
    for name in ("lock", "attached", ".layout.json.abc"):
        (tmp_path / name).touch()
    folder = DataFolder(tmp_path)
    with folder.locked():
        folder.check()
    assert json.loads((tmp_path / "layout.json").read_text())["layout"] == 1
