"""The main job: landing → staging → merge → archive, and the figures of every step."""

from __future__ import annotations

import gzip
import json
import os

import pytest
from deltalake import DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType

from tests.support import ACTIVITY, HEADER, Project

pytestmark = pytest.mark.engines


def test_a_login_becomes_a_purchase(project: Project) -> None:
    project.land("activity", "file1.csv", HEADER + "123,login,2026-01-01 08:00:00\n")
    day1 = project.cli("run")
    project.land("activity", "file2.csv", HEADER + "123,purchase,2026-01-02 09:30:00\n")
    day2 = project.cli("run")
    assert (day1.code, day2.code) == (0, 0)
    assert (day1.feed["rows"]["inserted"], day2.feed["rows"]["updated"]) == (1, 1)
    assert project.rows("analytics.activity") == [("123", "purchase", "2026-01-02 09:30:00+00")]
    assert sorted(os.path.basename(name) for name in project.files("archive")) == ["file1.csv", "file2.csv"]
    assert project.files("landing") == []


@pytest.mark.rarely
def test_stale_rows_never_win_and_unchanged_rows_are_not_rewritten(project: Project) -> None:
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-05\n2,b,2026-01-05\n3,c,2026-01-05\n")
    project.cli("run")
    project.land("activity", "2.csv", HEADER + "1,old,2026-01-04\n2,b,2026-01-05\n3,new,2026-01-05\n4,d,2026-01-01\n")
    rows = project.cli("run").feed["rows"]
    assert (rows["stale"], rows["unchanged"], rows["updated"], rows["inserted"]) == (1, 1, 1, 1)
    assert [row[:2] for row in project.rows("analytics.activity")] == [("1", "a"), ("2", "b"), ("3", "new"), ("4", "d")]
    before = project.files("tables/analytics/activity")
    project.land("activity", "3.csv", HEADER + "1,a,2026-01-05\n")
    assert project.cli("run").feed["rows"]["unchanged"] == 1
    added = set(project.files("tables/analytics/activity")) - set(before)
    assert all(name.startswith("_delta_log") for name in added), "no data file was written"


@pytest.mark.rarely
def test_one_row_a_key_survives_the_batch(project: Project) -> None:
    """The highest sequence; on a tie the last file, then the last row."""
    project.land("activity", "a.csv", HEADER + "1,x,2026-01-02\n1,y,2026-01-01\n2,first,2026-01-01\n3,p,2026-01-01\n")
    project.land("activity", "b.csv", "event_time,user_id,event\n2026-01-01,2,second\n2026-01-01,3,q\n2026-01-01,3,r\n")
    report = project.cli("run").feed
    assert report["rows"]["read"] == 7
    assert report["rows"]["deduplicated"] == 4
    assert [row[:2] for row in project.rows("analytics.activity")] == [("1", "x"), ("2", "second"), ("3", "r")]


@pytest.mark.rarely
def test_every_bad_row_is_kept_with_every_reason(project: Project) -> None:
    project.feed(
        "strict",
        """\
feed: strict
source: {path: "${landing}/strict/", format: csv}
schema:
  id: int
  email: {type: string, pattern: "^[^@]+@[^@]+$", required: true}
  status: {type: string, accepted_values: [A, I], default: A}
  amount: {type: "decimal(6,2)", min: 0, max: 100}
  at: date
target: {table: s.strict, keys: [id], sequence_by: at}
""",
    )
    project.land(
        "strict",
        "f.csv",
        "id,email,status,amount,at\n1,a@b,,5,2026-01-01\nx,nomail,Z,101,2026-02-30\n,,I,-1,\n4,a@b,A,1.239,2026-01-01\n5\n",
    )
    result = project.cli("run", "strict")
    assert result.code == 0
    assert result.feed["rows"] | {"read": 5, "staged": 1, "quarantined": 4} == result.feed["rows"]
    assert project.rows("s.strict") == [("1", "a@b", "A", "5.00", "2026-01-01")]
    bad = project.rows(
        "s.strict__quarantine",
        "_line, _record, list_transform(_errors, lambda e: e.code || ':' || coalesce(e.column,'')) c",
    )
    assert [(line, record) for line, record, _ in bad] == [
        ("3", "x,nomail,Z,101,2026-02-30"),
        ("4", ",,I,-1,"),
        ("5", "4,a@b,A,1.239,2026-01-01"),
        ("6", "5"),
    ]
    assert bad[0][2] == (
        "['bad_value:id', 'pattern_mismatch:email', 'not_accepted:status', 'out_of_range:amount', 'bad_value:at']"
    )
    assert bad[1][2] == "['null_key:id', 'missing_required:email', 'out_of_range:amount', 'null_sequence:at']"
    assert bad[2][2] == "['bad_value:amount']"
    assert bad[3][2] == "['malformed_record:']"


@pytest.mark.rarely
def test_days_of_nothing_but_bad_rows(project: Project) -> None:
    project.feed("activity", ACTIVITY.format(name="activity") + "quarantine: {all_bad: load}\n")
    for day in ("1", "2", "3"):
        project.land("activity", f"{day}.csv", HEADER + f"x,{day},2026-01-01\ny,{day},2026-01-01\n")
        report = project.cli("run")
        assert (report.code, report.feed["rows"]["quarantined"], report.feed["rows"]["staged"]) == (0, 2, 0)
    assert len(project.rows("analytics.activity__quarantine")) == 6
    assert project.rows("analytics.activity") == []


@pytest.mark.rarely
def test_a_bad_row_behind_broken_ones_is_at_its_own_line(project: Project) -> None:
    rows = "1\n2,a,2026-01-01\n3,a,b,c\nx,a,2026-01-01\n\n5,a\n6,a,never\n"
    project.land("activity", "f.csv", HEADER + rows)
    assert project.cli("run").feed["rows"]["quarantined"] == 5
    found = project.rows("analytics.activity__quarantine", "_line, _record, _errors[1].code c")
    assert [(line, record) for line, record, code in found if code == "bad_value"] == [
        ("5", "x,a,2026-01-01"),
        ("8", "6,a,never"),
    ]


@pytest.mark.embedded
def test_columns_are_found_by_name_and_missing_ones_are_null(project: Project) -> None:
    project.land("activity", "a.csv", " EVENT_TIME , User_ID,unknown\n2026-01-01,7,zzz\n")
    assert project.cli("run").feed["rows"]["inserted"] == 1
    assert project.rows("analytics.activity") == [("7", None, "2026-01-01 00:00:00+00")]


@pytest.mark.rarely
def test_json_lines_follow_the_same_rules(project: Project) -> None:
    project.feed("events", project_json())
    lines = (
        '{"user_id": 1, "event": "a", "event_time": "2026-01-01"}\n\n{"user_id": "2.0", "event": 1.5}\nnot json\n[1]\n'
    )
    project.land("events", "e.json", lines + '{"user_id": 12.5, "event_time": "2026-01-01"}\n')
    rows = project.cli("run", "events").feed["rows"]
    assert (rows["read"], rows["staged"], rows["quarantined"]) == (5, 1, 4)
    bad = project.rows("analytics.events__quarantine", "_line, _record, _errors[1].code c")
    assert [(row[0], row[2]) for row in bad] == [
        ("3", "null_sequence"),
        ("4", "malformed_record"),
        ("5", "malformed_record"),
        ("6", "bad_value"),
    ]


NESTED = """\
feed: nested
source: {path: "${landing}/nested/", format: json}
schema:
  id: bigint
  price: {type: "decimal(38,10)"}
  raw: string
  address: {type: "struct<street:string,zip:int>"}
  tags: {type: "array<string>"}
  counts: {type: "map<string,bigint>"}
target: {table: s.nested, keys: [id]}
"""


@pytest.mark.rarely
def test_nested_values_are_loaded_compared_and_quarantined(project: Project) -> None:
    project.feed("nested", NESTED)
    first = (
        '{"id": 1, "price": 12345678901234567890.0123456789, "raw": {"x": 1.10}, "address": {"zip": "7"}, '
        '"tags": ["a", null], "counts": {"x": 1}}\n{"id": 2, "raw": 1.50, "address": {"zip": "no"}, "tags": {}}\n'
    )
    project.land("nested", "1.json", first)
    rows = project.cli("run", "nested").feed["rows"]
    assert (rows["inserted"], rows["quarantined"]) == (1, 1)
    row = ("1", "12345678901234567890.0123456789", '{"x":1.10}', "{'street': NULL, 'zip': 7}", "[a, NULL]", "{x=1}")
    assert project.rows("s.nested") == [row]
    reasons = "array_to_string(list_transform(_errors, lambda e: e.column || '=' || e.value), ' ')"
    assert project.rows("s.nested__quarantine", reasons) == [('address={"zip":"no"} tags={}',)]
    project.land("nested", "2.json", first.splitlines()[0] + '\n{"id": 3}\n')
    rows = project.cli("run", "nested").feed["rows"]
    assert (rows["unchanged"], rows["inserted"]) == (1, 1)
    project.land("nested", "3.json", '{"id": 1, "tags": ["b"]}\n')
    assert project.cli("run", "nested").feed["rows"]["updated"] == 1
    assert project.rows("s.nested", "id, tags, counts") == [("1", "[b]", None), ("3", None, None)]


@pytest.mark.rarely
def test_nested_values_in_csv_are_json_texts(project: Project) -> None:
    project.feed("nested", NESTED.replace("json", "csv"))
    project.land("nested", "1.csv", 'id,tags,address\n1,"[""a"", 1.0]","{""street"": ""x""}"\n2,[],\n3,a,{}\n')
    rows = project.cli("run", "nested").feed["rows"]
    assert (rows["inserted"], rows["quarantined"]) == (2, 1)
    found = project.rows("s.nested", "id, tags, address")
    assert found == [("1", "[a, 1.0]", "{'street': x, 'zip': NULL}"), ("2", "[]", None)]


def project_json() -> str:
    from tests.support import ACTIVITY

    return ACTIVITY.format(name="events").replace("format: csv", "format: json")


@pytest.mark.rarely
def test_compressed_files_and_other_encodings(project: Project) -> None:
    project.feed(
        "latin",
        "feed: latin\nsource: {path: '${landing}/latin/', format: csv, encoding: [UTF-8, windows-1252]}\n"
        "schema: {id: int, name: string}\ntarget: {table: s.latin, keys: [id]}\n",
    )
    project.land("latin", "a.csv.gz", gzip.compress("id,name\n1,zwölf\n".encode()))
    project.land("latin", "b.csv", "id,name\n2,fünf\n".encode("cp1252"))
    assert project.cli("run", "latin").code == 0
    assert project.rows("s.latin") == [("1", "zwölf"), ("2", "fünf")]


@pytest.mark.embedded  # what is packed is opened above the engines
@pytest.mark.parametrize("compressed", [("a",), ("b",), ("a", "b")])
@pytest.mark.parametrize("rows", [1, 500])
def test_compressed_files_among_others(project: Project, compressed: tuple[str, ...], rows: int) -> None:
    for number, name in enumerate("abc"):
        text = HEADER + "".join(f"{number * rows + row},{name},2026-01-01\n" for row in range(rows))
        if name in compressed:
            project.land("activity", f"{name}.csv.gz", gzip.compress(text.encode()))
        else:
            project.land("activity", f"{name}.csv", text)
    assert project.cli("run").feed["rows"]["inserted"] == 3 * rows
    assert project.rows("analytics.activity__quarantine") == []


@pytest.mark.embedded
def test_captures_in_file_names_give_columns_and_order(project: Project) -> None:
    project.feed(
        "daily",
        "feed: daily\n"
        "source: {path: '${landing}/daily/', format: csv, files: 'd_{day:yyyyMMdd}_*.csv', order_by: day}\n"
        "schema: {id: int, v: string, day: {type: date, from_file: day}}\n"
        "target: {table: s.daily, keys: [id]}\n",
    )
    project.land("daily", "d_20260102_a.csv", "id,v\n1,later\n")
    project.land("daily", "d_20260101_b.csv", "id,v\n1,earlier\n")
    project.land("daily", "other.csv", "id,v\n9,no\n")
    assert project.cli("run", "daily").feed["rows"]["staged"] == 1
    assert project.rows("s.daily") == [("1", "later", "2026-01-02")]
    assert project.files("landing/daily") == ["other.csv"]


@pytest.mark.embedded
@pytest.mark.parametrize("action", ["keep", "copy", "delete"])
def test_other_archive_actions_load_each_file_once(project: Project, action: str) -> None:
    from tests.support import ACTIVITY

    project.feed("activity", ACTIVITY.format(name="activity") + f"archive: {{on_success: {action}}}\n")
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("run").feed["rows"]["inserted"] == 1
    assert project.cli("run").document["status"] == "nothing_to_do"
    assert project.files("landing") == ([] if action == "delete" else ["activity/a.csv"])
    assert len(project.files("archive")) == (1 if action == "copy" else 0)


@pytest.mark.embedded
def test_a_second_run_changes_nothing(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    project.cli("run")
    before = project.files(".")
    assert project.cli("run").document["status"] == "nothing_to_do"
    assert project.files(".") == before


@pytest.mark.rarely
@pytest.mark.connect
def test_three_tasks_do_what_one_run_does(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\nx,b,2026-01-01\n")
    project.land("activity", "b.csv", "nothing\n")
    assert project.cli("stage").code == 0
    assert project.cli("stage").document["status"] == "nothing_to_do"
    assert project.cli("merge").feed["rows"]["inserted"] == 1
    project.land("activity", "late.csv", HEADER + "2,b,2026-01-01\n")
    last = project.cli("archive")
    assert last.code == 3, "the rejected file is reported by the task that moves it"
    assert project.files("landing") == ["activity/late.csv"]
    history = project.cli("history").document["batches"]
    assert [batch["state"] for batch in history] == ["archived"]
    assert project.cli("run").feed["rows"]["inserted"] == 1


@pytest.mark.embedded
def test_the_same_file_landing_again_is_a_new_delivery(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    project.cli("run")
    archived = project.path("archive", project.files("archive")[0])
    os.rename(archived, project.path("landing", "activity", "a.csv"))
    assert project.cli("run").feed["rows"]["unchanged"] == 1
    assert len(project.cli("history").document["batches"]) == 2


@pytest.mark.embedded
def test_plan_writes_nothing(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    before = project.files(".")
    steps = project.cli("plan", "--sql").feed["steps"]
    assert [step["kind"] for step in steps] == ["stage", "create_table", "merge", "archive"]
    assert "SELECT" in steps[0]["sql"]
    assert project.files(".") == before


@pytest.mark.rarely
def test_a_new_column_is_added_to_the_target(project: Project) -> None:
    from tests.support import ACTIVITY

    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    project.cli("run")
    project.feed("activity", ACTIVITY.format(name="activity").replace("schema:\n", "schema:\n  country: string\n"))
    project.land("activity", "b.csv", "country," + HEADER + "IT,2,b,2026-01-02\n")
    assert project.cli("run").code == 0
    assert project.rows("analytics.activity", "user_id, country") == [("1", None), ("2", "IT")]
    project.land("activity", "c.csv", "country," + HEADER + "DE,1,c,2026-01-03\n")
    assert project.cli("run").feed["rows"]["updated"] == 1
    assert project.rows("analytics.activity", "user_id, country") == [("1", "DE"), ("2", "IT")]


@pytest.mark.rarely
def test_null_keys_may_match_and_audit_columns_tell_where_a_row_came_from(project: Project) -> None:
    project.feed(
        "nullable",
        "feed: nullable\nsource: {path: '${landing}/nullable/', format: csv}\nschema: {a: string, b: int, v: string}\n"
        "target: {table: s.nullable, keys: [a, b], null_keys: match, audit_columns: true}\n",
    )
    project.land("nullable", "1.csv", "a,b,v\n,1,x\n,,y\n")
    project.cli("run", "nullable")
    project.land("nullable", "2.csv", "a,b,v\n,1,z\n")
    assert project.cli("run", "nullable").feed["rows"]["updated"] == 1
    found = project.rows("s.nullable", "a, b, v, split_part(_source_file, '/', -1) f")
    assert sorted(found, key=str) == [(None, "1", "z", "2.csv"), (None, None, "y", "1.csv")]


@pytest.mark.embedded
def test_limits_reject_the_file_or_fail_the_feed(project: Project) -> None:
    from tests.support import ACTIVITY

    feed = ACTIVITY.format(name="activity")
    project.feed("activity", feed + "quarantine: {max_bad_rows: 1}\n")
    project.land("activity", "bad.csv", HEADER + "x,a,2026-01-01\ny,a,2026-01-01\n")
    project.land("activity", "good.csv", HEADER + "1,a,2026-01-01\nz,a,2026-01-01\n")
    result = project.cli("run")
    assert (result.code, result.document["status"]) == (3, "rejected")
    assert project.files("landing") == []
    assert next(name for name in project.files("archive") if name.startswith("_rejected")).endswith("bad.csv")
    project.feed("activity", feed + "quarantine: {max_bad_ratio: 0.1, on_exceed: fail}\n")
    project.land("activity", "bad.csv", HEADER + "x,a,2026-01-01\n")
    failed = project.cli("run")
    assert (failed.code, failed.feed["error"]["code"]) == (3, "policy")
    assert project.files("landing") == ["activity/bad.csv"]


def test_a_failing_feed_does_not_stop_the_others(tmp_path: os.PathLike[str]) -> None:
    project = Project(os.fspath(tmp_path), "one", "two")
    os.rmdir(project.path("landing", "one"))
    project.land("two", "a.csv", HEADER + "1,a,2026-01-01\n")
    result = project.cli("run")
    by_name = {feed["feed"]: feed for feed in result.document["feeds"]}
    assert result.code == 1
    assert by_name["one"]["error"]["code"] == "missing_folder"
    assert by_name["two"]["status"] == "succeeded"


@pytest.mark.embedded
def test_a_first_load_copies_stagings_files(project: Project) -> None:
    """… and a later switch to audit columns shows where those rows came from."""
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-05\n2,b,2026-01-05\n2,c,2026-01-06\n")
    project.cli("run")
    names = [
        {os.path.basename(file) for file in project.files(f"tables/analytics/{table}") if file.endswith(".parquet")}
        for table in ("activity", "activity__staging")
    ]
    assert names[0] == names[1]
    assert [row[:2] for row in project.rows("analytics.activity")] == [("1", "a"), ("2", "c")]
    assert len(project.rows("analytics.activity")[0]) == 3, "staging's audit columns are not the target's"
    project.feed("activity", ACTIVITY.format(name="activity") + "  audit_columns: true\n")
    project.land("activity", "2.csv", HEADER + "3,d,2026-01-05\n")
    project.cli("run")
    found = project.rows("analytics.activity", "user_id, _source_file")
    assert [(user, os.path.basename(file)) for user, file in found] == [("1", "1.csv"), ("2", "1.csv"), ("3", "2.csv")]


@pytest.mark.embedded
def test_a_first_load_into_a_partitioned_table_is_written_by_partition(project: Project) -> None:
    types = {"user_id": "long", "event": "string", "event_time": "timestamp"}
    schema = Schema([Field(name, PrimitiveType(type_)) for name, type_ in types.items()])
    path = project.path("tables", "analytics", "activity")
    os.makedirs(path)
    DeltaTable.create(path, schema, partition_by=["event"])
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-05\n2,b,2026-01-05\n")
    assert project.cli("run").feed["rows"]["inserted"] == 2
    files = [file for file in project.files("tables/analytics/activity") if file.endswith(".parquet")]
    assert sorted(os.path.dirname(file) for file in files) == ["event=a", "event=b"]
    assert [row[:2] for row in project.rows("analytics.activity", "user_id, event")] == [("1", "a"), ("2", "b")]


FEATURES = [
    ({"writerFeatures": ["deletionVectors"], "readerFeatures": ["deletionVectors"]}, "deletion vectors"),
    ({"writerFeatures": ["columnMapping", "appendOnly"], "readerFeatures": ["columnMapping"]}, "column mapping"),
    ({"writerFeatures": ["clustering", "domainMetadata"]}, "domain metadata, liquid clustering"),
    ({"writerFeatures": ["notYetInvented"]}, "notYetInvented"),
    ({"minWriterVersion": 6}, "identity columns"),
]


@pytest.mark.embedded
@pytest.mark.parametrize("table", ["", "__staging", "__quarantine"])
@pytest.mark.parametrize(("protocol", "words"), FEATURES)
def test_a_table_that_cannot_be_written_is_refused_before_anything_is(
    project: Project, protocol: dict[str, object], words: str, table: str
) -> None:
    """Whichever of the three it is: no staging, no quarantine, the file stays, and that it failed is remembered."""
    path = project.path("tables", "analytics", f"activity{table}")
    os.makedirs(path)
    DeltaTable.create(path, Schema([Field("user_id", PrimitiveType("long"))]))
    with open(os.path.join(path, "_delta_log", f"{0:020}.json"), "r+", encoding="utf-8") as log:
        actions = [json.loads(line) for line in log]
        versions = (
            {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": []} if "writerFeatures" in protocol else {}
        )
        actions[0]["protocol"] = {"minReaderVersion": 1, **versions, **protocol}
        assert "protocol" in actions[0]
        log.seek(0)
        log.write("\n".join(map(json.dumps, actions)) + "\n")
        log.truncate()
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-05\nx,b,2026-01-05\n")
    before = project.files("tables/analytics")
    assert project.cli("plan").code == 1
    for command in ("run", "stage"):
        refused = project.cli(command)
        assert (refused.code, refused.feed["error"]["code"]) == (1, "table_feature")
        assert f"uses {words}, which" in refused.feed["error"]["message"]
        assert "engine: spark" in refused.feed["error"]["hint"]
    assert project.files("tables/analytics") == before
    assert {path.partition("/")[0] for path in project.files("tables/_landfeed")} == {"_leases", "batches"}
    assert project.rows("_landfeed.batches", "DISTINCT state") == [("failed",)]
    assert project.files("landing") == ["activity/1.csv"]
    assert project.cli("status").code == 0
