"""The fused op where Keras runs on PyTorch: when it is taken, and what is then computed."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from keras_addrnn import _keras_private
from tests.agreement import assert_close, relative_error
from tests.backends import to_numpy
from tests.support import make_problem, run

pytestmark = [
    pytest.mark.backend_neutral,
    pytest.mark.fused,
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="for PyTorch"),
]


def outputs_and_gradients(layer, x):
    """The outputs, and the gradients of the weights and the inputs."""
    import torch

    inputs = torch.tensor(x, requires_grad=True)
    outputs = layer(inputs, training=True)
    weights = [weight.value for weight in layer.trainable_weights]
    gradients = torch.autograd.grad(outputs.square().sum(), [inputs, *weights])
    return [to_numpy(tensor) for tensor in (outputs, *gradients)]


def layers(make, **settings):
    """The same layer, fused and composed."""
    fused = make(implementation="fused", **settings)
    composed = make(implementation="composed", **settings)
    for layer in (fused, composed):
        layer.build((3, 7, 4))
    composed.set_weights(fused.get_weights())
    return fused, composed


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda **more: ka.AddGRU(5, return_sequences=True, **more),
        lambda **more: ka.MinAddGRU(5, return_sequences=True, **more),
        lambda go_backwards, **more: keras.layers.RNN(
            ka.AddGRUCell(5, activation="tanh", **more), True, go_backwards=go_backwards
        ),
    ],
    ids=["AddGRU", "MinAddGRU", "AddGRUCell"],
)
def test_fused_and_composed_layers_agree(make, go_backwards):
    x = np.random.default_rng(0).normal(size=(3, 7, 4)).astype("float32")
    fused, composed = layers(make, go_backwards=go_backwards)
    for got, wanted in zip(
        outputs_and_gradients(fused, x), outputs_and_gradients(composed, x), strict=True
    ):
        assert np.abs(wanted).max() > 0
        assert relative_error(got, wanted) < 1e-5


@pytest.mark.parametrize("dtype, tolerance", [("float16", 1e-2), ("bfloat16", 6e-2)])
def test_16_bits(dtype, tolerance):
    problem = make_problem(0, (3, 7, 4, 5), mask="holes").as_dtype(dtype)
    assert_close(run(problem, "fused", dtype), problem.expected(), tolerance)


def test_no_gradient_keeps_no_bits():
    import torch

    layer, x = ka.AddGRU(4), torch.ones(2, 5, 3)
    layer(x)
    kept = []
    keep, give_back = lambda t: kept.append(t.dtype) or t, lambda t: t
    with torch.autograd.graph.saved_tensors_hooks(keep, give_back):
        with torch.no_grad():
            layer(x)
        assert torch.uint8 not in kept
        layer(x)
        assert torch.uint8 in kept


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps"])
def test_another_device_takes_the_composed_form(device, monkeypatch):
    monkeypatch.setattr(_keras_private, "torch_device", lambda: device)
    info = ka.info()
    assert not info["fused"] and f"Keras computes on {device}" in info["why_not"]
    assert ka.info(ka.AddGRU(4))[0]["why"] == info["why_not"]
    assert ka.AddGRU(4)(np.zeros((2, 5, 3))).shape == (2, 4)
    with pytest.raises(ValueError, match="KERAS_TORCH_DEVICE"):
        ka.AddGRU(4, implementation="fused")(np.zeros((2, 5, 3)))


def model_of(implementation):
    layers = [
        ka.AddGRU(4, return_sequences=True, implementation=implementation),
        ka.MinAddGRU(4, implementation=implementation),
    ]
    return keras.Sequential([keras.Input((5, 3), batch_size=2), *layers])


def operators(graph):
    """How many of our operators a graph holds."""
    return str(graph).count("addrnn::") + str(graph).count("ops.addrnn.")


@pytest.mark.parametrize("implementation, holds", [("auto", False), ("fused", True)])
def test_export(implementation, holds):
    import torch

    model, x = model_of(implementation).eval(), torch.randn(2, 5, 3)
    with torch.no_grad():
        program = torch.export.export(model, (x,), strict=False)
    assert (operators(program.graph) > 0) == holds
    torch.testing.assert_close(program.module()(x), model(x))


@pytest.mark.parametrize("implementation, holds", [("auto", False), ("fused", True)])
@pytest.mark.filterwarnings("ignore:Converting a tensor:torch.jit.TracerWarning")
def test_trace(implementation, holds):
    import torch

    model, x = model_of(implementation).eval(), torch.randn(2, 5, 3)
    with torch.no_grad():
        traced = torch.jit.trace(model, (x,))
        assert (operators(traced.inlined_graph) > 0) == holds
        torch.testing.assert_close(traced(x), model(x))


def test_training_goes_on_with_the_fused_op_after_an_export():
    import torch

    torch.export.export(model_of("auto"), (torch.randn(2, 5, 3),), strict=False)
    assert ka.info()["fused"] and ka.info(model_of("auto"))[0]["training"] == "fused"


def test_compiled_by_pytorch():
    import torch

    model, x = model_of("auto"), torch.randn(2, 5, 3)
    compiled = torch.compile(model, backend="eager")
    torch.testing.assert_close(compiled(x), model(x))
    model.compile(jit_compile=True)
    assert {found["training"] for found in ka.info(model)} == {"fused"}


def test_tangents_take_the_composed_form():
    import torch

    x = torch.tensor(np.random.default_rng(0).normal(size=(3, 7, 4)), dtype=torch.float32)
    layer, composed = ka.AddGRU(5), ka.AddGRU(5, implementation="composed")
    layer.build((3, 7, 4))
    composed.build((3, 7, 4))
    composed.set_weights(layer.get_weights())
    found, expected = (torch.func.jvp(each, (x,), (x,))[1] for each in (layer, composed))
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-5)
    with pytest.raises(ValueError, match="no forward-mode derivative"):
        torch.func.jvp(ka.AddGRU(5, implementation="fused"), (x,), (x,))
