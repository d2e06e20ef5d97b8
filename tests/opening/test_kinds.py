"""What files are that are no text in the encoding that the feed says, as a table."""

from __future__ import annotations

import pytest

from framework.opening.kinds import not_text

TEXT = "id,name\n1,ü\n"
BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("beginning", "encodings", "said"),
    [
        (TEXT.encode(), ["utf-8"], None),
        (BOM + TEXT.encode(), ["utf-8"], None),
        (BOM + TEXT.encode(), ["cp1252", "utf-8"], None),
        (BOM + TEXT.encode(), ["cp1252"], "UTF-8 text with a byte-order mark (source.encoding: utf-8)"),
        (BOM + TEXT.encode(), ["utf-16"], "UTF-8 text with a byte-order mark (source.encoding: utf-8)"),
        (TEXT.encode("utf-16"), ["utf-16"], None),
        (TEXT.encode("utf-16"), ["utf-16-le"], None),
        (TEXT.encode("utf-16"), ["utf-8"], "UTF-16-LE text with a byte-order mark (source.encoding: utf-16)"),
        (TEXT.encode("utf-16"), ["utf-32"], "UTF-16-LE text with a byte-order mark (source.encoding: utf-16)"),
        (TEXT.encode("utf-32"), ["utf-8"], "UTF-32 text with a byte-order mark (source.encoding: utf-32)"),
        (b"\xfe\xff\0i\0d", ["utf-16-le"], "UTF-16-BE text with a byte-order mark (source.encoding: utf-16)"),
        (TEXT.encode("utf-16-le"), ["utf-8"], "UTF-16-LE text without a byte-order mark (source.encoding: UTF-16-LE)"),
        (TEXT.encode("utf-16-be"), ["utf-16"], "UTF-16-BE text without a byte-order mark (source.encoding: UTF-16-BE)"),
        (TEXT.encode("utf-16-le"), ["utf-16-le"], None),
        (TEXT.encode(), ["utf-16"], "text without a byte-order mark (source.encoding: UTF-8)"),
        (TEXT.encode(), ["utf-16", "utf-8"], None),
        (b"", ["utf-16"], None),
        (b"\0\0\0\0", ["utf-8"], None),
        (b"PK\x05\x06", ["utf-8"], "a zip archive; its name should end with .zip"),
    ],
)
def test_what_a_file_is(beginning: bytes, encodings: list[str], said: str | None) -> None:
    assert not_text(beginning, encodings) == said
