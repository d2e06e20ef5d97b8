"""Texts. Characters are Unicode code points; texts are compared by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from framework.law.functions.function import Errors, Function, Given, function
from framework.law.functions.kinds import BIGINT, BOOLEAN, INT, STRING, constant, of, takes
from framework.law.functions.nodes import Node, Refused
from framework.types import DataType

__all__ = ["FUNCTIONS"]

_MOST = 1_000_000
"""Characters that a function may make out of nothing."""
_SIGMA = chr(0x3C3)
_ONE = takes("string", returns=STRING)


@cache
def _several() -> dict[str, str]:
    """Letters whose capital is several letters, as ß is SS, which DuckDB does not know."""
    return {chr(char): chr(char).upper() for char in range(0x80, 0x10000) if len(chr(char).upper()) > 1}


def _capital(letter: str) -> str:
    """DuckDB's SQL for the capital of one letter (SQL)."""
    cases = " ".join(f"WHEN '{small}' THEN '{capital}'" for small, capital in _several().items())
    return f"CASE {letter} {cases} ELSE upper({letter}) END"


def _upper(given: Given) -> str:
    letters = "".join(_several())
    each = f"list_transform(string_split({given[0]}, ''), lambda c: {_capital('c')})"
    test = f"length(translate({given[0]}, '{letters}', '')) < length({given[0]})"
    beyond = f"CASE WHEN {test} THEN array_to_string({each}, '') ELSE upper({given[0]}) END"
    return f"CASE WHEN strlen({given[0]}) > length({given[0]}) THEN {beyond} ELSE upper({given[0]}) END"


def _initcap(given: Given) -> str:
    words = f"string_split({_DUCKDB_LOWER.format(given[0])}, ' ')"
    return f"array_to_string(list_transform({words}, lambda w: {_capital('w[1:1]')} || w[2:]), ' ')"


def _padded(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = takes("string", "int", "string", optional=1, returns=STRING)(nodes)
    pad = constant(nodes[2]) if len(nodes) == 3 else None
    if len(nodes) == 3 and (pad is None or not pad.value):
        raise Refused("what it is filled with must be a literal text", "for example lpad(code, 5, '0')", nodes[2].at)
    return types, result


def _pad(name: str) -> Callable[[Given], str]:
    def say(given: Given) -> str:
        filled = given[2] if len(given.args) == 3 else "' '"
        length = f"least(greatest({given[1]}, 0), {_MOST})"
        return f"CASE WHEN {given[1]} <= {_MOST} THEN {name}({given[0]}, {length}, {filled}) END"

    return say


def _length_of_part(given: Given) -> str:
    return f", {_at_least(given, 2, 0)}" if len(given.args) == 3 else ""


def _at_least(given: Given, index: int, least: int) -> str:
    """A number; NULL stays NULL, which `greatest` passes over."""
    number, literal = given[index], constant(given.nodes[index])
    if literal is not None and isinstance(literal.value, int):
        return str(max(literal.value, least))
    return f"CASE WHEN {number} < {least} THEN {least} ELSE {number} END"


def _left(given: Given) -> str:
    return f"left({given[0]}, {_at_least(given, 1, 0)})"


def _right(given: Given) -> str:
    return f"right({given[0]}, {_at_least(given, 1, 0)})"


def _right_on_duckdb(given: Given) -> str:
    """By a substring where that is possible, which takes half the time."""
    literal = constant(given.nodes[1])
    if literal is not None and isinstance(literal.value, int) and literal.value > 0:
        return f"substring({given[0]}, -{literal.value})"
    return _right(given)


def _substring(given: Given) -> str:
    """A part by its first character, from 1; DuckDB counts a start of 0 as a character before the first one."""
    start, literal = given[1], constant(given.nodes[1])
    if literal is None:
        start = f"CASE WHEN {start} = 0 THEN 1 ELSE {start} END"
    elif literal.value == 0:
        start = "1"
    return f"substring({given[0]}, {start}{_length_of_part(given)})"


def _from_a_start(given: Given) -> str:
    """On Spark, which counts beyond the least int where there is no length."""
    if len(given.args) == 3:
        return f"substring({', '.join(given.args)})"
    return f"substring({given[0]}, {_at_least(given, 1, -1000000000)})"


def _indexed(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = takes("string", "string", "int", returns=STRING)(nodes)
    between, number = constant(nodes[1]), constant(nodes[2])
    if between is None or not between.value or number is None or not number.value:
        hint = "for example split_part(name, ' ', 1)"
        raise Refused("the separator must be a literal text, the number a literal other than 0", hint, nodes[1].at)
    return types, result


def _before(given: Given) -> str:
    """On DuckDB: the parts before, or behind, a separator."""
    number = constant(given.nodes[2])
    count = int(str(number.value)) if number else 1
    listed = f"string_split({given[0]}, {given[1]})"
    part = f"{listed}[:{count}]" if count > 0 else f"{listed}[{count}:]"
    return f"array_to_string({part}, {given[1]})"


def _hashed(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    bits = constant(nodes[1]) if len(nodes) == 2 else None
    if bits is None or bits.value not in (0, 256):
        raise Refused("it takes a text and 256", "sha2(lower(email), 256)")
    return [of(nodes[0], "string"), INT], STRING


def _hex(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 1:
        raise Refused(f"it takes 1 argument, not {len(nodes)}")
    text = nodes[0].type == STRING
    of(nodes[0], "string" if text else "integer")
    return [STRING if text else BIGINT], STRING


def _trimmed(side: str) -> Callable[[Given], str]:
    def say(given: Given) -> str:
        return f"trim({side} {given[1] if len(given.args) == 2 else chr(39) + ' ' + chr(39)} FROM {given[0]})"

    return say


def _trims(name: str) -> Callable[[Given], str]:
    chars = "' '"
    return lambda given: f"{name}({given[0]}, {given[1] if len(given.args) == 2 else chars})"


_DUCKDB_LOWER = "lower(replace({0}, 'İ', 'i̇'))"
_SPARK_LOWER = f"lower(replace({{0}}, 'Σ', '{_SIGMA}'))"
_TRIM = takes("string", "string", optional=1, returns=STRING)
_TEXTS = takes("text", repeated=True, returns=STRING)
_TWO = takes("string", "string", returns=BOOLEAN)

FUNCTIONS: tuple[Function, ...] = (
    function("concat", "concat(a, b, …)",
             "texts one after another, also `a || b`; numbers, dates and moments as `cast` "
             "writes them; NULL where one is NULL", _TEXTS, lambda given: f"({given.dialect.concat(*given.args)})",
             aliases=("||",), examples={"concat('a', 'b', 'c')": "'abc'", "'no. ' || 5": "'no. 5'",
             "'a' || null": "NULL"}),
    function("concat_ws", "concat_ws(separator, a, b, …)", "texts with a separator between them; NULLs are left out",
             takes("string", "text", repeated=True, returns=STRING),
             lambda given: f"CASE WHEN {given[0]} IS NOT NULL THEN concat_ws({', '.join(given.args)}) END",
             errors=Errors.ANY, examples={"concat_ws('-', 'a', null, 'b')": "'a-b'", "concat_ws('-', null)": "''",
                                          "concat_ws(null, 'a')": "NULL"}),
    function("length", "length(a)", "how many characters", takes("string", returns=INT), "CAST(length({0}) AS int)",
             aliases=("char_length", "character_length", "len"), examples={"length('añ😀')": "3", "length('')": "0"}),
    function("octet_length", "octet_length(a)", "how many bytes in UTF-8", takes("string", returns=INT),
             duckdb="CAST(strlen({0}) AS INTEGER)", spark="octet_length({0})", examples={"octet_length('añ')": "3"}),
    function("bit_length", "bit_length(a)", "how many bits in UTF-8", takes("string", returns=INT),
             "CAST(bit_length({0}) AS int)", examples={"bit_length('añ')": "24"}),
    function("upper", "upper(a)", "in capitals", _ONE, duckdb=_upper, spark="upper({0})", aliases=("ucase",),
             examples={"upper('straße')": "'STRASSE'", "upper('é')": "'É'"}),
    function("lower", "lower(a)", "in small letters; the Greek sigma is the same everywhere in a word", _ONE,
             duckdb=_DUCKDB_LOWER, spark=_SPARK_LOWER, aliases=("lcase",),
             examples={"lower('ÀB')": "'àb'", "lower('ΑΣ')": f"'{chr(0x3B1)}{_SIGMA}'"}),
    function("initcap", "initcap(a)", "every word with one capital; words stand between blanks", _ONE,
             duckdb=_initcap, spark=f"array_join(transform(split({_SPARK_LOWER}, ' '), "
             "w -> concat(upper(left(w, 1)), substring(w, 2))), ' ')",
             examples={"initcap('anna maria')": "'Anna Maria'", "initcap('ANNA  O-NEIL')": "'Anna  O-neil'",
                       "initcap('ß ΑΣ')": f"'SS {chr(0x391)}{_SIGMA}'"}),
    function("trim", "trim(a)", "without blanks around it; also `trim(BOTH chars FROM a)`, `btrim(a, chars)`", _TRIM,
             duckdb=_trims("trim"), spark=_trimmed("BOTH"), aliases=("btrim",),
             examples={"trim('  a b ')": "'a b'", "trim(both '.-' from '-a.b.')": "'a.b'", "btrim('xax', 'x')": "'a'"}),
    function("ltrim", "ltrim(a)", "without blanks before it; also `trim(LEADING chars FROM a)`", _TRIM,
             duckdb=_trims("ltrim"), spark=_trimmed("LEADING"),
             examples={"ltrim('  a ')": "'a '", "trim(leading '0' from '0070')": "'70'"}),
    function("rtrim", "rtrim(a)", "without blanks behind it; also `trim(TRAILING chars FROM a)`", _TRIM,
             duckdb=_trims("rtrim"), spark=_trimmed("TRAILING"), examples={"rtrim(' a  ')": "' a'"}),
    function("lpad", "lpad(a, length [, with])", "filled up to a length at its beginning, or cut to it", _padded,
             _pad("lpad"), fails=True, examples={"lpad('7', 3, '0')": "'007'", "lpad('abcd', 2, '0')": "'ab'",
                                                 "lpad('a', 3)": "'  a'"}),
    function("rpad", "rpad(a, length [, with])", "filled up to a length at its end, or cut to it", _padded,
             _pad("rpad"), fails=True, examples={"rpad('7', 3, 'xy')": "'7xy'", "rpad('a', -1, 'x')": "''"}),
    function("left", "left(a, n)", "the first characters", takes("string", "int", returns=STRING),
             _left, examples={"left('hello', 2)": "'he'", "left('hello', -1)": "''", "left('hello', null)": "NULL"}),
    function("right", "right(a, n)", "the last characters", takes("string", "int", returns=STRING),
             duckdb=_right_on_duckdb, spark=_right,
             examples={"right('hello', 2)": "'lo'", "right('hello', 0)": "''", "right('hello', 9)": "'hello'",
                       "right('hello', null)": "NULL"}),
    function("substring", "substring(a, start [, length])",
             "a part; the first character is 1 (and 0), -1 the last one; "
             "also `substring(a FROM start FOR length)`", takes("string", "int", "int", optional=1, returns=STRING),
             duckdb=_substring, spark=_from_a_start, aliases=("substr",),
             examples={"substring('hello', 2, 3)": "'ell'", "substring('hello', 0, 2)": "'he'",
                       "substring('hello', -3, 2)": "'ll'", "substring('hello', -7, 3)": "'h'",
                       "substring('hello', 9)": "''", "substring('hello', 2, -1)": "''",
                       "substring('hello', null)": "NULL", "substring('hello', 2, null)": "NULL",
                       "substr('hello' from 4)": "'lo'"}),
    function("split_part", "split_part(a, separator, n)",
             "the n-th part between separators, from the end for a negative "
             "n; '' where there is none", _indexed, "split_part({0}, {1}, {2})",
             examples={"split_part('a-b-c', '-', 2)": "'b'", "split_part('a-b-c', '-', -1)": "'c'",
                       "split_part('a', '-', 3)": "''"}),
    function("substring_index", "substring_index(a, separator, n)", "what stands before the n-th separator, behind it "
             "and counted from the end for a negative n", _indexed, duckdb=_before,
             spark="substring_index({0}, {1}, {2})",
             examples={"substring_index('a.b.c', '.', 2)": "'a.b'", "substring_index('a.b.c', '.', -1)": "'c'",
                       "substring_index('abc', '.', 1)": "'abc'"}),
    function("replace", "replace(a, what [, with])", "with another text in place of every one",
             takes("string", "string", "string", optional=1, returns=STRING),
             lambda given: f"replace({given[0]}, {given[1]}, {given[2] if len(given.args) == 3 else chr(39) * 2})",
             examples={"replace('1.234.5', '.', '')": "'12345'", "replace('aaa', 'aa', 'b')": "'ba'",
                       "replace('abc', '', 'x')": "'abc'"}),
    function("translate", "translate(a, from, to)", "character by character; those without a partner are left out",
             takes("string", "string", "string", returns=STRING), "translate({0}, {1}, {2})",
             examples={"translate('1.234,5', '.,', ',.')": "'1,234.5'", "translate('abc', 'ab', 'x')": "'xc'"}),
    function("instr", "instr(a, b)", "where b begins in a, from 1; 0 where it does not stand there",
             takes("string", "string", returns=INT), "CAST(instr({0}, {1}) AS int)",
             examples={"instr('hello', 'l')": "3", "instr('hello', 'x')": "0"}),
    function("position", "position(b, a)", "as `instr(a, b)`; also `position(b IN a)`, `locate(b, a)`",
             takes("string", "string", returns=INT), "CAST(instr({1}, {0}) AS int)", aliases=("locate",),
             examples={"position('l' in 'hello')": "3", "locate('o', 'hello')": "5"}),
    function("contains", "contains(a, b)", "whether b stands in a", _TWO, "contains({0}, {1})",
             examples={"contains('hello', 'ell')": "true", "contains('hello', '')": "true"}),
    function("startswith", "startswith(a, b)", "whether a begins with b", _TWO,
             lambda given: given.dialect.starts_with(given[0], given[1]),
             examples={"startswith('hello', 'he')": "true"}),
    function("endswith", "endswith(a, b)", "whether a ends with b", _TWO, duckdb="ends_with({0}, {1})",
             spark="endswith({0}, {1})", examples={"endswith('hello', 'lo')": "true"}),
    function("repeat", "repeat(a, n)", "n times", takes("string", "int", returns=STRING),
             f"CASE WHEN {{1}} <= {_MOST} THEN repeat({{0}}, least(greatest({{1}}, 0), {_MOST})) END", fails=True,
             examples={"repeat('ab', 2)": "'abab'", "repeat('ab', -1)": "''", "repeat('a', 2000000000)": "error"}),
    function("space", "space(n)", "n blanks", takes("int", returns=STRING),
             f"CASE WHEN {{0}} <= {_MOST} THEN repeat(' ', least(greatest({{0}}, 0), {_MOST})) END", fails=True,
             examples={"space(2) || 'a'": "'  a'"}),
    function("reverse", "reverse(a)", "from its end to its beginning", _ONE, "reverse({0})",
             examples={"reverse('añb')": "'bña'"}),
    function("ascii", "ascii(a)", "the code point of the first character, 0 for ''", takes("string", returns=INT),
             "CAST(ascii({0}) AS int)", examples={"ascii('A')": "65", "ascii('€')": "8364", "ascii('')": "0"}),
    function("chr", "chr(n)", "the ASCII character of a code from 1 to 127", takes("int", returns=STRING),
             "CASE WHEN {0} BETWEEN 1 AND 127 THEN chr({0}) END", fails=True, aliases=("char",),
             examples={"chr(65)": "'A'", "chr(300)": "error"}),
    function("hex", "hex(a)", "a text's bytes, or a whole number, in hexadecimal digits", _hex, "hex({0})",
             examples={"hex('añ')": "'61C3B1'", "hex(255)": "'FF'", "hex(-1)": "'FFFFFFFFFFFFFFFF'"}),
    function("base64", "base64(a)", "a text's bytes in base 64", _ONE, duckdb="base64(encode({0}))",
             spark="replace(replace(base64({0}), '\\r', ''), '\\n', '')", examples={"base64('añ')": "'YcOx'"}),
    function("md5", "md5(a)", "the MD5 of a text's bytes, in hexadecimal digits", _ONE, "md5({0})",
             examples={"md5('a')": "'0cc175b9c0f1b6a831c399e269772661'"}),
    function("sha1", "sha1(a)", "the SHA-1 of a text's bytes, in hexadecimal digits", _ONE, "sha1({0})",
             aliases=("sha",),
             examples={"sha1('a')": "'86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'"}),
    function("sha2", "sha2(a, 256)", "the SHA-256 of a text's bytes, in hexadecimal digits", _hashed,
             duckdb="sha256({0})", spark="sha2({0}, 256)",
             examples={"sha2('a', 256)": "'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'",
                       "sha2(null, 256)": "NULL"}),
    function("levenshtein", "levenshtein(a, b)", "how many characters to change, add or leave out to make b of a",
             takes("string", "string", returns=INT), duckdb="CAST(levenshtein({0}, {1}) AS INTEGER)",
             spark="levenshtein({0}, {1})", examples={"levenshtein('kitten', 'sitting')": "3"}),
)  # fmt: skip
"""The functions of this group."""
