"""The types of JSON values: what arrays, maps and structs hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from framework.law.naming import accepted
from framework.types import Array, DataType, Map, Scalar, Struct

__all__ = ["Nested", "Texts"]

_MOST_MEMBERS = 60
"""An object with more different members is a map."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
STRING = Scalar("string")


class Texts(Protocol):
    """Learns a type from texts."""

    def take(self, text: str | None, *, quoted: bool = False) -> None: ...

    def plain_type(self) -> DataType: ...


@dataclass(slots=True)
class Nested:
    """What stands at one place of all documents; `texts` makes what learns from its plain values. Where a place `may
    repeat`, one value and a list of one are the same, and all values are those of `element` once there was a list."""

    texts: Callable[[], Texts]
    plain: Texts | None = None
    element: Nested | None = None
    members: dict[str, Nested] = field(default_factory=dict)
    objects: int = 0
    may_repeat: bool = False

    def take(self, value: Any, text: Callable[[Any], str]) -> None:
        """A further value; `text` gives the text of one that is no list and no object."""
        match value:
            case None:
                pass
            case list() if self.may_repeat:
                self.element = self
                for item in value:
                    self.take(item, text)
            case list():
                self.element = self.element or Nested(self.texts)
                for item in value:
                    self.element.take(item, text)
            case dict():
                self.objects += 1
                for name, item in value.items():
                    self.members.setdefault(name, Nested(self.texts, may_repeat=self.may_repeat)).take(item, text)
            case _:
                self.plain = self.plain or self.texts()
                self.plain.take(text(value), quoted=type(value) is str)

    def type(self) -> DataType:
        """The type that takes everything that was here; text, where nothing else does."""
        if self.element is self:
            return Array(self._one())
        kinds = (self.plain is not None) + (self.element is not None) + bool(self.objects)
        if kinds != 1:
            return STRING
        if self.plain is not None:
            return self.plain.plain_type()
        if self.element is not None:
            return Array(self.element.type())
        return self._object()

    def _one(self) -> DataType:
        """The type of one of the values, which are no lists."""
        if self.plain is not None:
            return STRING if self.objects else self.plain.plain_type()
        return self._object() if self.objects else STRING

    def _object(self) -> DataType:
        members = [(name, member.type()) for name, member in self.members.items()]
        names = [name.lower() for name in self.members]
        if not members:
            return Map(STRING, STRING)
        if len(members) > _MOST_MEMBERS:
            kinds = {type_ for _, type_ in members}
            return Map(STRING, kinds.pop() if len(kinds) == 1 else STRING)
        named = all(name and accepted(name) == name and "`" not in name and name.isprintable() for name in self.members)
        return Struct(tuple(members)) if named and len(set(names)) == len(names) else STRING
