"""Quantizing Keras models: near the float model, exact where it can be, clear where it cannot."""

import warnings

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from addrnn import IntegerAddGRU, IntegerDense
from tests import integer_problems as support

pytestmark = pytest.mark.backend_neutral

L = keras.layers


def data(batch=40, steps=6, features=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (batch, steps, features)).astype("float32")


def model(*layers, features=3):
    made = keras.Sequential([keras.Input((None, features)), *layers])
    rng = np.random.default_rng(0)
    for weight in made.trainable_weights:
        weight.assign(0.6 * rng.standard_normal(weight.shape) / np.sqrt(weight.shape[0]))
    return made


def floats(made, x):
    return keras.ops.convert_to_numpy(made(x))


@pytest.mark.parametrize("rescale", ["shift", "multiplier"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"activation": "linear", "state_shift": 0.5},
        {"activation": "hard_tanh", "state_shift": 1.0, "state_max": 1.0},
        {"state_max": 1.5},
        {"use_bias": False},
        {"go_backwards": True},
    ],
)
@pytest.mark.parametrize("sequences", [False, True])
def test_near_the_float_model(settings, sequences, rescale):
    made = model(ka.AddGRU(7, **settings, return_sequences=sequences))
    x = data()
    integers = ka.quantization.quantize(made, x, input_bits=16, rescale=rescale)
    expected = floats(made, x)
    error = np.abs(integers.predict(x) - expected)
    assert expected.std() > 0.1
    # A weight is wrong by less than 1/127 of the largest of its column, or twice that where steps
    # are powers of two; over 6 steps in a state that feeds itself that adds up.
    assert error.mean() < (0.02 if rescale == "shift" else 0.01) * np.abs(expected).max()


@pytest.mark.parametrize("rescale", ["shift", "multiplier"])
def test_more_bits_are_nearer(rescale):
    made, x = model(ka.AddGRU(9), L.Dense(4)), data()
    expected = floats(made, x)

    def error(weight_bits, state_bits, input_bits):
        integers = ka.quantization.quantize(
            made,
            x,
            weight_bits=weight_bits,
            state_bits=state_bits,
            input_bits=input_bits,
            rescale=rescale,
        )
        return np.square(integers.predict(x) - expected).mean() / np.square(expected).mean()

    assert error(8, 16, 16) < error(6, 16, 16) < error(4, 16, 16) < error(2, 16, 16)
    assert error(8, 16, 16) < error(8, 8, 16) < error(8, 4, 16) < error(8, 2, 16)
    assert error(8, 16, 16) < error(8, 16, 4) < error(8, 16, 1)


@pytest.mark.parametrize("bits", [(2, 2, 1), (2, 2, 2), (3, 4, 4), (8, 16, 16)])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_any_width_runs(bits, shift):
    weight_bits, state_bits, input_bits = bits
    made = model(
        ka.AddGRU(5, "linear", state_shift=shift, return_sequences=True), ka.AddGRU(4), L.Dense(3)
    )
    integers = ka.quantization.quantize(
        made, data(), weight_bits=weight_bits, state_bits=state_bits, input_bits=input_bits
    )
    inputs = integers.inputs.quantize(data(3))
    np.testing.assert_array_equal(integers.run(inputs), support.expected_model(integers, inputs))


def test_what_it_is_made_of():
    made = model(
        L.Dropout(0.5),
        ka.AddGRU(5, return_sequences=True, go_backwards=True, name="first"),
        L.SpatialDropout1D(0.5),
        L.RNN(ka.AddGRUCell(4), name="second"),
        L.GaussianNoise(0.1),
        L.Dense(3, activation="softmax", name="head"),
    )
    integers = ka.quantization.quantize(made, data(), weight_bits=5, state_bits=12, input_bits=9)
    first, second, head = integers.layers
    assert [type(layer) for layer in integers.layers] == [IntegerAddGRU] * 2 + [IntegerDense]
    assert [layer.name for layer in integers.layers] == ["first", "second", "head"]
    assert (first.go_backwards, first.return_sequences) == (True, True)
    assert (second.go_backwards, second.return_sequences) == (False, False)
    assert (integers.inputs.bits, first.input_bits, second.input_bits, head.input_bits) == (
        *(9, 9),
        *(12, 12),
    )
    assert {layer.weight_bits for layer in integers.layers} == {5}
    assert first.multiplier is None


def test_the_same_answers_without_softmax_and_sigmoid():
    x = data()
    for activation, layer in (
        ("linear", None),
        ("softmax", None),
        ("linear", L.Softmax()),
        ("linear", L.Activation("softmax")),
        ("sigmoid", None),
    ):
        rest = [] if layer is None else [layer]
        made = model(ka.AddGRU(6), L.Dense(4, activation=activation), *rest)
        answers = ka.quantization.quantize(made, x).predict(x)
        expected = floats(made, x)
        if activation == "sigmoid":
            clear = np.abs(expected - 0.5) > 0.02
            np.testing.assert_array_equal((answers > 0)[clear], (expected > 0.5)[clear])
        else:
            assert (answers.argmax(-1) == expected.argmax(-1)).mean() > 0.95


@pytest.mark.parametrize("wrap", [lambda dense: dense, L.TimeDistributed])
def test_dense_on_sequences(wrap):
    made, x = model(ka.AddGRU(6, return_sequences=True), wrap(L.Dense(2))), data()
    answers = ka.quantization.quantize(made, x, input_bits=16).predict(x)
    expected = floats(made, x)
    assert answers.shape == expected.shape
    assert np.abs(answers - expected).mean() < 0.03 * np.abs(expected).max()


def test_functional_and_loaded_models_give_the_same(tmp_path):
    x = keras.Input((None, 3))
    functional = keras.Model(x, L.Dense(2)(L.Dropout(0.2)(ka.AddGRU(4)(x))))
    functional.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for made, path in zip((functional, loaded), paths, strict=True):
        ka.quantization.quantize(made, data()).save(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_exact_adder():
    """A step without the marker keeps the state, one with it adds its value."""
    made = model(ka.AddGRU(1, scale_inputs=False), features=2)
    kernel = np.array([[0.0, 1.0], [-2.0, 0.0]])
    made.set_weights([kernel, np.zeros((1, 2)), np.array([2.0, 0.0])])
    rng = np.random.default_rng(0)
    steps = 2_000
    values = rng.integers(0, 256, (4, steps)) / 255
    markers = rng.random((4, steps)) < 0.02
    markers[0] = False
    x = np.stack([values, markers], axis=2).astype("float32")
    for rescale in ("shift", "multiplier"):
        integers = ka.quantization.quantize(made, x, rescale=rescale)
        outputs = integers.run(integers.inputs.quantize(x))[:, 0]
        expected = (np.rint(255 * values) * markers).sum(1) / 255
        assert outputs[0] == 0
        if rescale == "shift":  # its scale is one at which inputs are added up without rounding
            np.testing.assert_allclose(outputs * integers.output_scale, expected, rtol=1e-6)
        else:
            bound = integers.output_scale * (0.5 + 1e-3) * markers.sum(1) + 1e-4 * expected
            assert (np.abs(outputs * integers.output_scale - expected) <= bound).all()


def test_states_saturate_where_the_layer_says():
    made = model(ka.AddGRU(6, state_max=0.75, return_sequences=True))
    integers = ka.quantization.quantize(made, 5 * data(steps=20))
    outputs = integers.predict(50 * data(steps=20))
    assert abs(outputs.max() - 0.75) <= integers.output_scale / 2


def test_candidates_beyond_state_max_are_told():
    def made(state_max):
        layer = ka.AddGRU(1, state_max=state_max, use_bias=False, scale_inputs=False)
        whole = model(layer)
        layer.set_weights([np.ones((3, 2)), np.zeros((1, 2))])  # u = z
        return whole

    x = data()
    share = np.mean(x.sum(-1) > 0.25)
    with pytest.warns(UserWarning, match=f"changes {share:.0%} of those of layer"):
        ka.quantization.quantize(made(0.25), x)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        ka.quantization.quantize(made(3.0), x)
        ka.quantization.quantization_aware(made(0.25), x)  # which trains with it


def test_no_inputs_but_zeros():
    made = model(ka.AddGRU(4), L.Dense(2))
    integers = ka.quantization.quantize(made, np.zeros((2, 3, 3)))
    np.testing.assert_allclose(
        integers.predict(np.zeros((1, 3, 3))), floats(made, np.zeros((1, 3, 3))), atol=0.05
    )


def test_data_that_moves_no_state():
    made = model(ka.AddGRU(4))
    bias = made.trainable_weights[2]
    bias.assign(1e-4 * bias)
    with pytest.raises(ValueError, match="a state that ends at 0.000.*Give representative data"):
        ka.quantization.quantize(made, np.zeros((2, 3, 3)))


def test_mixed_precision(dtype_policy):
    dtype_policy("mixed_bfloat16")
    made, x = model(ka.AddGRU(6), L.Dense(2)), data()
    error = ka.quantization.quantize(made, x).predict(x) - floats(made, x).astype("float32")
    assert np.abs(error).mean() < 0.05


class TenfoldDense(L.Dense):
    def call(self, inputs, training=None):
        return 10 * super().call(inputs)


class TenfoldGRU(ka.AddGRU):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        return 10 * super().call(sequences, initial_state, mask, training)


class TenfoldCell(ka.AddGRUCell):
    def call(self, inputs, states, training=False):
        output, states = super().call(inputs, states, training)
        return 10 * output, states


class AlwaysDropout(L.Dropout):
    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


def nested():
    return model(keras.Sequential([keras.Input((None, 3)), ka.AddGRU(3)]))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: model(ka.AddGRU(3, "tanh")), "'tanh', which integers cannot .*'hard_tanh'"),
        (lambda: model(ka.AddGRU(3, "gelu")), "'gelu', which integers cannot compute"),
        (lambda: model(ka.AddGRU(3, zero_output_for_mask=True)), "use zero_output_for_mask=False"),
        (lambda: model(ka.AddGRU(3, state_shift=1, state_max=-0.5)), "at least 0"),
        (lambda: model(L.Bidirectional(ka.AddGRU(3))), "its two directions as models of their own"),
        (lambda: model(L.Masking(), ka.AddGRU(3)), "mask of a Masking layer .*: leave it out"),
        (lambda: model(L.GRU(3)), "Train the model with keras_addrnn.AddGRU"),
        (lambda: model(L.RNN(L.GRUCell(3))), "has no integer form"),
        (
            lambda: model(L.RNN(L.StackedRNNCells([ka.AddGRUCell(3), ka.AddGRUCell(3)]))),
            "has no integer form",
        ),
        (lambda: model(L.LayerNormalization(), ka.AddGRU(3)), "has no integer form"),
        (lambda: model(ka.AddGRU(3), L.Dense(2), L.Dense(2)), "a Dense layer is the last one"),
        (lambda: model(ka.AddGRU(3), L.Dense(2, "relu")), "has the activation 'relu'.*Train"),
        (lambda: model(ka.AddGRU(3), L.Dense(2), L.Activation("relu")), "is the last one"),
        (lambda: model(L.Dense(2)), "must begin with an AddGRU.*and leave it out"),
        (lambda: model(L.Dropout(0.5)), "must begin with an AddGRU.*Put one before"),
        (lambda: model(TenfoldGRU(3)), r"\(TenfoldGRU\) has no integer form.*no classes derived"),
        (lambda: model(L.RNN(TenfoldCell(3))), "has no integer form"),
        (lambda: model(ka.AddGRU(3), TenfoldDense(2)), r"\(TenfoldDense\) has no integer form"),
        (lambda: model(ka.AddGRU(3), AlwaysDropout(0.5)), "has no integer form"),
        (nested, "Put its layers into the model itself"),
    ],
)
def test_refused_models(make, message):
    with pytest.raises(ValueError, match=message):
        ka.quantization.quantize(make(), data())


def test_stateful():
    made = keras.Sequential([keras.Input(batch_shape=(2, 6, 3)), ka.AddGRU(3, stateful=True)])
    with pytest.raises(ValueError, match="use stateful=False"):
        ka.quantization.quantize(made, data())


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"weight_bits": 9}, ValueError, "`weight_bits` must be an integer from 2 to 8"),
        ({"state_bits": 1}, ValueError, "`state_bits` must be an integer from 2 to 16"),
        ({"input_bits": 0}, ValueError, "`input_bits` must be an integer from 1 to 16"),
        ({"input_bits": 8.0}, TypeError, "`input_bits` must be an integer"),
        ({"rescale": "float"}, ValueError, "`rescale` must be one of"),
        ({"representative_data": None}, TypeError, "must be given.*Give some hundred"),
        ({"representative_data": "x"}, TypeError, "`representative_data` must be an array of real"),
        ({"representative_data": data() + 1j}, TypeError, "of real numbers.*complex64"),
        ({"representative_data": data().astype(str)}, TypeError, "of real numbers.*<U32"),
        ({"representative_data": data(0)}, ValueError, "at least one sequence"),
        ({"representative_data": data(2, 0)}, ValueError, "at least one sequence"),
        ({"representative_data": data(features=4)}, ValueError, r"\[N, T, 3\]"),
        ({"representative_data": data()[0]}, ValueError, r"\[N, T, 3\]"),
        (
            {"representative_data": data() * np.nan},
            ValueError,
            r"hold finite numbers. Received: nan at index \[0, 0, 0\]. Leave such sequences out",
        ),
        ({"model": None}, TypeError, "must be a keras.Model"),
    ],
)
def test_refused_arguments(arguments, error, message):
    given = {"model": model(ka.AddGRU(3)), "representative_data": data()} | arguments
    with pytest.raises(error, match=message):
        ka.quantization.quantize(**given)


def test_states_that_explode():
    made = model(ka.AddGRU(3))
    made.set_weights([w + 3 for w in made.get_weights()])
    with pytest.raises(ValueError, match="are not finite .* state_max"):
        ka.quantization.quantize(made, data(2, 200))
