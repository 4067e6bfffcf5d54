"""What people read instead of a code of master data: kept in the process, read again when one of them changes."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from api.ui.live import Changes
from db.queries import master_data
from db.session import reading

LANGUAGES: Final = ("en", "zh")


class Named:
    """The names for this process. `run` has to run as a task."""

    def __init__(self, engine: Engine, changes: Changes) -> None:
        self._engine, self._changes = engine, changes
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self.edition = 0
        """Another one: names may have changed."""

    def of(self, language: str) -> Callable[..., str]:
        """`name_of(kind, code, otherwise)` for the templates: the name; without one, `otherwise` or the code."""
        column = LANGUAGES.index(language)

        def name_of(kind: str, code: object, otherwise: object = "") -> str:
            known = self._names.get((kind, str(code)))
            return known[column] if known else str(otherwise or code)

        return name_of

    async def run(self) -> None:
        """Read for as long as the process lives."""
        await self._changes.follow(frozenset({"display-name"}), self.read, "display names")

    async def read(self) -> None:
        """Read them now. Raises SQLAlchemyError."""
        self._names = await run_in_threadpool(self._read)
        self.edition += 1

    def _read(self) -> dict[tuple[str, str], tuple[str, str]]:
        with reading(self._engine) as connection:
            return master_data.display_names(connection)
