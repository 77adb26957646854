"""The parts of a Keras model that an integer model is made of."""

import dataclasses
from typing import ClassVar

import keras
import numpy as np

from addrnn import weight_quantization
from addrnn._quantized_weights import INTEGER_ACTIVATIONS
from keras_addrnn._sequential import layers_in_order
from keras_addrnn.layers import AddGRU, AddGRUCell, MinAddGRU
from keras_addrnn.ops import _arguments, add_gru, min_add_gru

# What these do they do in training only.
_NOTHING_IN_INFERENCE = (
    keras.layers.ActivityRegularization,
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.SpatialDropout1D,
)
# They keep the order of the numbers that they get, and a sigmoid its 0.5 where those have their 0.
_LEFT_OUT_AT_THE_END = ("linear", "softmax", "sigmoid")
_REMEDIES = {
    "Bidirectional": "Quantize its two directions as models of their own.",
    "Embedding": "Leave it out, and give what it returns to the integer model.",
    "Rescaling": "Apply it to the data, and leave it out.",
    "Normalization": "Apply it to the data, and leave it out.",
    "GRU": "Train the model with keras_addrnn.AddGRU.",
    "LSTM": "Train the model with keras_addrnn.AddGRU.",
    "SimpleRNN": "Train the model with keras_addrnn.AddGRU.",
    "Sequential": "Put its layers into the model itself.",
    "Functional": "Put its layers into the model itself.",
}


@dataclasses.dataclass(frozen=True)
class Recurrent:
    """An AddGRU layer of a Keras model: its float32 weights and its settings."""

    make_integer = staticmethod(weight_quantization.add_gru)
    if_not_finite: ClassVar[str] = (
        "Train it with state_max, or give data like that it was trained on."
    )
    name: str
    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None
    activation: str
    state_shift: float
    state_max: float | None
    go_backwards: bool
    return_sequences: bool

    @property
    def features(self) -> int:
        return self.kernel.shape[0]

    @property
    def weights(self) -> tuple[np.ndarray | None, ...]:
        return self.kernel, self.recurrent_kernel, self.bias

    def outputs(self, data: np.ndarray) -> np.ndarray:
        """Keras' own states after each step, in the order of processing, `[N, T, H]`."""
        outputs, _ = add_gru(
            *_tensors(data, *self.weights),
            activation=self.activation,
            state_shift=self.state_shift,
            state_max=self.state_max,
            go_backwards=self.go_backwards,
        )
        return keras.ops.convert_to_numpy(outputs)

    def products(self, order: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """What the kernels add to the gate, `[N, T, 2 * H]`, of inputs in that order."""
        before = np.concatenate([np.zeros_like(outputs[:, :1]), outputs[:, :-1]], axis=1)
        return order @ self.kernel + before @ self.recurrent_kernel


@dataclasses.dataclass(frozen=True)
class MinRecurrent:
    """A MinAddGRU layer of a Keras model: its float32 weights and its settings."""

    make_integer = staticmethod(weight_quantization.min_add_gru)
    if_not_finite: ClassVar[str] = "Give data like that it was trained on."
    name: str
    kernel: np.ndarray
    bias: np.ndarray | None
    activation: str
    go_backwards: bool
    return_sequences: bool
    state_shift: ClassVar[float] = 0.0
    state_max: ClassVar[None] = None

    @property
    def features(self) -> int:
        return self.kernel.shape[1]

    @property
    def weights(self) -> tuple[np.ndarray | None, ...]:
        return self.kernel, self.bias

    def outputs(self, data: np.ndarray) -> np.ndarray:
        """As `Recurrent.outputs`."""
        outputs, _ = min_add_gru(
            *_tensors(data, *self.weights),
            activation=self.activation,
            go_backwards=self.go_backwards,
        )
        return keras.ops.convert_to_numpy(outputs)

    def products(self, order: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """As `Recurrent.products`; of the last inputs alone."""
        window, steps = len(self.kernel), order.shape[1]
        padded = np.pad(order, ((0, 0), (window - 1, 0), (0, 0)))
        return sum(padded[:, j : j + steps] @ weights for j, weights in enumerate(self.kernel))


@dataclasses.dataclass(frozen=True)
class Dense:
    """A dense layer at the end of a Keras model: its float32 weights."""

    name: str
    kernel: np.ndarray
    bias: np.ndarray | None


def read(model: keras.Model) -> list[Recurrent | MinRecurrent | Dense]:
    """The recurrent layers of a Keras model in order, and its `Dense` one if it ends in one.

    Raises a `ValueError` where something in it has no integer form, with the reason.
    """
    layers = []
    for layer in layers_in_order(model):
        if type(layer) in _NOTHING_IN_INFERENCE:
            continue
        if layers and isinstance(layers[-1], Dense) and _is_left_out(layer):
            continue
        if layers and isinstance(layers[-1], Dense):
            raise ValueError(
                f"Layer '{layer.name}' follows '{layers[-1].name}', but in an integer model a "
                "Dense layer is the last one. Quantize the model that ends there, and compute the "
                "rest of its predictions."
            )
        layers.append(_read_layer(layer))
    if not layers or isinstance(layers[0], Dense):
        received = "no such layer. Put one before the others."
        if layers:
            received = (
                f"the Dense layer '{layers[0].name}'. Apply it to the data, and leave it out."
            )
        raise ValueError(
            f"Model '{model.name}' must begin with an AddGRU or a MinAddGRU layer. Received: "
            + received
        )
    return layers


def _is_left_out(layer):
    if type(layer) is keras.layers.Softmax:
        return layer.axis in (-1, len(layer.input.shape) - 1)
    return type(layer) is keras.layers.Activation and _ends_in(layer.activation)


def _ends_in(activation):
    return any(activation is keras.activations.get(name) for name in _LEFT_OUT_AT_THE_END)


def _read_layer(layer):
    # Not `isinstance`: a subclass may compute something else.
    kind = type(layer)
    if kind is keras.layers.TimeDistributed and type(layer.layer) is keras.layers.Dense:
        return _read_dense(layer.layer, layer.name)
    if kind is keras.layers.Dense:
        return _read_dense(layer, layer.name)
    if kind in (AddGRU, keras.layers.RNN) and type(layer.cell) is AddGRUCell:
        return _read_recurrent(layer)
    if kind is MinAddGRU:
        return _read_min_recurrent(layer)
    name = type(layer).__name__
    raise ValueError(
        f"Layer '{layer.name}' ({name}) has no integer form. "
        + _REMEDIES.get(
            name,
            "An integer model takes AddGRU, RNN(AddGRUCell) and MinAddGRU layers and a Dense layer "
            "at the end, and no classes derived from them.",
        )
    )


def _read_recurrent(layer):
    cell = layer.cell
    activation = _checked_activation(layer, cell.activation)
    if cell.state_max is not None and cell.state_max < 0:
        raise ValueError(
            f"Layer '{layer.name}' has state_max={cell.state_max}, and in integers it is at least "
            "0. Train it with such a bound, or with None."
        )
    return Recurrent(
        layer.name,
        _array(cell.scaled_kernel()),
        _array(cell.recurrent_kernel),
        None if cell.bias is None else _array(cell.bias),
        activation,
        cell.state_shift,
        cell.state_max,
        bool(layer.go_backwards),
        bool(layer.return_sequences),
    )


def _read_min_recurrent(layer):
    return MinRecurrent(
        layer.name,
        _array(layer.scaled_kernel()),
        None if layer.bias is None else _array(layer.bias),
        _checked_activation(layer, layer.activation),
        bool(layer.go_backwards),
        bool(layer.return_sequences),
    )


def _checked_activation(layer, activation):
    """The name of a recurrent layer's activation; refuses settings that have no integer form."""
    for name, remedy in (
        ("return_state", "The integer model has no state to return"),
        ("stateful", "The integer model starts each sequence with zeros"),
        ("zero_output_for_mask", "Where a mask is False, an integer model keeps the state"),
    ):
        if getattr(layer, name):
            raise ValueError(f"Layer '{layer.name}' has {name}=True. {remedy}: use {name}=False.")
    activation = _arguments.activation(activation)
    if activation not in INTEGER_ACTIVATIONS:
        name = getattr(activation, "__name__", activation)
        raise ValueError(
            f"Layer '{layer.name}' has the activation {name!r}, which integers cannot compute. "
            f"Train it with {', '.join(map(repr, INTEGER_ACTIVATIONS[:-1]))} or "
            f"{INTEGER_ACTIVATIONS[-1]!r}."
        )
    return activation


def _read_dense(layer, name):
    if not _ends_in(layer.activation):
        activation = getattr(layer.activation, "__name__", layer.activation)
        raise ValueError(
            f"Layer '{layer.name}' has the activation {activation!r}, and a Dense layer of an "
            "integer model must be linear. Train it so, or with softmax or sigmoid, which are left "
            "out."
        )
    if layer.quantization_mode is not None:
        raise ValueError(
            f"Layer '{layer.name}' is quantized already ({layer.quantization_mode}). Take the "
            "model as it was before."
        )
    return Dense(name, _array(layer.kernel), _array(layer.bias) if layer.use_bias else None)


def _array(variable):
    return keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32"))


def _tensors(*arrays):
    return [None if a is None else keras.ops.convert_to_tensor(a) for a in arrays]
