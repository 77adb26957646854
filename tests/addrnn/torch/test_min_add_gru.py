"""`addrnn.torch.min_add_gru`: values, gradients, and what it refuses."""

import numpy as np
import pytest

from tests import min_agreement
from tests.addrnn.torch.calls import call, run, tensor
from tests.agreement import TOLERANCE
from tests.min_problems import make_problem
from tests.support import ACTIVATIONS, needs_core

torch = pytest.importorskip("torch")

from addrnn.torch import min_add_gru  # noqa: E402

pytestmark = needs_core

WITHOUT = [(0, 3, 2, 5, 3), (2, 0, 2, 5, 3), (2, 3, 0, 5, 2)]  # rows, steps, features


def differentiated(problem, dtype):
    return run(min_add_gru, problem, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", min_agreement.SIZES + WITHOUT)
def test_agrees_with_the_reference(sizes, dtype):
    min_agreement.check_sizes(differentiated, sizes, dtype)


@pytest.mark.parametrize("optional", min_agreement.OPTIONAL)
def test_without_an_optional_tensor(optional):
    min_agreement.check_without(differentiated, optional)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_whole_numbers_are_exact_at_every_kink(dtype):
    min_agreement.check_whole_numbers(differentiated, dtype)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradcheck(activation):
    problem = make_problem(5, (2, 4, 2, 3, 2), activation=activation)
    tensors = {name: tensor(array).requires_grad_() for name, array in problem.arrays.items()}

    def function(*values):
        return call(min_add_gru, problem, dict(zip(tensors, values, strict=True)))

    assert torch.autograd.gradcheck(function, tuple(tensors.values()), eps=1e-6)


@pytest.mark.parametrize("name", ["inputs", "kernel", "bias", "initial_state", "initial_inputs"])
def test_gradient_of_one_argument_alone(name):
    problem = make_problem(0, (3, 7, 4, 9, 2), activation="tanh")
    _, everything = run(min_add_gru, problem)
    _, alone = run(min_add_gru, problem, watch=[name])
    np.testing.assert_array_equal(alone[name], everything[name])


@pytest.mark.parametrize("name", ["inputs", "kernel", "bias", "initial_state", "initial_inputs"])
def test_any_strides(name):
    tensors = {n: tensor(a) for n, a in make_problem(0, (3, 7, 4, 9, 3)).arrays.items()}
    expected, _ = min_add_gru(**tensors)
    given = tensors[name].transpose(0, -1).contiguous().transpose(0, -1)
    np.testing.assert_array_equal(min_add_gru(**tensors | {name: given})[0], expected)


def test_second_order_gradient_names_the_remedy():
    tensors = [tensor(a).requires_grad_() for a in make_problem(0, (2, 3, 4, 5, 2)).arrays.values()]
    outputs, _ = min_add_gru(*tensors[:4], None, tensors[4])
    gradients = torch.autograd.grad(outputs.square().sum(), tensors, create_graph=True)
    with pytest.raises(NotImplementedError, match='implementation="composed"'):
        sum(g.square().sum() for g in gradients).backward()


@pytest.mark.parametrize(
    "argument, change, error, message",
    [
        ("inputs", (2, 3), ValueError, r"the shape \[batch, time, features\].*\(2, 3\)"),
        ("kernel", (4, 10), ValueError, r"the shape \[kernel_size, features, 2 \* units\]"),
        ("kernel", (2, 3, 10), ValueError, r"the shape \[2, 4, 10\].*\(2, 3, 10\)"),
        ("bias", (9,), ValueError, r"the shape \[10\].*\(9,\)"),
        ("initial_state", (3, 5), ValueError, r"the shape \[2, 5\].*\(3, 5\)"),
        ("mask", (2, 4), ValueError, r"the shape \[2, 3\].*\(2, 4\)"),
        ("initial_inputs", (2, 2, 4), ValueError, r"the shape \[2, 1, 4\].*\(2, 2, 4\)"),
        ("kernel", None, TypeError, "be a tensor.*None"),
        ("bias", torch.zeros(10).double(), TypeError, "the dtype of `inputs`, float32.*float64"),
        ("activation", "gelu", ValueError, "one of.*'gelu'"),
        ("go_backwards", 1, TypeError, "True or False"),
    ],
)
def test_refuses(argument, change, error, message):
    shapes = {
        "inputs": (2, 3, 4),
        "kernel": (2, 4, 10),
        "bias": (10,),
        "initial_state": (2, 5),
        "mask": (2, 3),
        "initial_inputs": (2, 1, 4),
    }
    tensors = {name: torch.zeros(shape) for name, shape in shapes.items()}
    tensors[argument] = torch.zeros(change) if isinstance(change, tuple) else change
    with pytest.raises(error, match=f"Argument `{argument}` must .*{message}") as refused:
        min_add_gru(**tensors)
    assert refused.value.argument == argument
