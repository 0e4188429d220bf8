"""No test depends on how fast the machine is: property tests have no deadline."""

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.tools")

settings.register_profile("hvdegraded", deadline=None)
settings.load_profile("hvdegraded")
