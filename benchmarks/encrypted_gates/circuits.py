"""Gates that add and gates that multiply, as circuits on encrypted numbers, and in NumPy.

For `b` bits, the sums `u` of the update gate and `z` of the candidate go from `-2^(b-1)` to
`M = 2^(b-1) - 1`, and the state `h` from 0 to `M`. A gate that multiplies is
`h' = (g h + (M - g) c) / M` with `g = sigmoid(u)` from 0 to `M` and `c = max(z, 0)`. A product of
encrypted numbers is `x y = q(x + y) - q(x - y)` with `q(x) = x^2 / 4`: two look-ups. The division
by `M`, and its rounding, are in these tables: without that a state would take one look-up more, of
twice the bits. No rounding takes a state out of 0 to `M`: a test goes through all numbers.
"""

import dataclasses
import inspect

import numpy as np

from addrnn.fhe._bounds import BoundedTracer, check_bit_widths, graph_processor
from addrnn.fhe._concrete import concrete


class Clear:
    """Stands in for `BoundedTracer`, in NumPy: the same gates compute the expected outputs."""

    def __init__(self, values):
        self.values = values

    def __add__(self, other):
        return Clear(self.values + (other.values if isinstance(other, Clear) else other))

    def __sub__(self, other):
        return Clear(self.values - (other.values if isinstance(other, Clear) else other))

    def __matmul__(self, weights):
        return Clear(self.values @ weights)

    def lookup(self, function, name):
        return Clear(function(self.values))

    def within(self, low, high):
        assert (self.values >= low).all() and (self.values <= high).all()
        return self


def _relu(value):
    return np.maximum(value, 0)


def _add(u, z, h, most, *, candidate_relu):
    c = z.lookup(_relu, "candidate") if candidate_relu else z
    p = u.lookup(_relu, "update gate")
    n = (p - u).within(0, most + 1)
    kept = (h - n).lookup(_relu, "kept state")
    return kept + (c - p).lookup(_relu, "written candidate")


def _sigmoid(most):
    # u / 2^(b-3): from -4 to 4, as steep as the bits allow.
    return lambda u: np.rint(most / (1 + np.exp(-8.0 * u / (2 * most + 2)))).astype(np.int64)


def _quarter_squares(most, offset=0):
    return lambda x: np.rint((x + offset) ** 2 / (4.0 * most)).astype(np.int64)


def _mul_6(u, z, h, most):
    """As in the paper: a sigmoid, a ReLU, and two products; `h` is None for a state of zeros."""
    c = z.lookup(_relu, "candidate")
    g = u.lookup(_sigmoid(most), "update gate")
    opposite = _quarter_squares(most, most)  # of (most - g) + c and of (most - g) - c
    backwards = _quarter_squares(most, -most)
    written = (c - g).lookup(opposite, "product") - (g + c).lookup(backwards, "product")
    if h is None:
        return written
    quarter = _quarter_squares(most)
    return (g + h).lookup(quarter, "product") - (g - h).lookup(quarter, "product") + written


def _mul_4(u, z, h, most):
    """One product: `c + g (h - c)`; `h` is None for a state of zeros."""
    c = z.lookup(_relu, "candidate")
    g = u.lookup(_sigmoid(most), "update gate")
    up, down = (g - c, g + c) if h is None else (g + h - c, g - h + c)
    quarter = _quarter_squares(most)
    return c + up.lookup(quarter, "product") - down.lookup(quarter, "product")


# Beside each, whether its state has to be cut off at `most`.
GATES = {
    "add, 4 PBS": (lambda *a: _add(*a, candidate_relu=True), True),
    "add, 3 PBS": (lambda *a: _add(*a, candidate_relu=False), True),
    "mul, 6 PBS": (_mul_6, False),
    "mul, 4 PBS": (_mul_4, False),
}


@dataclasses.dataclass(frozen=True)
class _Circuit:
    gate: str
    bits: int
    units: int

    @property
    def most(self):
        return 2 ** (self.bits - 1) - 1

    def draw(self, rng):
        """Inputs of the circuit, in the order and the range of `ranges`."""
        return [rng.integers(low, high + 1, self.units) for low, high in self.ranges()]


@dataclasses.dataclass(frozen=True)
class Step(_Circuit):
    """One step of a gate: `u`, `z` and `h` are encrypted, and its inputs."""

    def ranges(self):
        """The least and the greatest value of each input."""
        return [(-self.most - 1, self.most)] * 2 + [(0, self.most)]

    def run(self, u, z, h):
        gate, _ = GATES[self.gate]
        return gate(u, z, h, self.most)


@dataclasses.dataclass(frozen=True)
class Layer(_Circuit):
    """A recurrent layer over some steps; its inputs are a state to start from, and one a step.

    Each sum takes one input and one state, with weights of 1 and -1: it has `bits` bits as it is,
    and comes to the state's scale without a look-up, so that what differs is the gate. A gate that
    adds has its state cut off, one look-up more; one that multiplies needs none.
    """

    timesteps: int

    def ranges(self):
        """Inputs have one bit less than the sums, and at the lower end less by one."""
        half = 2 ** (self.bits - 2)
        return [(0, self.most)] + [(1 - half, half - 1)] * self.timesteps

    def _weights(self):
        rng = np.random.default_rng(self.units)
        kernels = np.zeros((2, 2, self.units, self.units), np.int64)
        columns = np.arange(self.units)
        for matrix in kernels.reshape(-1, self.units, self.units):
            matrix[rng.permutation(self.units), columns] = rng.choice([-1, 1], self.units)
        # So that each sum that has a state in it goes as far above 0 as below.
        half = 2 ** (self.bits - 2)
        return *kernels, np.where(kernels[1].sum(1) > 0, -half, half - 1)

    def run(self, state, *inputs):
        gate, cut = GATES[self.gate]
        kernel, recurrent_kernel, bias = self._weights()
        for step in inputs:
            u, z = (
                step @ kernel[half] + state @ recurrent_kernel[half] + bias[half] for half in (0, 1)
            )
            state = gate(u, z, state, self.most)
            if cut:
                state = state.lookup(lambda value: np.minimum(value, self.most), "saturation")
            else:
                state = state.within(0, self.most)
        return state


def compiled(circuit, global_p_error):
    """The `concrete.fhe.Circuit` of a `Step` or a `Layer`."""
    sample = circuit.draw(np.random.default_rng(0))
    names = [f"input_{number}" for number in range(len(sample))]

    def trace(**inputs):
        ranged = [
            BoundedTracer(inputs[name], *ends)
            for name, ends in zip(names, circuit.ranges(), strict=True)
        ]
        return circuit.run(*ranged).tracer

    trace.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    )

    configuration = concrete().Configuration(
        global_p_error=global_p_error,
        dump_artifacts_on_unexpected_failures=False,
        compress_evaluation_keys=True,
        additional_pre_processors=[graph_processor()],
    )
    compiler = concrete().Compiler(trace, dict.fromkeys(names, "encrypted"))
    made = compiler.compile([tuple(sample)], configuration)
    check_bit_widths(made.graph)
    return made


def expected(circuit, inputs):
    """What has to come out, in NumPy."""
    return circuit.run(*[Clear(values) for values in inputs]).values
