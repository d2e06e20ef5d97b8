"""Arrays, maps and structs."""

from __future__ import annotations

from collections.abc import Sequence

from framework.law.functions.function import Errors, Function, Given, function
from framework.law.functions.kinds import BOOLEAN, INT, STRING, common, constant, of, takes, unified
from framework.law.functions.nodes import NULL, Node, Refused
from framework.types import Array, DataType, Map, Struct

__all__ = ["FUNCTIONS"]


def _made(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if not nodes:
        raise Refused("an array without items has no type", "for example array('a', 'b')")
    shared = unified(nodes)
    if isinstance(shared, Array | Map | Struct):
        raise Refused(f"an array of {shared} cannot be made", "arrays are made of simple values", nodes[0].at)
    return [shared] * len(nodes), Array(shared)


def _array(node: Node) -> Array:
    of(node, "array")
    assert isinstance(node.type, Array)  # noqa: S101 (of has looked)
    return node.type


def _item(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    """An item of an array by its position, or a value of a map by its key."""
    if len(nodes) != 2:
        raise Refused(f"it takes 2 arguments, not {len(nodes)}")
    match nodes[0].type:
        case Map(key, value):
            if common(key, nodes[1].type) != key:
                raise Refused(f"the keys of the map are {key}, not {nodes[1].type}", None, nodes[1].at)
            return [nodes[0].type, key], value
        case Array(element):
            of(nodes[1], "int")
            return [nodes[0].type, INT], element
        case _:
            raise Refused(f"a {nodes[0].type} has no items", "only arrays and maps have", nodes[0].at)


def _get(given: Given) -> str:
    if isinstance(given.nodes[0].type, Map):
        return given.dialect.of_key(given[0], given[1])
    return f"CASE WHEN {given[1]} >= 0 THEN {given.dialect.nth(given[0], given[1])} END"


def _no_item(given: Given) -> str:
    if isinstance(given.nodes[0].type, Map):
        return "false"
    return f"NOT ({given[1]} >= 0 AND {given[1]} < {given.dialect.size(given[0])})"


def _element(given: Given) -> str:
    if isinstance(given.nodes[0].type, Map):
        return given.dialect.of_key(given[0], given[1])
    nth, size = given.dialect.nth, given.dialect.size(given[0])
    back = f"{size} + {given[1]}"
    return (
        f"CASE WHEN {given[1]} > 0 THEN {nth(given[0], f'{given[1]} - 1')} "
        f"WHEN {given[1]} < 0 AND {given[1]} >= -({size}) THEN {nth(given[0], back)} END"
    )


def _no_element(given: Given) -> str:
    if isinstance(given.nodes[0].type, Map):
        return "false"
    size = given.dialect.size(given[0])
    return f"({given[1]} = 0 OR {given[1]} > {size} OR {given[1]} < -({size}))"


def _contained(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 2:
        raise Refused(f"it takes an array and a value, not {len(nodes)} arguments")
    array = _array(nodes[0])
    if common(array.element, nodes[1].type) != array.element:
        raise Refused(f"the array holds {array.element}, not {nodes[1].type}", None, nodes[1].at)
    return [array, array.element], BOOLEAN


def _position(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    return _contained(nodes)[0], INT


def _size(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 1 or not isinstance(nodes[0].type, Array | Map):
        raise Refused("it takes an array or a map", "length(…) counts the characters of a text")
    return [nodes[0].type], INT


def _simple(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    """An array of simple values."""
    if len(nodes) != 1:
        raise Refused(f"it takes 1 array, not {len(nodes)} arguments")
    array = _array(nodes[0])
    if isinstance(array.element, Array | Map | Struct):
        raise Refused(f"values of the type {array.element} cannot be compared", None, nodes[0].at)
    return [array], array


def _of_items(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, array = _simple(nodes)
    assert isinstance(array, Array)  # noqa: S101 (_simple has looked)
    return types, array.element


def _joined(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = takes("array", "string", returns=STRING)(nodes)
    if _array(nodes[0]).element not in (STRING, NULL):
        raise Refused(f"it joins texts, not {_array(nodes[0]).element}", None, nodes[0].at)
    return types, result


def _keys(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    of(nodes[0], "map") if len(nodes) == 1 else takes("map", returns=BOOLEAN)(nodes)
    assert isinstance(nodes[0].type, Map)  # noqa: S101 (of has looked)
    return [nodes[0].type], Array(nodes[0].type.key)


def _values(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    _keys(nodes)
    assert isinstance(nodes[0].type, Map)  # noqa: S101 (_keys has looked)
    return [nodes[0].type], Array(nodes[0].type.value)


def _has_key(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 2 or not isinstance(nodes[0].type, Map):
        raise Refused("it takes a map and a key")
    types, _ = _item(nodes)
    return types, BOOLEAN


def _member(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    name = constant(nodes[1])
    if not isinstance(nodes[0].type, Struct) or name is None:
        raise Refused(f"a {nodes[0].type} has no members", "only structs have", nodes[0].at)
    for member, type_ in nodes[0].type.fields:
        if member.lower() == str(name.value).lower():
            return [nodes[0].type, STRING], type_
    members = ", ".join(member for member, _ in nodes[0].type.fields)
    raise Refused(f"there is no member '{name.value}'", f"there is: {members}", nodes[1].at)


def _say_member(given: Given) -> str:
    name, struct = constant(given.nodes[1]), given.nodes[0].type
    assert isinstance(struct, Struct)  # noqa: S101 (_member has looked)
    spelt = next(each for each, _ in struct.fields if name and each.lower() == str(name.value).lower())
    return f"{given[0]}.{given.dialect.name(spelt)}"


_LIST = "array('a', 'b', null)"

FUNCTIONS: tuple[Function, ...] = (
    function("array", "array(a, b, …)", "an array of values of one type", _made,
             lambda given: given.dialect.array(given.args), errors=Errors.ANY,
             examples={"array(1, 2, null)": "[1, 2, NULL]"}),
    function("item", "a[n], a['key']",
             "the item of an array, counted from 0; an error where there is none. Of a map the "
             "value of a key, NULL where there is none", _item, _get, fails=_no_item,
             examples={f"{_LIST}[0]": "'a'", f"{_LIST}[2]": "NULL", f"{_LIST}[3]": "error", f"{_LIST}[-1]": "error"}),
    function("get", "get(array, n)", "the item of an array, counted from 0; NULL where there is none", _item, _get,
             examples={f"get({_LIST}, 1)": "'b'", f"get({_LIST}, 9)": "NULL"}),
    function("element_at", "element_at(array, n)",
             "the item of an array, counted from 1, or from the end for a negative "
             "n; an error where there is none. Of a map the value of a key", _item, _element, fails=_no_element,
             examples={f"element_at({_LIST}, 1)": "'a'", f"element_at({_LIST}, -2)": "'b'",
                       f"element_at({_LIST}, 0)": "error", f"element_at({_LIST}, 4)": "error"}),
    function("try_element_at", "try_element_at(array, n)", "as `element_at`; NULL where there is none", _item, _element,
             examples={f"try_element_at({_LIST}, 4)": "NULL"}),
    function("size", "size(a)", "how many items an array or a map has", _size,
             lambda given: given.dialect.size(given[0]),
             aliases=("cardinality", "array_size"), examples={f"size({_LIST})": "3", "size(split('a,b', ','))": "2"}),
    function("array_contains", "array_contains(array, a)",
             "whether an item equals a; NULL where it does not and there is "
             "a NULL among them", _contained, lambda given: given.dialect.contains_item(given[0], given[1]),
             examples={f"array_contains({_LIST}, 'b')": "true", f"array_contains({_LIST}, 'x')": "NULL",
                       "array_contains(array(1, 2), 3)": "false"}),
    function("array_position", "array_position(array, a)", "where a stands, from 1; 0 where it does not", _position,
             duckdb="CAST(coalesce(list_position({0}, {1}), 0) AS INTEGER)",
             spark="CAST(array_position({0}, {1}) AS int)",
             examples={f"array_position({_LIST}, 'b')": "2", f"array_position({_LIST}, 'x')": "0"}),
    function("array_join", "array_join(array, separator)",
             "the texts with a separator between them; NULLs are left out",
             _joined, spark="array_join({0}, {1})",
             duckdb="CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN coalesce(array_to_string({0}, {1}), '') END",
             examples={f"array_join({_LIST}, '-')": "'a-b'", "array_join(array('a', null), '-')": "'a'",
                       "array_join(array(cast(null as string)), '-')": "''",
                       "array_join(cast(null as array<string>), '-')": "NULL"}),
    function("array_min", "array_min(array)", "the least item that is not NULL", _of_items, duckdb="list_min({0})",
             spark="array_min({0})", examples={"array_min(array(3, null, 1))": "1"}),
    function("array_max", "array_max(array)", "the greatest item that is not NULL", _of_items, duckdb="list_max({0})",
             spark="array_max({0})", examples={"array_max(array(3, null, 1))": "3"}),
    function("sort_array", "sort_array(array)", "the items in their order, NULLs first", _simple,
             duckdb="list_sort({0}, 'ASC', 'NULLS FIRST')", spark="sort_array({0})",
             examples={"sort_array(array(3, null, 1))": "[NULL, 1, 3]"}),
    function("map_keys", "map_keys(map)", "the keys", _keys, "map_keys({0})",
             examples={"map_keys(m)": "['k']"}),
    function("map_values", "map_values(map)", "the values", _values, "map_values({0})",
             examples={"map_values(m)": "[1]"}),
    function("map_contains_key", "map_contains_key(map, key)", "whether there is such a key", _has_key,
             duckdb="map_contains({0}, {1})", spark="map_contains_key({0}, {1})",
             examples={"map_contains_key(m, 'k')": "true", "m['x']": "NULL", "element_at(m, 'k')": "1"}),
    function("member", "a.b", "the member of a struct", _member, _say_member,
             examples={"s.a": "1", "s.B": "'x'"}),
)  # fmt: skip
"""The functions of this group; the examples are over the map m = {'k': 1} and the struct s = {a: 1, b: 'x'}."""
