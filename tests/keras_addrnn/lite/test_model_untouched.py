"""Converting a model sets nothing on it: not on its layers, nor on their cells."""

import collections
import threading

import keras
import numpy as np
import pytest

import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)

from keras_addrnn.lite import _unrolled
from tests.keras_addrnn.lite.models import FEATURES, UNITS, randomised, sequences

FORMS = [("builtin", kind) for kind in (None, "dynamic", "int8", "int16x8")] + [
    pytest.param("fused", None, marks=pytest.mark.fused)
]


def trapped(kind):
    """A class of layers that note each attribute that is set once `kind.armed`."""

    @keras.saving.register_keras_serializable("test_model_untouched", name=kind.__name__)
    class Trapped(kind):
        armed, found = False, []

        def __setattr__(self, name, value):
            if Trapped.armed:
                Trapped.found.append(name)
            super().__setattr__(name, value)

    return Trapped


KINDS = {kind.__name__: trapped(kind) for kind in (ka.AddGRU, keras.layers.GRU, keras.layers.RNN)}
CELL = trapped(ka.AddGRUCell)
TRAPS = [*KINDS.values(), CELL]


def layers():
    both = [
        KINDS["AddGRU"](UNITS, return_sequences=True, state_max=2.0),
        KINDS["GRU"](UNITS, return_sequences=True),
        KINDS["RNN"](CELL(UNITS, state_max=2.0), return_sequences=True),
    ]
    return [*both, keras.layers.Bidirectional(KINDS["GRU"](3)), keras.layers.Dense(2)]


def functional():
    inputs = keras.Input((7, FEATURES), name="rows")
    outputs = inputs
    first, *others = layers()
    outputs = ka.ops.add_gru(
        first(outputs), np.ones((UNITS, 8), "float32") / 8, np.zeros((4, 8), "float32")
    )[0]
    inner = keras.Input((7, 4))
    middle = inner
    for layer in others[:-1]:
        middle = layer(middle)
    nested = keras.Model(inner, middle)
    return keras.Model(inputs, others[-1](nested(outputs)))


def sequential():
    return keras.Sequential([keras.Input((7, FEATURES), name="rows"), *layers()])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        *blocks, self.head = layers()
        self.blocks = blocks
        self.named = {"last": keras.layers.Dense(3)}

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return self.head(self.named["last"](inputs))


def attributes_set_by(function):
    """The names of the attributes that are set on trapped layers while a function runs."""
    for trap in TRAPS:
        trap.armed = True
        trap.found.clear()
    try:
        function()
        return {name for trap in TRAPS for name in trap.found}
    finally:
        for trap in TRAPS:
            trap.armed = False


def identities(model):
    """Each attribute of each layer, by identity."""
    return [{n: id(v) for n, v in vars(layer).items()} for layer in model._flatten_layers()]


@pytest.mark.parametrize("make", [sequential, functional, Subclassed])
@pytest.mark.parametrize(("ops", "quantize"), FORMS)
def test_nothing_is_set(make, ops, quantize):
    model, data = make(), sequences(8)
    model(data)
    randomised(model)
    expected, before = np.asarray(model(data)), identities(model)
    by_keras = attributes_set_by(lambda: model(data))  # when it calls a layer
    assert not {"unroll", "implementation"} & by_keras
    settings = dict(ops=ops, quantize=quantize, representative_data=data)
    assert attributes_set_by(lambda: ka.lite.convert(model, **settings)) <= by_keras
    assert identities(model) == before
    np.testing.assert_array_equal(model(data), expected)


def test_trap_notes_what_is_set():
    layer = KINDS["GRU"](3)
    assert attributes_set_by(lambda: setattr(layer, "unroll", True)) == {"unroll"}


@pytest.mark.parametrize("make", [sequential, functional, Subclassed])
def test_unrolled_model_answers_alike_and_shares_its_weights(make):
    model, data = make(), sequences(8)
    model(data)
    randomised(model)
    unrolled = _unrolled.unrolled(model)
    np.testing.assert_allclose(unrolled(data), model(data), rtol=1e-5, atol=1e-6)
    assert [id(weight) for weight in unrolled.weights] == [id(weight) for weight in model.weights]
    kinds = keras.layers.GRU, KINDS["RNN"]
    loops = [layer for layer in model._flatten_layers() if isinstance(layer, kinds)]
    copies = [layer for layer in unrolled._flatten_layers() if isinstance(layer, kinds)]
    assert len(loops) == len(copies) >= 4
    assert not any(layer.unroll for layer in loops) and all(copy.unroll for copy in copies)


def addition_gated():
    """A model whose integer file is the same each time, as one with Keras' GRU is not."""
    rows = keras.Input((7, FEATURES))
    states = keras.layers.RNN(ka.AddGRUCell(UNITS, state_max=2.0), return_sequences=True)(rows)
    return randomised(keras.Model(rows, ka.AddGRU(4, state_max=2.0)(states)))


def test_threads_may_convert_one_model_while_it_is_used():
    model, data = addition_gated(), sequences(8)
    expected, found, running = np.asarray(model(data)), {}, True

    def convert(quantize):
        found[quantize] = ka.lite.convert(model, quantize=quantize, representative_data=data)

    alone = {
        kind: ka.lite.convert(model, quantize=kind, representative_data=data)
        for kind in (None, "int8")
    }
    threads = [threading.Thread(target=convert, args=(kind,)) for kind in alone]
    for thread in threads:
        thread.start()
    while running:
        running = any(thread.is_alive() for thread in threads)
        np.testing.assert_array_equal(model(data), expected)
    assert found == alone


Pair = collections.namedtuple("Pair", ("first", "second"))


@pytest.mark.parametrize(
    "put",
    [
        lambda layer: (layer,),
        lambda layer: [layer],
        lambda layer: {"layer": layer},
        lambda layer: {layer},
        lambda layer: Pair(layer, 1),
    ],
    ids=["tuple", "list", "dict", "set", "namedtuple"],
)
def test_layers_in_containers_are_unrolled(put):
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.box = put(keras.layers.GRU(UNITS))

        def call(self, inputs):
            values = self.box.values() if isinstance(self.box, dict) else self.box
            for layer in values:
                if isinstance(layer, keras.layers.Layer):
                    inputs = layer(inputs)
            return inputs

    model, x = Subclassed(), sequences()
    model(x)
    assert ka.lite.convert(model, quantize="int8", representative_data=x)
