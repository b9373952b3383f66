"""How hypothesis runs: the same examples every time, and more of them with ``ONELAYER_TESTS=deep``."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick",
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    # One thread of a busy machine may be slow to draw, which is no fault of the test.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("deep", settings.get_profile("quick"), max_examples=1000, derandomize=False)
settings.load_profile(os.environ.get("ONELAYER_TESTS", "quick"))
