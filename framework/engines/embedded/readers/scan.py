"""DuckDB's reader of files of separated values, told everything, so that it guesses nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.law.dialects import DUCKDB
from framework.opening import Compression

__all__ = ["file_position", "literal_path", "read_csv"]


def read_csv(
    names: Sequence[str],
    files: Sequence[tuple[int, str]],
    compression: Compression,
    reading: Mapping[str, str],
) -> str:
    """A query of the texts of `names` and of "_file" of files given as (position in the batch, path).

    The first broken record is an error. DuckDB's tables of rejected records are of no use here: it holds all records
    in memory that it may note, each with up to 10,000 bytes of what follows, whatever the limit.
    """
    columns = ", ".join(f"{DUCKDB.text(name)}: 'VARCHAR'" for name in names)
    paths = ", ".join(DUCKDB.text(literal_path(path)) for _, path in files)
    options = dict(reading) | {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "strict_mode": "true",
        "null_padding": "false",
        "allow_quoted_nulls": "false",
        "compression": DUCKDB.text(compression),
        "comment": "''",
        "hive_partitioning": "false",  # what a folder is called is no data
    }
    if len(files) > 1:
        options["filename"] = "'_path'"
    arguments = ", ".join(f"{name} = {value}" for name, value in options.items())
    # Blank lines are no records; DuckDB sees a NULL in them when there is only one field.
    only = f" WHERE {names[0]} IS NOT NULL" if len(names) == 1 else ""
    return f"SELECT {', '.join(names)}, {file_position(files)} AS _file FROM read_csv([{paths}], {arguments}){only}"


def file_position(files: Sequence[tuple[int, str]]) -> str:
    """SQL of a file's position in the batch, of files given as (position, path) whose path is `_path`."""
    position = str(files[0][0])
    if len(files) > 1:
        first = ", ".join(DUCKDB.text(path) for _, path in files)
        positions = ", ".join(str(index) for index, _ in files)
        position = f"[{positions}][list_position([{first}], _path)]"
    return f"{position}::INTEGER"


def literal_path(path: str) -> str:
    """DuckDB reads * ? [ in a path as a pattern; a bracket makes them literal."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)
