"""`init`, `demo`, `new` where there is no project, `completion`: from an empty folder, in this process."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from framework.begin import DAYS, FEED, SCHEMA_FILES, feed_of_the_example
from framework.cli import landfeed
from tests.support import REPOSITORY


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which commands are started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LANDFEED_ENV", raising=False)
    return tmp_path


def ran(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(landfeed, list(arguments))
    assert result.exit_code == code, result.output
    return result


def narrow(text: str) -> bool:
    return all(len(line) <= 80 for line in text.splitlines())


def test_init_makes_a_project_that_runs(folder: Path) -> None:
    result = ran("init")
    assert narrow(result.output)
    assert "landfeed run" in result.stderr
    assert ran("validate").stdout == "1 feed(s) checked, nothing wrong\n"
    assert "3 inserted" in ran("run").stdout
    assert "125" in ran("show", FEED).stdout
    ignored = (folder / ".gitignore").read_text()
    assert "/data/" in ignored.splitlines()
    assert len((folder / "README.md").read_text().splitlines()) == 10


def test_init_in_another_folder_says_how_to_get_there(folder: Path) -> None:
    result = ran("init", "my project")
    assert "cd 'my project'" in result.stderr
    assert ran("--config", "my project/pipelines_config", "validate").exit_code == 0


def test_init_touches_nothing_that_is_there(folder: Path) -> None:
    (folder / "README.md").write_text("mine")
    assert "kept     README.md" in ran("init").stdout
    assert (folder / "README.md").read_text() == "mine"
    assert "written" not in ran("init").stdout


def test_init_where_nothing_can_be_written(folder: Path) -> None:
    (folder / "file").write_text("")
    result = ran("init", "file", code=1)
    assert "file/pipelines_config/environments/local.yml cannot be written" in result.stderr
    assert "hint: take a folder" in result.stderr


def test_editor_settings_name_schemas_that_are_there(folder: Path) -> None:
    ran("init")
    settings = json.loads((folder / ".vscode/settings.json").read_text())["yaml.schemas"]
    assert {(folder / name).resolve() for name in settings} == {
        (folder / "pipelines_config" / name).resolve() for name in SCHEMA_FILES.values()
    }
    assert all((folder / name).is_file() for name in settings)
    for feed in (folder / "pipelines_config").rglob("*.yml"):
        schema = feed.read_text().splitlines()[0].partition("$schema=")[2]
        assert (feed.parent / schema).is_file()


def test_demo_shows_the_example_and_stays_to_be_looked_at(folder: Path) -> None:
    result = ran("demo")
    assert narrow(result.stdout.split("The row that")[0])
    assert "123      purchase" in result.stdout
    assert "not a bigint" in result.stdout
    config = "landfeed-demo/pipelines_config"
    assert "analytics" in (folder / config / "feeds" / f"{FEED}.yml").read_text()
    assert "purchase" in ran("--config", config, "show", FEED).stdout
    again = ran("demo", code=1)
    assert again.stderr.splitlines() == [
        "error: landfeed-demo is there already",
        "",
        "hint: take another folder: landfeed demo DIR",
    ]


def test_demo_of_days_is_a_shop_with_something_of_everything(folder: Path) -> None:
    result = ran("demo", "shop", "--days", "4")
    first, *_, last = result.stdout.splitlines()
    assert first.startswith(f"{datetime.now(UTC).date() - timedelta(days=3)}: ")
    assert last == f"8 pages: {folder / 'shop' / 'site' / 'index.html'}"
    page = (folder / "shop/site/index.html").read_text()
    assert re.findall(r"<b>(\d)</b> (\w+)", page) == [("1", "rejected"), ("1", "late"), ("1", "unusual"), ("4", "good")]
    config = ("--config", "shop/pipelines_config")
    status = json.loads(ran(*config, "--output", "json", "status", "--check", code=3).stdout)["feeds"]
    assert {feed["feed"] for feed in status if feed["pending_files"]} == set()
    orders = json.loads(ran(*config, "--output", "json", "history", "orders").stdout)["batches"]
    days = [datetime.fromisoformat(batch["recorded_at"]).date() for batch in orders]
    assert [(days[0] - day).days for day in days] == [0, 1, 2, 3]
    report = json.loads((folder / "shop/data/reports/latest.json").read_text())
    assert datetime.fromisoformat(report["started_at"]).date() == days[0]
    assert "landfeed_late" in (folder / "shop/data/landfeed.prom").read_text()


def test_the_example_is_that_of_the_repository() -> None:
    example = Path(REPOSITORY, "examples", "user_activity")
    assert {path.name: path.read_text() for path in sorted(example.rglob("file?.csv"))} == DAYS
    feed = Path(REPOSITORY, "pipelines_config", "feeds", f"{FEED}.yml").read_text()
    own = [line.partition("#")[0].rstrip() for line in feed_of_the_example("x").splitlines()]
    assert feed.splitlines()[1:] == own[1:]


def test_new_begins_a_project_where_there_is_none(folder: Path) -> None:
    result = ran("new", "orders")
    assert "written  pipelines_config/environments/local.yml" in result.stderr
    assert ran("validate").exit_code == 0
    assert "$schema=../feed.schema.json" in (folder / "pipelines_config/feeds/orders.yml").read_text()


@pytest.mark.parametrize("command", ["validate", "run", "status"])
def test_without_a_project_a_command_says_how_to_begin_one(folder: Path, command: str) -> None:
    assert "landfeed init" in ran(command, code=2).stderr
    (folder / "pipelines_config").mkdir()
    assert "landfeed init" in ran(command, code=2).stderr


def test_schema_write_refreshes_the_schemas(folder: Path) -> None:
    assert "landfeed init" in ran("schema", "--write", code=1).stderr
    ran("init")
    file = folder / "pipelines_config" / "feed.schema.json"
    file.write_text("{}")
    ran("schema", "--write")
    assert file.read_text() == ran("schema", "feed").stdout


def completed(*words: str) -> list[str]:
    """What bash is offered for the last of these words."""
    command = [sys.executable, os.path.join(REPOSITORY, "runner.py")]
    environ = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1), "_LANDFEED_COMPLETE": "bash_complete"}
    done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=True)
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_feeds_and_environments_are_completed(folder: Path) -> None:
    ran("init")
    ran("new", "users")
    (folder / "pipelines_config/feeds/broken.yml").write_text("{")
    shutil.copy("pipelines_config/environments/local.yml", "pipelines_config/environments/lab.yml")
    assert completed("landfeed", "run", "use") == ["user_activity", "users"]
    assert completed("landfeed", "run", "users", "us") == ["user_activity"]
    assert completed("landfeed", "run", "--env", "l") == ["lab", "local"]
    assert completed("landfeed", "--config", "nowhere", "run", "u") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_one_that_its_shell_reads(shell: str) -> None:
    script = ran("completion", shell).stdout
    assert f"_LANDFEED_COMPLETE={shell}_complete" in script
    if path := shutil.which(shell):
        assert subprocess.run([path, "-n"], input=script, text=True, check=False).returncode == 0


def test_infer_from_an_empty_folder_to_a_table(folder: Path) -> None:
    """The commands that it prints are all that is needed."""
    content = "Order Id;Amount;Updated At\n1;2,50;2026-01-01 10:00:00\n2;3,00;2026-01-01 10:00:00\n"
    (folder / "My Orders_20260131.csv").write_text(content)
    result = ran("infer", "My Orders_20260131.csv")
    assert narrow(result.output)
    commands = [line.strip() for line in result.stderr.partition("next:")[2].splitlines() if line.strip()]
    copy, *others = commands
    assert copy == "cp 'My Orders_20260131.csv' data/source/my_orders"
    subprocess.run(shlex.split(copy), check=True)
    outputs = [ran(*shlex.split(command)[1:]).stdout for command in others]
    assert "2 inserted" in outputs[1]
    assert "3.00" in outputs[2]
    assert narrow((folder / "pipelines_config/feeds/my_orders.yml").read_text())


def test_infer_of_files_that_have_landed_already_needs_no_copy(folder: Path) -> None:
    ran("init")
    (folder / "data/source/things").mkdir()
    (folder / "data/source/things/things.csv").write_text("id,x\n1,2\n")
    assert "cp " not in ran("infer", "data/source/things/things.csv").stderr
    assert "1 inserted" in ran("run", "things").stdout


def test_infer_prints_instead_of_writing(folder: Path) -> None:
    (folder / "a.csv").write_text("1,x\n2,y\n")
    result = ran("infer", "a.csv", "--print", "--name", "other", "--path", "gs://b/c/")
    assert 'path: "gs://b/c/"' in result.stdout or "path: gs://b/c/" in result.stdout
    assert "feed: other" in result.stdout
    assert list(folder.iterdir()) == [folder / "a.csv"]


def test_infer_says_what_is_wrong(folder: Path) -> None:
    (folder / "a.csv").write_text("id,x\n1,2\n3\n")
    assert "1 record(s) are broken" in ran("infer", "a.csv").stderr
    assert "take another name" in ran("infer", "a.csv", code=1).stderr
    (folder / "b.csv").write_text("")
    assert "the file is empty" in ran("infer", "b.csv", code=1).stderr
    assert "nowhere.csv" in ran("infer", "nowhere.csv", code=2).stderr
    assert "--name" in ran("infer", "a.csv", "--name", "a b", code=2).stderr
