"""The fused op and threads: how many there are and who else calls changes no bit of a result."""

import concurrent.futures
import threading

import numpy as np
import pytest

from tests.support import make_problem, needs_core, run_both, run_core

pytestmark = pytest.mark.fused

# Enough work for several threads; rows that divide evenly among them, and not; a single row, whose
# units are shared out.
SIZES = [(33, 20, 64, 130), (64, 12, 28, 128), (1, 50, 130, 1500), (13, 100, 64, 65)]


@pytest.fixture
def set_num_threads():
    import addrnn.tensorflow

    before = addrnn.tensorflow.num_threads()
    yield addrnn.tensorflow.set_num_threads
    addrnn.tensorflow.set_num_threads(before)


def bits(problem, dtype="float32"):
    """Results and gradients by name, to be compared exactly."""
    results, gradients = run_both(problem, "fused", dtype)
    return results | {f"d_{name}": gradient for name, gradient in gradients.items()}


def assert_same_bits(got, expected, label=""):
    for name, value in expected.items():
        np.testing.assert_array_equal(got[name], value, err_msg=f"{label} {name}")


def test_setting_the_number_of_threads(set_num_threads):
    from addrnn.tensorflow import num_threads

    set_num_threads(3)
    assert num_threads() == 3
    set_num_threads(0)  # back to the processors this process may use
    assert num_threads() >= 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("sizes", SIZES)
def test_same_bits_for_any_number_of_threads(sizes, dtype, set_num_threads):
    problem = make_problem(0, sizes, mask="holes", activation="tanh", state_max=2.0)
    set_num_threads(1)
    alone = bits(problem, dtype)
    for threads in (2, 3, 16):
        set_num_threads(threads)
        for _ in range(2):
            assert_same_bits(bits(problem, dtype), alone, f"{threads} threads")


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_concurrent_calls_agree_with_serial_ones(threads, set_num_threads):
    set_num_threads(threads)
    problems = [make_problem(seed, sizes) for seed, sizes in enumerate([*SIZES, (2, 3, 4, 5)])]
    serial = [bits(problem) for problem in problems]
    calls = list(range(len(problems))) * 6
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: bits(problems[i]), calls, timeout=120))
    for i, result in zip(calls, results, strict=True):
        assert_same_bits(result, serial[i])


def test_number_of_threads_may_change_under_running_calls(set_num_threads):
    problem = make_problem(0, SIZES[0])
    serial = bits(problem)
    stop = threading.Event()

    def change():
        n = 0
        while not stop.is_set():
            n = n % 5 + 1
            set_num_threads(n)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            results = list(pool.map(lambda _: bits(problem), range(12), timeout=120))
    finally:
        stop.set()
        changer.join()
    for result in results:
        assert_same_bits(result, serial)


def test_several_ops_of_one_graph_at_once():
    import tensorflow as tf

    import keras_addrnn as ka

    problems = [make_problem(seed, sizes) for seed, sizes in enumerate(SIZES)]
    constants = [
        [None if a is None else tf.constant(a, "float32") for a in problem.arguments]
        for problem in problems
    ]

    def states():
        return [ka.ops.add_gru(*arguments, implementation="fused")[1] for arguments in constants]

    serial = states()
    graph = tf.function(states)
    for _ in range(10):
        for got, expected in zip(graph(), serial, strict=True):
            np.testing.assert_array_equal(got, expected)


def test_several_models_train_at_once():
    import keras
    import tensorflow as tf

    import keras_addrnn as ka

    def train(seed):
        rng = np.random.default_rng(seed)
        layer = ka.AddGRU(
            32 + seed,
            kernel_initializer=keras.initializers.GlorotUniform(seed),
            recurrent_initializer=keras.initializers.GlorotUniform(seed),
            implementation="fused",
        )
        inputs = tf.constant(rng.standard_normal((40, 20, 16)), "float32")
        layer.build(inputs.shape)

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(layer(inputs, training=True) - 1.0))
            for variable, gradient in zip(
                layer.trainable_variables,
                tape.gradient(loss, [v.value for v in layer.trainable_variables]),
                strict=True,
            ):
                variable.assign(variable - 0.01 * gradient)

        for _ in range(20):
            step()
        return layer.get_weights()

    serial = [train(seed) for seed in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        concurrent_weights = list(pool.map(train, range(4), timeout=120))
    for got, expected in zip(concurrent_weights, serial, strict=True):
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_array_equal(a, b)


@needs_core
def test_core_module_has_the_same_bits():
    from addrnn import _core

    for seed, sizes in enumerate(SIZES):
        problem = make_problem(seed, sizes)
        fused = bits(problem)
        for threads in (1, 3):
            _core.set_num_threads(threads)
            assert_same_bits(run_core(problem), {n: fused[n] for n in ("outputs", "state")})
    _core.set_num_threads(0)
