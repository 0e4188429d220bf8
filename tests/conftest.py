"""What all tests share: how many examples a property gets, and what skips where it cannot run.

No test depends on how fast the machine is: properties have no deadline.
"""

import gc
import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.tools")

# A shell that starts the suite in the background lets it ignore Ctrl-C, `nohup` lets it ignore the end of the
# terminal, and so would every child to which a test sends these signals.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if os.name == "posix":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# The commands that tests start compile the package once, not each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# CI draws the same examples every time, so that what it finds is a fault of the change; elsewhere they vary.
_SAME = "CI" in os.environ
settings.register_profile("quick", deadline=None, max_examples=30, derandomize=_SAME)
settings.register_profile("thorough", deadline=None, max_examples=500, derandomize=_SAME)
settings.load_profile("quick")


# These start children by fork, or limit them, as only POSIX does.
collect_ignore = [] if os.name == "posix" else [
    "cli/test_interruptions.py", "formats/test_attacks.py", "pipeline/test_streams.py", "verify/test_comparison.py",
]  # fmt: skip


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect thousands of tests, of which none is garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the corpus of real logs where it is absent."""
    from tests.tools.corpus import CORPUS, LOGS

    if not LOGS:
        for item in items:
            if item.get_closest_marker("corpus"):
                item.add_marker(pytest.mark.skip(reason=f"the corpus is not at {CORPUS}"))
