"""Problems to run the recurrence on, and one way to run every implementation on them."""

import importlib.util
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest

from tests import reference
from tests.backends import results_and_gradients, results_of

ACTIVATIONS = ("linear", "relu", "hard_tanh", "tanh")
MASKS = ("none", "right", "left", "holes", "empty_row", "all_false")
ARRAYS = ("inputs", "kernel", "recurrent_kernel", "bias", "initial_state")
FUSED = pytest.param("fused", marks=pytest.mark.fused)
IMPLEMENTATIONS = ("composed", FUSED)


# The pybind11 module is built by the same step as the op library, but needs no TensorFlow.
HAS_CORE = importlib.util.find_spec("addrnn._core") is not None
needs_core = pytest.mark.skipif(not HAS_CORE, reason="addrnn._core is not built")
CORE = pytest.param("core", marks=needs_core)


def why_no_fused():
    """None if the op library can be used here, else the reason to skip tests marked `fused`."""
    from addrnn.gate import Gate
    from keras_addrnn.ops import _fused

    return _fused.why_not("float32", Gate())


@dataclass(frozen=True)
class Problem:
    """The arguments of one call, in float64, and the gradients that arrive at its results."""

    inputs: np.ndarray  # [B, T, D]
    kernel: np.ndarray  # [D, 2H]
    recurrent_kernel: np.ndarray  # [H, 2H]
    bias: np.ndarray | None  # [2H]
    initial_state: np.ndarray | None  # [B, H]
    mask: np.ndarray | None  # [B, T]
    d_outputs: np.ndarray  # [B, T, H]
    d_state: np.ndarray  # [B, H]
    activation: str = "relu"
    state_shift: float = 0.0
    state_max: float | None = None
    go_backwards: bool = False

    def but(self, **changes):
        return replace(self, **changes)

    @property
    def settings(self):
        names = ("activation", "state_shift", "state_max", "go_backwards")
        return {name: getattr(self, name) for name in names}

    @property
    def arrays(self):
        """The differentiable arguments that are given, by name."""
        return {name: getattr(self, name) for name in ARRAYS if getattr(self, name) is not None}

    def as_dtype(self, dtype):
        """The same problem with every array rounded to `dtype` (and kept as float64)."""
        rounded = {
            field.name: round_to(getattr(self, field.name), dtype)
            for field in fields(self)
            if field.name in (*ARRAYS, "d_outputs", "d_state")
        }
        return self.but(**rounded)

    @property
    def arguments(self):
        """The arrays and the mask, in the order in which everybody takes them."""
        return [getattr(self, name) for name in (*ARRAYS, "mask")]

    def kinks(self):
        return reference.kinks(*self.arguments, **self.settings)

    def kink_distance(self):
        """How near each row of the batch comes to a kink: `[B]`.

        A distance of exactly 0 is left out: where a generic problem has one (a state that has sat
        at its floor or bound since the step before, say), every precision computes exactly 0.
        """
        nearest = np.full(self.inputs.shape[0], np.inf)
        for distance in self.kinks().values():
            distance = np.where(distance == 0, np.inf, distance)
            nearest = np.minimum(nearest, distance.min(axis=(1, 2), initial=np.inf))
        return nearest

    def away_from_kinks(self, distance):
        """The same problem without gradients from the rows that come nearer to a kink than that."""
        far = self.kink_distance() > distance
        return self.but(
            d_outputs=self.d_outputs * far[:, None, None], d_state=self.d_state * far[:, None]
        )

    def with_rounded_settings(self):
        """The same problem with shift and bound rounded to float32, as the op's attributes are."""
        bound = None if self.state_max is None else float(np.float32(self.state_max))
        return self.but(state_shift=float(np.float32(self.state_shift)), state_max=bound)

    def expected(self):
        """The reference's `{"outputs", "state"}`."""
        return reference.add_gru(*self.arguments, **self.settings)

    def expected_gradients(self):
        """The reference's analytic gradients, of the arguments that are given."""
        gradients = reference.add_gru_gradients(
            *self.arguments,
            **self.settings,
            d_outputs=self.d_outputs,
            d_state=self.d_state,
        )
        return {name: gradients[name] for name in self.arrays}

    def numeric_gradients(self):
        """Central differences of the reference's forward pass, of the arguments that are given."""

        def loss(name):
            def f(value):
                result = self.but(**{name: value}).expected()
                loss_of_outputs = (result["outputs"] * self.d_outputs).sum()
                return loss_of_outputs + (result["state"] * self.d_state).sum()

            return f

        return {n: reference.numeric_gradient(loss(n), array) for n, array in self.arrays.items()}


def round_to(array, dtype):
    """`array` rounded to `dtype`, as float64; None stays None."""
    import ml_dtypes

    if array is None:
        return None
    dtype = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    return np.asarray(array).astype(dtype).astype(np.float64)


def make_mask(kind, batch, steps, rng):
    """A boolean mask `[B, T]` of that kind (one of `MASKS`), or None for "none"."""
    if kind == "none":
        return None
    lengths = rng.integers(0, steps + 1, size=(batch, 1))
    mask = np.arange(steps)[None, :] < lengths
    if kind == "left":
        mask = mask[:, ::-1]
    elif kind == "holes":
        mask = rng.random((batch, steps)) < 0.6
    elif kind == "empty_row":
        mask = np.ones((batch, steps), bool)
        mask[:1] = False
    elif kind == "all_false":
        mask = np.zeros((batch, steps), bool)
    return mask


def make_problem(seed, sizes, *, mask="none", bias=True, initial_state=True, **settings):
    """A generic problem of `sizes` `(B, T, D, H)` whose states stay of order one."""
    rng = np.random.default_rng(seed)
    batch, steps, features, units = sizes
    normal = rng.standard_normal
    return Problem(
        inputs=normal((batch, steps, features)),
        kernel=normal((features, 2 * units)) / np.sqrt(max(features, 1)),
        recurrent_kernel=0.15 * normal((units, 2 * units)) / np.sqrt(max(units, 1)),
        bias=0.3 * normal(2 * units) if bias else None,
        initial_state=np.abs(normal((batch, units))) if initial_state else None,
        mask=make_mask(mask, batch, steps, rng),
        d_outputs=normal((batch, steps, units)),
        d_state=normal((batch, units)),
        **settings,
    )


def draw_problem(seed, sizes):
    """A generic problem of those sizes with every setting drawn from the seed, exact in float32."""
    rng = np.random.default_rng((seed, *sizes))
    problem = make_problem(
        seed,
        sizes,
        mask=rng.choice(MASKS),
        bias=rng.random() < 0.7,
        initial_state=rng.random() < 0.7,
        activation=str(rng.choice(ACTIVATIONS)),
        state_shift=float(rng.choice([0.0, 0.25])),
        state_max=rng.choice([None, 1.5]),
        go_backwards=bool(rng.random() < 0.5),
    )
    return problem.as_dtype("float32")


def make_kink_problem(seed, sizes, *, mask="none", **settings):
    """A problem of small integers: pre-activations, gates and bounds are often exactly met."""
    rng = np.random.default_rng(seed)
    batch, steps, features, units = sizes

    def integers(low, high, shape):
        return rng.integers(low, high + 1, size=shape).astype(np.float64)

    return Problem(
        inputs=integers(-1, 1, (batch, steps, features)),
        kernel=integers(-1, 1, (features, 2 * units)),
        recurrent_kernel=integers(-1, 1, (units, 2 * units)),
        bias=integers(-1, 1, 2 * units),
        initial_state=integers(0, 2, (batch, units)),
        mask=make_mask(mask, batch, steps, rng),
        d_outputs=integers(-2, 2, (batch, steps, units)),
        d_state=integers(-2, 2, (batch, units)),
        **settings,
    )


def on_grid(problem, steps_per_unit=64):
    """The problem with every value a multiple of `1 / steps_per_unit` below 2 in absolute value."""
    limit = 2 * steps_per_unit - 1

    def snap(a):
        return np.clip(np.round(a * steps_per_unit), -limit, limit) / steps_per_unit

    changes = {name: snap(a) for name, a in problem.arrays.items()}
    return problem.but(d_outputs=snap(problem.d_outputs), d_state=snap(problem.d_state), **changes)


def _called(problem, implementation):
    """`ops.add_gru` with the problem's settings, as a function of the tensors by name."""
    import keras_addrnn as ka

    def function(tensors):
        arguments = [tensors.get(name) for name in ARRAYS]
        outputs, state = ka.ops.add_gru(
            *arguments, problem.mask, **problem.settings, implementation=implementation
        )
        return {"outputs": outputs, "state": state}

    return function


def run(problem, implementation, dtype="float32", compiled=False):
    """`{"outputs", "state"}` of `ops.add_gru` as float64 NumPy."""
    return results_of(_called(problem, implementation), problem.arrays, dtype, compiled)


def run_gradients(problem, implementation, dtype="float32", results=("outputs", "state")):
    """The gradients of the problem's arguments, as float64 NumPy.

    Only the named results take part in the loss.
    """
    return run_both(problem, implementation, dtype, results)[1]


def run_both(problem, implementation, dtype="float32", results=("outputs", "state")):
    """What `run` and `run_gradients` return, from one call."""
    upstream = {name: getattr(problem, f"d_{name}") for name in results}
    function = _called(problem, implementation)
    return results_and_gradients(function, problem.arrays, upstream, dtype)


def capsule(array):
    """What the core takes for a NumPy array; None stays None."""
    return None if array is None else array.__dlpack__(max_version=(1, 0))


def run_core(problem, dtype="float32"):
    """`{"outputs", "state"}` of the C++ core on NumPy arrays, as float64."""
    from addrnn import _core

    dtypes = [dtype] * len(ARRAYS) + [bool]
    arrays = [
        a if a is None else np.array(a, to, order="C")
        for a, to in zip(problem.arguments, dtypes, strict=True)
    ]
    outputs, state = np.empty_like(problem.d_outputs, dtype), np.empty_like(problem.d_state, dtype)
    _core.add_gru(*map(capsule, (*arrays, outputs, state)), **problem.settings)
    return {"outputs": outputs.astype(np.float64), "state": state.astype(np.float64)}
