"""Documents that are made from the code are up to date."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_page_of_states_is_the_one_of_the_tables() -> None:
    specification = importlib.util.spec_from_file_location("generate_states", ROOT / "docs" / "generate_states.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert (ROOT / "docs" / "states.md").read_text() == module.page(), "run: python docs/generate_states.py"
