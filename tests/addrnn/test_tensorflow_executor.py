"""TensorFlow's integer operations: what the vectors in test_conformance.py do not have."""

import numpy as np

from tests import integer_problems as support
from tests.addrnn import tensorflow_executor as executor


def test_no_steps():
    rng = np.random.default_rng(0)
    layer = support.draw_layer(rng, 3, 4)
    state = support.draw_state(rng, 2, layer)
    outputs, last = executor.run_layer(layer, np.zeros((2, 0, 3), np.int8), state)
    assert outputs.shape == (2, 0, 4)
    np.testing.assert_array_equal(last, state)
