"""MinAddGRU, composed, on every backend: values, gradients, kinks, compilation."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests import min_problems, min_reference, support
from tests.agreement import assert_close
from tests.min_problems import make_integer_problem, make_problem, run, run_both, widest

pytestmark = pytest.mark.backend_neutral

TENSORFLOW = keras.backend.backend() == "tensorflow"
SIZES = (3, 11, 3, 4, 3)  # B, T, D, H, w
SETTINGS = (
    {},
    {"go_backwards": True, "mask": "holes", "activation": "linear"},
    {"mask": "left", "bias": False, "activation": "hard_tanh"},
    {"mask": "empty_row", "initial": False},
    {"mask": "all_false", "go_backwards": True},
)
# Steps and taps: none and one, primes, around powers of two, and windows longer than the sequence.
LENGTHS = ((0, 1), (0, 3), (1, 1), (1, 2), (2, 7), (3, 1), (4, 3), (5, 7), (7, 2), (8, 2), (67, 3))


def rounded(problem):
    """The problem in the widest dtype, in float32 away from kinks."""
    dtype, _ = widest()
    return problem if dtype == "float64" else problem.as_dtype(dtype).away_from_kinks(1e-5)


def assert_as_the_reference(problem, compiled=False):
    dtype, tolerance = widest()
    problem = rounded(problem)
    results, gradients = run_both(problem, "composed", dtype, compiled)
    assert_close(results, problem.expected(), tolerance)
    assert_close(gradients, problem.expected_gradients(), 10 * tolerance)


@pytest.mark.parametrize("settings", SETTINGS)
def test_reference_against_numeric_differences(settings):
    problem = make_problem(5, SIZES, **settings).away_from_kinks(1e-4)
    assert np.abs(problem.d_state).max() > 0
    assert_close(problem.expected_gradients(), problem.numeric_gradients(), 1e-6)


@pytest.mark.parametrize("settings", SETTINGS)
def test_values_and_gradients(settings):
    assert_as_the_reference(make_problem(3, SIZES, **settings))


@pytest.mark.parametrize("steps, taps", LENGTHS)
def test_lengths(steps, taps):
    assert_as_the_reference(make_problem(steps, (2, steps, 3, 4, taps), mask="holes"))


def test_without_a_batch():
    assert_as_the_reference(make_problem(0, (0, 5, 3, 4, 2)))


def test_tanh():
    # In float32: Keras takes the tangent so on JAX.
    problem = make_problem(2, SIZES, mask="holes", activation="tanh").as_dtype("float32")
    problem = problem.away_from_kinks(1e-5)
    results, gradients = run_both(problem, "composed")
    assert_close(results, problem.expected(), 1e-5)
    assert_close(gradients, problem.expected_gradients(), 1e-4)


def test_a_long_sequence():
    # The state neither drifts nor grows, however long it is.
    problem = make_problem(1, (1, 10_000, 2, 3, 2))
    dtype, tolerance = widest()
    problem = problem.as_dtype(dtype)
    assert_close(run(problem, "composed", dtype), problem.expected(), tolerance)


@pytest.mark.skipif(not TENSORFLOW, reason="JAX compiles in any case, PyTorch in none")
@pytest.mark.parametrize("settings", SETTINGS[:3])
def test_compiled_by_xla(settings):
    assert_as_the_reference(make_problem(3, SIZES, **settings), compiled=True)


@pytest.mark.parametrize("activation", ("linear", "relu", "hard_tanh"))
@pytest.mark.parametrize("mask", ("none", "holes"))
def test_exact_at_kinks(mask, activation):
    # Small integers: most values sit exactly on a kink, and no sum rounds, in whatever order.
    for seed in range(2):
        problem = make_integer_problem(seed, SIZES, mask=mask, activation=activation)
        results, gradients = run_both(problem, "composed")
        for got, wanted in (
            (results, problem.expected()),
            (gradients, problem.expected_gradients()),
        ):
            for name in wanted:
                np.testing.assert_array_equal(got[name], wanted[name], err_msg=name)


@pytest.mark.parametrize("steps, taps", ((1, 3), (32, 2), (33, 5)))
def test_integers_bit_for_bit(steps, taps):
    problem = make_integer_problem(steps, (4, steps, 5, 8, taps), mask="holes", go_backwards=True)
    for dtype in ("float32", "bfloat16", "float16"):
        got, wanted = run(problem, "composed", dtype), problem.expected()
        np.testing.assert_array_equal(got["outputs"], wanted["outputs"])
        np.testing.assert_array_equal(got["state"], wanted["state"])


@pytest.mark.parametrize("dtype, tolerance", (("float16", 0.02), ("bfloat16", 0.15)))
def test_low_precision(dtype, tolerance):
    problem = make_problem(4, (3, 50, 3, 4, 3), mask="holes").as_dtype(dtype)
    assert_close(run(problem, "composed", dtype), problem.expected(), tolerance)


def test_a_negative_initial_state_is_zero():
    problem = make_problem(6, SIZES, activation="tanh").as_dtype("float32")
    assert problem.initial_state.min() < 0 < problem.initial_state.max()
    clipped = problem.but(initial_state=np.maximum(problem.initial_state, 0))
    assert_close(run(problem, "composed"), run(clipped, "composed"), 1e-12)
    gradient = run_both(problem, "composed")[1]["initial_state"]
    assert np.all(gradient[problem.initial_state < 0] == 0) and np.any(gradient != 0)


@pytest.mark.parametrize("activation", support.ACTIVATIONS)
def test_nan_is_not_hidden(activation):
    problem = make_problem(3, SIZES, activation=activation).as_dtype("float32")
    problem.inputs[1, 2] = np.nan
    outputs = run(problem, "composed")["outputs"]
    assert np.all(np.isnan(outputs[1, 2:]))
    assert not np.any(np.isnan(outputs[1, :2])) and not np.any(np.isnan(outputs[[0, 2]]))


def test_nan_under_a_mask_is_not_read():
    problem = make_problem(3, SIZES, mask="holes").as_dtype("float32")
    hidden = problem.but(inputs=np.where(problem.mask[..., None], problem.inputs, np.nan))
    assert_close(run(hidden, "composed"), problem.expected(), 1e-5)


def test_a_callable_activation():
    problem = make_problem(3, SIZES, activation="tanh").as_dtype("float32")
    same = run(problem.but(activation=lambda z: keras.ops.tanh(z)), "composed")
    assert_close(same, run(problem, "composed"), 1e-6)


@pytest.mark.parametrize("cuts, taps", (((2, 3), 1), ((1,), 2), ((4, 4, 5), 5)))
def test_chunks_are_the_whole(cuts, taps):
    # Chunks shorter than the window too, and one without a step.
    problem = make_problem(8, (2, 7, 3, 4, taps), mask="holes").as_dtype("float32")
    whole = problem.expected()
    state, before, outputs = problem.initial_state, problem.initial_inputs, []
    for start, end in zip((0, *cuts), (*cuts, 7), strict=True):
        chunk = problem.but(
            inputs=problem.inputs[:, start:end],
            mask=problem.mask[:, start:end],
            initial_state=state,
            initial_inputs=before,
        )
        found = run(chunk, "composed")
        outputs.append(found["outputs"])
        state = found["state"]
        before = min_reference.min_add_gru(
            chunk.inputs, chunk.kernel, mask=chunk.mask, initial_inputs=before
        )["last_inputs"]
    got = {"outputs": np.concatenate(outputs, axis=1), "state": state}
    assert_close(got, whole, 1e-6)


def test_exact_adder_has_a_counterpart():
    # u = 0 keeps, c = x: the largest input so far, exactly, over 10,000 steps.
    x = np.random.default_rng(0).random((2, 10_000, 1)).astype("float32")
    kernel = np.array([[[0.0, 1.0]]], "float32")
    outputs, _ = ka.ops.min_add_gru(x, kernel, implementation="composed")
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(outputs), np.maximum.accumulate(x, axis=1)
    )


def test_symbolic_tensors(tmp_path):
    problem = make_problem(3, SIZES, mask="holes").as_dtype("float32")
    x, h = keras.Input((None, 3)), keras.Input((4,))
    mask, before = keras.Input((None,), dtype="bool"), keras.Input((2, 3))
    kernel, bias = problem.kernel.astype("float32"), problem.bias.astype("float32")
    outputs, state = ka.ops.min_add_gru(x, kernel, bias, h, mask, before)
    assert outputs.shape == (None, None, 4) and state.shape == (None, 4)
    model = keras.Model([x, h, mask, before], {"outputs": outputs, "state": state})
    data = [problem.inputs, problem.initial_state, problem.mask, problem.initial_inputs]
    data = [array.astype("float32") if array.dtype == float else array for array in data]
    assert_close(model.predict(data, verbose=0), problem.expected(), 1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_close(again.predict(data, verbose=0), problem.expected(), 1e-5)


@pytest.mark.skipif(not TENSORFLOW, reason="TensorFlow's open shapes")
@pytest.mark.parametrize("jit_compile", (False, True))
def test_unknown_batch_and_time(jit_compile):
    import tensorflow as tf

    weights = make_problem(0, SIZES).as_dtype("float32")
    kernel = tf.constant(weights.kernel, "float32")
    traced = []

    @tf.function(
        jit_compile=jit_compile,
        input_signature=[
            tf.TensorSpec((None, None, 3)),
            tf.TensorSpec((None, None), tf.bool),
            tf.TensorSpec((None, None, 4)),
        ],
    )
    def run_open(x, mask, d_outputs):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            outputs, state = ka.ops.min_add_gru(x, kernel, mask=mask, implementation="composed")
        traced.append((outputs.shape.as_list(), state.shape.as_list()))
        return outputs, state, tape.gradient(outputs, [x, kernel], d_outputs)

    for steps in (0, 1, 2, 7, 8, 9):
        sizes = (2, steps, 3, 4, 3)
        problem = make_problem(steps, sizes, mask="holes", bias=False, initial=False)
        problem = problem.but(kernel=weights.kernel, d_state=np.zeros((2, 4))).as_dtype("float32")
        problem = problem.away_from_kinks(1e-5)
        arrays = problem.inputs, problem.d_outputs
        x, d_outputs = (tf.constant(array, tf.float32) for array in arrays)
        outputs, state, gradients = run_open(x, tf.constant(problem.mask), d_outputs)
        got = {"outputs": outputs.numpy(), "state": state.numpy()}
        assert_close(got, problem.expected(), 1e-5)
        got = {"inputs": gradients[0].numpy(), "kernel": gradients[1].numpy()}
        assert_close(got, problem.expected_gradients(), 1e-4)
    assert traced == [([None, None, 4], [None, 4])]


@pytest.mark.skipif(not TENSORFLOW, reason="TensorFlow's graphs")
@pytest.mark.parametrize("known", ["inputs", "outputs"])
def test_steps_that_one_side_alone_knows(known):
    import tensorflow as tf

    problem = make_problem(0, (2, 5, 3, 4, 3), bias=False, initial=False)
    problem = problem.but(d_state=np.zeros((2, 4))).as_dtype("float32").away_from_kinks(1e-5)
    steps = 5 if known == "inputs" else None

    @tf.function(input_signature=[tf.TensorSpec((None, steps, 3)), tf.TensorSpec((None, None, 4))])
    def gradients(x, d_outputs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            kernel = tf.constant(problem.kernel, tf.float32)
            outputs, _ = ka.ops.min_add_gru(x, kernel, implementation="composed")
            if known == "outputs":
                outputs = tf.ensure_shape(outputs, (None, 5, 4))
        return tape.gradient(outputs, x, d_outputs)

    arrays = problem.inputs, problem.d_outputs
    got = gradients(*(tf.constant(array, tf.float32) for array in arrays))
    expected = problem.expected_gradients()["inputs"]
    assert_close({"inputs": got.numpy()}, {"inputs": expected}, 1e-4)


@pytest.mark.skipif(not TENSORFLOW, reason="TensorFlow's graphs")
def test_no_loop_over_time():
    import tensorflow as tf

    kernel = tf.ones((2, 3, 8))

    def operations(steps):
        function = tf.function(lambda x: ka.ops.min_add_gru(x, kernel, implementation="composed"))
        graph = function.get_concrete_function(tf.TensorSpec((1, steps, 3))).graph
        return [operation.type for operation in graph.get_operations()]

    assert "While" not in "".join(operations(64))
    # Twice as many steps are one round more.
    assert 0 < len(operations(1024)) - len(operations(512)) < 40
    assert operations(None).count("While") + operations(None).count("StatelessWhile") == 1


def test_second_gradients_are_those_of_a_piecewise_linear_function():
    problem = make_problem(3, SIZES).as_dtype("float32")
    tensors = {n: keras.ops.convert_to_tensor(a, "float32") for n, a in problem.arrays.items()}

    def loss(tensors):
        return keras.ops.sum(min_problems.called(problem, "composed")(tensors)["outputs"] ** 2) / 2

    if keras.backend.backend() == "jax":
        import jax

        second = jax.jit(jax.grad(lambda t: keras.ops.sum(jax.grad(loss)(t)["bias"] ** 2) / 2))(
            tensors
        )
        second = second["bias"]
    elif keras.backend.backend() == "torch":
        import torch

        bias = tensors["bias"].requires_grad_()
        (first,) = torch.autograd.grad(loss(tensors), bias, create_graph=True)
        (second,) = torch.autograd.grad((first**2).sum() / 2, bias)
    else:
        import tensorflow as tf

        with tf.GradientTape() as outer:
            outer.watch(tensors)
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                value = loss(tensors)
            first = tape.gradient(value, tensors["bias"])
            norm = tf.reduce_sum(first**2) / 2
        second = outer.gradient(norm, tensors["bias"])

    def gradient_norm(bias):
        moved = problem.but(bias=bias, d_state=np.zeros((3, 4)))
        moved = moved.but(d_outputs=moved.expected()["outputs"])
        return (moved.expected_gradients()["bias"] ** 2).sum() / 2

    from tests.reference import numeric_gradient

    wanted = numeric_gradient(gradient_norm, problem.bias)
    got = keras.ops.convert_to_numpy(second.detach() if hasattr(second, "detach") else second)
    assert_close({"bias": got}, {"bias": wanted}, 1e-4)
