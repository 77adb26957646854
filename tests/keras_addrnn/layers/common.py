"""What the tests of the layers share: inputs, and what the reference makes of a layer's weights."""

import keras
import numpy as np

from tests import reference


def sequences(batch=4, steps=6, features=3, seed=0):
    """Random inputs `[B, T, D]` in float32."""
    shape = (batch, steps, features)
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def lively(units, seed=0):
    """Initializers under which bias, recurrence and both branches of the gate matter."""
    normal = keras.initializers.RandomNormal
    return {
        "units": units,
        "kernel_initializer": normal(stddev=0.8, seed=seed),
        "recurrent_initializer": normal(stddev=0.4, seed=seed + 1),
        "bias_initializer": normal(stddev=0.5, seed=seed + 2),
    }


def to_numpy(tensor):
    """A tensor of any backend as NumPy."""
    return keras.ops.convert_to_numpy(tensor)


def expected(layer, inputs, initial_state=None, mask=None):
    """The reference's `(outputs, state)` with the weights and the settings of an `AddGRU`."""
    cell = layer.cell
    result = reference.add_gru(
        inputs,
        to_numpy(cell.kernel),
        to_numpy(cell.recurrent_kernel),
        None if cell.bias is None else to_numpy(cell.bias),
        initial_state,
        mask,
        activation=keras.activations.serialize(cell.activation),
        state_shift=cell.state_shift,
        state_max=cell.state_max,
        go_backwards=layer.go_backwards,
    )
    return result["outputs"], result["state"]


def assert_close(got, wanted, tolerance=1e-5):
    """Compares tensors or lists of them with NumPy arrays."""
    if isinstance(wanted, (list, tuple)):
        for one, other in zip(got, wanted, strict=True):
            assert_close(one, other, tolerance)
        return
    got = np.asarray(to_numpy(got), np.float64)
    np.testing.assert_allclose(got, np.asarray(wanted, np.float64), rtol=tolerance, atol=tolerance)
