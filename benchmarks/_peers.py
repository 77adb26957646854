"""The layers that AddGRU is measured against, each as two functions without arguments.

Every maker takes a shape (batch, steps, features, units) and returns `(forward, train)`: the states
of all steps, and the gradients of the weights with the forward pass they need; None for what the
peer cannot do. What a peer needs and is not installed raises ImportError.
"""

import numpy as np

from benchmarks import _core_calls as core_calls


def _input(shape):
    return np.random.default_rng(0).normal(size=shape[:3]).astype("float32")


def _keras(layer, shape, jit_compile=False):
    import keras

    from keras_addrnn_cli import bench

    x = keras.ops.convert_to_tensor(_input(shape))
    layer.build(x.shape)
    return bench.forward(layer, x, jit_compile), bench.gradients(layer, x, jit_compile)


def _layer(name, units, **options):
    import keras

    import keras_addrnn as ka

    kind = getattr(ka, name, None) or getattr(keras.layers, name)
    if name.endswith("Cell"):
        return keras.layers.RNN(kind(units), return_sequences=True)
    return kind(units, return_sequences=True, **options)


def keras_layer(name, shape, jit_compile=False, **options):
    """A layer of ours or of Keras; a cell, like "GRUCell", in `RNN`."""
    return _keras(_layer(name, shape[3], **options), shape, jit_compile)


def jax_layer(name, shape, **options):
    """The same, compiled by JAX, where Keras runs on it."""
    import jax

    layer = _layer(name, shape[3], **options)
    x = jax.numpy.asarray(_input(shape))
    layer.build(x.shape)
    weights, others = (
        [each.value for each in variables]
        for variables in (layer.trainable_variables, layer.non_trainable_variables)
    )

    def call(weights, others, x, training=False):
        return layer.stateless_call(weights, others, x, training=training)[0]

    def loss(weights, others, x):
        return call(weights, others, x, training=True).sum()

    forward, gradients = jax.jit(call), jax.jit(jax.grad(loss))
    return (
        lambda: jax.block_until_ready(forward(weights, others, x)),
        lambda: jax.block_until_ready(gradients(weights, others, x)),
    )


def _weights_with_density(shape, density):
    """Weights under which that part of the states is above zero, and stays so."""
    features, units = shape[2:]
    index = np.arange(units)
    alive = np.floor((index + 1) * density) > np.floor(index * density)
    bias = np.concatenate([np.full(units, -1.0), np.where(alive, 1.0, -1.0)])  # u: replace
    recurrent_kernel = 1e-6 * np.random.default_rng(0).normal(size=(units, 2 * units))
    weights = (np.zeros((features, 2 * units)), recurrent_kernel, bias)
    return [array.astype("float32") for array in weights]


def add_gru_with_density(shape, density):
    """AddGRU with weights under which that part of its states is above zero."""
    import keras_addrnn as ka

    layer = ka.AddGRU(shape[3], return_sequences=True, scale_inputs=False)
    functions = _keras(layer, shape)
    layer.set_weights(_weights_with_density(shape, density))
    return functions[0], None


def core_with_density(shape, density, threads):
    """The same without TensorFlow, whose own call takes longer than a short sequence."""
    weights = _weights_with_density(shape, density)
    return core_calls.forward("add_gru", threads, _input(shape), weights), None


def core(name, shape, threads):
    """A recurrence of the core alone: `"add_gru"`, or `"min_add_gru"` with windows of three."""
    rng = np.random.default_rng(0)
    features, units = shape[2:]
    sizes = {
        "add_gru": [(features, 2 * units), (units, 2 * units), (2 * units,)],
        "min_add_gru": [(3, features, 2 * units), (2 * units,)],
    }
    weights = [(0.1 * rng.normal(size=size)).astype("float32") for size in sizes[name]]
    arguments = name, threads, _input(shape), weights
    return core_calls.forward(*arguments), core_calls.forward_and_backward(*arguments)


def nothing(shape):
    """TensorFlow's call of a function that does nothing."""
    import keras

    return _keras(keras.layers.Identity(), shape)[0], None


def torch_layer(name, shape, **settings):
    """A module of ours or of PyTorch."""
    import torch

    import addrnn.torch

    kind = getattr(addrnn.torch, name, None) or getattr(torch.nn, name)
    layer = kind(shape[2], shape[3], batch_first=True, **settings)
    x = torch.from_numpy(_input(shape))

    def forward():
        with torch.inference_mode():
            return layer(x)

    def train():
        layer.zero_grad(set_to_none=True)
        layer(x)[0].sum().backward()

    return forward, train


def onnx_gru(shape, threads):
    import onnx
    import onnxruntime

    batch, steps, features, units = shape
    rng = np.random.default_rng(0)
    weights = {
        "w": (0.1 * rng.normal(size=(1, 3 * units, features))).astype("float32"),
        "r": (0.1 * rng.normal(size=(1, 3 * units, units))).astype("float32"),
        "b": np.zeros((1, 6 * units), "float32"),
    }
    node = onnx.helper.make_node(
        "GRU", ["x", *weights], ["y"], hidden_size=units, linear_before_reset=1
    )
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node],
        "gru",
        [value("x", onnx.TensorProto.FLOAT, (steps, batch, features))],
        [value("y", onnx.TensorProto.FLOAT, (steps, 1, batch, units))],
        [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)])
    model.ir_version = 10
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    x = np.ascontiguousarray(_input(shape).swapaxes(0, 1))
    return lambda: session.run(None, {"x": x}), None
