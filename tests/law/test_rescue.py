"""Rescue: the JSON of what no column wants, which both engines' SQL and Python's reader understand alike."""

from __future__ import annotations

import json

import duckdb

from framework.feed import NewColumns, SchemaContract
from framework.law.dialects import DUCKDB, SPARK
from framework.law.layout import Layout, csv_layout
from framework.law.rescue import rescued, rescued_fields
from tests.feeds import column, made_feed

FEED = made_feed(column("id", "int"), schema_contract=SchemaContract(NewColumns.RESCUE))
ODD = 'a"b\\c/é\t\x01\x1f\u2028😀'


def fields(*header: str) -> dict[str, str]:
    layout = csv_layout(FEED, header)
    assert isinstance(layout, Layout)
    return rescued_fields(layout)


def test_every_name_that_no_column_wants_is_there_once() -> None:
    assert fields("x", "ID", "x", "_file_path", "X", "", "x_2") == {
        "x": "f0",
        "x_2": "f2",
        "_file_path_2": "f3",
        "X": "f4",
        "x_2_2": "f6",
    }
    assert fields("id") == {}


def test_values_that_are_there_and_the_path() -> None:
    values = {"x": DUCKDB.text(ODD), "it's": "NULL", "y": "''"}
    ((found,),) = duckdb.execute(f"SELECT {rescued(values, DUCKDB.text('/l/1'), DUCKDB)}").fetchall()
    assert json.loads(found) == {"x": ODD, "y": "", "_file_path": "/l/1"}
    assert list(json.loads(found)) == ["x", "y", "_file_path"]


def test_a_record_that_has_nothing_else_has_no_json() -> None:
    for values in ({}, {"x": "NULL", "y": "NULL"}):
        ((found,),) = duckdb.execute(f"SELECT {rescued(values, DUCKDB.text('/l/1'), DUCKDB)}").fetchall()
        assert found is None


def test_spark_is_asked_for_an_object_that_leaves_out_what_is_null() -> None:
    assert rescued({"x": "f0"}, "p", SPARK) == (
        "CASE WHEN coalesce(f0) IS NOT NULL THEN to_json(named_struct('x', f0, '_file_path', p)) END"
    )
