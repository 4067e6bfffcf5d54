"""Pictures of instructions: stored once under the SHA-256 of what is in them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert

from db.tables import PictureFile, core

PICTURES = core(PictureFile)
Values = dict[str, Any]


def store(connection: Connection, values: Values) -> bool:
    """Store a picture; whether it was not there before. However many send it at once, it is stored once."""
    statement = insert(PICTURES).values(values).on_conflict_do_nothing().returning(PICTURES.c.sha256)
    return connection.execute(statement).one_or_none() is not None


def find(connection: Connection, digest: str) -> Row[Any] | None:
    """The picture of that hash, with its bytes."""
    return connection.execute(select(PICTURES).where(PICTURES.c.sha256 == digest)).one_or_none()


def sizes(connection: Connection, digests: Collection[str]) -> dict[str, int]:
    """Of these pictures the ones that are stored: SHA-256 → bytes. No statement when none is asked for."""
    if not digests:
        return {}
    statement = select(PICTURES.c.sha256, PICTURES.c.size).where(PICTURES.c.sha256.in_(digests))
    return {row.sha256: row.size for row in connection.execute(statement)}


def files(connection: Connection, digests: Collection[str]) -> dict[str, Row[Any]]:
    """These pictures with their bytes, by their hash. No statement when none is asked for."""
    if not digests:
        return {}
    statement = select(PICTURES).where(PICTURES.c.sha256.in_(digests)).order_by(PICTURES.c.sha256)
    return {row.sha256: row for row in connection.execute(statement)}


def of_record(connection: Connection, document: Mapping[str, Any]) -> dict[str, bytes]:
    """The pictures that a batch record's instructions show: SHA-256 → bytes. `document`: `BatchRecord.document()`."""
    return {digest: bytes(row.content) for digest, row in files(connection, named(document["operations"])).items()}


def named(operations: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The pictures that the instructions of these operations name, in the JSON of a version or a batch record."""
    return frozenset(_named(operations))


def _named(operations: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for own in operations:
        for one in own.get("instructions", ()):
            for picture in one.get("pictures", ()):
                yield picture["sha256"]
