"""Every change of every table, as the database itself saw it, beside the audit rows of the same transaction.

A trigger on each table writes what was before and after into a table of the test's own: nothing that a route does can
get past it, and nothing is read twice.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import psycopg

Row = dict[str, Any]
_INSTALL: Final = """
CREATE TABLE seen_change (id bigserial PRIMARY KEY, tx xid8 NOT NULL DEFAULT pg_current_xact_id(), name text NOT NULL,
    old jsonb, new jsonb);
GRANT SELECT ON seen_change TO mes_app;
CREATE FUNCTION see_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    -- What a test does to the record behind the product's back is no change of the product.
    IF current_setting('application_name') NOT LIKE 'millwright-%' THEN RETURN NULL; END IF;
    INSERT INTO public.seen_change (name, old, new) VALUES (TG_TABLE_NAME,
        CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) END,
        CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) END);
    RETURN NULL;
END $$;
DO $$ DECLARE one text; BEGIN
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
        AND tablename NOT IN ('seen_change', 'alembic_version') LOOP
        EXECUTE format('CREATE TRIGGER zz_see AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW '
            'EXECUTE FUNCTION see_change()', one);
    END LOOP;
END $$;
"""


@dataclass(frozen=True)
class Change:
    """One row of one table: what it was, what it is; None where there was or is no row."""

    table: str
    old: Row | None
    new: Row | None

    @property
    def row(self) -> Row:
        """The row, as it is or as it was."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """Column → (before, after) of what is not as it was. An empty column of a new row is no change."""
        old, new = self.old or {}, self.new or {}
        return {
            name: (old.get(name), new.get(name)) for name in old.keys() | new.keys() if old.get(name) != new.get(name)
        }


@dataclass
class Transaction:
    """What one transaction changed, and what it told the audit trail."""

    changes: list[Change] = field(default_factory=list)
    told: list[Row] = field(default_factory=list)


def watch(owner_url: str) -> None:
    """See every change of a database from now on."""
    with psycopg.connect(owner_url) as connection:
        connection.execute(_INSTALL)


def transactions(owner_url: str) -> list[Transaction]:
    """All transactions since then that changed something."""
    found: dict[str, Transaction] = defaultdict(Transaction)
    with psycopg.connect(owner_url) as connection:
        for tx, name, old, new in connection.execute("SELECT tx::text, name, old, new FROM seen_change ORDER BY id"):
            if name == "audit_row":
                found[tx].told.append(new)
            else:
                found[tx].changes.append(Change(name, old, new))
    return list(found.values())


def leaves(value: Any) -> Iterator[str]:
    """Every single value in a nested one, in one way of writing."""
    match value:
        case dict():
            for key, own in value.items():
                yield key
                yield from leaves(own)
        case list():
            for own in value:
                yield from leaves(own)
        case _:
            yield plainly(value)


def plainly(value: Any) -> str:
    """The same text for the same value, however it was written: times in UTC, numbers without trailing zeros."""
    text = json.dumps(value) if isinstance(value, bool) or value is None else str(value)
    if len(text) > 18 and text[4] == "-" and text[10] in "T ":
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return text
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        # The trail is written in milliseconds.
        return at.astimezone(UTC).isoformat(timespec="seconds")
    try:
        return f"{Decimal(text).normalize():f}"
    except InvalidOperation:
        return text
