"""The command `hvdegraded`, also as `python -m hvdegraded`."""

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line; an interruption while it is loaded ends it like any other."""
    try:
        if sys.argv[1:] == ["--version"] and sys.stdout is not None:  # without what only the commands need
            from hvdegraded.version import __version__

            try:
                sys.stdout.write(f"hvdegraded {__version__}\n")
                sys.stdout.flush()
            except OSError:  # a full disk, or nothing reads it
                return 2
            return 0
        import gc
        import os

        # Modules and findings live to the end: looking for garbage among 100,000 takes a third of all time.
        gc.set_threshold(*_GARBAGE)
        # pydantic looks for plugins in every package that is installed: 30 ms where they are many
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        from hvdegraded.cli.main import main as run

        code = run()
        gc.freeze()  # nor is it looked for once more, in all that lives, when Python ends
        return code
    except KeyboardInterrupt:
        return 130


_GARBAGE = 100_000, 50, 100  # objects, and collections of younger ones, between two collections


if __name__ == "__main__":
    raise SystemExit(main())
