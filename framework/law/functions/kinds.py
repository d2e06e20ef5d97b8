"""Kinds: which types arguments may have, which type several have in common, and the types of results.

A value is never turned into another kind of value unless the expression says so: a number and a text do not meet. Only
where nothing can be lost, types widen: tinyint → smallint → int → bigint → decimal → double, date → timestamp. A text
literal stands for the date or the moment that it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from framework.law.functions.nodes import NULL, Call, Check, Literal, Node, Refused
from framework.types import INTEGERS, Array, DataType, Decimal, Map, Scalar, Struct

__all__ = [
    "BIGINT", "BOOLEAN", "DATE", "DOUBLE", "FLOAT", "INT", "NUMBERS", "PLAIN", "STRING", "TIMESTAMP",
    "common", "constant", "exact", "fits", "is_number", "of", "takes", "text_of", "unified",
]  # fmt: skip

STRING, BOOLEAN, INT, BIGINT = Scalar("string"), Scalar("boolean"), Scalar("int"), Scalar("bigint")
DOUBLE, FLOAT, DATE = Scalar("double"), Scalar("float"), Scalar("date")
TIMESTAMP, PLAIN = Scalar("timestamp"), Scalar("timestamp_ntz")
_RANKS = list(INTEGERS)
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 20}
NUMBERS = "a number"
_KINDS: dict[str, tuple[str, Callable[[DataType], bool]]] = {
    "string": ("a text", lambda t: t == STRING),
    "boolean": ("true or false", lambda t: t == BOOLEAN),
    "int": ("a whole number", lambda t: t in (Scalar("tinyint"), Scalar("smallint"), INT)),
    "integer": ("a whole number", lambda t: isinstance(t, Scalar) and t.name in INTEGERS),
    "number": (NUMBERS, lambda t: is_number(t)),
    "double": (NUMBERS, lambda t: is_number(t)),
    "day": ("a date or a timestamp", lambda t: t in (DATE, TIMESTAMP, PLAIN)),
    "moment": ("a timestamp", lambda t: t in (DATE, TIMESTAMP, PLAIN)),
    "timestamp": ("a timestamp", lambda t: t in (DATE, TIMESTAMP)),
    "array": ("an array", lambda t: isinstance(t, Array)),
    "map": ("a map", lambda t: isinstance(t, Map)),
    "text": ("a text", lambda t: not isinstance(t, Array | Map | Struct) and t not in (DOUBLE, FLOAT)),
    "scalar": ("one value", lambda t: not isinstance(t, Array | Map | Struct)),
    "any": ("a value", lambda _: True),
}
"""The kinds of arguments: in words, and whether a type is of that kind."""


def is_number(type_: DataType) -> bool:
    return isinstance(type_, Decimal) or (
        isinstance(type_, Scalar) and (type_.name in INTEGERS or type_ in (DOUBLE, FLOAT))
    )


def fits(type_: DataType) -> Decimal | None:
    """The decimal that holds all values of a decimal or an integer type."""
    if isinstance(type_, Decimal):
        return type_
    if isinstance(type_, Scalar) and type_.name in _DIGITS:
        return Decimal(_DIGITS[type_.name], 0)
    return None


def exact(node: Node) -> Decimal | None:
    """As `fits`; of a literal only the digits that it has."""
    if isinstance(node, Literal) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return Decimal(len(str(abs(node.value))), 0)
    return fits(node.type)


def common(one: DataType, other: DataType) -> DataType | None:
    """The type that values of both types can be turned into without loss, None when there is none."""
    if one == other or other == NULL:
        return one
    if one == NULL:
        return other
    if is_number(one) and is_number(other):
        return _common_number(one, other)
    if {one, other} <= {DATE, TIMESTAMP}:
        return TIMESTAMP
    if {one, other} <= {DATE, PLAIN}:
        return PLAIN
    if isinstance(one, Array) and isinstance(other, Array):
        element = common(one.element, other.element)
        return Array(element) if element is not None else None
    return None


def _common_number(one: DataType, other: DataType) -> DataType | None:
    names = [type_.name for type_ in (one, other) if isinstance(type_, Scalar)]
    if "double" in names or "float" in names:
        return DOUBLE
    if len(names) == 2:
        return Scalar(max(names, key=_RANKS.index))
    return widest(fits(one), fits(other))


def widest(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The decimal that holds all values of both."""
    if one is None or other is None:
        return None
    scale = max(one.scale, other.scale)
    whole = max(one.precision - one.scale, other.precision - other.scale)
    return Decimal(whole + scale, scale) if whole + scale <= 38 else None


def unified(nodes: Sequence[Node]) -> DataType:
    """The type that several arguments have in common. Raises Refused."""
    types = [node.type for node in nodes]
    if any(isinstance(type_, Decimal) for type_ in types):
        types = [exact(node) or node.type for node in nodes]
    found: DataType | None = NULL
    for node, type_ in zip(nodes, types, strict=True):
        if found is not None and not _stands_for(node, types):
            found = common(found, type_)
    if found is None:
        raise _do_not_meet(nodes)
    return found


def _stands_for(node: Node, types: Sequence[DataType]) -> bool:
    """Whether a text literal stands for a date or a moment, because that is what it meets."""
    return isinstance(node, Literal) and node.type == STRING and any(t in (DATE, TIMESTAMP, PLAIN) for t in types)


def _do_not_meet(nodes: Sequence[Node]) -> Refused:
    first = nodes[0]
    other = next((n for n in nodes[1:] if common(first.type, n.type) is None), nodes[-1])
    kinds = {str(first.type), str(other.type)}
    hint = f"turn one into the other: cast(… AS {first.type})"
    if any(isinstance(n, Literal) and n.type == STRING for n in (first, other)):
        hint = "write a number without quotes, true or false without quotes"
    if kinds == {"timestamp", "timestamp_ntz"}:
        hint = "one of them has no zone: cast(… AS timestamp) gives it the feed's"
    return Refused(f"{text_of(first.type)} and {text_of(other.type)} do not meet", hint, other.at)


def text_of(type_: DataType) -> str:
    """A type with its article."""
    name = str(type_)
    return name if type_ == NULL else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def constant(node: Node) -> Literal | None:
    """The literal that a node is, if it is one."""
    return node if isinstance(node, Literal) else None


def of(node: Node, kind: str) -> DataType:
    """The type as which an argument is taken where this kind is needed. Raises Refused."""
    words, test = _KINDS[kind]
    found: DataType = node.type
    day = {"day": DATE, "moment": TIMESTAMP, "timestamp": TIMESTAMP}
    if found == NULL:
        return {**day, "int": INT, "integer": BIGINT, "number": INT, "double": DOUBLE, "boolean": BOOLEAN,
                "string": STRING, "text": STRING}.get(kind, NULL)  # fmt: skip
    if kind in day and isinstance(node, Literal) and node.type == STRING:
        return day[kind]
    if not test(found):
        raise Refused(f"{text_of(found)} stands where {words} is needed", _hint(node, kind), node.at)
    if kind == "text":
        return STRING
    if kind == "int":
        return INT
    if kind == "double":
        return DOUBLE
    if kind == "day":
        return DATE
    if kind in ("moment", "timestamp") and found == DATE:
        return TIMESTAMP
    return found


def _hint(node: Node, kind: str) -> str:
    match kind:
        case "string":
            return "cast(… AS string) makes a text of it"
        case "text":
            return "cast it to a decimal first: engines write it differently"
        case "day" | "moment" | "timestamp":
            return "to_date(…) or to_timestamp(…) reads a text"
        case "boolean":
            return "compare it with something: … = 1, … is not null"
        case "int" if isinstance(node, Call) or node.type == BIGINT:
            return "cast(… AS int)"
        case _:
            return "cast(… AS bigint), cast(… AS decimal(12,2)) makes a number of it"


Returns = DataType | Callable[[Sequence[DataType]], DataType]


def takes(*kinds: str, returns: Returns, optional: int = 0, repeated: bool = False) -> Check:
    """A check of arguments of these kinds, of which the last ones may be missing, or the last one be repeated. Those of
    the kind `same` are taken as the type that they have in common."""

    def check(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
        wanted = list(kinds) + [kinds[-1]] * (len(nodes) - len(kinds) if repeated else 0)
        if not len(kinds) - optional <= len(nodes) <= len(wanted):
            least = len(kinds) - optional
            number = f"{least} or more" if repeated else str(least) if not optional else f"{least} to {len(kinds)}"
            raise Refused(f"it takes {number} argument{'' if number == '1' else 's'}, not {len(nodes)}")
        same = [node for node, kind in zip(nodes, wanted, strict=False) if kind == "same"]
        shared = unified(same) if same else NULL
        types = [shared if kind == "same" else of(node, kind) for node, kind in zip(nodes, wanted, strict=False)]
        return types, returns(types) if callable(returns) else returns

    return check
