from __future__ import annotations

from collections.abc import Sequence

try:
    from framework.values import check_pattern, parse
except ImportError:
    from framework.types import DataType

    def check_pattern(pattern: str) -> None: ...
    def parse(text: str, type_: DataType, formats: Sequence[str] = ()) -> object:
        return text
