"""Problems to run MinAddGRU on, and one way to run it on any backend and in any dtype."""

from dataclasses import dataclass, replace

import numpy as np

from tests import min_reference, reference
from tests.backends import results_and_gradients, results_of
from tests.support import make_mask, round_to

ARRAYS = ("inputs", "kernel", "bias", "initial_state", "initial_inputs")


@dataclass(frozen=True)
class MinProblem:
    """The arguments of one call, in float64, and the gradients that arrive at its results."""

    inputs: np.ndarray  # [B, T, D]
    kernel: np.ndarray  # [w, D, 2H]
    bias: np.ndarray | None  # [2H]
    initial_state: np.ndarray | None  # [B, H]
    mask: np.ndarray | None  # [B, T]
    initial_inputs: np.ndarray | None  # [B, w - 1, D]
    d_outputs: np.ndarray  # [B, T, H]
    d_state: np.ndarray  # [B, H]
    activation: str = "relu"
    go_backwards: bool = False

    def but(self, **changes):
        return replace(self, **changes)

    @property
    def settings(self):
        return {"activation": self.activation, "go_backwards": self.go_backwards}

    @property
    def arrays(self):
        """The differentiable arguments that are given, by name."""
        return {name: getattr(self, name) for name in ARRAYS if getattr(self, name) is not None}

    @property
    def arguments(self):
        """The tensors by name, with the mask."""
        return {**self.arrays, "mask": self.mask}

    @property
    def _of_the_reference(self):
        arguments = self.arguments
        return {"x": arguments.pop("inputs"), **arguments, **self.settings}

    def as_dtype(self, dtype):
        """The same problem with every array rounded to `dtype` (and kept as float64)."""
        names = (*ARRAYS, "d_outputs", "d_state")
        return self.but(**{name: round_to(getattr(self, name), dtype) for name in names})

    def away_from_kinks(self, distance):
        """The same problem without gradients from the rows that come nearer to a kink than that."""
        far = min_reference.kink_distance(**self._of_the_reference) > distance
        return self.but(
            d_outputs=self.d_outputs * far[:, None, None], d_state=self.d_state * far[:, None]
        )

    def expected(self):
        """The reference's `{"outputs", "state"}`."""
        result = min_reference.min_add_gru(**self._of_the_reference)
        return {name: result[name] for name in ("outputs", "state")}

    def expected_gradients(self):
        """The reference's analytic gradients, of the arguments that are given."""
        gradients = min_reference.min_add_gru_gradients(
            **self._of_the_reference, d_outputs=self.d_outputs, d_state=self.d_state
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


def make_problem(seed, sizes, *, mask="none", bias=True, initial=True, **settings):
    """A generic problem of `sizes` `(B, T, D, H, w)`. With `initial`, state and inputs are given.

    A third of the initial states is negative.
    """
    rng = np.random.default_rng(seed)
    batch, steps, features, units, taps = sizes
    normal = rng.standard_normal
    return MinProblem(
        inputs=normal((batch, steps, features)),
        kernel=normal((taps, features, 2 * units)) / np.sqrt(max(taps * features, 1)),
        bias=0.3 * normal(2 * units) if bias else None,
        initial_state=normal((batch, units)) + 0.5 if initial else None,
        mask=make_mask(mask, batch, steps, rng),
        initial_inputs=normal((batch, taps - 1, features)) if initial else None,
        d_outputs=normal((batch, steps, units)),
        d_state=normal((batch, units)),
        **settings,
    )


def make_integer_problem(seed, sizes, *, mask="none", **settings):
    """A problem of small integers: exact in every float, and often exactly at a kink."""
    rng = np.random.default_rng(seed)
    batch, steps, features, units, taps = sizes

    def integers(low, high, shape):
        return rng.integers(low, high + 1, size=shape).astype(np.float64)

    return MinProblem(
        inputs=integers(-1, 1, (batch, steps, features)),
        kernel=integers(-1, 1, (taps, features, 2 * units)),
        bias=integers(-1, 1, 2 * units),
        initial_state=integers(-2, 4, (batch, units)),
        mask=make_mask(mask, batch, steps, rng),
        initial_inputs=integers(-1, 1, (batch, taps - 1, features)),
        d_outputs=integers(-2, 2, (batch, steps, units)),
        d_state=integers(-2, 2, (batch, units)),
        **settings,
    )


def widest():
    """The widest dtype in which Keras computes on this backend, and how near that comes.

    On JAX it takes the tangent in float32; on PyTorch it takes products and maxima so.
    """
    import keras

    return ("float32", 1e-5) if keras.backend.backend() == "torch" else ("float64", 1e-12)


def called(problem, implementation):
    """`ops.min_add_gru` with the problem's settings, as a function of the tensors by name."""
    import keras_addrnn as ka

    def function(tensors):
        outputs, state = ka.ops.min_add_gru(
            **tensors, mask=problem.mask, **problem.settings, implementation=implementation
        )
        return {"outputs": outputs, "state": state}

    return function


def run(problem, implementation, dtype="float32"):
    """`{"outputs", "state"}` of `ops.min_add_gru` as float64 NumPy."""
    return results_of(called(problem, implementation), problem.arrays, dtype)


def run_both(problem, implementation, dtype="float32", compiled=False):
    """What `run` returns, and the gradients of the arguments."""
    upstream = {"outputs": problem.d_outputs, "state": problem.d_state}
    function = called(problem, implementation)
    return results_and_gradients(function, problem.arrays, upstream, dtype, compiled)
