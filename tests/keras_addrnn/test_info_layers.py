"""What `info(model)` and `info(layer)` tell of each layer."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka

pytestmark = pytest.mark.backend_neutral

on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's")
on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX's")

COMPOSED = {
    "activation": ({"activation": "gelu"}, "no activation 'gelu'. Use one of linear, relu"),
    "unroll": ({"unroll": True}, "unroll=True"),
    "told": ({"implementation": "composed"}, "told to be composed"),
}


def sequential(*layers):
    return keras.Sequential([keras.Input((5, 3)), *layers])


def runs(target):
    """Where each part runs, by its class and in order, in inference and in training."""
    return [(found["class"], found["inference"], found["training"]) for found in ka.info(target)]


@pytest.mark.fused
@pytest.mark.parametrize("make", [ka.AddGRU, lambda units: keras.layers.RNN(ka.AddGRUCell(units))])
def test_fused(make):
    (found,) = ka.info(sequential(make(4)))
    assert (found["inference"], found["training"], found["why"]) == ("fused", "fused", None)


def test_other_backends(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "openvino")
    (found,) = ka.info(ka.AddGRU(4))
    assert (found["inference"], found["training"]) == ("composed", "composed")
    assert found["why"] == ka.info()["why_not"]


@pytest.mark.fused
@pytest.mark.parametrize("name", COMPOSED)
def test_composed_and_why(name):
    settings, why = COMPOSED[name]
    layer = ka.AddGRU(4, **settings)
    for target in (layer, sequential(layer)):
        (found,) = ka.info(target)
        assert (found["inference"], found["training"]) == ("composed", "composed")
        assert why in found["why"]


@pytest.mark.fused
def test_recurrent_dropout_composes_training_alone():
    (found,) = ka.info(ka.AddGRU(4, recurrent_dropout=0.5))
    assert (found["inference"], found["training"]) == ("fused", "composed")
    assert "recurrent_dropout=0.5" in found["why"]


@pytest.mark.fused
@on_tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_xla_calls_the_op(jit_compile):
    model = sequential(ka.AddGRU(4))
    model.compile(loss="mse", jit_compile=jit_compile)
    assert runs(model) == [("AddGRU", "fused", "fused")]


@pytest.mark.fused
@on_tensorflow
def test_xla_that_cannot_call_the_op(monkeypatch):
    from addrnn.tensorflow import _xla

    monkeypatch.setattr(_xla, "problem", lambda: "XLA cannot call it. Use jit_compile=False.")
    model = sequential(ka.AddGRU(4))
    model.compile(loss="mse", jit_compile=True)
    (found,) = ka.info(model)
    assert found["inference"] == "composed" and "XLA cannot call it" in found["why"]
    model.compile(loss="mse", jit_compile=False)
    assert runs(model) == [("AddGRU", "fused", "fused")]


@pytest.mark.fused
@on_jax
def test_jax_compiles_the_op():
    model = sequential(ka.AddGRU(4))
    model.compile(loss="mse")
    assert model.jit_compile and runs(model) == [("AddGRU", "fused", "fused")]


@pytest.mark.fused
@on_tensorflow
def test_gpu(monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    (found,) = ka.info(ka.AddGRU(4))
    assert found["inference"] == "composed" and "a GPU is visible" in found["why"]


@pytest.mark.fused
@on_jax
def test_gpu_of_jax(monkeypatch):
    import jax

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    (found,) = ka.info(ka.AddGRU(4))
    assert found["inference"] == "composed" and "JAX_PLATFORMS to cpu" in found["why"]


@pytest.mark.fused
def test_what_is_demanded_and_cannot_run():
    (found,) = ka.info(ka.AddGRU(4, activation="gelu", implementation="fused"))
    assert (found["inference"], found["training"]) == ("error", "error")
    assert "gelu" in found["why"]


@pytest.mark.fused
def test_half_precision_has_a_kernel():
    assert runs(ka.AddGRU(4, dtype="mixed_bfloat16")) == [("AddGRU", "fused", "fused")]


@on_tensorflow
@pytest.mark.fused
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "settings", [{}, {"recurrent_dropout": 0.5}, *(settings for settings, _ in COMPOSED.values())]
)
def test_tells_what_the_graph_holds(settings, training):
    layer = ka.AddGRU(4, **settings)
    layer.build((2, 5, 3))
    fused = holds_the_op(lambda x: layer(x, training=training))
    (found,) = ka.info(layer)
    assert found["training" if training else "inference"] == ("fused" if fused else "composed")


def holds_the_op(function):
    """Whether the op is in the graph of a function of inputs `[2, 5, 3]`."""
    if keras.backend.backend() == "jax":
        import jax

        return "addrnn_add_gru" in str(jax.make_jaxpr(function)(np.zeros((2, 5, 3), "float32")))

    import tensorflow as tf

    graph = tf.function(function).get_concrete_function(tf.TensorSpec((2, 5, 3))).graph
    return any(operation.type == "AddGru" for operation in graph.get_operations())


def test_quantization_aware():
    model = sequential(ka.AddGRU(4, return_sequences=True), ka.MinAddGRU(4), keras.layers.Dense(2))
    aware = ka.quantization.quantization_aware(model, np.ones((2, 5, 3), "float32"))
    assert runs(aware) == [
        ("FakeQuantizedAddGRU", "composed", "composed"),
        ("FakeQuantizedMinAddGRU", "composed", "composed"),
    ]


def test_finds_what_is_nested():
    inner = sequential(
        keras.layers.Bidirectional(ka.AddGRU(4, return_sequences=True)),
        keras.layers.RNN([ka.AddGRUCell(4), ka.AddGRUCell(2)], return_sequences=True),
    )
    distributed = keras.layers.TimeDistributed(inner)
    model = keras.Sequential(
        [keras.Input((2, 5, 3)), distributed, keras.layers.Reshape((10, 2)), ka.AddGRU(3)]
    )
    found = ka.info(model)
    assert sorted(part["class"] for part in found) == ["AddGRU"] * 3 + ["AddGRUCell"] * 2
    assert len({part["layer"] for part in found}) == 5  # paths tell them apart
    assert any("forward_add_gru" in part["layer"] for part in found)


def test_finds_operations():
    x = keras.Input((5, 3))
    weights = keras.ops.ones((3, 8)), keras.ops.ones((4, 8))
    outputs, state = ka.ops.add_gru(x, *weights)
    state = ka.ops.add_gru_step(x[:, 0], state, *weights, implementation="composed")
    found = {part["class"]: part for part in ka.info(keras.Model(x, [outputs, state]))}
    assert found.keys() == {"AddGruSequence", "AddGruStep"}
    assert found["AddGruStep"]["inference"] == "composed"


def test_a_model_without_any():
    assert ka.info(sequential(keras.layers.GRU(4))) == []


@pytest.mark.parametrize("target", ["model", 3])
def test_something_else(target):
    with pytest.raises(TypeError, match="`target` must be a Keras model or layer, or None"):
        ka.info(target)
