"""Writes docs/expressions.md from the functions' own descriptions: `python docs/build_expressions.py`."""

from __future__ import annotations

import os

from framework.law.functions import GROUPS, Function

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expressions.md")
INTRODUCTION = """\
# Expressions

`filter`, the `expr` of a column, `checks`, `apply_as_deletes`, `apply_as_truncates` and `show --where` are expressions
of Spark SQL over one row. They mean the same on both engines: what is not in the list below is refused by `validate` on
either of them, with the nearest names that there are. Every example here is a test that runs on both.

```yaml
schema:
  email: {type: string, mask: {method: sha256}}
  status: string
  amount: decimal(12,2)
  parts: int
  each: {type: "decimal(12,2)", expr: "round(amount / parts, 2)"}
  domain: {type: string, expr: "lower(split_part(email, '@', 2))"}
  loaded_from: {type: string, expr: "regexp_extract(_source_file, '([^/]*)$')"}
filter: "status <> 'TEST'"
checks:
  - {name: paid, expr: "amount > 0", action: quarantine}
  - {name: not_empty, expr: "count(*) > 0", scope: batch, action: fail}
```

## In which order

1. The texts of a record become values; columns' own rules (`required`, `pattern`, `min`, …) are looked at.
2. Columns with `expr` are computed, over the columns that come from the file, the captures of its name and
   `_source_file`, `_batch_id` and `_loaded_at`. They do not see each other. Their own rules are looked at.
   A row that breaks a rule up to here, or makes an expression fail, goes to the quarantine, whatever the filter
   would say.
3. `filter`: a row for which it is not true is left out (`rows_filtered`).
4. `checks` of rows, over all columns, also computed ones. All of them are told of a row, not only the first.
5. Keys and sequence must have a value; of several rows of a key one survives.
6. Checks with `scope: batch`, over the rows that are left, before anything is written to the target.
7. Masks. So all of the above sees the clear values.

A row that deletes (`apply_as_deletes`, `apply_as_truncates`) needs its keys and its sequence only: computed columns and
checks are not asked of it, and the filter leaves it out only where it is false, not where it is NULL.

## NULL and errors

- With NULL comparisons and arithmetic are NULL. **A filter that is NULL leaves the row out. A check that is NULL has
  failed**: write `amount is null or amount > 0` for a check that does not ask about missing values.
- A division by zero, a text that is no number, a result that does not fit its type are *errors*: they make that row
  `bad_value`, in the quarantine, and the batch goes on. In a check an error counts as a check that failed. What is not
  looked at has no errors: `parts <> 0 and amount / parts > 1`, `if(parts = 0, null, amount / parts)`.
- `try_cast`, `try_divide`, `try_to_date`, … are NULL instead.

## Types

Numbers widen (tinyint → smallint → int → bigint → decimal → double) and dates become timestamps (at midnight), where
nothing is lost. Nothing else changes its type by itself: a text is not compared with a number, and a column's
expression must give its type. A text literal stands for the date or the moment that it is compared with:
`birth_date < '2010-01-01'`. Arithmetic of decimals has Spark's types, and is refused where the result would need more
than 38 digits. A timestamp is an instant; `hour`, `date_trunc`, `cast(… as date)` and the like look at the local time
in `source.timezone`.

In a text literal a backslash is an escape, as in Spark: a pattern with `\\d` is written `'\\\\d'`, or `r'\\d'`.

## Checks

| action | what becomes of a row for which a check is not true |
|---|---|
| `warn` | it is loaded; the number of such rows is in the run's `warnings` |
| `drop` | it is left out, and counted in `rows_filtered` |
| `quarantine` | it goes to the quarantine (`check_failed`) |
| `fail` | nothing of the batch is loaded: target and landing stay as they are, and the run ends with exit code 3 |

A check with `scope: batch` is an expression over aggregates and warns or fails. What came of every check of every batch
is in the table `checks` of the control schema, with the number of rows or the values that were found.

Ready forms, as keys of a column. NULL passes all of them; `required: true` is about that:

- `unique: true`: the values of a batch are all different (a check of the batch, which fails).
- `not_in_future: true`: a date or a moment is not later than its load; other rows go to the quarantine.
- `exists_in: {table: crm.countries, column: code}`: the values are in a column of another table. Other rows go to the
  quarantine, or `action` says otherwise. The columns have the same type, or both an integer type. Every row of the
  other table counts, those of closed versions and those marked as deleted too, as it is when the batch is staged; so
  load it before. Where it is not there, or has no such column, the feed ends (`reference`) before anything is written.

```yaml
schema:
  country: {type: string, exists_in: {table: crm.countries, column: code}}
  product: {type: bigint, exists_in: {table: shop.products, column: id, action: warn}}
```

## Masks

`mask: {method: …}` on a column stores something else in place of its values: in staging, target and quarantine.
`sha256` and `hmac_sha256` store a hash of the text's bytes in UTF-8, in hexadecimal digits; `last` its last characters;
`redact` `***`. NULL stays NULL. The quarantine then keeps no records of the feed, since they hold the clear values; the
files with them are in the archive, unless `archive.on_success` is `delete`. Columns that are computed from a masked
column are stored as they are computed: give them a mask of their own where they show too much.

Keys are matched by their masks, so only hashes are possible for them, and none for `sequence_by`.

"""


RECIPES = [
    ("a name without blanks around it, NULL if nothing is left", "nullif(trim(name), '')", "'  ' as name", "NULL"),
    (
        "a number with a comma and points",
        "cast(replace(replace(price, '.', ''), ',', '.') as decimal(12,2))",
        "'1.234,50' as price",
        "1234.50",
    ),
    (
        "one of several dates",
        "coalesce(try_to_date(day, 'dd.MM.yyyy'), try_to_date(day))",
        "'31.01.2026' as day",
        "2026-01-31",
    ),
    ("the first day of the month", "trunc(day, 'MM')", "date '2026-01-31' as day", "2026-01-01"),
    ("a key of two columns", "concat_ws('-', country, id)", "'IT' as country, 7 as id", "'IT-7'"),
    (
        "a hash of an address",
        "md5(lower(trim(email)))",
        "' A@X.org' as email",
        "'a3b41ff4486881e36bcbc10292f307bb'",
    ),
    ("a quotient that is NULL for zero", "try_divide(amount, parts)", "1.50 as amount, 0 as parts", "NULL"),
    ("a check that does not ask about missing values", "amount is null or amount > 0", "-1.5 as amount", "false"),
]
"""What is wanted, the expression, a row of columns, and the value for it."""


def page() -> str:
    """The text of docs/expressions.md."""
    parts = [INTRODUCTION, "## Recipes\n\n| wanted | expression | for the row | gives |\n|---|---|---|---|\n"]
    parts += [f"| {wanted} | {_code(text)} | {_code(row)} | {_code(value)} |\n" for wanted, text, row, value in RECIPES]
    parts.append("\n")
    for group, functions in GROUPS.items():
        parts.append(f"## {group}\n\n")
        if group == "Aggregates":
            parts.append("Examples are over the rows (1, 'a'), (2, 'b'), (2, 'c'), (NULL, 'a') of n and t.\n\n")
        if group.startswith("Arrays"):
            parts.append("Examples are over the map m = {'k': 1} and the struct s = {a: 1, b: 'x'}.\n\n")
        parts += ["| function | gives | examples |\n|---|---|---|\n", *map(_row, functions), "\n"]
    return "".join(parts).rstrip() + "\n"


def _row(function: Function) -> str:
    also = [name for name in function.aliases if name.isidentifier()]
    what = function.what + (f". Also {', '.join(f'`{name}`' for name in also)}" if also else "")
    examples = "<br>".join(f"{_code(text)} → {_code(value)}" for text, value in function.examples.items())
    return f"| {_code(function.form)} | {what.replace('|', chr(92) + '|')} | {examples} |\n"


def _code(text: str) -> str:
    ticks = "``" if "`" in text else "`"
    return ticks + text.replace("|", "\\|").replace("\n", "⏎") + ticks


if __name__ == "__main__":
    with open(FILE, "w", encoding="utf-8") as out:
        out.write(page())
