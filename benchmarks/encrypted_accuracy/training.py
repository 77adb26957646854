"""Trains the networks that are not there yet, with gates that add or multiply, alike in integers.

An encrypted model is paid for by its look-ups. So the networks have few units and steps, pixels
have three levels, and the sums few values: Each column of weights is shrunk towards zero until its
sum fits, and the limit becomes narrow little by little. The seeds of a network are trained at once.

What differs beside the gate is its learning rates, see gates.py.

    .venv/bin/python -m benchmarks.encrypted_accuracy.training --data-dir DIR
"""

import functools
import os

# One thread: many networks are trained at a time.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from addrnn import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, IntegerModel
from benchmarks._harness import page
from benchmarks.encrypted_accuracy import digits, plan
from benchmarks.encrypted_accuracy.gates import GATES, clip, rounded, through

WEIGHT_MAX = 7  # 4 bits
WIDER = 2.5  # bits beyond those that the sums will have, when they begin to become narrow
NARROWING = 0.5  # the part of the epochs in which they do
EXCESS_WEIGHT = 0.1  # of sums that are too wide, in the loss
STATES_READ = 2  # by each sum, where sums read states
SHRINKAGES = jnp.linspace(0, 1, 33)


def quantized(weights, bias, spans, limit, shifts):
    """Weights and bias in steps of `2**-shift` of the state, by column.

    Args:
        weights: `[F, C]`.
        spans: `[F]`, the greatest less the least value that each row meets.
        limit: The greatest less the least value of a sum in its steps, at most.
        shifts: The shifts that there may be.

    Returns:
        Both as numbers that a gradient passes through, the shifts, and how far columns are beyond
        the limit.
    """
    fixed = jax.lax.stop_gradient(weights)
    smaller = jnp.abs(fixed) - SHRINKAGES[:, None, None] * jnp.abs(fixed).max(0)
    smaller = jnp.sign(fixed) * jnp.maximum(smaller, 0)

    def with_shift(shift):
        integers = clip(jnp.round(smaller * 2.0**shift), -WEIGHT_MAX, WEIGHT_MAX)
        fits = (jnp.abs(integers) * spans[:, None]).sum(1) <= limit
        integers = jnp.take_along_axis(integers, jnp.argmax(fits, 0)[None, None], 0)[0]
        return jnp.square(integers * 2.0**-shift - fixed).sum(0), integers

    errors, integers = jax.vmap(with_shift)(shifts)
    shift = shifts[errors.argmin(0)]
    integers = jnp.take_along_axis(integers, errors.argmin(0)[None, None], 0)[0]
    step = 2.0**-shift
    excess = jnp.maximum((jnp.abs(weights / step) * spans[:, None]).sum(0) / limit - 1, 0)
    rounded_bias = through(bias, jnp.floor(bias / step + 0.5) * step)
    return through(weights, integers * step), rounded_bias, shift, excess.sum()


class Network:
    """A recurrent layer and a dense one; `parameters` is a dict of arrays.

    Args:
        gate: One of `GATES`.
        features: Of a step.
        units, bits: Of the layer, and of its sums.
        inputs: `Quantization` of the inputs.
        levels: How many integers an input may be.
        classes: Outputs of the dense layer.
        shift_max: The finest that weights may be. On many features they became ever finer.
        state_max: The greatest state.
    """

    def __init__(
        self, gate, features, units, bits, inputs, levels, classes, shift_max=4, state_max=7
    ):
        self.gate, self.reads_state, self.rates = GATES[gate]
        self.features, self.units, self.inputs, self.classes = features, units, inputs, classes
        self.state_max = state_max
        # Before a look-up of 6 bits or more one or two are cut off: blocks of values must fit.
        self.limit, least = (2**bits - 4, 1) if bits > 5 else (2**bits - 1, 0)
        self.shifts = jnp.arange(least, shift_max + 1)
        spans = [levels - 1] * features + [state_max] * units * self.reads_state
        self.spans = jnp.array(spans, jnp.float32)

    def start(self, key):
        """First parameters, and a mask of the weights that there are."""
        keys = jax.random.split(key, 3)
        rows, units = len(self.spans), self.units
        weights = 0.7 * jax.random.normal(keys[0], (rows, 2 * units))
        mask = np.ones((rows, 2 * units), np.float32)
        if self.reads_state:
            rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).sum())
            mask[self.features :] = np.tile(np.eye(units), 2)
            for column in range(2 * units):
                others = np.delete(np.arange(units), column % units)
                drawn = rng.choice(others, STATES_READ - 1, replace=False)
                mask[self.features + drawn, column] = 1
        return {
            "update": weights[:, :units],
            "candidate": weights[:, units:],
            "bias": jnp.stack([jnp.zeros(units), jnp.full(units, 2.0)]),
            "dense": 0.3 * jax.random.normal(keys[1], (units, self.classes)),
            "dense_bias": jnp.zeros(self.classes),
        }, jnp.array(mask)

    def rate_of(self, name):
        rates = {"update": self.rates[0], "candidate": self.rates[1], "bias": self.rates[1]}
        return rates.get(name, 1.0)

    def weights(self, parameters, mask, wider=1.0):
        """What `quantized` gives for all columns."""
        weights = jnp.concatenate([parameters["update"], parameters["candidate"]], 1) * mask
        bias = parameters["bias"].reshape(-1)
        return quantized(weights, bias, self.spans, self.limit * wider, self.shifts)

    def states(self, inputs, weights, bias):
        """The last state of `[B, T, D]`; a step of `PADDING` keeps it."""
        kernel, recurrent = jnp.split(weights, [self.features])
        h = jnp.zeros((len(inputs), self.units))
        for t in range(inputs.shape[1]):
            sums = inputs[:, t] @ kernel + bias
            if self.reads_state:
                sums = sums + h @ recurrent
            after = self.gate(*jnp.split(sums, 2, 1), h, self.state_max)
            h = jnp.where(inputs[:, t, :1] == digits.PADDING, h, after)
        return h

    def dense(self, parameters):
        step = jax.lax.stop_gradient(jnp.abs(parameters["dense"]).max()) / WEIGHT_MAX
        bias = rounded(parameters["dense_bias"] * (self.state_max / 2) / step)
        return rounded(parameters["dense"] / step), bias, step

    def scores(self, parameters, mask, inputs, wider=1.0):
        weights, bias, _, excess = self.weights(parameters, mask, wider)
        kernel, dense_bias, step = self.dense(parameters)
        sums = self.states(inputs, weights, bias) @ kernel + dense_bias
        return sums * step * (2 / self.state_max), EXCESS_WEIGHT * excess

    def integers(self, parameters, mask):
        """The `IntegerModel`; of a gate that multiplies it holds what comes before the gate."""
        weights, bias, shift, _ = map(np.asarray, self.weights(parameters, mask))
        both = np.rint(weights * 2.0**shift).astype(np.int8)
        kernel, recurrent = np.split(both, [self.features])
        state_bits = self.state_max.bit_length() + 1
        settings = dict(
            bias=np.rint(bias * 2.0**shift).astype(np.int32),
            shift=shift.astype(np.uint8),
            state_max=self.state_max,
            candidate_max=self.state_max,
            input_bits=self.inputs.bits,
            weight_bits=4,
            state_bits=state_bits,
            state_scale=1.0,
        )
        if self.reads_state:
            zeros = np.zeros_like(settings["shift"])
            layer = IntegerAddGRU(
                kernel=kernel,
                recurrent_kernel=recurrent,
                kernel_shift=zeros,
                recurrent_shift=zeros,
                candidate_min=0,
                **settings,
            )
        else:
            zero = self.inputs.zero_point
            layer = IntegerMinAddGRU(kernel=kernel[None], input_zero_point=zero, **settings)
        kernel, bias, _ = map(np.asarray, self.dense(parameters))
        dense = IntegerDense(
            kernel=np.rint(kernel).astype(np.int8),
            bias=np.rint(bias).astype(np.int32),
            input_bits=state_bits,
            weight_bits=4,
            scale=1.0,
        )
        return IntegerModel(self.inputs, [layer, dense])


def train(network, inputs, labels, seeds, epochs, batch, rate):
    """The `IntegerModel` for each seed.

    Args:
        inputs: Integers `[N, T, D]`.
        labels: Integers `[N]`.
    """
    inputs, labels = jnp.array(inputs, jnp.float32), jnp.array(labels)
    count = len(inputs) // batch
    started = [network.start(jax.random.key(seed)) for seed in seeds]
    parameters, masks = jax.tree.map(lambda *each: jnp.stack(each), *started)

    def loss(parameters, mask, rows, wider):
        scores, excess = network.scores(parameters, mask, inputs[rows], wider)
        targets = jax.nn.one_hot(labels[rows], network.classes)
        targets = 0.9 * targets + 0.1 / network.classes
        return -(targets * jax.nn.log_softmax(scores)).sum(1).mean() + excess

    def step(carry, rows, mask, wider):
        parameters, first, second, number = carry
        gradient = jax.grad(loss)(parameters, mask, rows, wider)
        number = number + 1
        falling = rate * 0.5 * (1 + jnp.cos(jnp.pi * number / (epochs * count)))
        falling *= jnp.sqrt(1 - 0.999**number) / (1 - 0.9**number)
        first = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, first, gradient)
        second = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, second, gradient)
        parameters = {
            name: value
            - falling * network.rate_of(name) * first[name] / (jnp.sqrt(second[name]) + 1e-7)
            for name, value in parameters.items()
        }
        return (parameters, first, second, number), None

    @jax.jit
    def epoch(parameters, first, second, number, wider, orders, masks):
        def one(parameters, first, second, order, mask):
            each = functools.partial(step, mask=mask, wider=wider)
            return jax.lax.scan(each, (parameters, first, second, number), order)[0][:3]

        return jax.vmap(one)(parameters, first, second, orders, masks)

    first = second = jax.tree.map(jnp.zeros_like, parameters)
    draws = [np.random.default_rng(seed) for seed in seeds]
    for index in range(epochs):
        wider = 2.0 ** (WIDER * max(0.0, 1 - index / (NARROWING * epochs)))
        orders = [draw.permutation(len(inputs))[: count * batch] for draw in draws]
        orders = jnp.array(np.stack(orders).reshape(len(seeds), count, batch))
        parameters, first, second = epoch(
            parameters, first, second, float(index * count), wider, orders, masks
        )
    return [
        network.integers(*jax.tree.map(lambda each, i=i: each[i], (parameters, masks)))
        for i in range(len(seeds))
    ]


def main(arguments=None):
    parser = page.documented(__doc__)
    parser.add_argument("--data-dir", type=pathlib.Path, help="of the IDX files of MNIST")
    parser.add_argument("--match", default="", help="only networks with this in their name")
    options = parser.parse_args(arguments)
    for settings in plan.networks():
        paths = plan.paths_of(settings)
        if options.match not in paths[0].name or plan.is_trained(settings):
            continue
        task = digits.TASKS[settings["task"]]
        inputs, labels, _, _ = task.load(settings["steps"], options.data_dir)
        sizes = inputs.shape[2], settings["units"], settings["bits"]
        integers = task.inputs, task.levels, int(labels.max()) + 1, task.shift_max, task.state_max
        network = Network(settings["gate"], *sizes, *integers)
        seeds = plan.SEEDS[settings["task"]]
        models = train(network, inputs, labels, seeds, task.epochs, task.batch, task.rate)
        for path, model in zip(paths, models, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            model.save(path)
        print(*settings.values(), flush=True)


if __name__ == "__main__":
    main()
