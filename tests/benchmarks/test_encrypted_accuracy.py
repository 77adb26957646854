"""Networks of both gates that are trained for encryption: Keras computes what NumPy does."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("the networks are trained with TensorFlow", allow_module_level=True)
pytest.importorskip("sklearn")


from benchmarks.encrypted_accuracy import training  # noqa: E402
from benchmarks.encrypted_accuracy.networks import Network, answers  # noqa: E402


def expected_by_hand(layer, inputs):
    """Each step in float64: `c + g (h - c)`, the product rounded as two quarter squares."""
    most, state = layer.state_max, 0
    for x in inputs.swapaxes(0, 1).astype(float):
        sums = (
            x @ layer.kernel + state @ layer.recurrent_kernel
            if np.ndim(state)
            else x @ layer.kernel
        )
        sums = np.floor((sums + layer.bias) / 2.0**layer.shift + 0.5)
        u, z = np.split(sums, 2, axis=-1)
        g = np.rint(most / (1 + np.exp(-np.clip(u, -most - 1, most) * 4 / (most + 1))))
        c = np.clip(z, 0, most)
        product = np.rint((g + state - c) ** 2 / (4 * most))
        state = c + product - np.rint((g - state + c) ** 2 / (4 * most))
    return state


@pytest.mark.parametrize("gate", ["add", "multiply"])
def test_keras_computes_what_is_encrypted(gate):
    model = training.network(gate, units=5, bits=6, seed=0)
    # Far from where they begin, so that gates open, close, and states reach their bound.
    rng = np.random.default_rng(1)
    model.set_weights(
        [w if w.ndim == 0 else 2 * w + rng.normal(0, 0.5, w.shape) for w in model.get_weights()]
    )
    images = rng.random((64, 4, 16)).astype("float32")
    integers = ka.quantization.quantize(model)
    inputs = integers.inputs.quantize(images)
    form = {"add": "add", "multiply": "mul, 4 PBS"}[gate]
    scores = answers(Network(integers, 4, form, (-2, 1)), inputs)
    states = np.asarray(model.layers[0](images)) / model.layers[0].state.scale
    layer, dense = integers.layers
    np.testing.assert_array_equal(np.rint(states) @ dense.kernel + dense.bias, scores)
    assert np.ptp(states) > 3
    if gate == "multiply":
        np.testing.assert_array_equal(np.rint(states), expected_by_hand(layer, inputs))


def test_sums_become_narrow_epoch_by_epoch():
    model = training.network("add", units=2, bits=7, seed=0)
    narrowing = training.Narrowing()
    narrowing.set_model(model)
    limits = []
    for epoch in (0, training.EPOCHS // 4, training.EPOCHS - 1):
        narrowing.on_epoch_begin(epoch)
        limits.append(float(model.layers[0].accumulator_span_limit))
    assert limits == pytest.approx([2**9.5 - 1, 2**8.25 - 1, 127])
    narrowing.on_train_end()
    assert model.layers[0].accumulator_span_limit == 127


@pytest.mark.slow
def test_a_network_that_multiplies_learns():
    model = training.network("multiply", units=4, bits=8, seed=0)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 256)
    images = rng.random((256, 4, 16)).astype("float32")
    images[:, 0, :8] *= labels[:, None]  # to be remembered over three steps
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", jit_compile=True)
    losses = model.fit(images, labels, batch_size=32, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.4 < losses[0]
