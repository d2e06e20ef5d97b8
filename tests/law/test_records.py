"""The law of CSV records, and that the fast way reads every file as the law does."""

from __future__ import annotations

import io
import os
import tempfile
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.feed import CsvOptions
from framework.law.records.csv import read_records
from framework.names import Limits
from tests.support import Project


def law(data: bytes, width: int | None = 2, encoding: str = "utf-8", **options: object) -> list[object]:
    chosen = CsvOptions(**options)  # type: ignore[arg-type]
    records = read_records(io.BytesIO(data), encoding=encoding, options=chosen, width=width)
    return [(record.line, record.fields or record.error) for record in records]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'1,2\n3,""\n4,\n', [(1, ("1", "2")), (2, ("3", "")), (3, ("4", None))]),
        (b"1\n2,3", [(1, "1 fields instead of 2"), (2, ("2", "3"))]),
        (b'1,"2\n3,4\n', [(1, "a quote is not closed"), (2, ("3", "4"))]),
        (b'1,"2"x\n3,4\n', [(1, "there is text after a closing quote"), (2, ("3", "4"))]),
        (b'1,x"y"\n', [(1, ("1", 'x"y"'))]),
        (b'\xef\xbb\xbf1,2\r"a\nb","c""d"\r\n\n5,6', [(1, ("1", "2")), (2, ("a\nb", 'c"d')), (5, ("5", "6"))]),
        (b"1,\xff\n", [(1, "a byte is not valid in the file's encoding (source.encoding)")]),
        (b'"1\n"x,2\n3,4', [(1, "there is text after a closing quote"), (2, "a quote is not closed"), (3, ("3", "4"))]),
    ],
)
def test_records(data: bytes, expected: list[object]) -> None:
    assert law(data) == expected


def test_options() -> None:
    assert law(b'"x\\"y";"c\\\\"\n', sep=";", escape="\\") == [(1, ('x"y', "c\\"))]
    assert law(b'"1\n2",3\n', multiLine=False) == [(1, "a quote is not closed"), (2, ('2"', "3"))]
    assert law(b'#x\n1,2\n#"\n', comment="#") == [(2, ("1", "2"))]
    assert law("1,ü\n".encode("utf-16"), encoding="utf-16") == [(1, ("1", "ü"))]


PIECES = st.sampled_from(
    [b"a", b"1", b",", b",", b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b" ", b"\xff", b"\x00", b"\xc3\xbc"]
)


FILES = st.lists(st.lists(PIECES, max_size=30).map(b"".join), min_size=15, max_size=15, unique=True)


@settings(max_examples=6, deadline=None)
@given(FILES, st.sampled_from([1, 2]))
def test_a_load_reads_records_as_the_law_does(contents: list[bytes], width: int) -> None:
    """Whatever files hold: the same rows are staged and the same lines quarantined as the law says."""
    names = ["k", "c0", "c1"][: width + 1]
    bodies = [",".join(names).encode() + b"\n" + content for content in contents]
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder)
        columns = ", ".join(f"{name}: string" for name in names)
        project.feed(
            "any",
            "feed: any\nsource: {path: '${landing}/any/', format: csv, files: '{of}.csv'}\n"
            f"schema: {{of: {{type: string, from_file: of}}, {columns}}}\n"
            "target: {table: s.any, keys: [of, k], null_keys: match}\nquarantine: {all_bad: load}\n",
        )
        for number, body in enumerate(bodies):
            project.land("any", f"{number}.csv", body)
        report = project.cli("run").feed
        options = CsvOptions()
        by_file = {
            str(number): list(read_records(io.BytesIO(body), encoding="utf-8", options=options, width=width + 1))[1:]
            for number, body in enumerate(bodies)
        }
        every = [(of, record) for of, records in by_file.items() for record in records]
        last = {(of, record.fields[0]): (of, *record.fields) for of, record in every if record.fields}
        broken = [(of, str(record.line), record.raw) for of, record in every if record.fields is None]
        assert report["rows"]["read"] == len(every)
        assert report["rows"]["quarantined"] == len(broken)
        assert sorted(project.rows("s.any", ", ".join(["of", *names])), key=str) == sorted(last.values(), key=str)
        found = project.rows("s.any__quarantine", "parse_filename(_source_file, true) of, _line, _record")
        assert sorted(found) == sorted(broken)
        assert os.listdir(project.path("landing", "any")) == []


def test_surplus_fields_count_even_when_they_are_empty(project: Project) -> None:
    project.land("activity", "f.csv", 'user_id,event,event_time\n1,a,2026-01-01,\n2,b,2026-01-01,""\n3,,2026-01-01\n')
    rows = project.cli("run").feed["rows"]
    assert (rows["staged"], rows["quarantined"]) == (1, 2)


def test_blanks_behind_a_closing_quote_are_malformed(project: Project) -> None:
    project.land(
        "activity", "f.csv", 'user_id,event,event_time\n1,"a" ,2026-01-01\n2,"" ,2026-01-01\n3,"b",2026-01-01\n'
    )
    rows = project.cli("run").feed["rows"]
    assert (rows["staged"], rows["quarantined"]) == (1, 2)


@pytest.mark.parametrize(
    ("options", "body", "staged", "bad"),
    [
        (
            'comment: "#"',
            '#1,a,2026-01-01\n2,b#c,2026-01-01\n"#3",x,2026-01-01\n',
            [("2", "b#c")],
            ['"#3",x,2026-01-01'],
        ),
        ("multiLine: false", '1,"a\nb",2026-01-01\n2,c,2026-01-01\n', [("2", "c")], ['1,"a', 'b",2026-01-01']),
        ('escape: "\\\\"', '1,"a\\"b",2026-01-01\n', [("1", 'a"b')], []),
        ('sep: "|"', "", [], []),
    ],
)
def test_options_of_a_feed(
    project: Project, options: str, body: str, staged: list[tuple[str, str]], bad: list[str]
) -> None:
    from tests.support import ACTIVITY, HEADER

    text = ACTIVITY.format(name="activity").replace("format: csv", f"format: csv\n  options: {{{options}}}")
    project.feed("activity", text)
    project.land("activity", "f.csv", (HEADER + body).replace(",", "|") if "sep" in options else HEADER + body)
    report = project.cli("run").feed
    assert report["error"] is None
    assert [row[:2] for row in project.rows("analytics.activity")] == staged
    assert [row[0] for row in project.rows("analytics.activity__quarantine", "_record")] == bad


def test_null_values_and_trim(project: Project) -> None:
    project.feed(
        "nulls",
        "feed: nulls\nsource: {path: '${landing}/nulls/', format: csv, null_values: ['', 'N/A', '-'], trim: true}\n"
        "schema: {id: int, name: string, amount: int}\ntarget: {table: s.nulls, keys: [id]}\n",
    )
    project.land("nulls", "f.csv", 'id,name,amount\n1, a ,-\n2,"N/A", N/A \n3,"",7\n')
    assert project.cli("run", "nulls").feed["rows"]["staged"] == 3
    assert project.rows("s.nulls") == [("1", "a", None), ("2", None, None), ("3", "", "7")]


@pytest.mark.parametrize(("lines", "sound"), [(31, [True]), (33, [False, *[True] * 33, False])])
def test_an_open_quote_is_given_up_after_32_mib(lines: int, sound: list[bool]) -> None:
    """Then the record's first line is malformed, and every line behind it is read as its own record."""
    stream = io.BytesIO(b'1,"open\n' + (b"2," + b"x" * ((1 << 20) - 3) + b"\n") * lines + b'end"\n')
    records = list(read_records(stream, encoding="utf-8", options=CsvOptions(), width=2))
    assert [record.fields is not None for record in records] == sound


def test_a_line_that_is_too_long_is_one_malformed_record() -> None:
    """Whether it is quoted or not, in CRLF or not; the lines around it are as they were."""
    for quote, end in ((b"", b"\n"), (b'"', b"\r\n")):
        long = quote + b"x" * (Limits().record + 7) + quote
        stream = io.BytesIO(end.join([b"1,a", b"2," + long, b"3,c"]))
        records = list(read_records(stream, encoding="utf-8", options=CsvOptions(), width=2))
        assert [(record.line, record.fields) for record in records] == [(1, ("1", "a")), (2, None), (3, ("3", "c"))]
        length = len(long) + 2
        assert records[1].error == f"the record has {length} characters; it may have {Limits().record} (limits.record)"
        assert records[1].raw.startswith("2," + quote.decode() + "xxx")
        assert records[1].raw.endswith(f"… ({length} characters)")
        assert len(records[1].raw) < 2000


@pytest.mark.parametrize("body", [b'a","b\n', b'"a","b"",c\n', b'"a\n', b'",\n"\n'])
def test_broken_lines_cost_no_more_than_others(body: bytes) -> None:
    """Reading on behind each of many lines, none of which is a record, takes as long as reading them."""

    def seconds(lines: int) -> float:
        started = time.process_time()
        assert len(law(body * lines)) == lines
        return time.process_time() - started

    seconds(100)
    assert seconds(40_000) < max(1, 30 * seconds(4000))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(
    ("body", "staged"),
    [
        (["1,a,2026-01-01"] * 9, 1),
        (["1,a,2026-01-01"] * 9 + ["2,b,2026-01-01,"], 1),
        (["2,b,2026-01-01,"] + ["1,a,2026-01-01"] * 9, 1),
        (["1,a,2026-01-01"] * 9 + ['2,b,2026-01-01,""'], 1),
        (["1,a,2026-01-01", "", '2," b",2026-01-01', "", ""], 2),
        (['1, "a",2026-01-01', '2,"b ""quoted"" x",2026-01-01', '3,x"y",2026-01-01'], 3),
        (['1, "a,2026-01-01', '2,b",2026-01-01'], 2),
        (['"1","a\nb\n\nc",2026-01-01', "2,b,2026-01-01"], 2),
        (['"1","a\r\nb",2026-01-01', "2,b,2026-01-01"], 2),
        (['"1","a\rb",2026-01-01', "2,b,2026-01-01"], 2),
        (["1," + "x" * (1 << 20) + ",2026-01-01", "2,b,2026-01-01,"], 1),
    ],
)
def test_what_a_fast_reader_would_get_wrong(
    project: Project, body: list[str], staged: int, end: str, last: bool
) -> None:
    content = (end.join(["user_id,event,event_time", *body]) + (end if last else "")).encode()
    project.land("activity", "f.csv", content)
    rows = project.cli("run").feed["rows"]
    records = list(read_records(io.BytesIO(content), encoding="utf-8", options=CsvOptions(), width=3))[1:]
    sound = {record.fields[0]: record.fields[1] for record in records if record.fields}
    assert rows["read"] == len(records)
    assert rows["quarantined"] == sum(record.fields is None for record in records)
    assert dict(project.rows("analytics.activity", "user_id, event")) == sound
    assert len(sound) == staged


def test_line_ends_in_quotes_beside_a_broken_record(project: Project) -> None:
    """The copy without broken records has line ends of its own; those in quotes are values."""
    project.feed(
        "two",
        "feed: two\nsource: {path: '${landing}/two/', format: csv}\nschema: {c0: string, c1: string}\n"
        "target: {table: t.two, keys: [c0]}\n",
    )
    project.land("two", "1.csv", b'c0,c1\r\n1,"a\r\nb"\r\n2\r\n')
    rows = project.cli("run", "two").feed["rows"]
    assert (rows["staged"], rows["quarantined"]) == (1, 1)
    assert project.rows("t.two") == [("1", "a\r\nb")]
