"""Grammar: the text of an expression as calls of named functions, with no opinion on which functions there are.

The grammar is Spark SQL's, for one scalar: literals, columns, operators, CASE, CAST, EXTRACT, TRIM, calls. Operators
are calls of functions that are named like them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from framework.law.functions.nodes import Refused
from framework.law.functions.parts import Part, depth, literal
from framework.law.functions.tokens import Token, tokens

__all__ = ["read"]


_COMPARISONS = {"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "<=>": "<=>"}
_LEVELS = (("|",), ("^",), ("&",), ("+", "-", "||"), ("*", "/", "%", "div"))
_CLOSED = {"and", "or", "not", "in", "between", "like", "ilike", "rlike", "regexp", "is", "then", "else", "end", "when",
           "as", "from", "div", "distinct", "escape"}  # fmt: skip
_DEEPEST = 40


def read(text: str) -> Part:
    """The expression of a text. Raises Refused."""
    reader = _Reader(list(tokens(text)), text)
    found = reader.expression()
    reader.end()
    if depth(found) > 2 * _DEEPEST:
        raise _too_deep()
    return found


def _too_deep() -> Refused:
    return Refused(f"it is nested more than {_DEEPEST} deep", "split it into columns of their own")


class _Reader:
    """Goes over the tokens, from the operators that bind least to those that bind most."""

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self._all, self._text, self._index, self._depth = tokens, text, 0, 0

    @property
    def _next(self) -> Token:
        return self._all[self._index]

    def _take(self) -> Token:
        self._index += 1
        return self._all[self._index - 1]

    def _is(self, *texts: str) -> bool:
        token = self._next
        return (token.kind == "mark" and token.text in texts) or token.word in texts

    def _took(self, *texts: str) -> bool:
        found = self._is(*texts)
        self._index += found
        return found

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise self._unexpected(f"'{text.upper()}' is missing before {self._shown()}")

    def _shown(self) -> str:
        return f"'{self._next.text[:40]}'" if self._next.kind != "end" else "the end"

    def _unexpected(self, message: str | None = None) -> Refused:
        return Refused(message or f"{self._shown()} has no place here", "check operators and brackets", self._next.at)

    def end(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected()

    def expression(self) -> Part:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _too_deep()
        found = self._joined("or", lambda: self._joined("and", self._not))
        self._depth -= 1
        return found

    def _joined(self, word: str, below: Any) -> Part:
        found: Part = below()
        while self._is(word):
            at = self._take().at
            found = Part("call", word, at, (found, below()))
        return found

    def _not(self) -> Part:
        if self._is("not", "!"):
            return Part("call", "not", self._take().at, (self._not(),))
        return self._compared()

    def _compared(self) -> Part:
        left = self._binary(0)
        while True:
            at, start = self._next.at, self._index
            if self._next.kind == "mark" and self._next.text in _COMPARISONS:
                name = _COMPARISONS[self._take().text]
                left = Part("call", name, at, (left, self._binary(0)))
                continue
            if self._took("is"):
                left = self._is_what(left, at)
                continue
            negated = self._took("not")
            found = self._predicate(left, at)
            if found is None:
                self._index = start
                return left
            left = Part("call", "not", at, (found,)) if negated else found

    def _is_what(self, left: Part, at: int) -> Part:
        negated = self._took("not")
        if self._took("null"):
            found = Part("call", "isnull", at, (left,))
        elif self._took("true", "false"):
            found = Part("call", "<=>", at, (left, Part("literal", self._all[self._index - 1].word, at)))
        elif self._took("distinct"):
            self._expect("from")
            found, negated = Part("call", "<=>", at, (left, self._binary(0))), not negated
        else:
            raise self._unexpected("IS is followed by NULL, TRUE, FALSE or DISTINCT FROM")
        return Part("call", "not", at, (found,)) if negated else found

    def _predicate(self, left: Part, at: int) -> Part | None:
        if self._took("between"):
            low = self._binary(0)
            self._expect("and")
            return Part("call", "between", at, (left, low, self._binary(0)))
        if self._took("in"):
            self._expect("(")
            return Part("call", "in", at, (left, *self._list(")")))
        for word, name in (("like", "like"), ("ilike", "ilike"), ("rlike", "rlike"), ("regexp", "rlike")):
            if self._took(word):
                pattern = self._binary(0)
                escape = (self._binary(0),) if name != "rlike" and self._took("escape") else ()
                return Part("call", name, at, (left, pattern, *escape))
        return None

    def _binary(self, level: int) -> Part:
        if level == len(_LEVELS):
            return self._unary()
        found = self._binary(level + 1)
        while self._is(*_LEVELS[level]):
            token = self._take()
            found = Part("call", token.text.lower(), token.at, (found, self._binary(level + 1)))
        return found

    def _unary(self) -> Part:
        if not self._is("-", "+", "~"):
            return self._behind(self._primary())
        token = self._take()
        if token.text == "-" and self._next.kind == "number":
            number = self._take()
            return self._behind(literal("number", "-" + number.text, token.at))
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _too_deep()
        inner = self._unary()
        self._depth -= 1
        names = {"-": "negative", "~": "~"}
        return inner if token.text == "+" else Part("call", names[token.text], token.at, (inner,))

    def _behind(self, found: Part) -> Part:
        """What stands behind a value: a member, an item, a type."""
        while self._is(".", "[", "::"):
            token = self._take()
            if token.text == ".":
                member = self._take()
                if member.kind not in ("word", "name"):
                    raise self._unexpected("the name of a member is missing behind the point")
                found = Part("call", "member", token.at, (found, literal("text", member.text, member.at)))
            elif token.text == "[":
                found = Part("call", "item", token.at, (found, self.expression()))
                self._expect("]")
            else:
                found = Part("call", "cast", token.at, (found, self._type()))
        return found

    def _primary(self) -> Part:
        token = self._take()
        match token.kind:
            case "number":
                return literal("number", token.text, token.at)
            case "text":
                return literal("text", token.text, token.at)
            case "name":
                return Part("field", token.text, token.at)
            case "mark" if token.text == "(":
                inner = self.expression()
                self._expect(")")
                return inner
            case "word":
                return self._word(token)
        self._index -= 1
        raise self._unexpected()

    def _word(self, token: Token) -> Part:
        word = token.word
        if word in ("true", "false", "null"):
            return Part("literal", word, token.at)
        if word in ("date", "timestamp", "timestamp_ntz") and self._next.kind == "text":
            return literal(word, self._take().text, token.at)
        if word == "case":
            return self._case(token.at)
        if self._is("("):
            self._take()
            return self._called(word, token.at)
        if word in _CLOSED:
            self._index -= 1
            raise self._unexpected()
        return Part("field", token.text, token.at)

    def _case(self, at: int) -> Part:
        of = None if self._is("when") else self.expression()
        args: list[Part] = []
        while self._took("when"):
            condition = self.expression()
            self._expect("then")
            args += [condition if of is None else Part("call", "=", condition.at, (of, condition)), self.expression()]
        if not args:
            raise self._unexpected("CASE has no WHEN")
        args.append(self.expression() if self._took("else") else Part("literal", "null", self._next.at))
        self._expect("end")
        return Part("call", "case", at, tuple(args))

    def _called(self, name: str, at: int) -> Part:
        match name:
            case "cast" | "try_cast":
                value = self.expression()
                self._expect("as")
                found = Part("call", name, at, (value, self._type()))
                self._expect(")")
                return found
            case "extract":
                field = self._take()
                self._expect("from")
                return Part("call", "extract", at, (literal("text", field.text, field.at), *self._list(")")))
            case "trim" if self._is("both", "leading", "trailing", "from"):
                return self._trim(at)
            case "substring" | "substr" | "position" | "overlay":
                return self._with_words(name, at)
            case "count" if self._took("distinct"):
                return Part("call", "count_distinct", at, self._list(")"))
            case "count" if self._took("*"):
                self._expect(")")
                return Part("call", "count", at)
        args = self._list(")")
        if name in ("trim", "ltrim", "rtrim") and len(args) > 1:
            raise Refused(f"{name} takes one text", "write trim(BOTH | LEADING | TRAILING 'x' FROM a)", at)
        return Part("call", name, at, args)

    def _trim(self, at: int) -> Part:
        side = self._take().word
        name = {"leading": "ltrim", "trailing": "rtrim"}.get(side, "trim")
        chars = () if side == "from" or self._is("from") else (self.expression(),)
        if side != "from":
            self._expect("from")
        return Part("call", name, at, (*self._list(")"), *chars))

    def _with_words(self, name: str, at: int) -> Part:
        """substring(text FROM start FOR length) and position(part IN text)."""
        first = self._binary(0)
        if name == "position" and self._took("in"):
            return Part("call", name, at, (first, *self._list(")")))
        args = [first]
        while self._took(",", "from", "for"):
            args.append(self.expression())
        self._expect(")")
        return Part("call", name, at, tuple(args))

    def _list(self, closing: str) -> tuple[Part, ...]:
        found: list[Part] = []
        while not self._is(closing):
            found.append(self.expression())
            if not self._took(","):
                break
        self._expect(closing)
        return tuple(found)

    def _type(self) -> Part:
        """The words of a type, up to where its brackets are closed."""
        first, depth = self._take(), 0
        if first.kind != "word":
            raise Refused("a type is missing", "for example cast(a AS bigint)", first.at)
        end = first.at + len(first.text)
        while self._is("(", "<") or depth:
            token = self._take()
            if token.kind == "end":
                raise Refused("the type is not complete", "for example decimal(12,2)", first.at)
            depth += (token.text in "(<") - (token.text in ")>")
            end = token.at + len(token.text)
        return literal("type", self._text[first.at - 1 : end - 1], first.at)
