"""AddGRU with one thing changed, for the ablations: by its arguments, or as a cell of its own."""

import keras

import keras_addrnn as ka
from benchmarks._tasks.initializers import spread_gate_bias
from benchmarks._tasks.multiplying import TwoSums
from keras_addrnn.layers import GateBias, InhibitedOrthogonal

relu = keras.ops.relu


def add_gru_initializers():
    """Made with the layer, as AddGRU does: of the same seed they then give the same weights."""
    return keras.initializers.GlorotUniform(), InhibitedOrthogonal()


class LearnedShiftCell(TwoSums):
    """The state's shift is a weight of each unit, kept at 0 or above; a hard_tanh candidate."""

    def __init__(self, units, shift):
        super().__init__(units, add_gru_initializers())
        self.first_shift = shift

    def build(self, shape):
        super().build(shape)
        self.shift = self.add_weight(
            (self.units,),
            keras.initializers.Constant(self.first_shift),
            constraint=keras.constraints.NonNeg(),
            name="shift",
        )

    def step(self, u, z, state):
        c, s = keras.ops.clip(z, -1, 1), self.shift
        return relu(state + s - relu(-u)) + relu(c + s - relu(u)) - s


class SignedCell(TwoSums):
    """No constraint on the state's sign: what the gate takes away moves a number towards 0.

    Where a number is positive that is AddGRU's gate, and where it is negative its mirror image. The
    candidate is linear.
    """

    def __init__(self, units):
        super().__init__(units, add_gru_initializers())

    def step(self, u, z, state):
        return _shrink(state, relu(-u)) + _shrink(z, relu(u))


def _shrink(value, amount):
    """`value` moved towards 0 by `amount`, not across it."""
    return relu(value - amount) - relu(-value - amount)


def _layer(**arguments):
    # Without the factor of the inputs, as the cells below and the recorded runs.
    return lambda units, **more: ka.AddGRU(units, scale_inputs=False, **arguments, **more)


def _cell(cell, *arguments):
    return lambda units, **more: keras.layers.RNN(cell(units, *arguments), **more)


VARIANTS = {
    "as it is": _layer(),
    **{f"state_max {bound}": _layer(state_max=bound) for bound in (0.25, 1, 4)},
    "hard_tanh, shift 0": _layer(activation="hard_tanh", state_shift=0),
    **{
        f"{activation}, shift {shift}": _layer(activation=activation, state_shift=shift)
        for activation in ("hard_tanh", "linear", "tanh", "relu")
        for shift in (0.5, 1)
    },
    "shift learnt, from 0.5": _cell(LearnedShiftCell, 0.5),
    "shift learnt, from 1": _cell(LearnedShiftCell, 1.0),
    "signed": _cell(SignedCell),
    **{f"gate bias {b}": _layer(bias_initializer=GateBias(b)) for b in (-1, -0.5, 0.5, 1, 2)},
    "gate bias -1..0": _layer(bias_initializer=spread_gate_bias(-1, 0)),
    "gate bias -1..1": _layer(bias_initializer=spread_gate_bias(-1, 1)),
    "orthogonal": _layer(recurrent_initializer="orthogonal"),
}
