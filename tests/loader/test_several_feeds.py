"""What feeds may not do to each other: write one table, archive into a landing folder, take the same files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from framework.environment import EngineName, Environment
from framework.errors import Problem
from framework.feed import Check, CheckAction, Column, Feed, Mask, MaskMethod, Reference
from framework.loader.between import problems
from framework.loader.nodes import Node, parse
from framework.names import Table
from framework.types import Scalar
from tests.feeds import made_feed

TREE = "source:\n  path: x\ntarget:\n  table: y\n"


def feed(name: str, path: str | None = None, **more: Any) -> Feed:
    """A feed with folders and tables of its own, but for what is said."""
    source = {"path": path or f"/landing/{name}/"} | more.pop("source", {})
    tables = {"table": Table(f"shop.{name}"), "staging": Table(f"shop.{name}__staging")} | more.pop("target", {})
    return made_feed(
        name=name,
        file=f"feeds/{name}.yml",
        source=source,
        target=tables,
        quarantine={"table": Table(f"shop.{name}__quarantine")} | more.pop("quarantine", {}),
        archive={"path": f"/archive/{name}/", "rejected_path": f"/archive/_rejected/{name}/"} | more.pop("archive", {}),
        **more,
    )


def tree(each: Feed) -> Node:
    found: list[Problem] = []
    node = parse(TREE.encode(), each.file, found.append)
    assert node is not None
    assert not found
    return node


def told(*feeds: Feed, environment: Environment | None = None) -> list[tuple[str, str, str]]:
    """Each problem: the feeds, the key, the sentence."""
    found = problems([(each, tree(each)) for each in feeds], environment)
    return [("+".join(sorted(names)), problem.path, problem.message) for names, problem in found]


def words(*feeds: Feed) -> list[str]:
    return [f"{names}: {message}" for names, _, message in told(*feeds)]


def test_feeds_that_have_nothing_in_common() -> None:
    assert told(feed("a"), feed("b")) == []


def test_a_feed_that_is_not_enabled_touches_nothing() -> None:
    twin = {"table": Table("shop.a"), "staging": Table("shop.a__staging")}
    assert told(feed("a"), feed("b", "/landing/a/", target=twin, enabled=False)) == []
    assert len(told(feed("a"), feed("b", "/landing/a/", target=twin))) == 3


@pytest.mark.parametrize("name", ["shop.a", "Shop.A"])
def test_a_table_has_one_feed_whatever_its_case(name: str) -> None:
    assert told(feed("a"), feed("b", target={"table": Table(name)})) == [
        ("a+b", "target.table", f"{name} is already the target of the feed a (feeds/a.yml)")
    ]


def test_a_table_of_what_is_remembered_has_one_feed() -> None:
    history = {"table": Table("shop.a"), "keys": ("id",), "sequence_by": ("at",), "scd_type": 2}
    assert words(feed("a", target=history), feed("b", target={"table": Table("shop.a__cdc")})) == [
        "a+b: shop.a__cdc is already the table of what is remembered of the feed a (feeds/a.yml)"
    ]


def test_a_target_is_shared_when_both_say_so() -> None:
    shared: dict[str, Any] = {"table": Table("shop.all"), "shared_target": True}
    alone: dict[str, Any] = {"table": Table("shop.all")}
    assert told(feed("a", target=shared), feed("b", target=shared)) == []
    assert len(told(feed("a", target=shared), feed("b", target=alone))) == 1
    assert len(told(feed("a", target=alone), feed("b", target=shared))) == 1
    staging: dict[str, Any] = {"staging": Table("shop.s"), "shared_target": True}
    assert words(feed("a", target=staging), feed("b", target=staging)) == [
        "a+b: shop.s is already the staging table of the feed a (feeds/a.yml)"
    ]
    crossed: dict[str, Any] = {"staging": Table("shop.all"), "shared_target": True}
    assert len(told(feed("a", target=shared), feed("b", target=crossed))) == 1


def test_a_quarantine_may_be_shared_but_not_with_another_role() -> None:
    common = {"table": Table("shop.bad")}
    assert told(feed("a", quarantine=common), feed("b", quarantine=common)) == []
    assert words(feed("a", quarantine=common), feed("b", target=common)) == [
        "a+b: shop.bad is already the quarantine table of the feed a (feeds/a.yml)"
    ]
    assert words(feed("a", target=common), feed("b", quarantine=common)) == [
        "a+b: shop.bad is already the target of the feed a (feeds/a.yml)"
    ]


@pytest.mark.parametrize(
    ("control", "table", "refused"),
    [
        ("_landfeed", "_landfeed.files", True),
        *(
            ("_landfeed", f"_landfeed.{own}", True)
            for own in ("batches", "checks", "notices", "schema_changes", "resolved")
        ),
        ("_landfeed", "_Landfeed.Files", True),
        ("Control", "control.files", True),
        ("_landfeed", "_landfeed.other", False),
        ("_landfeed", "landfeed.files", False),
        ("control", "_landfeed.files", False),
    ],
)
@pytest.mark.parametrize("role", ["target", "staging", "quarantine"])
def test_tables_of_landfeed_s_own(control: str, table: str, refused: bool, role: str) -> None:
    there = Environment("local", EngineName.EMBEDDED, "/project", "/tables", control=control)
    use: dict[str, Any] = {
        "target": {"target": {"table": Table(table)}},
        "staging": {"target": {"staging": Table(table)}},
        "quarantine": {"quarantine": {"table": Table(table)}},
    }[role]
    found = [message for _, _, message in told(feed("a", **use), environment=there)]
    assert found == ([f"{table} is one of Landfeed's own tables"] if refused else [])
    assert told(feed("a", **use)) == [], "without an environment nobody knows their names"


@pytest.mark.parametrize("key", ["path", "rejected_path"])
@pytest.mark.parametrize("folder", ["/landing/a/", "/landing/a/old/", "/landing/a/very/old/"])
def test_an_archive_inside_a_landing_folder(key: str, folder: str) -> None:
    own = told(feed("a", archive={key: folder}))
    assert own == [
        ("a", f"archive.{key}", "the archived files would land again: it lies inside the feed's own source.path")
    ]
    for feeds in ([feed("a"), feed("b", archive={key: folder})], [feed("b", archive={key: folder}), feed("a")]):
        ((names, path, message), *_) = told(*feeds)
        assert (names, path) == ("a+b", f"archive.{key}")
        assert message.endswith("inside the feed a's source.path")


def test_folders_that_only_begin_alike_are_apart() -> None:
    assert told(feed("a", archive={"path": "/landing/a_old/", "rejected_path": "/landing/ab/"})) == []


def test_landing_inside_an_archive() -> None:
    inside = "the landing folder lies inside archive.path of the feed a"
    assert words(feed("a"), feed("b", "/archive/a/b/")) == [f"a+b: {inside}"]
    assert words(feed("b", "/archive/a/b/"), feed("a")) == [f"a+b: {inside}"]
    assert words(feed("a"), feed("b", "/archive/_rejected/a/x/")) == [
        "a+b: the landing folder lies inside archive.rejected_path of the feed a"
    ]
    same = words(feed("a"), feed("b", "/archive/a/"))
    assert same == ["a+b: the archived files would land again: it lies inside the feed b's source.path"]


def of(name: str, path: str, files: str | None = None, recursive: bool = False) -> Feed:
    return feed(name, path, source={"files": files, "recursive": recursive})


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (("/l/", None), ("/l/", None), True),
        (("/l/", "a*"), ("/l/", None), True),
        (("/l/", "a*"), ("/l/", "b*"), False),
        (("/l/", "a*"), ("/l/", "a_b*"), True),
        (("/l/", "*.csv"), ("/l/", "a*"), True),
        (("/l/", "a*"), ("/l/", "a*"), True),
        (("/l/", "a?"), ("/l/", "ab*"), True),
        (("/l/", "{d:yyyyMMdd}.csv"), ("/l/", "20260101.csv"), True),
        (("/l/", None), ("/l/x/", None), False),
        (("/l/", None, True), ("/l/x/", None), True),
        (("/l/", "a*", True), ("/l/x/", None), True),
        (("/l/", None, True), ("/l/x/", "a*"), True),
        (("/l/", "a*", True), ("/l/x/", "b*"), False),
        (("/l/", "a*", True), ("/l/x/y/", "ab*"), True),
        (("/l/", "ab*", True), ("/l/x/y/", "a*"), True),
        (("/l/", "a*.csv", True), ("/l/x/", "ab*.txt"), False),
        (("/l/", None), ("/l/x/", None, True), False),
        (("/l/", None, True), ("/lx/", None), False),
        (("/l/", None, True), ("/m/", None, True), False),
    ],
)
def test_files_that_two_feeds_could_take(one: tuple[Any, ...], other: tuple[Any, ...], meet: bool) -> None:
    for feeds in ((of("a", *one), of("b", *other)), (of("b", *other), of("a", *one))):
        assert {names for names, _, message in told(*feeds)} == ({"a+b"} if meet else set())


def test_the_key_that_would_tell_them_apart_is_named() -> None:
    whole, some = (told(of("a", "/l/", files), of("b", "/l/", files)) for files in (None, "a*"))
    assert [path for _, path, _ in whole] == ["source.path"] * len(whole)
    assert [path for _, path, _ in some] == ["source.files"] * len(some)


def test_three_feeds_and_many_prefixes() -> None:
    feeds = [of("a", "/l/", "aa*"), of("b", "/l/", "ab*"), of("c", "/l/", "abc*"), of("d", "/l/", "b*")]
    assert [names for names, _, _ in told(*feeds)] == ["b+c"]
    assert [names for names, _, _ in told(*reversed(feeds))] == ["b+c"]


def test_a_recursive_feed_does_not_meet_itself() -> None:
    assert told(of("a", "/l/", None, True)) == []


def referring(among: str) -> Feed:
    reference = Reference("country", Table("shop.countries"), among)
    check = Check("exists_in_country", "country is known", CheckAction.QUARANTINE, exists_in=reference)
    return replace(feed("a"), checks=(check,))


@pytest.mark.parametrize(
    ("among", "message"),
    [
        ("code", None),
        ("_source_file", None),
        ("cod", "the feed countries (feeds/countries.yml) writes no column 'cod'"),
        ("name", "the feed countries (feeds/countries.yml) masks name, so no value is equal to it"),
        ("left_out", "the feed countries (feeds/countries.yml) writes no column 'left_out'"),
    ],
)
def test_a_reference_to_what_another_feed_writes(among: str, message: str | None) -> None:
    text = Scalar("string")
    name = Column("name", text, ("name",), mask=Mask(MaskMethod.SHA256))
    columns = (Column("code", text, ("code",)), name, Column("left_out", text, ("left_out",)))
    countries = replace(feed("countries", target={"except_columns": ("left_out",)}), columns=columns)
    found = [("a", "schema.country.exists_in.column", message)] if message else []
    assert told(referring(among), countries) == found
    assert told(referring(among)) == []
