"""The relations by which a change that is not plain is told, in an engine's SQL.

Each is a query over those before it and over three that the engine gives: `s`, the staged rows; `t`, the target's;
`c`, what earlier batches left to be remembered. The last ones are `classified`, rows with the columns that are
written and their cases, and `remembered`, rows to be kept beside the target (where the change has a memory).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from framework.law import history
from framework.law.change import Change, Is, Kind, Memory, Missing, Swept
from framework.law.dialects import Dialect
from framework.law.merging import AT, CASE, FLOOR, PRESENT, case_of, classify, partners
from framework.law.values import typed
from framework.names import AUDIT_COLUMNS, CHANGE, DELETED_AT, SEQUENCE

__all__ = ["Relation", "relations"]

_, _, _LOADED = AUDIT_COLUMNS


class Relation(NamedTuple):
    name: str
    query: str


def relations(change: Change, dialect: Dialect) -> Iterator[Relation]:
    """The relations in the order in which they depend on each other."""
    if change.history is not None and change.at is not None:
        type_, text = change.at
        at = f"CAST({typed(dialect.text(text), type_, dialect=dialect)} AS {dialect.type(type_)})"
        told = history.pictured(change.history, change.match, type_, at, dialect)
        yield from (Relation(*each) for each in told)
    elif change.history is not None:
        yield from (Relation(*each) for each in history.relations(change.history, change.match, dialect))
    elif change.plain or change.match is None:
        yield Relation("classified", classify(change, "s", "t", change.columns, dialect))
    else:
        yield from _Told(change, dialect).relations()


class _Told:
    """A change of rows as they are now."""

    def __init__(self, change: Change, dialect: Dialect) -> None:
        assert change.match is not None  # noqa: S101 (a change without one is plain)
        self._change, self._match, self._d = change, change.match, dialect
        self._memory = change.memory

    def relations(self) -> Iterator[Relation]:
        memory = self._memory
        if memory is not None:
            yield Relation("deleted", self._deleted(memory))
            if memory.truncates:
                yield Relation("truncated", self._truncated(memory))
        yield Relation("sources", self._sources())
        yield Relation("told", self._told())
        yield Relation("classified", " UNION ALL ".join(["SELECT * FROM told", *self._others()]))
        if memory is not None:
            yield Relation("remembered", self._remembered(memory))

    # What is remembered

    def _sequence(self, relation: str, columns: Sequence[str]) -> str:
        return history.sequence_of(relation, columns, self._d)

    def _deleted(self, memory: Memory) -> str:
        keys = self._d.names(memory.keys)
        return f"SELECT {keys}, max({SEQUENCE}) AS {AT} FROM c WHERE {CHANGE} = '{Kind.DELETE}' GROUP BY {keys}"

    def _truncated(self, memory: Memory) -> str:
        """The sequence of the newest truncate of earlier batches, and of all."""
        old = f"SELECT {SEQUENCE} AS x FROM c WHERE {CHANGE} = '{Kind.TRUNCATE}'"
        new = f"SELECT {self._sequence('s', memory.sequence)} AS x FROM s WHERE {CHANGE} = '{Kind.TRUNCATE}'"
        every = f"SELECT max(x) FROM ({old} UNION ALL {new}) AS a"
        return f"SELECT (SELECT max(x) FROM ({old}) AS o) AS old, ({every}) AS new"

    # Staged rows, with what their cases are told by

    def _sources(self) -> str:
        """The staged rows with their sequence, how old what is remembered is, and when they delete."""
        change, memory, d = self._change, self._memory, self._d
        added, joined = [], ""
        if memory is not None:
            floor = f"d.{AT}"
            on = " AND ".join(self._equal("d", "s", key) for key in memory.keys)
            joined = f" LEFT JOIN deleted AS d ON {on}"
            if memory.truncates:
                newest = f"CASE WHEN d.{AT} IS NULL OR w.new > d.{AT} THEN w.new ELSE d.{AT} END"
                floor = f"CASE WHEN s.{CHANGE} = '{Kind.TRUNCATE}' THEN w.old ELSE {newest} END"
                joined += " CROSS JOIN truncated AS w"
            added += [f"{self._sequence('s', memory.sequence)} AS {AT}", f"{floor} AS {FLOOR}"]
        if change.mark is not None:
            sequence = change.mark.sequence
            at = self._sequence("s", sequence) if sequence else f"s.{_LOADED}"
            if change.at is None:
                added += [f"{at} AS {AT}", f"CASE WHEN s.{CHANGE} = '{Kind.DELETE}' THEN {at} END AS {DELETED_AT}"]
            else:
                added.append(f"{d.null(change.at[0])} AS {DELETED_AT}")
        return f"SELECT {', '.join(['s.*', *added])} FROM s{joined}"

    def _equal(self, left: str, right: str, key: str) -> str:
        equal = self._d.identical if self._match.nulls_match else self._d.same
        return f"({equal(self._d.column(left, key), self._d.column(right, key))})"

    def _told(self) -> str:
        """Every staged row with its case. What a row inherits from its partner, it has."""
        change, d = self._change, self._d
        listed = [d.column("s", column) for column in change.columns]
        if self._memory is not None:
            listed += [f"s.{AT}", f"s.{CHANGE}"]
        target = f"(SELECT *, true AS {PRESENT} FROM t)"
        on = partners(self._match, d)
        if self._memory is not None and self._memory.truncates:
            on += f" AND s.{CHANGE} <> '{Kind.TRUNCATE}'"
        source = f"({self._inheriting(target, on)})" if change.inherits else "sources"
        case = f"{case_of(change, d)} AS {CASE}"
        return f"SELECT {', '.join([*listed, case])} FROM {source} AS s LEFT JOIN {target} AS t ON {on}"

    def _inheriting(self, target: str, on: str) -> str:
        change, d = self._change, self._d
        whole = [f"s.{CHANGE} <> '{Kind.UPSERT}'"] if self._has_kinds() else []
        whole += [f"t.{DELETED_AT} IS NOT NULL"] if change.mark else []
        values = []
        for column in change.inherits:
            value = f"coalesce({d.column('s', column)}, {d.column('t', column)})"
            if whole:
                value = f"CASE WHEN {' OR '.join(whole)} THEN {d.column('s', column)} ELSE {value} END"
            values.append(f"{value} AS {d.name(column)}")
        others = [f"s.{each}" for each in (AT, FLOOR, DELETED_AT, CHANGE) if self._has(each)]
        known = (*change.inherits, DELETED_AT)
        kept = [d.column("s", each) for each in self._columns() if each not in known]
        return f"SELECT {', '.join([*kept, *others, *values])} FROM sources AS s LEFT JOIN {target} AS t ON {on}"

    def _has_kinds(self) -> bool:
        """Whether rows have a kind: a feed without sequence has no memory of its deletes."""
        return any(isinstance(test, Is) for case in self._change.cases for test in case.when)

    def _has(self, column: str) -> bool:
        match column:
            case _ if column == AT:
                return self._memory is not None or self._change.mark is not None
            case _ if column == FLOOR:
                return self._memory is not None
            case _ if column == CHANGE:
                return self._has_kinds()
            case _:
                return self._change.mark is not None

    def _columns(self) -> tuple[str, ...]:
        """The columns of staged rows that cases and writes are about."""
        return tuple(dict.fromkeys((*self._match.keys, *self._change.columns)))

    # Rows of the target that no staged row is about

    def _others(self) -> Iterator[str]:
        for index, case in enumerate(self._change.cases):
            if Swept() in case.when and self._memory is not None:
                yield self._swept(index, self._memory)
            if Missing() in case.when:
                yield self._missing(index)

    def _swept(self, index: int, memory: Memory) -> str:
        change, d = self._change, self._d
        listed = [d.column("t", column) for column in change.columns]
        more = [f"{self._sequence('t', memory.sequence)} AS {AT}", f"'{Kind.DELETE}' AS {CHANGE}"]
        new, at = "(SELECT new FROM truncated)", self._sequence("t", memory.sequence)
        writes = ", ".join(str(each) for each in change.writing)
        met = f"SELECT 1 FROM told AS s WHERE {partners(self._match, d)} AND s.{CASE} IN ({writes})"
        return (
            f"SELECT {', '.join([*listed, *more, f'{index} AS {CASE}'])} FROM t "
            f"WHERE {new} IS NOT NULL AND coalesce({at} < {new}, true) AND NOT EXISTS ({met})"
        )

    def _missing(self, index: int) -> str:
        change, d = self._change, self._d
        where, at = f"NOT EXISTS (SELECT 1 FROM s WHERE {partners(self._match, d)})", ""
        if change.mark is not None and change.at is not None:
            type_, text = change.at
            at = f"{typed(d.text(text), type_, dialect=d)} AS {DELETED_AT}"
            where = f"t.{DELETED_AT} IS NULL AND {where}"
        listed = [at if column == DELETED_AT else d.column("t", column) for column in change.columns]
        return f"SELECT {', '.join([*listed, f'{index} AS {CASE}'])} FROM t WHERE {where}"

    def _remembered(self, memory: Memory) -> str:
        keys = self._d.names(memory.keys)
        cases = ", ".join(map(str, self._change.remembering))
        return f"SELECT {keys}, {AT} AS {SEQUENCE}, {CHANGE} FROM told WHERE {CASE} IN ({cases})"
