"""Histories in an engine's SQL: what the versions of the keys of a batch are, from all their events.

The events of a key are the staged ones, those that are remembered because no version shows them, and those that the
target's versions show: an upsert where a version starts, a delete where one ends and no other starts. Of several with
the same sequence the newest counts. In their order, upserts with equal tracked columns that follow each other make
one version, with the values of the last. What then differs from the target's versions is written; and events that no
version shows are remembered. Nothing of that depends on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.law.change import History, Kind, Match, Outcome
from framework.law.dialects import Dialect
from framework.law.merging import CASE
from framework.names import AUDIT_COLUMNS, CHANGE, END_AT, SEQUENCE, START_AT
from framework.types import DataType

__all__ = ["pictured", "relations", "sequence_of"]

_NEW = 1 << 40
"""Ranks of events with the same sequence: staged ones, remembered ones by the number of their batch, versions."""
_STARTS, _ENDS = -1, -2
_OUTCOMES = {outcome: index for index, outcome in enumerate(Outcome)}
_INSERT, _UPDATE, _DELETE = (len(Outcome) + index for index in range(3))


def sequence_of(relation: str, columns: Sequence[str], dialect: Dialect) -> str:
    """A row's sequence as one value: the column's, or a struct of several, which compares member by member."""
    if len(columns) == 1:
        return dialect.column(relation, columns[0])
    return dialect.struct({column: dialect.column(relation, column) for column in columns})


def relations(history: History, match: Match | None, dialect: Dialect) -> Iterator[tuple[str, str]]:
    """See `framework.law.relations`."""
    assert match is not None  # noqa: S101 (histories have one)
    sql = _Sql(history, match.nulls_match, dialect)
    yield "touched", f"SELECT DISTINCT {sql.keys} FROM s"
    yield "known", f"SELECT t.* FROM t WHERE EXISTS (SELECT 1 FROM touched AS k WHERE {sql.same('k', 't')})"
    yield "kept", sql.kept()
    yield "events", sql.events()
    yield "chosen", f"SELECT * FROM ({sql.ranked()}) AS ranked WHERE _lf_first"
    yield "ordered", sql.ordered()
    yield "chain", sql.chain()
    yield "versions", sql.versions()
    yield "classified", f"{sql.outcomes()} UNION ALL {sql.writes()}"
    yield "remembered", sql.remembered()


def pictured(
    history: History, match: Match | None, type_: DataType, at: str, dialect: Dialect
) -> Iterator[tuple[str, str]]:
    """The relations of a snapshot, whose sequence `at` (SQL) is newer than all that there is."""
    assert match is not None  # noqa: S101 (histories have one)
    sql = _Sql(history, match.nulls_match, dialect, type_)
    yield "current", f"SELECT * FROM t WHERE t.{END_AT} IS NULL"
    yield "met", sql.met(at)
    yield "classified", " UNION ALL ".join(sql.pictured(at))


class _Sql:
    def __init__(self, history: History, nulls_match: bool, dialect: Dialect, at: DataType | None = None) -> None:
        self._h, self._d, self._never = history, dialect, dialect.null(at) if at is not None else "NULL"
        self._equal = dialect.identical if nulls_match else dialect.same
        self.keys = dialect.names(history.keys)
        self._values = [column.name for column in history.values]
        self._carried = [*self._values, *history.audit]
        self._listed = [*history.keys, *self._carried]

    def same(self, left: str, right: str) -> str:
        """Whether rows of two relations are of the same key."""
        pairs = ((self._d.column(left, key), self._d.column(right, key)) for key in self._h.keys)
        return " AND ".join(f"({self._equal(*pair)})" for pair in pairs)

    def _window(self, more: Sequence[str] = (), order: str = SEQUENCE, rows: str = "") -> str:
        by = ", ".join([*(self._d.name(key) for key in self._h.keys), *more])
        return f"(PARTITION BY {by} ORDER BY {order}{rows})"

    def _columns(self, relation: str, names: Sequence[str]) -> list[str]:
        return [self._d.column(relation, name) for name in names]

    def _differ(self, left: str, right: str) -> str:
        """Whether the values of two rows differ, those that tell where they are from aside."""
        pairs = (
            self._d.differs(self._d.column(left, each.name), self._d.column(right, each.name), each.type)
            for each in self._h.values
        )
        return " OR ".join([*pairs, "false"])

    # Snapshots

    def met(self, at: str) -> str:
        """The rows of a snapshot, and how they differ from the current rows, which begin at `_lf_start`."""
        d = self._d
        tracked = (d.differs(d.column("s", each.name), d.column("t", each.name), each.type) for each in self._h.tracked)
        listed = [
            *self._columns("s", self._listed),
            f"t.{START_AT} AS _lf_start",
            f"({' OR '.join([*tracked, 'false'])}) AND t.{START_AT} < {at} AS _lf_opens",
            f"({self._differ('s', 't')}) AS _lf_differs",
        ]
        return f"SELECT {', '.join(listed)} FROM s LEFT JOIN current AS t ON {self.same('t', 's')}"

    def pictured(self, at: str) -> Iterator[str]:
        """What the rows of a snapshot come to, and the versions that are written."""
        inserted, updated, unchanged = (
            _OUTCOMES[each] for each in (Outcome.INSERTED, Outcome.UPDATED, Outcome.UNCHANGED)
        )
        mine, old, new = self._columns("m", self._listed), self._columns("t", self._listed), "m._lf_start IS NULL"
        never = self._never
        known = f"EXISTS (SELECT 1 FROM t WHERE {self.same('t', 'm')})"
        outcome = (
            f"CASE WHEN {new} AND {known} THEN {updated} WHEN {new} THEN {inserted} "
            f"WHEN m._lf_differs THEN {updated} ELSE {unchanged} END"
        )
        met = f"FROM met AS m JOIN current AS t ON {self.same('t', 'm')}"
        gone = f"FROM current AS t WHERE NOT EXISTS (SELECT 1 FROM s WHERE {self.same('s', 't')})"

        def row(columns: Sequence[str], start: str, end: str, case: object) -> str:
            return (
                f"SELECT {', '.join([*columns, f'{start} AS {START_AT}', f'{end} AS {END_AT}', f'{case} AS {CASE}'])}"
            )

        yield f"{row(mine, 'm._lf_start', never, outcome)} FROM met AS m"
        yield f"{row(mine, at, never, _INSERT)} FROM met AS m WHERE {new} OR m._lf_opens"
        yield f"{row(old, f't.{START_AT}', at, _UPDATE)} {met} WHERE m._lf_opens"
        yield f"{row(mine, 'm._lf_start', never, _UPDATE)} FROM met AS m WHERE m._lf_differs AND NOT m._lf_opens"
        yield f"{row(old, f't.{START_AT}', at, _UPDATE)} {gone} AND t.{START_AT} < {at}"
        yield f"{row(old, f't.{START_AT}', at, _DELETE)} {gone} AND t.{START_AT} >= {at}"

    # Events

    def kept(self) -> str:
        """What is remembered of the keys, the newest of each sequence."""
        window = self._window((SEQUENCE,), "_batch DESC")
        mine = f"SELECT c.* FROM c WHERE EXISTS (SELECT 1 FROM touched AS k WHERE {self.same('k', 'c')})"
        ranked = f"SELECT *, row_number() OVER {window} AS _lf_place FROM ({mine}) AS mine"
        return f"SELECT * FROM ({ranked}) AS ranked WHERE _lf_place = 1"

    def events(self) -> str:
        d = self._d
        new = [
            *self._columns("s", self._listed),
            f"{sequence_of('s', self._h.sequence, d)} AS {SEQUENCE}",
            f"{f's.{CHANGE}' if self._h.deletes else d.text(Kind.UPSERT)} AS {CHANGE}",
            f"CAST({_NEW} AS bigint) AS _lf_rank",
        ]
        old = [*self._columns("c", self._listed), f"c.{SEQUENCE}", f"c.{CHANGE}", "c._batch AS _lf_rank"]
        starts = [
            *self._columns("t", self._listed),
            f"t.{START_AT} AS {SEQUENCE}",
            f"{d.text(Kind.UPSERT)} AS {CHANGE}",
            f"CAST({_STARTS} AS bigint) AS _lf_rank",
        ]
        ends = [
            *self._columns("t", self._h.keys),
            *map(self._nothing, self._carried),
            f"t.{END_AT} AS {SEQUENCE}",
            f"{d.text(Kind.DELETE)} AS {CHANGE}",
            f"CAST({_ENDS} AS bigint) AS _lf_rank",
        ]
        return " UNION ALL ".join(
            [
                f"SELECT {', '.join(new)} FROM s",
                f"SELECT {', '.join(old)} FROM kept AS c",
                f"SELECT {', '.join(starts)} FROM known AS t",
                f"SELECT {', '.join(ends)} FROM known AS t WHERE t.{END_AT} IS NOT NULL",
            ]
        )

    def _nothing(self, name: str) -> str:
        """A NULL of a column's type."""
        return f"CASE WHEN false THEN {self._d.column('t', name)} END AS {self._d.name(name)}"

    def ranked(self) -> str:
        """Events, of which the first of a sequence counts, and the newest sequence that was known."""
        window = self._window(order=f"{SEQUENCE}, _lf_rank DESC")
        first = f"coalesce(lag({SEQUENCE}) OVER {window} <> {SEQUENCE}, true) AS _lf_first"
        every = self._window(
            order=f"{SEQUENCE}, _lf_rank DESC", rows=" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
        )
        latest = f"max(CASE WHEN _lf_rank < {_NEW} THEN {SEQUENCE} END) OVER {every} AS _lf_latest"
        return f"SELECT *, {first}, {latest} FROM events"

    # Versions

    def ordered(self) -> str:
        """Events with what was before them."""
        window, d = self._window(), self._d
        before = [f"lag({d.name(each.name)}) OVER {window} AS _lf_was{i}" for i, each in enumerate(self._h.values)]
        kind = f"lag({CHANGE}) OVER {window} AS _lf_kind_before"
        return f"SELECT {', '.join(['*', kind, *before])} FROM chosen"

    def chain(self) -> str:
        """Events with what they make: upserts that open a version, or go on with one, which begins at `_lf_start`;
        whether it ends with them, and the sequence of the next event."""
        d, upsert, places = self._d, self._d.text(Kind.UPSERT), {each.name: i for i, each in enumerate(self._h.values)}
        tracked = (d.differs(d.name(each.name), f"_lf_was{places[each.name]}", each.type) for each in self._h.tracked)
        other = " OR ".join([f"coalesce(_lf_kind_before, '') <> {upsert}", *tracked])
        opens = f"({CHANGE} = {upsert} AND ({other}))"
        first = f"SELECT *, {opens} AS _lf_opens FROM ordered"
        begins, so_far = f"(_lf_opens OR {CHANGE} <> {upsert})", self._window(rows=" ROWS UNBOUNDED PRECEDING")
        listed = [
            "*",
            f"lead({SEQUENCE}) OVER {self._window()} AS _lf_next",
            f"coalesce(lead({begins}) OVER {self._window()}, true) AS _lf_closes",
            f"max(CASE WHEN {begins} THEN {SEQUENCE} END) OVER {so_far} AS _lf_start",
            f"sum(CASE WHEN {CHANGE} = {upsert} THEN 1 ELSE 0 END) OVER {so_far} AS _lf_upserts",
            *([f"{d.once} AS _lf_once"] if d.once else []),
        ]
        return f"SELECT {', '.join(listed)} FROM ({first}) AS events"

    def versions(self) -> str:
        listed = [*self._columns("e", self._listed), f"e._lf_start AS {START_AT}", f"e._lf_next AS {END_AT}"]
        return f"SELECT {', '.join(listed)} FROM chain AS e WHERE e.{CHANGE} = '{Kind.UPSERT}' AND e._lf_closes"

    # What staged events come to

    def outcomes(self) -> str:
        d, e = self._d, "e"
        known = f"EXISTS (SELECT 1 FROM known AS t WHERE {self.same('t', e)})"
        stale, unchanged = _OUTCOMES[Outcome.STALE], _OUTCOMES[Outcome.UNCHANGED]
        hidden = f"CASE WHEN e.{SEQUENCE} < e._lf_latest THEN {stale} ELSE {unchanged} END"
        was = " OR ".join(
            [
                *(
                    d.differs(d.column(e, each.name), f"e._lf_was{i}", each.type)
                    for i, each in enumerate(self._h.values)
                ),
                "false",
            ]
        )
        deleted = (
            f"CASE WHEN (e._lf_kind_before = '{Kind.UPSERT}' AND NOT coalesce(o.closed, false)) "
            f"OR v.{START_AT} IS NOT NULL THEN {_OUTCOMES[Outcome.DELETED]} ELSE {hidden} END"
        )
        differs = f"CASE WHEN v.{START_AT} IS NULL THEN ({was}) ELSE ({self._differ(e, 'v')}) END"
        inside = f"CASE WHEN e._lf_closes AND {differs} THEN {_OUTCOMES[Outcome.UPDATED]} ELSE {hidden} END"
        opened = (
            f"CASE WHEN e._lf_upserts = 1 AND NOT {known} THEN {_OUTCOMES[Outcome.INSERTED]} "
            f"WHEN v.{START_AT} IS NOT NULL AND NOT ({self._differ('l', 'v')}) "
            f"THEN {_OUTCOMES[Outcome.UNCHANGED]} ELSE {_OUTCOMES[Outcome.UPDATED]} END"
        )
        case = f"CASE WHEN e.{CHANGE} = '{Kind.DELETE}' THEN {deleted} WHEN e._lf_opens THEN {opened} ELSE {inside} END"
        listed = [*self._columns(e, self._listed), f"e._lf_start AS {START_AT}", f"e._lf_next AS {END_AT}"]
        closed = (
            f"SELECT {', '.join(self._columns('t', self._h.keys))}, t.{END_AT} AS at, true AS closed FROM known AS t "
            f"WHERE NOT EXISTS (SELECT 1 FROM known AS n WHERE {self.same('n', 't')} AND n.{START_AT} = t.{END_AT})"
        )
        return (
            f"SELECT {', '.join(listed)}, {case} AS {CASE} FROM chain AS e "
            f"LEFT JOIN known AS v ON {self.same('v', e)} AND v.{START_AT} = e._lf_start "
            f"LEFT JOIN versions AS l ON {self.same('l', e)} AND l.{START_AT} = e._lf_start "
            f"LEFT JOIN ({closed}) AS o ON {self.same('o', e)} AND o.at = e.{SEQUENCE} WHERE e._lf_rank = {_NEW}"
        )

    # What is written

    def writes(self) -> str:
        meet = f"{self.same('t', 'v')} AND t.{START_AT} = v.{START_AT}"
        new = [*self._columns("v", self._listed), f"v.{START_AT}", f"v.{END_AT}"]
        old = [*self._columns("t", self._listed), f"t.{START_AT}", f"t.{END_AT}"]
        ends = f"v.{END_AT} IS DISTINCT FROM t.{END_AT}"
        changed = f"t.{START_AT} IS NULL OR {ends} OR {self._differ('v', 't')}"
        case = f"CASE WHEN t.{START_AT} IS NULL THEN {_INSERT} ELSE {_UPDATE} END AS {CASE}"
        gone = f"NOT EXISTS (SELECT 1 FROM versions AS v WHERE {meet})"
        return (
            f"SELECT {', '.join([*new, case])} FROM versions AS v LEFT JOIN known AS t ON {meet} WHERE {changed} "
            f"UNION ALL SELECT {', '.join([*old, f'{_DELETE} AS {CASE}'])} FROM known AS t WHERE {gone}"
        )

    def remembered(self) -> str:
        """Events that no version shows, and those that take the place of one that is remembered."""
        shown = (
            f"CASE WHEN e.{CHANGE} = '{Kind.UPSERT}' THEN e._lf_opens AND e._lf_closes "
            f"ELSE coalesce(e._lf_kind_before, '') = '{Kind.UPSERT}' END"
        )
        listed = [*self._columns("e", [*self._h.keys, *self._values]), f"e.{SEQUENCE}", f"e.{CHANGE}"]
        source, _, loaded = AUDIT_COLUMNS
        listed += [f"e.{source}", f"e.{loaded}"] if self._h.audit else []
        same = f"{self.same('c', 'e')} AND c.{SEQUENCE} = e.{SEQUENCE}"
        equal = f"c.{CHANGE} = e.{CHANGE} AND NOT ({self._differ('c', 'e')})"
        return (
            f"SELECT {', '.join(listed)} FROM chain AS e LEFT JOIN kept AS c ON {same} "
            f"WHERE e._lf_rank IN ({_NEW}, {_STARTS}, {_ENDS}) "
            f"AND CASE WHEN c.{CHANGE} IS NULL THEN NOT ({shown}) ELSE NOT ({equal}) END"
        )
