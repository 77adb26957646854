"""Uses every public function once: `python -m tests.every_public_function FOLDER`.

With `--one-process`, only those that start no process: QEMU's Python cannot start itself.

Needs keras_addrnn with its compiled libraries, and TensorFlow. Does without ai-edge-litert, which
`addrnn.lite.Interpreter` alone requires. Writes into the folder, and prints a line for each part.
"""

import pathlib
import platform
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf

import addrnn
import addrnn.lite
import addrnn.tensorflow
import keras_addrnn as ka

STEPS, FEATURES, UNITS = 6, 3, 9


def main(folder, *options):
    if options not in ((), ("--one-process",)):
        raise SystemExit(f"Expected at most --one-process. Received: {' '.join(options)}")
    folder = pathlib.Path(folder)
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, (32, STEPS, FEATURES)).astype("float32")
    keras.utils.set_random_seed(0)
    print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}, {platform.machine()}")
    model = layers(x, folder)
    ops(x)
    min_add_gru(x, folder)
    streaming(model, x)
    if "--one-process" not in options:
        convert(model, x, folder)
        integers(model, x, folder)
        command(folder)
    tensorflow_op(x)


def done(part):
    print(f"{part}: done", flush=True)


def layers(x, folder):
    assert ka.info()["fused"], ka.info()["why_not"]
    assert {ka.layers.AddGRU, ka.layers.AddGRUCell} == {ka.AddGRU, ka.AddGRUCell}
    layer = ka.AddGRU(UNITS, state_max=2.0, implementation="fused")
    model = keras.Sequential(
        [keras.Input((STEPS, FEATURES), name="rows"), layer, keras.layers.Dense(2)]
    )
    model.compile("sgd", "mse")
    before = [weight.numpy() for weight in layer.weights]
    model.fit(x, np.ones((len(x), 2)), verbose=0)
    assert all((old != new.numpy()).any() for old, new in zip(before, layer.weights, strict=True))

    model.compile("sgd", "mse", jit_compile=True)
    assert ka.info(model)[0]["training"] == "fused", ka.info(model)[0]["why"]
    model.fit(x, np.ones((len(x), 2)), verbose=0)

    path = folder / "model.keras"
    model.save(path)
    expected = model.predict(x, verbose=0)
    np.testing.assert_array_equal(keras.saving.load_model(path).predict(x, verbose=0), expected)
    layer.implementation = "auto"
    model.export(folder / "exported", verbose=False)
    exported = tf.saved_model.load(folder / "exported")
    np.testing.assert_allclose(exported.serve(x), expected, rtol=1e-4, atol=1e-5)

    stepwise = keras.layers.RNN(ka.AddGRUCell(UNITS, state_max=2.0))
    stepwise.build(x.shape)
    # The layer's kernel with the factor of its inputs, which a cell has not.
    _, *others, _ = layer.get_weights()
    stepwise.set_weights([layer.cell.scaled_kernel(), *others])
    np.testing.assert_allclose(stepwise(x), layer(x), rtol=1e-4, atol=1e-5)
    done("layers: fit, save, load, export")
    return model


def min_add_gru(x, folder):
    assert ka.layers.MinAddGRU is ka.MinAddGRU
    layer = ka.MinAddGRU(UNITS, return_sequences=True)
    model = keras.Sequential([keras.Input((STEPS, FEATURES)), layer])
    model.compile("sgd", "mse")
    model.fit(x, np.ones((len(x), STEPS, UNITS)), verbose=0)
    model.save(folder / "min.keras")
    expected = model.predict(x, verbose=0)
    again = keras.saving.load_model(folder / "min.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), expected)
    outputs, state = ka.ops.min_add_gru(x, layer.scaled_kernel(), layer.bias)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(outputs[:, -1], state)
    done("MinAddGRU and ops.min_add_gru: fit, save, load")


def drawn_weights():
    generator = np.random.default_rng(1)
    return [
        tf.constant(generator.normal(0, 0.3, shape), "float32")
        for shape in ((FEATURES, 2 * UNITS), (UNITS, 2 * UNITS), (2 * UNITS,))
    ]


def ops(x):
    weights = drawn_weights()

    def sequence(implementation):
        return ka.ops.add_gru(x, *weights, implementation=implementation)[1]

    def steps(implementation):
        state = tf.zeros((len(x), UNITS))
        for step in range(STEPS):
            state = ka.ops.add_gru_step(x[:, step], state, *weights, implementation=implementation)
        return state

    def value_and_gradients(function, implementation):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            state = function(implementation)
        return state, *tape.gradient(state, weights)

    expected = value_and_gradients(sequence, "composed")
    for function in (sequence, steps):
        for implementation in ("fused", "composed"):
            found = value_and_gradients(function, implementation)
            for got, value in zip(found, expected, strict=True):
                np.testing.assert_allclose(got, value, rtol=1e-3, atol=1e-3)
    done("ops.add_gru and ops.add_gru_step with gradients")


def run_file(content, inputs, fused):
    """The answers of TensorFlow's own interpreter to one sequence after another."""
    delegates = []
    if fused:
        delegates.append(tf.lite.experimental.load_delegate(addrnn.lite.delegate_path()))
    interpreter = tf.lite.Interpreter(model_content=content, experimental_delegates=delegates)
    runner = interpreter.get_signature_runner()
    (name,) = runner.get_input_details()
    answers = [runner(**{name: row[None]}) for row in inputs]
    return np.concatenate([next(iter(answer.values())) for answer in answers])


def convert(model, x, folder):
    expected = model.predict(x, verbose=0)
    tolerances = {None: 1e-4, "float16": 0.01, "dynamic": 0.05, "int8": 0.15, "int16x8": 0.05}
    for quantize, tolerance in tolerances.items():
        for form in ("builtin", "fused"):
            if form == "fused" and quantize in ("int8", "int16x8"):
                continue
            content = ka.lite.convert(
                model,
                folder / "model.tflite",
                ops=form,
                quantize=quantize,
                representative_data=x,
            )
            assert (folder / "model.tflite").read_bytes() == content
            answers = run_file(content, x, form == "fused")
            assert np.abs(answers - expected).max() <= tolerance * np.abs(expected).max()
            done(f"lite.convert, {form}, {quantize}, {len(content)} bytes")


def streaming(model, x):
    stream = ka.lite.streaming_model(model, steps=2)
    x, state = tf.constant(x), tf.zeros((len(x), UNITS))
    for begin in range(0, STEPS, 2):
        answer, state = stream([x[:, begin : begin + 2], state])
    np.testing.assert_allclose(answer, model(x), rtol=1e-4, atol=1e-5)
    done("lite.streaming_model")


def integers(model, x, folder):
    aware = ka.quantization.quantization_aware(model, x, weight_bits=4)
    aware.compile("sgd", "mse")
    aware.fit(x, np.ones((len(x), 2)), verbose=0)
    assert isinstance(ka.quantization.quantize(aware), addrnn.IntegerModel)
    done("quantization.quantization_aware")

    integer_model = ka.quantization.quantize(model, x)
    integer_model.save(folder / "integers.safetensors")
    loaded = addrnn.load(folder / "integers.safetensors")
    inputs = integer_model.inputs.quantize(x)
    expected = integer_model.run(inputs, executor="reference")
    for executor in ("auto", "reference"):
        np.testing.assert_array_equal(loaded.run(inputs, executor=executor), expected)
    done("quantization.quantize, addrnn.load, save and run")

    path = folder / "integers.tflite"
    content = addrnn.lite.convert_integer(loaded, path)
    assert path.read_bytes() == content
    np.testing.assert_array_equal(run_file(content, inputs, True), expected)
    done("addrnn.lite.convert_integer")
    try:
        import ai_edge_litert  # noqa: F401
    except ImportError:
        try:
            addrnn.lite.Interpreter(path)
        except ImportError as error:
            assert "keras_addrnn[litert]" in str(error)
    else:
        runner = addrnn.lite.Interpreter(path).get_signature_runner()
        np.testing.assert_array_equal(runner(inputs=inputs[:1])["outputs"], expected[:1])
    done("addrnn.lite.Interpreter")


def command(folder):
    model, data = folder / "model.keras", folder / "data.npz"
    np.savez(data, x=np.random.default_rng(0).uniform(-1, 1, (8, STEPS, FEATURES)))
    for arguments in (
        ["info"],
        ["convert", model, folder / "command.tflite", "--ops", "fused"],
        ["quantize", model, folder / "command.safetensors", "--data", data],
        ["convert", folder / "command.safetensors", folder / "command_integers.tflite"],
        ["bench", "--seconds", "1", *"--batch 2 --steps 4 --features 3 --units 5".split()],
    ):
        subprocess.run([sys.executable, "-m", "keras_addrnn_cli", *map(str, arguments)], check=True)
    for name in ("command.tflite", "command_integers.tflite"):
        assert (folder / name).stat().st_size > 0
    done("the command")


def tensorflow_op(x):
    weights = drawn_weights()
    with tf.GradientTape() as tape:
        tape.watch(weights)
        outputs, state = addrnn.tensorflow.add_gru(x, *weights)
    np.testing.assert_array_equal(outputs[:, -1], state)
    expected = ka.ops.add_gru(x, *weights, implementation="composed")[1]
    np.testing.assert_allclose(state, expected, rtol=1e-4, atol=1e-4)
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(state, weights))
    done("addrnn.tensorflow.add_gru")


if __name__ == "__main__":
    main(*sys.argv[1:])
