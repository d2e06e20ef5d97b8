"""A checked tree → the typed Feed, with every default filled in.

Runs only on trees without problems, so it trusts the shapes that the schema has checked.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping

from framework.environment import Environment
from framework.feed import (
    AllBad,
    Archive,
    ArchiveAction,
    Check,
    CheckAction,
    CheckScope,
    Column,
    CsvOptions,
    DeleteMode,
    Feed,
    Format,
    MembersOnError,
    MissingColumns,
    Mode,
    NewColumns,
    NullKeys,
    Numbers,
    OnExceed,
    Quarantine,
    ReadyWhen,
    RenamedColumns,
    SchemaContract,
    ShortRows,
    Snapshot,
    Source,
    Target,
    TypeChanges,
)
from framework.law.pathnames import has_folders
from framework.loader import expecting, habits, ready
from framework.loader.nodes import Node
from framework.loader.paths import folder
from framework.loader.values import flag, items, mapping, number, span, text, texts, whole, word
from framework.names import RESCUED, Table
from framework.types import Scalar, parse_type

__all__ = ["build_feed"]


def build_feed(tree: Node, environment: Environment, archive: str | None) -> Feed:
    """The feed of a tree that has no problems. `archive` is the value of the variable of that name."""
    name = text(tree, "feed") or ""
    target = _target(tree)
    return Feed(
        name=name,
        source=_source(tree, environment),
        columns=_all_columns(tree),
        target=target,
        quarantine=_quarantine(tree, target.table),
        archive=_archive(tree, name, environment, archive),
        schema_contract=SchemaContract(
            word(tree, NewColumns.IGNORE, "schema_contract", "new_columns"),
            word(tree, MissingColumns.SET_NULL, "schema_contract", "missing_columns"),
            word(tree, RenamedColumns.REJECT_FILE, "schema_contract", "renamed_columns"),
            word(tree, TypeChanges.REFUSE, "schema_contract", "type_changes"),
        ),
        checks=(*(_check(node) for node in items(tree, "checks")), *ready.checks(mapping(tree, "schema"))),
        expect=expecting.expectation(tree, environment.timezone),
        filter=text(tree, "filter"),
        description=text(tree, "description"),
        owner=text(tree, "owner"),
        tags=texts(tree, "tags"),
        enabled=flag(tree, True, "enabled"),
        file=tree.file,
    )


def _source(tree: Node, environment: Environment) -> Source:
    source = tree.map["source"]
    options = mapping(source, "options")
    ready = source.get("ready_when")
    null_values = source.get("null_values")
    return Source(
        path=folder(text(source, "path") or "", environment.project),
        format=Format(text(source, "format") or ""),
        files=text(source, "files"),
        recursive=flag(source, has_folders(text(source, "files")), "recursive"),
        order_by=text(source, "order_by") or "name",
        ready_when=ReadyWhen(text(ready, "marker"), number(ready, "min_age_seconds")) if ready else None,
        max_files_per_batch=whole(source, "max_files_per_batch"),
        encodings=tuple(dict.fromkeys(codecs.lookup(name).name for name in texts(source, "encoding") or ("utf-8",))),
        records=text(source, "records"),
        csv=_csv(options),
        skip_lines=whole(source, "skip_lines") or 0,
        until_header=flag(source, False, "until_header"),
        trailer=habits.trailer(source.get("trailer")),
        control=habits.control(source.get("control")),
        short_rows=word(source, ShortRows.QUARANTINE, "short_rows"),
        sheet=_sheet(source.get("sheet")),
        members=text(source, "members"),
        members_on_error=word(source, MembersOnError.REJECT_ALL, "members_on_error"),
        text_formulas=flag(source, False, "text_formulas"),
        null_values=("",) if null_values is None else tuple(node.text for node in null_values.items),
        trim=flag(source, False, "trim"),
        timezone=text(source, "timezone") or environment.timezone,
        limits=environment.limits,
    )


def _sheet(node: Node | None) -> str | int | None:
    if node is None:
        return None
    return node.value if isinstance(node.value, int) else node.text


def _csv(options: Mapping[str, Node]) -> CsvOptions:
    default = CsvOptions()
    quote = (options["quote"].text or None) if "quote" in options else default.quote
    return CsvOptions(
        sep=options["sep"].text if "sep" in options else default.sep,
        header=options["header"].value is True if "header" in options else default.header,
        quote=quote,
        escape=(options["escape"].text or None) if "escape" in options else quote,
        comment=options["comment"].text if "comment" in options else None,
        multiLine=options["multiLine"].value is True if "multiLine" in options else default.multiLine,
    )


def _all_columns(tree: Node) -> tuple[Column, ...]:
    numbers = habits.numbers(tree.get("source", "numbers"))
    columns = tuple(_column(name, node, numbers) for name, node in mapping(tree, "schema").items())
    if word(tree, NewColumns.IGNORE, "schema_contract", "new_columns") is not NewColumns.RESCUE:
        return columns
    what = "What files have in columns that the schema does not have, as JSON"
    return (*columns, Column(RESCUED, Scalar("string"), (), description=what, rescues=True))


def _column(name: str, node: Node, numbers: Numbers | None) -> Column:
    """A column; `numbers` is how they are written in all files, where it does not say so itself."""
    is_object = isinstance(node.value, dict)
    type_ = parse_type(text(node, "type") or "" if is_object else node.text)
    numbers = numbers if habits.is_number(type_) else None
    if not is_object:
        return Column(name, type_, (name,), numbers=numbers)
    accepted = node.get("accepted_values")
    of_records = node.get("from_file") is None and node.get("expr") is None
    return Column(
        name=name,
        type=type_,
        source_names=texts(node, "source_name") or (name,),
        required=flag(node, False, "required"),
        formats=texts(node, "format"),
        numbers=(habits.numbers(node.get("numbers")) or numbers) if of_records else None,
        pattern=text(node, "pattern"),
        accepted_values=tuple(value.text for value in accepted.items) if accepted else None,
        min=text(node, "min"),
        max=text(node, "max"),
        default=text(node, "default"),
        span=habits.span(node),
        from_file=text(node, "from_file"),
        expr=text(node, "expr"),
        mask=ready.mask(node.get("mask")),
        description=text(node, "description"),
    )


def _check(node: Node) -> Check:
    return Check(
        name=text(node, "name") or "",
        expr=text(node, "expr") or "",
        action=CheckAction(text(node, "action") or ""),
        scope=word(node, CheckScope.ROW, "scope"),
    )


def _target(tree: Node) -> Target:
    target = tree.map["target"]
    table = Table(text(target, "table") or "")
    staging = text(target, "staging")
    properties = mapping(target, "table_properties")
    return Target(
        table=table,
        staging=Table(staging) if staging else table.suffixed("__staging"),
        mode=word(target, Mode.MERGE, "mode"),
        scd_type=whole(target, "scd_type") or 1,
        keys=_columns(tree, "keys"),
        null_keys=word(target, NullKeys.QUARANTINE, "null_keys"),
        sequence_by=_columns(tree, "sequence_by"),
        apply_as_deletes=text(target, "apply_as_deletes"),
        apply_as_truncates=text(target, "apply_as_truncates"),
        delete_mode=word(target, DeleteMode.HARD, "delete_mode"),
        ignore_null_updates=_ignored_nulls(tree),
        track_columns=_tracked(tree),
        overwrite_by=_columns(tree, "overwrite_by"),
        allow_empty=flag(target, False, "allow_empty"),
        snapshot=_snapshot(target.map.get("snapshot")),
        except_columns=_columns(tree, "except_columns"),
        audit_columns=flag(target, False, "audit_columns"),
        cluster_by=_columns(tree, "cluster_by"),
        partition_by=_columns(tree, "partition_by"),
        table_properties=tuple((key, value.text) for key, value in properties.items()),
        comment=text(target, "comment"),
        shared_target=flag(target, False, "shared_target"),
    )


def _ignored_nulls(tree: Node) -> tuple[str, ...]:
    """The columns in which a NULL changes nothing; all but keys and sequence where it only says true."""
    node = tree.get("target", "ignore_null_updates")
    if node is None or node.value is False:
        return ()
    if node.value is True:
        fixed = {*_columns(tree, "keys"), *_columns(tree, "sequence_by")}
        return tuple(name for name in mapping(tree, "schema") if name not in fixed)
    return _columns(tree, "ignore_null_updates")


def _tracked(tree: Node) -> tuple[str, ...] | None:
    """The columns that open a version, None for all but keys and sequence."""
    target = tree.map["target"]
    if "track_columns" in target.map:
        return _columns(tree, "track_columns")
    if "track_except" in target.map:
        others = {*_columns(tree, "track_except"), *_columns(tree, "keys"), *_columns(tree, "sequence_by")}
        return tuple(name for name in mapping(tree, "schema") if name not in others)
    return None


def _snapshot(node: Node | None) -> Snapshot:
    default = Snapshot()
    if node is None:
        return default
    most = number(node, "max_deletes")
    return Snapshot(
        text(node, "by"),
        default.max_deletes if most is None else most,
        flag(node, default.allow_empty, "allow_empty"),
    )


def _quarantine(tree: Node, target: Table) -> Quarantine:
    table = text(tree, "quarantine", "table")
    return Quarantine(
        table=Table(table) if table else target.suffixed("__quarantine"),
        max_bad_rows=whole(tree, "quarantine", "max_bad_rows"),
        max_bad_ratio=number(tree, "quarantine", "max_bad_ratio"),
        all_bad=word(tree, AllBad.REJECT_FILE, "quarantine", "all_bad"),
        on_exceed=word(tree, OnExceed.REJECT_FILE, "quarantine", "on_exceed"),
        retention=span(tree, "quarantine", "retention"),
    )


def _archive(tree: Node, name: str, environment: Environment, archive: str | None) -> Archive:
    path = text(tree, "archive", "path") or f"{archive}/{name}/"
    rejected = text(tree, "archive", "rejected_path") or f"{archive}/_rejected/{name}/"
    return Archive(
        path=folder(path, environment.project),
        rejected_path=folder(rejected, environment.project),
        on_success=word(tree, ArchiveAction.MOVE, "archive", "on_success"),
        retention=span(tree, "archive", "retention"),
    )


def _columns(tree: Node, key: str) -> tuple[str, ...]:
    """A list of columns under `target`, spelt as in the schema whatever their case here."""
    spelt = {name.lower(): name for name in mapping(tree, "schema")}
    return tuple(spelt[name.lower()] for name in texts(tree, "target", key))
