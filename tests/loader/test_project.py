"""What is taken from where: defaults, environment, variables, tags."""

from __future__ import annotations

import pytest

from framework.errors import ConfigError, Problem
from framework.feed import Feed
from framework.loader import check_project, load_project
from framework.loader.nodes import parse
from framework.loader.substitute import Scope, Text, substitute
from framework.names import Limits
from tests.support import ACTIVITY, Project


def feeds(project: Project, *names: str, tags: tuple[str, ...] = ()) -> dict[str, Feed]:
    found = load_project(project.path("pipelines_config"), "local", environ={}, feeds=names, tags=tags)
    return {feed.name: feed for feed in found.feeds}


def environment(project: Project, more: str) -> None:
    project.write(
        "pipelines_config/environments/local.yml",
        f"engine: embedded\nvariables: {{landing: ./landing, archive: ./archive}}\ntables: {{root: ./tables}}\n{more}",
    )


def test_of_two_defaults_the_inner_one_counts(project: Project) -> None:
    project.feed("sub/inner", ACTIVITY.format(name="inner"))
    project.feed("sub/deep/own", ACTIVITY.format(name="own") + "owner: own\n")
    outer, inner = "pipelines_config/feeds/_defaults.yml", "pipelines_config/feeds/sub/_defaults.yml"
    project.write(outer, "owner: outer\nsource: {trim: true, recursive: true}\n")
    project.write(inner, "owner: inner\nsource: {trim: false}\n")
    found = feeds(project)
    assert {name: feed.owner for name, feed in found.items()} == {"activity": "outer", "inner": "inner", "own": "own"}
    assert {name: feed.source.trim for name, feed in found.items()} == {"activity": True, "inner": False, "own": False}
    assert all(feed.source.recursive for feed in found.values()), "what the inner one does not say, the outer one does"


@pytest.mark.parametrize(
    ("text", "bytes_"), [("2 GB", 2 * 10**9), ("512MiB", 512 << 20), ("1 GiB", 1 << 30), ("700 MB", 7 * 10**8)]
)
def test_memory_limit_of_the_environment(project: Project, text: str, bytes_: int) -> None:
    with open(project.path("pipelines_config", "environments", "local.yml"), "a") as environment:
        environment.write(f"memory_limit: {text}\n")
    assert load_project(project.path("pipelines_config"), "local", environ={}).environment.memory_limit == bytes_


@pytest.mark.parametrize("text", ["2", "2 TB", "0 GB", "-1 GB", "many", "1.5 GB"])
def test_a_memory_limit_that_is_none(project: Project, text: str) -> None:
    with open(project.path("pipelines_config", "environments", "local.yml"), "a") as environment:
        environment.write(f"memory_limit: {text}\n")
    _, problems = check_project(project.path("pipelines_config"), "local", environ={})
    assert [(problem.file, problem.path) for problem in problems] == [("environments/local.yml", "memory_limit")]


@pytest.mark.parametrize(("more", "jobs"), [("", 4), ("jobs: 1\n", 1), ("jobs: 7\n", 7)])
def test_jobs_of_the_environment(project: Project, more: str, jobs: int) -> None:
    environment(project, more)
    assert load_project(project.path("pipelines_config"), "local", environ={}).environment.jobs == jobs


@pytest.mark.parametrize(
    ("more", "durability"), [("", "sync"), ("durability: sync\n", "sync"), ("durability: none\n", "none")]
)
def test_durability_of_the_environment(project: Project, more: str, durability: str) -> None:
    environment(project, more)
    assert load_project(project.path("pipelines_config"), "local", environ={}).environment.durability == durability


def test_an_unknown_durability_is_told_with_its_line(project: Project) -> None:
    environment(project, "durability: disk\n")
    _, (problem,) = check_project(project.path("pipelines_config"), "local", environ={})
    assert (problem.path, problem.message) == ("durability", "'disk' is not one of: sync, none")


def test_the_time_zone_of_the_environment_is_for_feeds_without_their_own(project: Project) -> None:
    text = ACTIVITY.format(name="own").replace("  format: csv\n", "  format: csv\n  timezone: Asia/Tehran\n")
    project.feed("own", text)
    assert {name: feed.source.timezone for name, feed in feeds(project).items()} == {
        "activity": "UTC",
        "own": "Asia/Tehran",
    }
    environment(project, "timezone: Europe/Berlin\n")
    assert {name: feed.source.timezone for name, feed in feeds(project).items()} == {
        "activity": "Europe/Berlin",
        "own": "Asia/Tehran",
    }


def test_control_and_archive_of_the_environment(project: Project) -> None:
    environment(project, "control: house\n")
    assert load_project(project.path("pipelines_config"), "local", environ={}).environment.control == "house"
    archive = feeds(project)["activity"].archive
    assert archive.path == project.path("archive/activity/")
    assert archive.rejected_path == project.path("archive/_rejected/activity/")


def test_any_of_the_tags_selects_and_names_narrow_it(project: Project) -> None:
    for name, tags in (("both", "[a, b]"), ("one", "[a]"), ("other", "[b]"), ("third", "[c]")):
        project.feed(name, ACTIVITY.format(name=name) + f"tags: {tags}\n")
    assert list(feeds(project)) == ["activity", "both", "one", "other", "third"]
    assert list(feeds(project, tags=("a",))) == ["both", "one"]
    assert list(feeds(project, tags=("a", "b"))) == ["both", "one", "other"]
    assert list(feeds(project, "one", "third", tags=("a", "b"))) == ["one"]
    assert list(feeds(project, "third", "one")) == ["one", "third"]
    with pytest.raises(ConfigError, match="no feed has the tag 'x'"):
        feeds(project, tags=("a", "x"))
    with pytest.raises(ConfigError, match="there is no feed 'x'"):
        feeds(project, "one", "x")


def test_a_feed_that_is_not_enabled_is_left_out_unless_it_is_named(project: Project) -> None:
    project.feed("off", ACTIVITY.format(name="off") + "enabled: false\n")
    assert list(feeds(project)) == ["activity"]
    with pytest.raises(ConfigError, match="the feed off is not enabled"):
        feeds(project, "off")


SCOPE = Scope(
    {"landing": Text("./in"), "mine": Text("x/${feed}"), "key": Text("k", ("KEY",)), "number": Text("7")},
    {"HOME": "/root", "EMPTY": "", "KEY": "k"},
    "environments/local.yml",
    feed="orders",
)


def substituted(text: str, scope: Scope = SCOPE) -> tuple[object, list[str], bool]:
    """The value of `a: text`, what is told about it, and whether it is secret."""
    found: list[Problem] = []
    tree = parse(f"a: {text}\n".encode(), "feeds/a.yml", found.append)
    assert tree is not None
    node = substitute(tree, "", scope, found.append).map["a"]
    return node.value, [problem.message for problem in found], node.secret


@pytest.mark.parametrize(
    ("text", "value", "secret"),
    [
        ("${landing}/x", "./in/x", False),
        ("${landing}${feed}", "./inorders", False),
        ("${mine}", "x/orders", False),
        ("${key}", "k", True),
        ("${landing}${key}${landing}", "./ink./in", True),
        ("${env:HOME}", "/root", True),
        ("'${env:EMPTY}'", "", True),
        ("$${x}", "${x}", False),
        ("$${landing} ${landing}", "${landing} ./in", False),
        ("$$", "$$", False),
        ("$x", "$x", False),
        ("${number}", 7, False),
        ("'${number}'", "7", False),
        ("1${number}", 17, False),
    ],
)
def test_references(text: str, value: object, secret: bool) -> None:
    assert substituted(text) == (value, [], secret)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${nothing}", "unknown variable 'nothing'"),
        ("${landing", "a '${' without its '}'"),
        ("${env:NO}", "the environment variable NO is not set"),
        ("'${env:}'", "the environment variable (no name) is not set"),
        ("${}", "unknown variable ''"),
    ],
)
def test_references_to_nothing_are_told_and_stay_as_written(text: str, message: str) -> None:
    assert substituted(text) == (text.strip("'"), [message], True)


def test_the_name_of_the_feed_outside_of_feeds() -> None:
    outside = Scope(SCOPE.variables, {}, "e")
    assert substituted("${feed}", outside)[1] == ["${feed} has a meaning in feed files only"]
    assert substituted("${mine}", outside)[1] == [
        "the variable 'mine' contains ${feed}, which has a meaning in feed files only"
    ]


def test_what_was_said_before_is_not_said_again() -> None:
    assert substituted("${bad}", Scope({}, {}, "e", broken=frozenset({"bad"})))[1] == []
    assert substituted("${any}", Scope({}, {}, "e", complete=False))[1] == []
    assert substituted("${any}", Scope({}, {}, "e"))[1] == ["unknown variable 'any'"]


@pytest.mark.parametrize(
    ("more", "limits"),
    [
        ("", Limits()),
        ("limits: {}\n", Limits()),
        ("limits: {record: 2 MiB, columns: 5, unpacked: 3 GB, ratio: 50}\n", Limits(2 << 20, 5, 3 * 10**9, 50)),
    ],
)
def test_limits_of_the_environment(project: Project, more: str, limits: Limits) -> None:
    environment(project, more)
    loaded = load_project(project.path("pipelines_config"), "local", environ={})
    assert [feed.source.limits for feed in loaded.feeds] == [limits] * len(loaded.feeds)
    assert loaded.environment.limits == limits


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("limits: {record: 1 MiB}\n", "limits.record"),
        ("limits: {record: 4 GB}\n", "limits.record"),
        ("limits: {columns: 0}\n", "limits.columns"),
        ("limits: {unpacked: 5}\n", "limits.unpacked"),
        ("limits: {ratio: 1}\n", "limits.ratio"),
        ("limits: {size: 1 GB}\n", "limits.size"),
    ],
)
def test_limits_that_are_none(project: Project, more: str, path: str) -> None:
    environment(project, more)
    _, problems = check_project(project.path("pipelines_config"), "local", environ={})
    assert [(problem.file, problem.path) for problem in problems] == [("environments/local.yml", path)]
