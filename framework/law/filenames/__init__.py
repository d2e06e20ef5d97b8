"""File name patterns: what is wrong with them, what a name gives them, and whether two can meet.

`*` and `?` are as in a shell, `{name}` captures one or more characters, `{name:int}` digits, and
`{name:yyyyMMdd}` as many characters as the date pattern has, if they are such a date. Of several ways to take
a name apart, the one counts in which, from left to right, a `*` has as many characters as it can and a capture
as few as it can (digits: as many).

    names | meeting                     what a pattern gets of a name · whether two patterns meet
    patterns                            what a pattern consists of
"""

from framework.law.filenames.meeting import literal_prefix, may_meet
from framework.law.filenames.names import almost, captures
from framework.law.filenames.patterns import Capture, captures_in, mistakes

__all__ = ["Capture", "almost", "captures", "captures_in", "literal_prefix", "may_meet", "mistakes"]
