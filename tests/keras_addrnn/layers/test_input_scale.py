"""The factor that the first batch in training gives a layer's inputs."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from keras_addrnn.quantization import quantize

pytestmark = pytest.mark.backend_neutral

ops = keras.ops
NOT_SET = -1


def inputs(*shape, size=0.02):
    return (np.random.default_rng(0).normal(0.5, 1, shape) * size).astype("float32")


def one_over_root_mean_square(x):
    return 1 / np.sqrt((x.astype("float64") ** 2).mean())


def scale_of(layer):
    return float(layer.cell.input_scale)


def folded(layer):
    """The same layer without a factor: it is in the kernel."""
    config = layer.get_config()
    made = ka.AddGRU.from_config({**config, "scale_inputs": False, "name": f"{layer.name}_folded"})
    kernel, *others, scale = layer.get_weights()
    made.build((None, None, kernel.shape[0]))
    made.set_weights([kernel * scale, *others])
    return made


def test_the_first_batch_in_training_sets_it():
    layer, x = ka.AddGRU(5), inputs(7, 4, 3)
    layer(100 * x)
    assert scale_of(layer) == NOT_SET
    layer(x, training=True)
    assert scale_of(layer) == pytest.approx(one_over_root_mean_square(x), rel=1e-6)
    layer(100 * x, training=True)
    assert scale_of(layer) == pytest.approx(one_over_root_mean_square(x), rel=1e-6)


def test_what_is_masked_does_not_count():
    layer, x = ka.AddGRU(5), inputs(4, 6, 3)
    mask = np.arange(6) < np.array([[6], [1], [3], [0]])
    hidden = np.where(mask[..., None], x, np.nan)
    layer(hidden, mask=mask, training=True)
    assert scale_of(layer) == pytest.approx(one_over_root_mean_square(x[mask]), rel=1e-6)


@pytest.mark.parametrize("value", [0.0, np.inf, np.nan])
def test_a_batch_without_a_scale_leaves_it_to_the_next(value):
    layer, x = ka.AddGRU(5), inputs(2, 3, 4)
    layer(np.full_like(x, value), training=True)
    assert scale_of(layer) == NOT_SET
    layer(x, training=True)
    assert scale_of(layer) == pytest.approx(one_over_root_mean_square(x), rel=1e-6)


def test_a_batch_without_steps_leaves_it_to_the_next():
    layer = ka.AddGRU(5)
    layer(inputs(2, 3, 4), mask=np.zeros((2, 3), bool), training=True)
    layer(inputs(2, 0, 4), training=True)
    assert scale_of(layer) == NOT_SET


def test_it_has_a_limit():
    layer = ka.AddGRU(5)
    layer(inputs(2, 3, 4, size=1e-5), training=True)
    assert scale_of(layer) == 100


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_does_not_round_it(policy):
    layer, x = ka.AddGRU(5, dtype=policy), inputs(7, 4, 3)
    for _ in range(2):
        outputs = layer(x, training=True)
    assert scale_of(layer) == pytest.approx(one_over_root_mean_square(x), rel=2e-3)
    assert scale_of(layer) != float(ops.cast(layer.cell.input_scale, "float16"))
    assert np.isfinite(ops.convert_to_numpy(ops.cast(outputs, "float32"))).all()


def test_compiled_by_xla():
    x = inputs(16, 5, 3)
    model = keras.Sequential([keras.Input((5, 3)), ka.AddGRU(4), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=keras.backend.backend() != "torch")
    model.fit(x, x[:, 0, :1], batch_size=16, verbose=0)
    assert scale_of(model.layers[0]) == pytest.approx(one_over_root_mean_square(x), rel=1e-5)


def test_a_factor_of_one_is_kept():
    """The remedy where a layer has been trained without a factor."""
    layer = ka.AddGRU(5)
    layer.build((None, None, 4))
    layer.cell.input_scale.assign(1.0)
    layer(inputs(2, 3, 4), training=True)
    assert scale_of(layer) == 1


def test_the_cell_of_a_layer_is_saved_with_it():
    layer, x = ka.AddGRU(5), inputs(2, 3, 4)
    layer(x, training=True)
    cells = keras.layers.RNN(layer.cell)
    again = keras.layers.RNN.from_config(cells.get_config())
    again.build(x.shape)
    again.set_weights(cells.get_weights())
    np.testing.assert_allclose(
        ops.convert_to_numpy(again(x)), ops.convert_to_numpy(layer(x)), rtol=1e-5, atol=1e-6
    )


def test_a_frozen_layer_keeps_its_own():
    layer = ka.AddGRU(5, trainable=False)
    layer(inputs(2, 3, 4), training=True)
    assert scale_of(layer) == NOT_SET


@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"implementation": "composed"}])
def test_it_is_a_factor_of_the_kernel(options):
    layer, x = ka.AddGRU(5, return_sequences=True, **options), inputs(7, 6, 3)
    outputs = ops.convert_to_numpy(layer(x, training=True))
    expected = ops.convert_to_numpy(folded(layer)(x))
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(outputs, ops.convert_to_numpy(layer(x)))


def test_inputs_of_another_size_give_the_same_outputs():
    states = []
    for size in (0.02, 1.0, 1e3):
        layer = ka.AddGRU(5, kernel_initializer="lecun_uniform", seed=0)
        keras.utils.set_random_seed(0)
        states.append(ops.convert_to_numpy(layer(inputs(7, 6, 3, size=size), training=True)))
    np.testing.assert_allclose(states[1], states[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(states[1], states[2], rtol=1e-4, atol=1e-6)


def test_layers_of_a_stack_are_set_in_order_and_trained():
    x = inputs(16, 5, 3)
    stack = [ka.AddGRU(6, return_sequences=True), ka.AddGRU(4)]
    model = keras.Sequential([keras.Input((5, 3)), *stack, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = [weight.copy() for weight in model.get_weights()]
    model.train_on_batch(x, x.sum((1, 2)))
    assert scale_of(stack[0]) == pytest.approx(one_over_root_mean_square(x), rel=1e-5)
    # The second layer's inputs are those that the first one makes with its factor.
    first = ka.AddGRU.from_config(stack[0].get_config())
    first.build(x.shape)
    first.set_weights([*before[:3], np.float32(scale_of(stack[0]))])
    hidden = ops.convert_to_numpy(first(x))
    assert scale_of(stack[1]) == pytest.approx(one_over_root_mean_square(hidden), rel=1e-4)


def test_saved_and_trained_on(tmp_path):
    x = inputs(16, 5, 3)
    model = keras.Sequential([keras.Input((5, 3)), ka.AddGRU(4), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.train_on_batch(x, x[:, 0, :1])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.train_on_batch(100 * x, x[:, 0, :1])
    assert scale_of(again.layers[0]) == scale_of(model.layers[0]) > 1


def test_without_it_there_are_three_weights():
    layer, x = ka.AddGRU(5, scale_inputs=False), inputs(2, 3, 4)
    layer(x, training=True)
    assert [weight.name for weight in layer.weights] == ["kernel", "recurrent_kernel", "bias"]
    assert layer.get_config()["scale_inputs"] is False
    with pytest.raises(TypeError, match="scale_inputs"):
        ka.AddGRU(5, scale_inputs="yes")


def test_no_gradient_goes_through_it():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("a tape of TensorFlow's")
    import tensorflow as tf

    layer, x = ka.AddGRU(5), tf.constant(inputs(3, 4, 2))
    layer.build(x.shape)

    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, training=True) ** 2)
        return tape.gradient(loss, x)

    np.testing.assert_array_equal(gradient(), gradient())


def test_integers_have_it_in_their_kernel():
    layer, x = ka.AddGRU(6, return_sequences=True), inputs(20, 7, 3)
    layer(x, training=True)

    def integers(recurrent):
        model = keras.Sequential([keras.Input((7, 3)), recurrent, keras.layers.Dense(2)])
        model.layers[-1].set_weights([np.eye(6, 2), np.zeros(2)])
        return quantize(model, x).predict(x)

    np.testing.assert_array_equal(integers(layer), integers(folded(layer)))
