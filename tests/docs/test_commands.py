"""docs/commands.md has every command and option, as they say it themselves."""

from __future__ import annotations

import importlib.util
import os

from tests.documents import document
from tests.support import REPOSITORY


def test_the_reference_of_commands_is_up_to_date() -> None:
    """`python docs/build_commands.py` writes it."""
    spec = importlib.util.spec_from_file_location("commands", os.path.join(REPOSITORY, "docs", "build_commands.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert document("docs", "commands.md") == module.commands()
