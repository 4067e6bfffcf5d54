"""Writes docs/roles.md from the table of permissions; a test fails when the page is stale."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from api import permissions  # noqa: E402
from api.roles import Role  # noqa: E402
from domain.commands import COMMANDS  # noqa: E402
from domain.maintenance_commands import LED_COMMANDS  # noqa: E402

PAGE = ROOT / "docs" / "roles.md"
_HEAD = """# Who may do what

Generated from `api/permissions.py` and the roles on the commands (`domain/commands.py`,
`domain/case_commands.py`); do not edit.
A test calls every route with every role and compares each answer with this table.

Every GET that is not named here is for everybody with a session. What lies outside the plants and lines that an
account is limited to is refused (`OUT_OF_SCOPE`) and not listed. An administrator has no rights on production data. A
machine account (`integration`) cannot sign.
"""


def _matrix(rows: list[tuple[str, tuple[str, ...]]]) -> list[str]:
    lines = [f"| action | {' | '.join(Role)} |", f"|---|{'---|' * len(Role)}"]
    return lines + [f"| {name} | {' | '.join('x' if role in roles else '' for role in Role)} |" for name, roles in rows]


def page() -> str:
    """The whole page."""
    commands = [(kind.kind_name(), tuple(kind.roles)) for kind in (*COMMANDS, *LED_COMMANDS)]
    direct: list[tuple[str, tuple[str, ...]]] = [(name, tuple(roles)) for name, roles in permissions.DIRECT.items()]
    routes = [(f"POST {path}", kind.kind_name()) for path, kind in permissions.COMMAND_ROUTES.items()]
    routes += permissions.DIRECT_ROUTES.items()
    words = {
        permissions.OWN: "everybody, about themselves", permissions.OPEN: "no session needed",
    }  # fmt: skip
    return "\n".join(
        [
            _HEAD,
            "## Commands to an order",
            "",
            *_matrix(commands),
            "",
            "## Everything else",
            "",
            *_matrix(direct),
            "",
            "## One person, not both",
            "",
            "| act | and act | asked for |",
            "|---|---|---|",
            *(f"| {own.first} | {own.second} | {own.where} |" for own in permissions.SEPARATIONS),
            "",
            "## Routes",
            "",
            "| route under `/api/v1` | action |",
            "|---|---|",
            *(f"| `{route}` | {words.get(action, action)} |" for route, action in sorted(routes)),
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page())
