"""GS1's own schema with its formats checked: without them it lets wrong words and times pass."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, FormatChecker


@cache
def validator() -> Draft7Validator:
    """The validator of an EPCISDocument."""
    schema = json.loads((Path(__file__).parent / "epcis-json-schema.json").read_text())
    return Draft7Validator(schema, format_checker=FormatChecker())


def wrong(document: dict[str, Any]) -> list[str]:
    """What GS1's schema finds wrong with a document."""
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in validator().iter_errors(document)
    ]
