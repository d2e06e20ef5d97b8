"""The map is the house: the lists of layers in the packages' docstrings are those that the linter checks."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS = {
    contract["name"]: contract["layers"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    if contract["type"] == "layers"
}


def documented(package: str) -> list[str]:
    """The rows of a package's docstring: names with ` | ` between them, then at least two blanks and what they do."""
    text = importlib.import_module(package).__doc__ or ""
    return re.findall(r"^    ((?:\w+)(?: \| \w+)*) {2,}\S", text, re.MULTILINE)


@pytest.mark.parametrize("package", CONTRACTS)
def test_a_docstring_lists_the_layers_that_the_linter_checks(package: str) -> None:
    assert documented(package) == CONTRACTS[package]


@pytest.mark.parametrize("package", CONTRACTS)
def test_every_module_stands_in_a_layer(package: str) -> None:
    folder = ROOT / package.replace(".", "/")
    there = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert {name for row in CONTRACTS[package] for name in row.split(" | ")} == there - {"__init__"}


def modules() -> list[str]:
    paths = sorted((ROOT / "framework").rglob("*.py"))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]


@pytest.mark.parametrize("name", modules())
def test_what_a_module_publishes_is_there(name: str) -> None:
    module = importlib.import_module(name)
    public = getattr(module, "__all__", None)
    assert public is not None or module.__file__ == str(Path(module.__path__[0]) / "__init__.py")
    assert [each for each in public or () if not hasattr(module, each)] == []


PUBLIC = {
    "framework.cli": {"landfeed", "main"},
    "framework.databricks": {"BUNDLE_FILE", "JOB_FILE", "State", "compare", "make_bundle", "unwatched", "write"},
    "framework.engine": {
        "CONSTRAINT",
        "BadRows",
        "Engine",
        "Merged",
        "Preview",
        "Seal",
        "Staged",
        "TableState",
        "Upkeep",
        "Where",
        "staged_meanwhile",
    },
    "framework.leases": {"REAL_TIME", "Leases", "Patience"},
    "framework.loader": {
        *{
            "Kind",
            "Project",
            "yaml_text",
            "annotated",
            "column_line",
            "check_project",
            "load_project",
            "load_targets",
            "merged_tree",
        },
        *{"environment_names", "environment_of", "feed_names", "new_feed", "origins", "schema_text", "watched_folder"},
    },
    "framework.storage": {"Storage"},
}
"""What the packages and seams are to the rest of the program; a new name is a decision."""


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names(name: str) -> None:
    assert set(importlib.import_module(name).__all__) == PUBLIC[name]
