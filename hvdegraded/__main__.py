"""The command `hvdegraded`, also as `python -m hvdegraded`."""

__all__ = ["main"]


def main() -> int:
    """Run the command line; an interruption while it is loaded ends it like any other."""
    try:
        from hvdegraded.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
