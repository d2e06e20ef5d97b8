"""A feed and its parts, each as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from framework.feed.expect import Expect
from framework.feed.habits import Control, Numbers, ShortRows, Span, Trailer
from framework.feed.words import (
    AllBad,
    ArchiveAction,
    CheckAction,
    CheckScope,
    DeleteMode,
    Format,
    MaskMethod,
    MembersOnError,
    MissingColumns,
    Mode,
    NewColumns,
    NullKeys,
    OnExceed,
    RenamedColumns,
    TypeChanges,
)
from framework.names import AUDIT_COLUMNS, Limits, Table
from framework.types import DataType

__all__ = [
    "Archive",
    "Check",
    "Column",
    "CsvOptions",
    "Feed",
    "Mask",
    "Quarantine",
    "ReadyWhen",
    "Reference",
    "SchemaContract",
    "Snapshot",
    "Source",
    "Target",
]


@dataclass(frozen=True, slots=True)
class Mask:
    """What stands in place of a column's values wherever they are stored: a hash, one with a secret `key`, nothing of
    them, or their last `keep` characters."""

    method: MaskMethod
    key: str = field(default="", repr=False)
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the feed's schema.

    `source_names` are the header names that may carry it, first match wins; `formats` datetime
    patterns tried in order; `numbers` how numbers are written (None = plainly); `span` its place in
    lines of fixed width; `from_file` the capture in the file name that gives its value; `expr` a Spark
    SQL expression for a derived column.
    """

    name: str
    type: DataType
    source_names: tuple[str, ...]
    required: bool = False
    formats: tuple[str, ...] = ()
    numbers: Numbers | None = None
    span: Span | None = None
    pattern: str | None = None
    accepted_values: tuple[str, ...] | None = None
    min: str | None = None
    max: str | None = None
    default: str | None = None
    from_file: str | None = None
    expr: str | None = None
    mask: Mask | None = None
    description: str | None = None
    added: bool = False
    """Whether files have brought it, and not the schema."""
    declared: DataType | None = None
    """The schema's type, where files have brought members that it does not have."""
    rescues: bool = False
    """Whether it holds what no other column wants."""

    @property
    def from_source(self) -> bool:
        """Whether its value is that of a field of the records (not from the file name or an expression)."""
        return self.from_file is None and self.expr is None and not self.rescues


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """How a CSV file is written; the names are Spark's. Records follow RFC 4180 by default."""

    sep: str = ","
    header: bool = True
    quote: str | None = '"'
    escape: str | None = '"'
    comment: str | None = None
    multiLine: bool = True  # noqa: N815 (Spark's name)


@dataclass(frozen=True, slots=True)
class ReadyWhen:
    marker: str | None = None
    min_age_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where files land and how they are read.

    `path` ends with `/` and is absolute or a URI; `files` is a glob with captures (None = every
    file); `order_by` is `name`, `modified` or the name of a capture; `timezone` the zone of
    timestamps that carry none. `skip_lines` are lines before the header, which with `until_header`
    is the first line that has the key columns; `sheet` is that of a workbook by name, pattern or
    number (None = the first); `members` is a pattern of the members of archives that are files (None =
    all of them).
    """

    path: str
    format: Format
    files: str | None = None
    recursive: bool = False
    order_by: str = "name"
    ready_when: ReadyWhen | None = None
    max_files_per_batch: int | None = None
    encodings: tuple[str, ...] = ("utf-8",)
    records: str | None = None
    csv: CsvOptions = CsvOptions()
    skip_lines: int = 0
    until_header: bool = False
    trailer: Trailer | None = None
    control: Control | None = None
    short_rows: ShortRows = ShortRows.QUARANTINE
    text_formulas: bool = False
    sheet: str | int | None = None
    members: str | None = None
    members_on_error: MembersOnError = MembersOnError.REJECT_ALL
    null_values: tuple[str, ...] = ("",)
    trim: bool = False
    timezone: str = "UTC"
    limits: Limits = Limits()

    @property
    def only_by_law(self) -> bool:
        """Whether its files are written so that only the law's readers read them."""
        before = self.skip_lines > 0 or self.until_header
        totals = self.trailer is not None or self.control is not None
        return before or totals or self.short_rows is ShortRows.FILL


@dataclass(frozen=True, slots=True)
class SchemaContract:
    new_columns: NewColumns = NewColumns.IGNORE
    missing_columns: MissingColumns = MissingColumns.SET_NULL
    renamed_columns: RenamedColumns = RenamedColumns.REJECT_FILE
    type_changes: TypeChanges = TypeChanges.REFUSE


@dataclass(frozen=True, slots=True)
class Reference:
    """The values that a `column` of the feed may have: those of the column `among` of another table."""

    column: str
    table: Table
    among: str


@dataclass(frozen=True, slots=True)
class Check:
    """What is asked of rows or batches. With `exists_in` it is what that says, and `expr` only says so to people."""

    name: str
    expr: str
    action: CheckAction
    scope: CheckScope = CheckScope.ROW
    exists_in: Reference | None = None


@dataclass(frozen=True, slots=True)
class Quarantine:
    table: Table
    max_bad_rows: int | None = None
    max_bad_ratio: float | None = None
    all_bad: AllBad = AllBad.REJECT_FILE
    on_exceed: OnExceed = OnExceed.REJECT_FILE
    retention: timedelta | None = None
    """How long bad rows stay (None = for ever)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How complete pictures are told apart and guarded: `by` is a capture (None = each file is one), `max_deletes` the
    share of the target's keys that one may delete."""

    by: str | None = None
    max_deletes: float = 0.5
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go and how. `ignore_null_updates` are the columns in which a NULL leaves what is there,
    `track_columns` those that open a version of a history (None = all but keys and sequence)."""

    table: Table
    staging: Table
    mode: Mode = Mode.MERGE
    scd_type: int = 1
    keys: tuple[str, ...] = ()
    null_keys: NullKeys = NullKeys.QUARANTINE
    sequence_by: tuple[str, ...] = ()
    apply_as_deletes: str | None = None
    apply_as_truncates: str | None = None
    delete_mode: DeleteMode = DeleteMode.HARD
    ignore_null_updates: tuple[str, ...] = ()
    track_columns: tuple[str, ...] | None = None
    overwrite_by: tuple[str, ...] = ()
    allow_empty: bool = False
    snapshot: Snapshot = Snapshot()
    except_columns: tuple[str, ...] = ()
    audit_columns: bool = False
    cluster_by: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    table_properties: tuple[tuple[str, str], ...] = ()
    comment: str | None = None
    shared_target: bool = False

    @property
    def deletes(self) -> bool:
        """Whether rows may do something else than to bring values."""
        return self.apply_as_deletes is not None or self.apply_as_truncates is not None


@dataclass(frozen=True, slots=True)
class Archive:
    """`path` and `rejected_path` end with `/`."""

    path: str
    rejected_path: str
    on_success: ArchiveAction = ArchiveAction.MOVE
    retention: timedelta | None = None
    """How long loaded files stay (None = for ever)."""


@dataclass(frozen=True, slots=True)
class Feed:
    name: str
    source: Source
    columns: tuple[Column, ...]
    target: Target
    quarantine: Quarantine
    archive: Archive
    schema_contract: SchemaContract = SchemaContract()
    checks: tuple[Check, ...] = ()
    expect: Expect | None = None
    filter: str | None = None
    description: str | None = None
    owner: str | None = None
    tags: tuple[str, ...] = ()
    enabled: bool = True
    file: str = ""
    """The feed file, relative to the config folder, for messages."""

    @property
    def target_columns(self) -> tuple[Column, ...]:
        """The columns that the target holds, in schema order, without audit columns."""
        return tuple(column for column in self.columns if column.name not in self.target.except_columns)

    @property
    def staging_column_names(self) -> tuple[str, ...]:
        return (*(column.name for column in self.columns), *AUDIT_COLUMNS)
