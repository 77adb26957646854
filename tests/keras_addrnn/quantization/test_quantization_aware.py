"""Models that are trained as they compute in integers, and the integers that they give."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from addrnn import reference
from addrnn.model import IntegerModel
from keras_addrnn.quantization._fake_quantized_add_gru import FakeQuantizedAddGRU
from keras_addrnn.quantization._fake_quantized_dense import FakeQuantizedDense
from keras_addrnn.quantization._fake_quantized_min_add_gru import FakeQuantizedMinAddGRU
from tests.backends import to_numpy

FEATURES = 5
SETTINGS = {
    "relu": (ka.AddGRU, {}),
    "hard_tanh": (ka.AddGRU, {"activation": "hard_tanh", "state_shift": 0.5}),
    "linear": (
        ka.AddGRU,
        {"activation": "linear", "state_shift": 0.3, "state_max": 1.2, "go_backwards": True},
    ),
    "min": (ka.MinAddGRU, {}),
    "min_hard_tanh": (ka.MinAddGRU, {"activation": "hard_tanh", "kernel_size": 1}),
    "min_linear": (
        ka.MinAddGRU,
        {"activation": "linear", "kernel_size": 2, "go_backwards": True},
    ),
}
BOTH = ("relu", "min")
# Small enough for sums below 2^24, beyond which a float32 rounds them.
BITS = [(2, 2), (3, 3), (4, 4), (5, 8), (8, 8)]


def data(batch=12, steps=9):
    return np.random.default_rng(0).random((batch, steps, FEATURES)).astype("float32")


def make_model(settings="relu", units=(7, 6), dense=True, rnn=False):
    layers = [keras.Input((None, FEATURES))]
    for i, size in enumerate(units):
        sequences = i + 1 < len(units)
        options = {"bias_initializer": keras.initializers.RandomNormal(stddev=0.3, seed=i)}
        options |= {"kernel_initializer": keras.initializers.GlorotUniform(seed=i)}
        if rnn:
            cell = ka.AddGRUCell(size, **options)
            layers.append(keras.layers.RNN(cell, return_sequences=sequences))
        else:
            kind, more = SETTINGS[settings]
            layers.append(kind(size, return_sequences=sequences, **options, **more))
    if dense:
        layers.append(keras.layers.Dense(3, activation="softmax", bias_initializer="normal"))
    return keras.Sequential(layers)


def outputs_of(layer, model, x):
    """What a layer of the model gives, in its own integers."""
    inner = keras.Model(model.inputs, layer.output)
    return to_numpy(inner(x)) / layer.state.scale


def span(layer):
    """The greatest number of values of a sum, less one, for one look-up."""
    low, high = layer.accumulator_range()
    shift = getattr(layer, "kernel_shift", 0)
    np.testing.assert_array_equal(shift, getattr(layer, "recurrent_shift", 0))
    return ((high - low) >> shift).max()


def assert_whole_and_equal(floats, integers):
    np.testing.assert_array_equal(np.rint(floats), integers)
    np.testing.assert_allclose(floats, integers, rtol=1e-6)  # what the scale in float32 leaves


@pytest.mark.backend_neutral
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("bits", BITS)
def test_the_forward_pass_gives_the_integers_of_the_integer_model(settings, bits):
    weight_bits, state_bits = bits
    x = data()
    aware = ka.quantization.quantization_aware(
        make_model(settings), x, weight_bits=weight_bits, state_bits=state_bits
    )
    integers = ka.quantization.quantize(aware)
    recurrent = IntegerModel(integers.inputs, integers.layers[:-1])
    expected = recurrent.run(integers.inputs.quantize(x))
    assert_whole_and_equal(outputs_of(aware.layers[-2], aware, x), expected)

    aware.layers[-1].layer.activation = keras.activations.linear
    logits = to_numpy(aware.layers[-1](to_numpy(aware.layers[-2](aware.layers[-3](x)))))
    assert_whole_and_equal(
        logits / integers.output_scale, integers.run(integers.inputs.quantize(x))
    )


@pytest.mark.backend_neutral
@pytest.mark.parametrize("settings", ["hard_tanh", "min", "min_hard_tanh"])
@pytest.mark.parametrize("accumulator_bits", (3, 6, 10))
def test_accumulators_go_over_as_few_values_as_asked(accumulator_bits, settings):
    x = data()
    aware = ka.quantization.quantization_aware(
        make_model(settings),
        x,
        weight_bits=4,
        state_bits=4,
        input_bits=2,
        accumulator_bits=accumulator_bits,
    )
    integers = ka.quantization.quantize(aware)
    for layer in integers.layers[:2]:
        assert span(layer) < 2**accumulator_bits
    floats = outputs_of(aware.layers[2], aware, x)
    states, _ = reference.run_layer(integers.layers[0], integers.inputs.quantize(x))
    _, states = reference.run_layer(integers.layers[1], states)
    assert_whole_and_equal(floats, states)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("settings", BOTH)
def test_accumulators_become_narrow_little_by_little(settings):
    x, model = data(), make_model(settings)
    narrow, wide = (
        ka.quantization.quantization_aware(
            model, x, weight_bits=4, state_bits=4, input_bits=2, accumulator_bits=bits
        )
        for bits in (4, 7)
    )
    before = outputs_of(narrow.layers[2], narrow, x)
    for layer in narrow.layers[1:3]:
        assert float(to_numpy(layer.accumulator_span_limit)) == 2**4 - 1
        layer.accumulator_span_limit.assign(2**7 - 1)
    widened = outputs_of(narrow.layers[2], narrow, x)
    np.testing.assert_array_equal(widened, outputs_of(wide.layers[2], wide, x))
    assert not np.array_equal(widened, before)
    with pytest.raises(ValueError, match="go over 128 values, not the 16 of accumulator_bits=4"):
        ka.quantization.quantize(narrow)
    for layer in narrow.layers[1:3]:
        layer.accumulator_span_limit.assign(2**4 - 1)
    np.testing.assert_array_equal(outputs_of(narrow.layers[2], narrow, x), before)
    for layer in ka.quantization.quantize(narrow).layers[:2]:
        assert span(layer) < 2**4


@pytest.mark.parametrize("settings", BOTH)
def test_too_wide_accumulators_are_in_the_loss(settings):
    x, model = data(), make_model(settings)
    wide = ka.quantization.quantization_aware(model, x, weight_bits=4, accumulator_bits=3)
    wide(x)
    assert sum(float(loss) for loss in wide.losses) > 0
    fitting = ka.quantization.quantization_aware(model, x, weight_bits=4, accumulator_bits=24)
    fitting(x)
    assert sum(float(loss) for loss in fitting.losses) == 0


@pytest.mark.backend_neutral
@pytest.mark.parametrize("units", [1, 31])
def test_masked_steps(units):
    x = data()
    aware = ka.quantization.quantization_aware(
        make_model(units=(units,), dense=False), x, weight_bits=4, state_bits=6
    )
    mask = np.random.default_rng(1).random(x.shape[:2]) < 0.6
    mask[0] = False
    (layer,) = aware.layers[1:]
    integers = ka.quantization.quantize(aware)
    expected = integers.run(integers.inputs.quantize(x), mask)
    states = layer(x, mask=keras.ops.convert_to_tensor(mask))
    assert_whole_and_equal(to_numpy(states) / layer.state.scale, expected)
    assert not expected[0].any()


@pytest.mark.parametrize(
    "made, kind",
    [
        ({}, FakeQuantizedAddGRU),
        ({"rnn": True}, FakeQuantizedAddGRU),
        ({"settings": "min"}, FakeQuantizedMinAddGRU),
    ],
)
def test_untrained_it_is_the_post_training_model(made, kind):
    x = data()
    model = make_model(**made)
    for weight_bits, state_bits in ((8, 16), (4, 4)):
        bits = {"weight_bits": weight_bits, "state_bits": state_bits}
        aware = ka.quantization.quantization_aware(model, x, **bits)
        assert [type(layer) for layer in aware.layers[1:]] == [
            kind,
            kind,
            FakeQuantizedDense,
        ]
        ours = ka.quantization.quantize(aware).predict(x)
        np.testing.assert_allclose(
            ours, ka.quantization.quantize(model, x, **bits).predict(x), atol=1e-3
        )


@pytest.mark.backend_neutral
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("bits", [*BITS, (8, 16)])
def test_untrained_it_has_the_integers_of_the_post_training_model(settings, bits):
    """Bit for bit: the same rounding, the same search, the same bound."""
    x, model = data(), make_model(settings)
    bits = dict(zip(("weight_bits", "state_bits"), bits, strict=True))
    ours = ka.quantization.quantize(ka.quantization.quantization_aware(model, x, **bits))
    expected = ka.quantization.quantize(model, x, **bits)
    assert ours.inputs == expected.inputs
    for layer, wanted in zip(ours.layers, expected.layers, strict=True):
        for field in dataclasses.fields(wanted):
            value = getattr(wanted, field.name)
            np.testing.assert_array_equal(getattr(layer, field.name), value, field.name)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("settings", BOTH)
def test_it_takes_the_weights_over_and_leaves_the_model_alone(settings):
    model = make_model(settings)
    before = [value.copy() for value in model.get_weights()]
    aware = ka.quantization.quantization_aware(model, data(), weight_bits=3, state_bits=4)
    for value, expected in zip(aware.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, expected)
    aware.set_weights([value + 1 for value in before])
    for value, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("settings", BOTH)
@pytest.mark.parametrize("bits", [(3, 4), (4, 4), (8, 16)])
def test_fit_lowers_the_loss(settings, bits):
    keras.utils.set_random_seed(0)
    x = data(64)
    y = (x[:, :, 0].mean(1) > 0.5).astype(int) + (x[:, :, 1].mean(1) > 0.5)
    weight_bits, state_bits = bits
    aware = ka.quantization.quantization_aware(
        make_model(settings), x, weight_bits=weight_bits, state_bits=state_bits
    )
    aware.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    losses = aware.fit(x, y, batch_size=16, epochs=24, verbose=0).history["loss"]
    assert losses[-1] < 0.95 * losses[0]
    integers = ka.quantization.quantize(aware)
    ours = to_numpy(aware(x)).argmax(-1)
    assert np.mean(integers.predict(x).argmax(-1) == ours) > 0.95  # sums of 16 bits are rounded


@pytest.mark.backend_neutral
@pytest.mark.parametrize("settings", ["hard_tanh", "min_hard_tanh"])
def test_a_file_keeps_it_all(tmp_path, settings):
    x = data()
    aware = ka.quantization.quantization_aware(
        make_model(settings), x, weight_bits=4, state_bits=5, accumulator_bits=12
    )
    aware.compile("sgd", "mse")
    aware.save(tmp_path / "aware.keras")
    loaded = keras.saving.load_model(tmp_path / "aware.keras")
    np.testing.assert_array_equal(to_numpy(loaded(x)), to_numpy(aware(x)))
    ours, theirs = ka.quantization.quantize(loaded), ka.quantization.quantize(aware)
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))


@pytest.mark.parametrize("settings", BOTH)
def test_every_weight_gets_a_gradient(settings):
    import tensorflow as tf

    x = data()
    aware = ka.quantization.quantization_aware(make_model(settings), x, weight_bits=4, state_bits=8)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(aware(x, training=True)[:, 0])
    for gradient in tape.gradient(loss, aware.trainable_variables):
        assert np.isfinite(gradient).all() and np.any(gradient)


def test_dropout_layers_stay_and_time_distributed_heads_are_taken():
    x = data()
    model = keras.Sequential(
        [
            keras.Input((9, FEATURES)),
            ka.AddGRU(4, return_sequences=True),
            keras.layers.Dropout(0.5),
            keras.layers.TimeDistributed(keras.layers.Dense(2)),
        ]
    )
    aware = ka.quantization.quantization_aware(model, x, weight_bits=4, state_bits=4)
    assert isinstance(aware.layers[2], keras.layers.Dropout)
    integers = ka.quantization.quantize(aware)
    np.testing.assert_allclose(to_numpy(aware(x)), integers.predict(x), rtol=1e-5, atol=1e-6)


def test_errors():
    model, x = make_model(), data()
    aware = ka.quantization.quantization_aware(model, x)
    with pytest.raises(ValueError, match="`model` must not be quantization-aware already"):
        ka.quantization.quantization_aware(aware, x)
    for name, value in {"rescale": "multiplier", "weight_bits": 8, "state_bits": 16}.items():
        with pytest.raises(
            ValueError, match=f"`{name}` must be left out: model .* is quantization-aware"
        ):
            ka.quantization.quantize(aware, **{name: value})
    with pytest.raises(TypeError, match="`representative_data` must be given"):
        ka.quantization.quantize(model)
    with pytest.raises(ValueError, match="`weight_bits` must be an integer from 2 to 8"):
        ka.quantization.quantization_aware(model, x, weight_bits=1)
    aware.layers[1].layer.cell.kernel.assign(np.full((FEATURES, 14), np.nan))
    with pytest.raises(ValueError, match="must hold finite numbers.*Train the model anew"):
        ka.quantization.quantize(aware)


def test_keras_own_quantize_skips_the_layer_and_says_so():
    model, x = make_model(units=(4,)), data()
    recurrent = keras.Model(model.inputs, model.layers[0].output)
    before = to_numpy(recurrent(x))
    with pytest.warns(UserWarning, match="AddGRUCell does not have a `quantize` method"):
        model.quantize("int8")
    np.testing.assert_array_equal(to_numpy(recurrent(x)), before)
    assert model.predict(x, verbose=0).shape == (12, 3)


@pytest.mark.slow
def test_digits_at_four_bits():
    """4-bit weights within a point or so of float, after one epoch."""
    with np.load("examples/data/mnist_subset.npz") as digits:
        train, labels = digits["x_train"].astype("float32") / 255, digits["y_train"]
        test, truth = digits["x_test"].astype("float32") / 255, digits["y_test"]
    model = keras.Sequential([keras.Input((28, 28)), ka.AddGRU(64), keras.layers.Dense(10)])

    def fit(model, epochs):
        steps = epochs * -(-len(train) // 64)
        rate = keras.optimizers.schedules.PolynomialDecay(2e-3, steps, 0.0)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(rate), loss)
        model.fit(train, labels, batch_size=64, epochs=epochs, verbose=0)
        return np.mean(model.predict(test, verbose=0).argmax(-1) == truth)

    accuracy = fit(model, 4)
    aware = ka.quantization.quantization_aware(model, train[:256], weight_bits=4)
    assert fit(aware, 1) > accuracy - 0.015
    integers = ka.quantization.quantize(aware)
    ours = aware.predict(test[:200], verbose=0).argmax(-1)
    assert np.mean(integers.predict(test[:200]).argmax(-1) == ours) > 0.97


def test_activity_is_regularized():
    model = keras.Sequential(
        [
            keras.Input((9, FEATURES)),
            ka.AddGRU(4, activity_regularizer=keras.regularizers.L2(0.1)),
            keras.layers.Dense(2, activity_regularizer=keras.regularizers.L1(0.2)),
        ]
    )
    x = data()
    aware = ka.quantization.quantization_aware(model, x)
    states = to_numpy(keras.Model(aware.inputs, aware.layers[1].output)(x))
    outputs = to_numpy(aware(x))
    losses = sorted(float(loss) for loss in aware.losses)
    wanted = sorted([0.1 * np.sum(states**2) / len(x), 0.2 * np.sum(np.abs(outputs)) / len(x)])
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)


def test_a_layer_within_another_may_have_any_name():
    model = keras.Sequential(
        [
            keras.Input((9, FEATURES)),
            ka.AddGRU(4, return_sequences=True),
            keras.layers.Dropout(0.1, name="head"),
            keras.layers.TimeDistributed(keras.layers.Dense(2, name="head")),
        ]
    )
    x = data()
    aware = ka.quantization.quantization_aware(model, x)
    expected = ka.quantization.quantize(aware).predict(x)
    np.testing.assert_allclose(to_numpy(aware(x)), expected, rtol=1e-5, atol=1e-6)
