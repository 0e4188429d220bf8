"""Error codes have words."""

from __future__ import annotations

import pytest

from hvdegraded.knowledge.tables import load_knowledge

KNOWLEDGE = load_knowledge()


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (0x80070020, "in use"),
        (int("2147942405"), "denied"),  # as in %%2147942405
        (-2147024864, "in use"),  # the same, signed
        (0x80070070, "full"),
        (0x8007051A, "versions"),
        (0x80070032, "not supported"),
    ],
)
def test_error_codes_have_words(code: int, word: str) -> None:
    known = KNOWLEDGE.code(code)
    assert known is not None
    assert word in known.meaning


@pytest.mark.parametrize("code", [0, 1 << 32, -(1 << 31) - 1, 0x12345678, (1 << 32) + 0x80070020])
def test_other_codes_have_none(code: int) -> None:
    assert KNOWLEDGE.code(code) is None
