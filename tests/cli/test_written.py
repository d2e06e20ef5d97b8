"""`show-config` and `new`: feed files as text."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
import yaml
from click.testing import CliRunner

from framework.cli import landfeed
from tests.loader.test_schemas import complete
from tests.support import ACTIVITY, REPOSITORY, Project, terminal_output


def printed(project: Project, *arguments: str) -> str:
    result = CliRunner().invoke(landfeed, ["--config", project.path("pipelines_config"), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_show_config_tells_where_each_value_comes_from(project: Project) -> None:
    project.write("pipelines_config/feeds/_defaults.yml", "source: {trim: true}\nquarantine:\n  max_bad_rows: 5\n")
    lines = printed(project, "show-config", "activity").splitlines()
    found = {line.split("#")[0].strip(): line.split("# ")[1] for line in lines if "# " in line}
    assert found["trim: true"] == "feeds/_defaults.yml:1"
    assert found["max_bad_rows: 5"] == "feeds/_defaults.yml:3"
    assert found["format: csv"] == "feeds/activity.yml:4"
    assert found['path: "${landing}/activity/"'] == "feeds/activity.yml:3"


def test_show_config_prints_yaml_that_means_the_same(project: Project) -> None:
    text = complete("feed.yml").replace("description: CRM customer master", "description: \"a: 'b' # c\\n\\\\ü\"")
    project.feed("complete", text)
    project.write("pipelines_config/feeds/_defaults.yml", "owner: '123'\ntags: [x]\n")
    shown = yaml.safe_load(printed(project, "show-config", "complete"))
    assert shown == yaml.safe_load(text)
    values = project.cli("show-config", "complete").document["feeds"][0]["values"]
    line = text[: text.index("  mode: merge")].count("\n") + 1
    assert {"path": "target.mode", "value": "merge", "file": "feeds/complete.yml", "line": line} in values


def test_show_config_keeps_the_values_of_environment_variables_to_itself(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFEED_TEST_SECRET", "hunter2")
    project.feed("activity", ACTIVITY.format(name="activity").replace("bigint", "${env:LANDFEED_TEST_SECRET}"))
    assert "hunter2" not in printed(project, "show-config", "activity")
    result = project.cli("validate")
    assert result.code == 2
    assert "hunter2" not in str(result.document)
    assert "hunter2" not in str(project.cli("run").document)


def test_show_config_of_a_feed_that_is_not_there(project: Project) -> None:
    assert project.cli("show-config", "activty").document["problems"][0]["hint"] == "did you mean 'activity'?"


def test_new_writes_a_feed_that_validates(project: Project) -> None:
    columns = [f"--column={column}" for column in ("Order Id:bigint", "amount:decimal(12,2)", "yes:string", "at:date")]
    printed(project, "new", "orders", *columns)
    assert project.cli("validate").document["problems"] == []
    with open(project.path("pipelines_config", "feeds", "orders.yml"), encoding="utf-8") as stream:
        text = stream.read()
    assert "# " in text
    feed = yaml.safe_load(text.replace("yes:", "'yes':"))
    assert feed["schema"] == {
        "Order_Id": {"type": "bigint", "source_name": ["Order Id"]},
        "amount": "decimal(12,2)",
        "yes": "string",
        "at": "date",
    }
    assert (feed["target"]["keys"], feed["target"]["sequence_by"]) == (["Order_Id"], "at")
    os.makedirs(project.path("landing", "orders"))
    project.land("orders", "a.csv", "Order Id,amount,yes,at\n1,2.50,x,2026-01-01\n")
    assert project.cli("run", "orders").feed["rows"]["inserted"] == 1


@pytest.mark.parametrize(
    "arguments",
    [["../orders"], ["Orders"], ["orders", "--column=a:bignit"], ["activity"], ["orders", "--key=b", "--column=a:int"]],
)
def test_new_leaves_nothing_behind_when_it_refuses(project: Project, arguments: list[str]) -> None:
    before = project.files(".")
    result = CliRunner().invoke(landfeed, ["--config", project.path("pipelines_config"), "new", *arguments])
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert project.files(".") == before


def test_new_asks_on_a_terminal(project: Project) -> None:
    main, other = pty.openpty()
    command = [sys.executable, os.path.join(REPOSITORY, "runner.py"), "--config", project.path("pipelines_config")]
    process = subprocess.Popen([*command, "new", "orders"], stdin=other, stdout=other, stderr=other)
    os.close(other)
    os.write(main, b"\n\nid:bigint, at:timestamp\n\nshop.orders\n\n")
    shown = terminal_output(main)
    assert process.wait() == 0, shown
    with open(project.path("pipelines_config", "feeds", "orders.yml"), encoding="utf-8") as stream:
        target = yaml.safe_load(stream)["target"]
    assert target == {"table": "shop.orders", "keys": ["id"], "sequence_by": "at"}
