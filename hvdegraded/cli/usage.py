"""Wrong usage: the reason first, with what was probably meant, then an example and where the help is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from hvdegraded.cli.exit_codes import USAGE
from hvdegraded.printable import printable

__all__ = ["CommandParser", "meant"]

_LIKENESS = 0.55  # of names, where 1 is equality: `collect` and `collect-script` have 0.67


class CommandParser(argparse.ArgumentParser):
    """A parser of a command's arguments, or of the command's name."""

    def error(self, message: str) -> NoReturn:
        """Print why the arguments cannot be taken, and end."""
        example = "{}\n".format(self.epilog.split(". ")[0]) if self.epilog else ""
        self.exit(USAGE, f"{self.prog}: {printable(message)}\n{example}Help: {self.prog} --help\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End; help or a version printed to a closed standard output is not a success."""
        if not status and sys.stdout is None:
            status, message = USAGE, f"{self.prog}: standard output is closed\n"
        super().exit(status, message)

    def parse_known_args(  # type: ignore[override]  # the overloads of a namespace of one's own
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse what is known; the command whose argument is not known says so, not the whole program."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown(unknown))
        return found, unknown

    def _unknown(self, unknown: list[str]) -> str:
        option = next((one for one in unknown if one.startswith("-")), None)
        if option is None:
            return f"there is no place for {' '.join(unknown)!r}; write a name with spaces in quotes"
        name = option.split("=")[0]
        return f"there is no option {name}{meant(name, self._option_string_actions)}"

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """Convert one value. Raises ArgumentError for an empty one, as an unset variable leaves."""
        if action.nargs is None and not arg_string.strip():  # of several paths, the reading names it
            raise argparse.ArgumentError(action, "the value is empty; is a variable unset?")
        return super()._get_value(action, arg_string)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(one) for one in action.choices]
        what = "command" if action.dest == argparse.SUPPRESS else "value"
        hint = meant(str(value), known) or f"; one of {', '.join(known)}"
        raise argparse.ArgumentError(action, f"there is no {what} {value!r}{hint}")


def meant(name: str, known: Iterable[str]) -> str:
    """Return what follows the reason: the one or two known names that a name is like, or nothing."""
    import difflib

    alike = difflib.get_close_matches(name.lower(), list(known), 2, _LIKENESS)
    return f"; did you mean {' or '.join(alike)}?" if alike else ""
