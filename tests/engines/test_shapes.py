"""JSON lines that DuckDB reads by their shapes are read as the law reads them, and whatever is no such line as well."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from framework.feed import CsvOptions, Format
from framework.opening import SourceFile
from framework.storages.local import LocalStorage
from tests.engines.test_trouble import by_duckdb, by_law, feed

MANY = '{"a":"first","b":1,"c":null}\n' * 12_000
"""More lines than are looked at before a file is read."""
DEEP = "[" * 100 + "]" * 100


@pytest.mark.parametrize(
    ("lines", "fast"),
    [
        ('{"a":"x","b":1.50}\n{"a":"y","b":-0.10}\n{"a":null,"b":12}\n', True),
        ('{"a": "x", "b": 1.50}\n{"a": "y", "b": 3}\r\n', False),
        ('{"a":"x","b":"y"}\n{"b":"y","a":"x"}\n\n{"a":"z"}\n', True),
        ('{"a":"x \\" \\u00e9","b":"\\\\"}\n{"a":"plain","b":"ü"}\n{"a":"\\/","b":""}\n', True),
        ('{"a":12345678901234567890.10,"b":1e3}\n{"a":1.0,"b":-0}\n{"a":0.1,"b":"0.10"}\n', True),
        ('{"a":[1.50,"x"],"b":{"c":[]}}\n{"a":[2,"y"],"b":{"c":[1.0]}}\n', True),
        ('{"a":"x","b":{"c":1}}\n{"a":"x","b":{"c":1,"c":2}}\n', False),
        ('{"a":[{"x":1,"y":2},{"x":3,"y":[]}],"b":{"i":[{"x":1},{"x":2}]}}\n{"a":"[x","b":"{\\""}\n', True),
        ('{"a":[{"x":1,"y":2},{"x":3,"x":[]}]}\n', False),
        ('{"a":"hello, I am, ]","b":1}\n{"a":"x: nan","b":2}\n', True),
        (MANY, True),
        (MANY + '{"a":"x","a":"last","b":1,"c":null}\n', False),
        (MANY + '{"a":"x","b":1,"c":null,}\n', False),
        (MANY + '{"a":"x","b":NaN,"c":null}\n{"a":"x","b":-Infinity,"c":null}\n', False),
        (MANY + '{"a":"x","b":nan,"c":null}\n', False),
        (MANY + '{"a":"x","b":' + DEEP + ',"c":null}\n', False),
        (MANY + '{"a":"x","b":1,"c":null}{"a":"y"}\n', False),
        (MANY + '{"a":"x","b":1,"c":null,"new":1}\n{"a":"\\n","b":2}\n', True),
        (MANY + '{"B":"x"}\n', False),
        (MANY + "[1]\n", False),
    ],
)
def test_lines(tmp_path: Path, lines: str, fast: bool) -> None:
    of, storage, path = feed(Format.JSON, "utf-8", CsvOptions()), LocalStorage(), tmp_path / "a.json"
    path.write_bytes(lines.encode())
    file = storage.head(os.fspath(path))
    assert file is not None
    source = SourceFile(file, storage, os.fspath(tmp_path))
    found, by_itself = by_duckdb(of, [source], os.fspath(tmp_path))
    assert found == [by_law(of, 0, source)]
    assert bool(by_itself) is fast


def test_files_together(tmp_path: Path) -> None:
    """Of one layout, with other keys besides, and with shapes of their own."""
    of, storage = feed(Format.JSON, "utf-8", CsvOptions()), LocalStorage()
    texts = ['{"a":"1","b":2,"z":3}\n', '{"a":"1","b":2}\n', '{"b": 2.50, "a": "x"}\n', '{"a":"\\n","b":2.0,"y":1}\n']
    sources = []
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.json").write_text(text)
        file = storage.head(os.fspath(tmp_path / f"{number}.json"))
        assert file is not None
        sources.append(SourceFile(file, storage, os.fspath(tmp_path)))
    found, fast = by_duckdb(of, sources, os.fspath(tmp_path))
    assert found == [by_law(of, index, source) for index, source in enumerate(sources)]
    assert fast == len(texts)
