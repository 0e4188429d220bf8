"""The command `hvdegraded`, also as `python -m hvdegraded`."""

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line; an interruption while it is loaded ends it like any other."""
    try:
        _leave_out_current_folder()
        if sys.argv[1:] == ["--version"] and sys.stdout is not None:  # without what only the commands need
            from hvdegraded.version import __version__

            try:
                sys.stdout.write(f"hvdegraded {__version__}\n")
                sys.stdout.flush()
            except OSError:  # a full disk, or nothing reads it
                return 2
            return 0
        from hvdegraded.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        return 130


def _leave_out_current_folder() -> None:
    """Import nothing from where the logs lie, though `-m`, or an empty part of PYTHONPATH, asks for it."""
    import os

    here = os.path.realpath(".")
    if not here.startswith((sys.prefix, sys.base_prefix, os.path.dirname(os.path.dirname(__file__)))):
        sys.path[:] = [path for path in sys.path if os.path.realpath(path or ".") != here]


if __name__ == "__main__":
    raise SystemExit(main())
