"""Words that other tools have for what a feed file says in its own: the hint for each, by the word in lower case."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ELSEWHERE"]

_TYPES = "leave it out: the types stand under schema, and hold for every file"
_FORMAT = "give it to the column: schema.<column>.format, one pattern or several"
_TRIM = "write source.trim: true; types other than string are trimmed anyway"
_BAD = "leave it out: bad rows go to the quarantine, with their records; quarantine.max_bad_rows limits them"
_BY_NAME = "leave it out: columns are found by the names in the header"
_NEW = "write schema_contract.new_columns"
_NULLS = 'write source.null_values, for example null_values: ["", "NULL"]'
_SEP = "write source.options.sep"
_KEYS = "write target.keys"
_SEQUENCE = "write target.sequence_by"

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("delimiter", "separator", "field_delimiter", "fielddelimiter"), _SEP),
        **dict.fromkeys(("nullvalue", "null_value", "na_values", "emptyvalue", "nullstr", "null_if"), _NULLS),
        "charset": "write source.encoding",
        **dict.fromkeys(("ignoreleadingwhitespace", "ignoretrailingwhitespace", "trim_space"), _TRIM),
        **dict.fromkeys(("inferschema", "infer_schema", "samplingratio", "dtype", "dtypes"), _TYPES),
        **dict.fromkeys(("dateformat", "timestampformat", "timestampntzformat", "date_format"), _FORMAT),
        **dict.fromkeys(("mode", "columnnameofcorruptrecord", "badrecordspath", "ignore_errors"), _BAD),
        **dict.fromkeys(("enforceschema", "maxcolumns", "maxcharspercolumn"), _BY_NAME),
        **dict.fromkeys(("mergeschema", "rescueddatacolumn", "schemaevolutionmode"), _NEW),
        "quotechar": "write source.options.quote",
        "escapechar": "write source.options.escape",
        "linesep": "leave it out: LF, CRLF and CR all end a record",
        "compression": "leave it out: the file's name tells (.gz, .bz2, .zst, .zip)",
        "pathglobfilter": "write source.files",
        "recursivefilelookup": "write source.recursive: true",
        "timezone_id": "write source.timezone",
        **dict.fromkeys(("primary_key", "primary_keys", "unique_key", "merge_keys", "key_columns"), _KEYS),
        **dict.fromkeys(("cursor_column", "cursor_field", "updated_at", "watermark_column"), _SEQUENCE),
    }
)
"""`mode` is meant where it is no key of ours, as among the options of a CSV file."""
