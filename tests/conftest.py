"""Shared by all tests: skips those that need the fused op where it cannot run, and says why."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest  # noqa: E402

from tests import support  # noqa: E402


def pytest_collection_modifyitems(items):
    """Skips the tests marked `fused` if the op library is missing or has nothing to run on."""
    fused = [item for item in items if item.get_closest_marker("fused")]
    if not fused:
        return
    reason = support.why_no_fused()
    if reason:
        for item in fused:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def seeded():
    """Every test draws the same numbers in every run, whatever ran before it."""
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture
def dtype_policy():
    """A function that sets Keras' global dtype policy, which is restored after the test."""
    import keras

    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)
