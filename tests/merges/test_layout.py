"""Targets are made with partitions, clusters, properties and a comment, and then loaded like others."""

from __future__ import annotations

import pytest

from tests.support import Project

FEED = """\
feed: made
source: {{path: "${{landing}}/made/", format: csv}}
schema: {{k: int, day: date, a: string, n: int}}
target:
  table: s.made
  keys: [k]
  sequence_by: n
  comment: Who is who
  staging: s.waiting
  {more}
  table_properties: {{delta.appendOnly: false, delta.logRetentionDuration: interval 60 days}}
"""
FIRST = "k,day,a,n\n1,2026-01-01,x,1\n2,2026-01-02,y,1\n3,,z,1\n"
SECOND = "k,day,a,n\n1,2026-01-02,moved,2\n3,,zz,2\n4,2026-01-01,new,2\n"
END = [("1", "2026-01-02", "moved"), ("2", "2026-01-02", "y"), ("3", None, "zz"), ("4", "2026-01-01", "new")]


def loaded(project: Project, more: str) -> list[str]:
    """Two days; what was warned of."""
    project.feed("made", FEED.format(more=more))
    warnings: list[str] = []
    for name, text in (("1.csv", FIRST), ("2.csv", SECOND)):
        project.land("made", name, text)
        result = project.cli("run", "made")
        assert result.code == 0, result.feed["error"]
        warnings += result.feed["warnings"]
    delta = project.table("s.made")
    assert delta is not None
    assert delta.metadata().configuration["delta.logRetentionDuration"] == "interval 60 days"
    assert delta.metadata().description == "Who is who"
    assert len(project.rows("s.waiting")) == 3
    return warnings


@pytest.mark.rarely
@pytest.mark.engines
@pytest.mark.parametrize("more", ["partition_by: [day]", "partition_by: [day, a]\n  scd_type: 2"])
def test_partitions(project: Project, more: str) -> None:
    assert loaded(project, more) == []
    delta = project.table("s.made")
    assert delta is not None
    assert delta.metadata().partition_columns == ["day", "a"][: 1 + ("scd_type" in more)]
    current = "WHERE __END_AT IS NULL" if "scd_type" in more else ""
    assert current == "" or len(project.rows("s.made")) == 6
    columns = "k, day, a, __END_AT e" if current else "k, day, a, NULL e"
    assert [row[:3] for row in project.rows("s.made", columns) if row[3] is None] == END


def test_clusters_are_ignored_where_there_are_none(project: Project) -> None:
    assert set(loaded(project, "cluster_by: [day]")) == {
        "target.cluster_by is ignored: the embedded engine does not cluster tables"
    }
    assert project.rows("s.made", "k, day, a") == END


@pytest.mark.spark
@pytest.mark.parametrize("engine", ["spark"], indirect=True)
def test_clusters(project: Project) -> None:
    assert loaded(project, "cluster_by: [day]") == []
    delta = project.table("s.made")
    assert delta is not None
    assert "clustering" in (delta.protocol().writer_features or ())
