"""HTML that is escaped by construction: a value put into a template is text, unless it is Html itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

from hvdegraded.printable import printable

__all__ = ["Html", "joined"]


class Html(Markup):
    """HTML; `Html("<td>{}</td>").format(name)` escapes the name, and spells out what does not show."""

    @classmethod
    def escape(cls, s: Any, /) -> Html:
        """The text of a value as HTML."""
        return s if isinstance(s, Html) else cls(escape(printable(str(s))))


def joined(parts: Iterable[Html]) -> Html:
    """One after another."""
    return Html("").join(parts)
