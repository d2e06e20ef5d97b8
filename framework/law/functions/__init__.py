"""Functions: the closed list of what expressions of a feed consist of, and what each of them means on every engine.

say                                 a tree as an engine's SQL, and which rows make it fail
meaning                             the text of an expression as a tree with types
catalogue                           the list, by group and by name
logic | numbers | casts             the functions, each with its arguments, its SQL and examples
kinds | function                    types of arguments and results · what is known of one function
grammar                             the text as calls, with no opinion on which functions there are
tokens | parts | nodes              words and signs · calls by name · the tree
"""

from framework.law.functions.catalogue import BY_NAME, GROUPS
from framework.law.functions.function import Function
from framework.law.functions.meaning import aggregates_in, fields_in, meaning, taken_as
from framework.law.functions.nodes import Node, Refused
from framework.law.functions.say import Sql, said

__all__ = [
    "BY_NAME",
    "GROUPS",
    "Function",
    "Node",
    "Refused",
    "Sql",
    "aggregates_in",
    "fields_in",
    "meaning",
    "said",
    "taken_as",
]
