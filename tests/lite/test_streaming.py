"""Fed piece by piece, a streaming model gives what its model gives for the whole sequence."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.layers.common import assert_close, lively, sequences, to_numpy

pytestmark = pytest.mark.backend_neutral


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
    states = [keras.ops.zeros((len(x), tensor.shape[-1])) for tensor in stream.inputs[1:]]
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


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="converts with TensorFlow")
@pytest.mark.parametrize("ops", ["builtin", pytest.param("fused", marks=pytest.mark.fused)])
def test_converted(ops):
    pytest.importorskip("ai_edge_litert")
    model, x = stacked(), sequences(batch=1, steps=5)
    content = ka.lite.convert(ka.lite.streaming_model(model), ops=ops)
    interpreter = ka.lite.Interpreter(model_content=content)
    run = interpreter.get_signature_runner()
    names = [name for name in run.get_input_details() if name.endswith("_state")]
    outputs = list(run.get_output_details())
    assert len(names) == 2 and len(outputs) == 3
    by_shape = {tuple(run.get_input_details()[name]["shape"]): name for name in names}
    states = {name: np.zeros(run.get_input_details()[name]["shape"], "float32") for name in names}
    for t in range(5):
        answer = run(steps=x[:, t : t + 1], **states)
        for value in answer.values():
            if value.shape in by_shape:
                states[by_shape[value.shape]] = value
        (got,) = (value for value in answer.values() if value.ndim == 3)
        assert_close(got, to_numpy(model(x[:, : t + 1]))[:, -1:])


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
            "has no AddGRU layer",
        ),
        (
            lambda: keras.Sequential([keras.Input((None, 3)), ka.AddGRU(4, go_backwards=True)]),
            "reads from the end",
        ),
        (
            lambda: keras.Sequential(
                [keras.Input((None, 3)), keras.layers.Bidirectional(ka.AddGRU(4))]
            ),
            "looks at more than one step",
        ),
        (
            lambda: keras.Sequential(
                [keras.Input((6, 3)), keras.layers.Conv1D(4, 3), ka.AddGRU(4)]
            ),
            "looks at more than one step",
        ),
    ],
)
def test_refused(model, message):
    with pytest.raises(ValueError, match=message):
        ka.lite.streaming_model(model())


@pytest.mark.parametrize("steps", [0, -1, 1.5, True, None])
def test_steps(steps):
    with pytest.raises(ValueError, match="`steps` must be a positive integer"):
        ka.lite.streaming_model(stacked(), steps)


def test_not_a_model():
    with pytest.raises(TypeError, match="must be a keras.Model"):
        ka.lite.streaming_model(ka.AddGRU(4))
