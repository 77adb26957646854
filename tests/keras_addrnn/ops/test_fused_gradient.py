"""What is particular to the gradient of the fused op."""

import numpy as np
import pytest

from tests.support import ACTIVATIONS, MASKS, make_problem

pytestmark = pytest.mark.fused


def gradients(problem, dtype, training, watch=None):
    """The gradients of the op as the layers call it, of the arguments watched (all by default)."""
    import tensorflow as tf

    from addrnn.sequence import SequenceTensors
    from keras_addrnn.ops import _arguments, _dispatch

    tensors = {name: tf.constant(array, dtype) for name, array in problem.arrays.items()}
    watched = {name: tensors[name] for name in watch or tensors}
    settings = problem.settings
    go_backwards = settings.pop("go_backwards")
    gate = _arguments.gate(*(settings[n] for n in ("activation", "state_shift", "state_max")))
    with tf.GradientTape() as tape:
        tape.watch(watched)
        results = _dispatch.sequence(
            SequenceTensors(**tensors, mask=problem.mask),
            gate=gate,
            go_backwards=go_backwards,
            implementation="fused",
            training=training,
        )
    upstream = [tf.constant(problem.d_outputs, dtype), tf.constant(problem.d_state, dtype)]
    return tape.gradient(results, watched, output_gradients=upstream)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_computing_anew_gives_the_same_bits_as_keeping(activation, dtype):
    for seed, mask in enumerate(MASKS):
        problem = make_problem(
            seed,
            (7, 9, 5, 17),
            mask=mask,
            activation=activation,
            state_shift=0.25 * (seed % 2),
            state_max=1.5,
            go_backwards=seed % 3 == 0,
        )
        kept = gradients(problem, dtype, training=True)
        anew = gradients(problem, dtype, training=False)
        for name, value in kept.items():
            assert np.count_nonzero(value) > 0 or mask == "all_false"
            np.testing.assert_array_equal(anew[name], value, err_msg=name)


def test_gradient_of_some_arguments_only():
    problem = make_problem(0, (6, 4, 5, 9))
    everything = gradients(problem, "float32", training=True)
    for name in everything:
        alone = gradients(problem, "float32", training=True, watch=[name])
        np.testing.assert_array_equal(alone[name], everything[name], err_msg=name)


@pytest.mark.parametrize("inside_function", [False, True])
def test_second_order_gradient_names_the_remedy(inside_function):
    import tensorflow as tf

    import keras_addrnn as ka

    problem = make_problem(0, (2, 3, 4, 5))
    tensors = [tf.constant(a, "float32") for a in problem.arrays.values()]

    def second_order():
        with tf.GradientTape() as outer:
            outer.watch(tensors)
            with tf.GradientTape() as inner:
                inner.watch(tensors)
                outputs, _ = ka.ops.add_gru(*tensors, implementation="fused")
                loss = tf.reduce_sum(tf.square(outputs))
            norm = tf.add_n([tf.reduce_sum(tf.square(g)) for g in inner.gradient(loss, tensors)])
        return outer.gradient(norm, tensors)

    run = tf.function(second_order) if inside_function else second_order
    with pytest.raises(Exception, match='implementation="composed"'):
        run()


def test_composed_has_second_order_gradients():
    import tensorflow as tf

    import keras_addrnn as ka

    problem = make_problem(0, (2, 3, 4, 5), activation="tanh")
    tensors = [tf.constant(a, "float64") for a in problem.arrays.values()]

    def norm_of_gradient(kernel):
        with tf.GradientTape() as inner:
            inner.watch(kernel)
            outputs, _ = ka.ops.add_gru(
                tensors[0], kernel, *tensors[2:], activation="tanh", implementation="composed"
            )
            loss = tf.reduce_sum(tf.square(outputs))
        return tf.reduce_sum(tf.square(inner.gradient(loss, kernel)))

    with tf.GradientTape() as outer:
        outer.watch(tensors[1])
        norm = norm_of_gradient(tensors[1])
    second = outer.gradient(norm, tensors[1]).numpy()

    direction = np.random.default_rng(0).standard_normal(second.shape)
    eps = 1e-6
    above = norm_of_gradient(tensors[1] + eps * direction)
    below = norm_of_gradient(tensors[1] - eps * direction)
    numeric = (above - below) / (2 * eps)
    np.testing.assert_allclose((second * direction).sum(), numeric, rtol=1e-5)


def test_symbolic_gradients_of_a_graph():
    """`tf.gradients`, as the graphs of old code take it."""
    import tensorflow as tf

    import keras_addrnn as ka

    problem = make_problem(0, (6, 4, 5, 9))
    upstream = [tf.constant(problem.d_outputs, "float32"), tf.constant(problem.d_state, "float32")]

    @tf.function
    def run(*tensors):
        results = ka.ops.add_gru(*tensors, implementation="fused")
        return tf.gradients(list(results), list(tensors), upstream)

    got = run(*[tf.constant(a, "float32") for a in problem.arrays.values()])
    expected = gradients(problem, "float32", training=True)
    for gradient, (name, value) in zip(got, expected.items(), strict=True):
        np.testing.assert_array_equal(gradient, value, err_msg=name)
