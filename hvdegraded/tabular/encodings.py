"""The encoding of a text, by its byte-order mark or else by where zero bytes stand."""

from __future__ import annotations

import codecs
from typing import NamedTuple

__all__ = ["TextEncoding", "decode_text", "encoding_by_mark", "encoding_of"]

_MARKS = (  # UTF-32 first: its little-endian mark begins like that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT = 200  # bytes


class TextEncoding(NamedTuple):
    """A codec's name, and the length of the byte-order mark in front of the text, in bytes."""

    codec: str
    mark: int = 0

    @property
    def is_utf16(self) -> bool:
        """Whether each unit takes two bytes."""
        return self.codec.startswith("utf-16")


def encoding_by_mark(head: bytes) -> TextEncoding | None:
    """The encoding that a byte-order mark names, or None."""
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return TextEncoding(codec, len(mark))
    return None


def encoding_of(head: bytes) -> TextEncoding:
    """The encoding of a text that begins so: its mark decides, else the zero bytes of ASCII in UTF-16."""
    marked = encoding_by_mark(head)
    if marked is not None:
        return marked
    looked_at = head[:_LOOKED_AT]
    even, odd = looked_at[0::2].count(0), looked_at[1::2].count(0)
    if max(even, odd) > len(looked_at) // 4:
        return TextEncoding("utf-16-le" if odd > even else "utf-16-be")
    return TextEncoding("utf-8")


def decode_text(data: bytes) -> tuple[str, str | None]:
    """A whole text, and what was wrong with its bytes, or None.

    What is not UTF-8 is read as Windows-1252: names may come out wrong, but never as another name.
    """
    codec, mark = encoding_of(data)
    body = data[mark:]
    try:
        return body.decode(codec), None
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        if codec != "utf-8":
            return body.decode(codec, "replace"), f"line {line} holds bytes that are not {codec.upper()}"
        return body.decode("cp1252", "replace"), f"line {line} is not UTF-8; the text is read as Windows-1252"
