"""Tests of encrypted models: they run in .venv-fhe (`make test-fhe`), where there is no Keras."""

import importlib.util

import numpy as np
import pytest

# In the other environment there is nothing here to collect.
collect_ignore_glob = [] if importlib.util.find_spec("concrete") else ["test_*.py"]


@pytest.fixture(autouse=True)
def seeded():
    """In place of the one that seeds Keras."""
    np.random.seed(0)
