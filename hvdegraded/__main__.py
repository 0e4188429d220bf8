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
        import os

        # pydantic looks for plugins in every package that is installed: 30 ms where they are many
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        from hvdegraded.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
