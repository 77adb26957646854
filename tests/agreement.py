"""What agreement with the reference means: the norm, the tolerances, and the check."""

import numpy as np

from tests.support import run_both

# Of values and gradients alike, over up to 50 steps.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
# Rows nearer to a kink than this get no gradient: rounding may rightly land on its other side.
KINK_DISTANCE = 1e-5
# Weights, states and incoming gradients are of order one: what is smaller has been left over by
# cancellation, which takes digits from every implementation.
SMALLEST_SCALE = 0.1


def relative_error(got, expected):
    """The largest absolute difference, relative to the largest absolute value expected.

    The scale is that of the whole tensor, as single entries pass through zero, where a relative
    error of their own would mean nothing; and at least `SMALLEST_SCALE`.
    """
    assert got.shape == expected.shape
    scale = np.abs(expected).max(initial=SMALLEST_SCALE)
    return np.abs(got - expected).max(initial=0.0) / scale


def assert_close(got, expected, tolerance, label=""):
    """Holds each named tensor to `relative_error <= tolerance`; NaN fails."""
    assert set(got) == set(expected)
    for name, value in expected.items():
        error = relative_error(got[name], value)
        assert error <= tolerance, f"{label} {name}: off by {error:.3g} of its scale"


def tolerance_of(implementation, dtype, activation):
    """`TOLERANCE`, but that of float32 where Keras computes in float32 whatever the dtype.

    On PyTorch that is everything, on JAX the tangent.
    """
    import keras

    backend = keras.backend.backend()
    in_float32 = backend == "torch" or (backend == "jax" and activation == "tanh")
    return TOLERANCE["float32" if implementation == "composed" and in_float32 else dtype]


def dtypes():
    """Float32 and float64 on TensorFlow; elsewhere one, as each problem takes JAX's compiler long.

    What a dtype changes is in the kernels and in Keras' operations, which are the same everywhere.
    """
    import keras

    return {"jax": ["float64"], "torch": ["float32"]}.get(keras.backend.backend(), list(TOLERANCE))


def check(problem, implementation, label=""):
    """Holds results and gradients of `ops.add_gru` to the reference, in each of `dtypes()`.

    The problem's arrays must be exact in float32.
    """
    exact = problem.with_rounded_settings().away_from_kinks(KINK_DISTANCE)
    problem = problem.but(d_outputs=exact.d_outputs, d_state=exact.d_state)
    expected, expected_gradients = exact.expected(), exact.expected_gradients()
    for dtype in dtypes():
        tolerance = tolerance_of(implementation, dtype, problem.activation)
        got, gradients = run_both(problem, implementation, dtype)
        assert_close(got, expected, tolerance, f"{label} {dtype}")
        assert_close(gradients, expected_gradients, tolerance, f"{label} {dtype} gradient of")
