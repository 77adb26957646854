"""Fed piece by piece, a streaming model gives what its model gives for the whole sequence."""

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, expected, lively, sequences, to_numpy

pytestmark = pytest.mark.backend_neutral
# The others cannot convert, and JAX compiles for seconds whatever a layer does with a new length.
on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's")


def stacked(return_sequences=True, steps=None):
    return keras.Sequential(
        [
            keras.Input((steps, 3)),
            keras.layers.Dense(5, activation="tanh"),
            ka.AddGRU(**lively(4), return_sequences=True, activation="tanh", state_shift=0.5),
            keras.layers.LayerNormalization(),
            ka.AddGRU(**lively(6, seed=3), return_sequences=return_sequences, state_max=2.0),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2),
        ]
    )


def feed(stream, x, steps):
    """The answers to the pieces of `x`, one after another."""
    x = keras.ops.convert_to_tensor(x)
    states = [keras.ops.zeros((len(x), *tensor.shape[1:])) for tensor in stream.inputs[1:]]
    answers = []
    for begin in range(0, x.shape[1], steps):
        answer, *states = stream([x[:, begin : begin + steps], *states])
        answers.append(to_numpy(answer))
    return answers


@pytest.mark.parametrize("steps", [1, 2, 6])
def test_pieces_are_the_whole(steps):
    model, x = stacked(), sequences(batch=2, steps=6)
    stream = ka.lite.streaming_model(model, steps)
    whole = to_numpy(model(x))
    assert np.abs(whole).max() > 0.1
    assert_close(np.concatenate(feed(stream, x, steps), axis=1), whole)


def test_last_output_after_each_piece():
    model, x = stacked(return_sequences=False), sequences(batch=2, steps=6)
    stream = ka.lite.streaming_model(model, 2)
    for end, answer in zip((2, 4, 6), feed(stream, x, 2), strict=True):
        assert_close(answer, to_numpy(model(x[:, :end])))


def test_names_and_weights_of_its_own():
    model = keras.Sequential([keras.Input((None, 3)), ka.AddGRU(**lively(4), name="gru")])
    stream = ka.lite.streaming_model(model)
    assert [tensor.name for tensor in stream.inputs] == ["steps", "gru_state"]
    before = feed(stream, sequences(steps=2), 1)
    model.set_weights([0 * weight for weight in model.get_weights()])
    assert_close(feed(stream, sequences(steps=2), 1), before)


def test_loaded_from_a_file(tmp_path):
    model, x = stacked(), sequences(batch=2, steps=6)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    stream = ka.lite.streaming_model(loaded)
    assert_close(np.concatenate(feed(stream, x, 1), axis=1), to_numpy(model(x)))


@on_tensorflow
@pytest.mark.parametrize("ops", ["builtin", pytest.param("fused", marks=pytest.mark.fused)])
def test_converted(ops):
    pytest.importorskip("ai_edge_litert")
    model, x = same_units(), sequences(batch=1, steps=5)
    content = ka.lite.convert(ka.lite.streaming_model(model), ops=ops)
    run = addrnn.lite.Interpreter(model_content=content).get_signature_runner()
    names = {"second_state", "first_state"}
    assert set(run.get_input_details()) == {"steps", *names}
    assert set(run.get_output_details()) == {"answer", *names}
    states = {name: np.zeros((1, 4), "float32") for name in names}
    for t in range(5):
        outputs = run(steps=x[:, t : t + 1], **states)
        states = {name: outputs[name] for name in names}
        assert_close(outputs["answer"], to_numpy(model(x[:, : t + 1])))


@on_tensorflow
def test_order_of_a_converted_stream():
    pytest.importorskip("ai_edge_litert")
    model, x = same_units(), sequences(batch=1, steps=2)
    interpreter = addrnn.lite.Interpreter(
        model_content=ka.lite.convert(ka.lite.streaming_model(model, 2))
    )
    interpreter.allocate_tensors()
    given = [x, np.full((1, 4), 0.5, "float32"), np.full((1, 4), 0.25, "float32")]
    for detail, value in zip(interpreter.get_input_details(), given, strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    outputs = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    first, second, dense = model.layers
    rows, first_state = expected(first, x, given[1])
    _, second_state = expected(second, rows, given[2])
    answer = second_state @ to_numpy(dense.kernel) + to_numpy(dense.bias)
    assert_close(outputs, [answer, first_state, second_state])


def of_inputs(units, seed=0):
    arguments = lively(units, seed)
    del arguments["recurrent_initializer"]
    return arguments


def windows(return_sequences=True):
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.Conv1D(5, 3, padding="causal", activation="tanh", name="taps"),
            keras.layers.Conv1D(4, 2, padding="causal", dilation_rate=4, groups=1, name="far"),
            ka.MinAddGRU(**of_inputs(4), return_sequences=True, activation="tanh", name="first"),
            keras.layers.LayerNormalization(),
            ka.MinAddGRU(
                **of_inputs(6, seed=3), kernel_size=1, return_sequences=True, name="second"
            ),
            ka.AddGRU(**lively(5), return_sequences=return_sequences, name="third"),
            keras.layers.Dense(2, name="answer"),
        ]
    )


@pytest.mark.parametrize("steps", [1, 2, 12])
def test_windows(steps):
    model, x = windows(), sequences(batch=2, steps=12)
    stream = ka.lite.streaming_model(model, steps)
    names = ["taps_last_inputs", "far_last_inputs", "first_state", "first_last_inputs"]
    names += ["second_state", "third_state"]
    assert [tensor.name for tensor in stream.inputs] == ["steps", *names]
    assert stream.inputs[2].shape == (None, 4, 5) and stream.inputs[4].shape == (None, 2, 4)
    whole = to_numpy(model(x))
    assert np.abs(whole).max() > 0.1
    assert_close(np.concatenate(feed(stream, x, steps), axis=1), whole)


def test_saved_stream_of_windows(tmp_path):
    x = sequences(batch=2, steps=4)
    stream = ka.lite.streaming_model(windows())
    stream.save(tmp_path / "stream.keras")
    loaded = keras.models.load_model(tmp_path / "stream.keras")
    assert_close(feed(loaded, x, 1), feed(stream, x, 1))


@on_tensorflow
def test_window_longer_than_all_that_is_tried():
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.Conv1D(4, 2, dilation_rate=40, padding="causal"),
            ka.MinAddGRU(**of_inputs(4), kernel_size=50, return_sequences=True),
        ]
    )
    x = sequences(batch=2, steps=100)
    stream = ka.lite.streaming_model(model, 10)
    assert_close(np.concatenate(feed(stream, x, 10), axis=1), to_numpy(model(x)))


@on_tensorflow
@pytest.mark.parametrize("steps", [1, 3])
def test_exactly_the_same_numbers(steps):
    """Of numbers whose sums are exact in any order."""
    layer = ka.MinAddGRU(4, return_sequences=True, scale_inputs=False)
    model = keras.Sequential([keras.Input((None, 3)), layer])
    generator = np.random.default_rng(0)
    model.set_weights([generator.integers(-8, 9, w.shape) / 8 for w in model.get_weights()])
    x = generator.integers(-8, 9, (2, 12, 3)).astype("float32") / 8
    stream = ka.lite.streaming_model(model, steps)
    np.testing.assert_array_equal(np.concatenate(feed(stream, x, steps), axis=1), model(x))


@on_tensorflow
@pytest.mark.parametrize("quantize", [None, "dynamic"])
def test_converted_windows(quantize):
    pytest.importorskip("ai_edge_litert")
    model, x = windows(return_sequences=False), sequences(batch=1, steps=9)
    content = ka.lite.convert(ka.lite.streaming_model(model), quantize=quantize)
    run = addrnn.lite.Interpreter(model_content=content).get_signature_runner()
    names = set(run.get_input_details()) - {"steps"}
    assert set(run.get_output_details()) == {"answer", *names}
    assert {name.rpartition("_last_inputs")[0] for name in names} == {"", "taps", "far", "first"}
    states = {name: np.zeros(run.get_input_details()[name]["shape"], "float32") for name in names}
    for t in range(9):
        outputs = run(steps=x[:, t : t + 1], **states)
        states = {name: outputs[name] for name in names}
        assert_close(outputs["answer"], to_numpy(model(x[:, : t + 1])))


def same_units():
    """Its states have one shape, and names against the order of the alphabet."""
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            ka.AddGRU(**lively(4), return_sequences=True, name="second"),
            ka.AddGRU(**lively(4, seed=3), name="first"),
            keras.layers.Dense(2, name="answer"),
        ]
    )


def nested(*layers):
    inner = keras.Sequential([keras.Input((None, 3)), *layers], name="inner")
    return keras.Sequential([keras.Input((None, 3)), inner, ka.AddGRU(**lively(4), name="outer")])


@on_tensorflow
def test_nested_model_whose_layers_take_each_step_by_itself():
    model = nested(keras.layers.Dense(3, activation="tanh"), keras.layers.LayerNormalization())
    x = sequences(batch=2, steps=6)
    assert_close(feed(ka.lite.streaming_model(model, 2), x, 2)[-1], to_numpy(model(x)))


@keras.saving.register_keras_serializable("test_streaming")
class Doubled(keras.layers.Layer):
    """A layer of a user's, of which nobody knows what it looks at."""

    def call(self, inputs):
        return 2 * inputs


@keras.saving.register_keras_serializable("test_streaming")
class Differences(keras.layers.Layer):
    def call(self, inputs):
        return inputs - keras.ops.roll(inputs, 1, axis=1)


@keras.saving.register_keras_serializable("test_streaming")
class Negative(ka.AddGRU):
    """A subclass keeps what it adds."""

    def call(self, sequences, initial_state=None, mask=None, training=False):
        return super().call(-sequences, initial_state, mask, training)


EACH_STEP = {
    "doubled": lambda: Doubled(),
    "batch_norm": lambda: keras.layers.BatchNormalization(),
    "softmax": lambda: keras.layers.Softmax(),
    "unit_norm": lambda: keras.layers.UnitNormalization(),
    "each": lambda: keras.layers.TimeDistributed(keras.layers.Dense(4)),
    "rescaling": lambda: keras.layers.Rescaling(0.1, offset=0.5),
    "noise": lambda: keras.layers.GaussianNoise(0.5),
    "prelu": lambda: keras.layers.PReLU(shared_axes=[1]),
    "one_tap": lambda: keras.layers.Conv1D(4, 1),
    "einsum": lambda: keras.layers.EinsumDense("btd,de->bte", output_shape=(None, 4)),
    "subclass": lambda: Negative(**lively(4), return_sequences=True),
    "window over features": lambda: keras.Sequential(
        [
            keras.layers.Reshape((-1, 3, 1)),
            keras.layers.Conv2D(4, (1, 2)),
            keras.layers.MaxPooling2D((1, 2)),
            keras.layers.Reshape((-1, 4)),
        ]
    ),
    "pooled features": lambda: keras.layers.AveragePooling1D(2, data_format="channels_first"),
    "adapted": lambda: adapted(),
    "adapted within": lambda: keras.Sequential([adapted(), keras.layers.Dense(3)]),
}


def adapted():
    layer = keras.layers.Normalization()
    layer.adapt(3 * sequences(batch=20, seed=9) + 5)
    return layer


@on_tensorflow
@pytest.mark.parametrize("kind", EACH_STEP)
def test_layers_that_take_each_step_by_itself(kind):
    model = keras.Sequential(
        [keras.Input((None, 3)), EACH_STEP[kind](), ka.AddGRU(**lively(4), return_sequences=True)]
    )
    x = sequences(batch=2, steps=6)
    whole = to_numpy(model(x))
    assert_close(np.concatenate(feed(ka.lite.streaming_model(model, 3), x, 3), axis=1), whole)


@keras.saving.register_keras_serializable("test_streaming")
class OwnConvolution(keras.layers.Conv1D):
    """A user's own, which may do anything."""


ACROSS_STEPS = {
    "bidirectional": lambda: keras.layers.Bidirectional(
        ka.AddGRU(**lively(4), return_sequences=True)
    ),
    "gru": lambda: keras.layers.GRU(4, return_sequences=True),
    "cell": lambda: keras.layers.RNN(ka.AddGRUCell(**lively(4)), return_sequences=True),
    "strided": lambda: keras.layers.Conv1D(4, 3, strides=2, padding="causal"),
    "features first": lambda: keras.layers.Conv1D(
        4, 3, padding="causal", data_format="channels_first"
    ),
    "own convolution": lambda: OwnConvolution(4, 3, padding="causal"),
    "same": lambda: keras.layers.Conv1D(4, 3, padding="same"),
    "shorter": lambda: keras.layers.Conv1D(4, 2),
    "pooling": lambda: keras.layers.MaxPooling1D(2),
    "padding": lambda: keras.layers.ZeroPadding1D(1),
    "group_norm": lambda: keras.layers.GroupNormalization(1),
    "softmax": lambda: keras.layers.Softmax(axis=1),
    "unit_norm": lambda: keras.layers.UnitNormalization(axis=1),
    "layer_norm": lambda: keras.layers.LayerNormalization(axis=1),
    "einsum": lambda: keras.layers.EinsumDense("btd,tu->bud", output_shape=(6, 3)),
    "permute": lambda: keras.layers.Permute((2, 1)),
    "differences": lambda: Differences(),
    "dilated and normalised": lambda: keras.layers.SpectralNormalization(
        keras.layers.Conv1D(4, 2, dilation_rate=40, padding="causal")
    ),
    "dilated within": lambda: keras.Sequential(
        [keras.layers.Conv1D(4, 2, dilation_rate=40, padding="causal")]
    ),
    "nested": lambda: keras.Sequential(
        [keras.layers.Dense(3), ka.AddGRU(**lively(4), return_sequences=True)]
    ),
}


@on_tensorflow
@pytest.mark.parametrize("steps", [1, 6])
@pytest.mark.parametrize("kind", ACROSS_STEPS)
def test_layers_that_look_at_other_steps_are_refused(kind, steps):
    layer = ACROSS_STEPS[kind]()
    model = keras.Sequential([keras.Input((6, 3)), layer, ka.AddGRU(4)])
    with pytest.raises(ValueError, match=f"'{layer.name}'.*looks at more than one step") as caught:
        ka.lite.streaming_model(model, steps)
    assert "\n" not in str(caught.value)
    nested = isinstance(layer, keras.Model)
    remedy = "into the model itself" if nested else "Use one of these in its place"
    assert remedy in str(caught.value)


@keras.saving.register_keras_serializable("test_streaming")
class Counting(keras.layers.Layer):
    def build(self, input_shape):
        self.calls = self.add_weight((), "zeros", trainable=False)

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return inputs


@on_tensorflow
def test_the_model_stays_as_it_is():
    layer = Counting()
    model = keras.Sequential([keras.Input((None, 3)), layer, ka.AddGRU(4)])
    before = float(to_numpy(layer.calls))
    ka.lite.streaming_model(model)
    assert float(to_numpy(layer.calls)) == before


@on_tensorflow
def test_window_behind_the_last_output():
    head = [keras.layers.Reshape((4, 1)), keras.layers.Conv1D(2, 3), keras.layers.Flatten()]
    model = keras.Sequential(
        [keras.Input((None, 3)), ka.AddGRU(**lively(4)), keras.Sequential(head)]
    )
    x = sequences(batch=2, steps=6)
    assert_close(feed(ka.lite.streaming_model(model, 2), x, 2)[-1], to_numpy(model(x)))


@on_tensorflow
def test_a_copy_that_is_another_layer_is_refused():
    layer = Doubled()
    layer.call = lambda inputs: 3 * inputs  # of which get_config knows nothing
    model = keras.Sequential([keras.Input((None, 3)), layer, ka.AddGRU(4)])
    with pytest.raises(ValueError, match=r"'doubled.*otherwise than a copy.*get_config"):
        ka.lite.streaming_model(model)


@on_tensorflow
@pytest.mark.parametrize("steps", [1, 6])
def test_last_steps_made_one_vector_are_refused(steps):
    layers = [ka.AddGRU(4, return_sequences=True), keras.layers.Flatten(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((6, 3)), *layers])
    with pytest.raises(ValueError, match="'flatten.*looks at more than one step"):
        ka.lite.streaming_model(model, steps)


@on_tensorflow
def test_decoder_is_refused():
    layers = [ka.AddGRU(**lively(4)), keras.layers.RepeatVector(5), ka.AddGRU(**lively(4))]
    model = keras.Sequential([keras.Input((None, 3)), *layers])
    with pytest.raises(ValueError, match="fed piece by piece, it answers otherwise"):
        ka.lite.streaming_model(model)


@on_tensorflow
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_other_types(dtype, dtype_policy):
    dtype_policy(dtype)
    model = stacked()
    dtype_policy("float32")  # that of the layers counts, not this one
    stream = ka.lite.streaming_model(model, 2)
    x = sequences(batch=2, steps=6)
    assert_close(np.concatenate(feed(stream, x, 2), axis=1), to_numpy(model(x)), 0.05)


@on_tensorflow
@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_integers_as_inputs(dtype):
    x = keras.Input((None, 3), dtype=dtype)
    model = keras.Model(x, ka.AddGRU(**lively(4))(keras.layers.Rescaling(0.01)(x)))
    values = np.random.default_rng(0).integers(0, 100, (2, 6, 3)).astype(dtype)
    assert_close(feed(ka.lite.streaming_model(model, 2), values, 2)[-1], to_numpy(model(values)))


def branched():
    x = keras.Input((None, 3))
    h = ka.AddGRU(3, return_sequences=True)(x)
    return keras.Model(x, keras.layers.Add()([x, h]))


@pytest.mark.parametrize(
    "model, message",
    [
        (lambda: keras.Sequential([ka.AddGRU(4)]), "must be built, with one input"),
        (lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), "must be built"),
        (branched, "must follow one another"),
        (
            lambda: keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(2)]),
            "has no layer with a state to keep.*Call the model itself",
        ),
        (
            lambda: keras.Sequential([keras.Input((None, 3)), ka.AddGRU(4, go_backwards=True)]),
            "reads from the end",
        ),
    ],
)
def test_refused(model, message):
    with pytest.raises(ValueError, match=message):
        ka.lite.streaming_model(model())


@pytest.mark.parametrize(
    ("steps", "error"),
    [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError), (None, TypeError)],
)
def test_steps(steps, error):
    with pytest.raises(error, match=f"`steps` must be .*steps={steps}"):
        ka.lite.streaming_model(stacked(), steps)


def test_steps_of_numpy():
    assert ka.lite.streaming_model(stacked(), np.int64(2)).inputs[0].shape == (None, 2, 3)


def test_not_a_model():
    with pytest.raises(TypeError, match="must be a keras.Model"):
        ka.lite.streaming_model(ka.AddGRU(4))
