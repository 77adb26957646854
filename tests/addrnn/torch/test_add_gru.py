"""`addrnn.torch.add_gru`: values and gradients, memory, and what it refuses."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from tests.addrnn.torch.calls import call, run, tensor, to_numpy
from tests.agreement import KINK_DISTANCE, TOLERANCE, assert_close
from tests.support import (
    ACTIVATIONS,
    MASKS,
    draw_problem,
    make_kink_problem,
    make_problem,
    needs_core,
)

torch = pytest.importorskip("torch")

from addrnn.torch import add_gru, num_threads, set_num_threads  # noqa: E402

pytestmark = needs_core

SIZES = (3, 5, 4, 7)
SHAPES = {
    "inputs": (4, 6, 3),
    "kernel": (3, 10),
    "recurrent_kernel": (5, 10),
    "bias": (10,),
    "initial_state": (4, 5),
    "mask": (4, 6),
}
# Keras and TensorFlow cannot be imported in this process.
ALONE = """
import sys
sys.modules["keras"] = sys.modules["tensorflow"] = None
import torch
import addrnn.torch
x = torch.ones(2, 4, 3, requires_grad=True)
outputs, state = addrnn.torch.add_gru(x, torch.ones(3, 10), torch.zeros(5, 10))
(outputs.sum() + state.sum()).backward()
assert x.grad.shape == x.shape
assert "keras_addrnn" not in sys.modules
"""


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("units, features", [(1, 7), (7, 1), (8, 31), (31, 8), (130, 5)])
def test_agrees_with_the_reference(units, features, dtype):
    for seed, (batch, steps) in enumerate(itertools.product((1, 5, 33), (0, 1, 2, 13))):
        problem = draw_problem(seed, (batch, steps, features, units)).with_rounded_settings()
        problem = problem.away_from_kinks(KINK_DISTANCE)
        results, gradients = run(add_gru, problem, dtype)
        label = f"seed {seed}, batch {batch}, steps {steps}"
        assert_close(results, problem.expected(), TOLERANCE[dtype], label)
        assert_close(gradients, problem.expected_gradients(), TOLERANCE[dtype], label)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_settings(activation, mask, go_backwards):
    problem = make_problem(
        1,
        SIZES,
        mask=mask,
        activation=activation,
        state_shift=0.25,
        state_max=1.5,
        go_backwards=go_backwards,
    ).away_from_kinks(1e-9)
    results, gradients = run(add_gru, problem)
    assert_close(results, problem.expected(), 1e-12)
    assert_close(gradients, problem.expected_gradients(), 1e-12)


@pytest.mark.parametrize("sizes", [(0, 3, 2, 4), (2, 0, 2, 4), (2, 3, 0, 4), (0, 0, 0, 1)])
def test_sizes_of_zero(sizes):
    problem = make_problem(0, sizes)
    results, gradients = run(add_gru, problem)
    assert_close(results, problem.expected(), 1e-12)
    assert_close(gradients, problem.expected_gradients(), 1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_whole_numbers_are_exact_at_every_kink(dtype):
    for seed in range(3):
        problem = make_kink_problem(seed, (3, 3, 3, 5), mask="holes", state_max=4.0)
        results, gradients = run(add_gru, problem, dtype)
        assert_close(results, problem.expected(), 0)
        assert_close(gradients, problem.expected_gradients(), 0)


@pytest.mark.parametrize("dtype, tolerance", [("float16", 1e-2), ("bfloat16", 6e-2)])
def test_16_bits(dtype, tolerance):
    problem = make_problem(1, SIZES, mask="right").as_dtype(dtype)
    results, _ = run(add_gru, problem, dtype)
    assert_close(results, problem.expected(), tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradcheck(activation):
    problem = make_problem(3, (2, 3, 2, 3), activation=activation, state_shift=0.25, state_max=1.5)
    assert problem.kink_distance().min() > 1e-4
    tensors = {name: tensor(array).requires_grad_() for name, array in problem.arrays.items()}

    def function(*values):
        return call(add_gru, problem, dict(zip(tensors, values, strict=True)))

    assert torch.autograd.gradcheck(function, tuple(tensors.values()), eps=1e-6)


@pytest.mark.parametrize("name", ["inputs", "kernel", "recurrent_kernel", "bias", "initial_state"])
def test_gradient_of_one_argument_alone(name):
    problem = make_problem(0, SIZES, activation="tanh")
    _, everything = run(add_gru, problem)
    _, alone = run(add_gru, problem, watch=[name])
    np.testing.assert_array_equal(alone[name], everything[name])


@pytest.mark.parametrize("which", [0, 1])
def test_gradient_of_one_result_alone(which):
    problem = make_problem(4, SIZES, mask="holes")
    unused = ("d_state", "d_outputs")[which]
    problem = problem.but(**{unused: np.zeros_like(getattr(problem, unused))})
    tensors = {name: tensor(array).requires_grad_() for name, array in problem.arrays.items()}
    result = call(add_gru, problem, tensors)[which]
    upstream = tensor((problem.d_outputs, problem.d_state)[which])
    gradients = torch.autograd.grad(result, tensors.values(), upstream)
    got = {name: to_numpy(g) for name, g in zip(tensors, gradients, strict=True)}
    assert_close(got, problem.expected_gradients(), 1e-12)


def test_bits_are_kept_only_where_a_gradient_follows():
    saved = []
    tensors = {n: tensor(a, "float32") for n, a in make_problem(0, SIZES).arrays.items()}

    def count():
        saved.clear()
        with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
            return add_gru(**tensors)[0]

    assert not count().requires_grad and not saved
    tensors["kernel"].requires_grad_()
    assert count().requires_grad
    assert [t.numel() for t in saved if t.dtype == torch.uint8] == [3 * 5 * 7]
    with torch.no_grad():
        assert not count().requires_grad and not saved


def layouts(x):
    """The same numbers with other strides."""
    yield x.transpose(0, -1).contiguous().transpose(0, -1)
    wide = torch.zeros(*x.shape[:-1], 2 * x.shape[-1], dtype=x.dtype)
    wide[..., ::2] = x
    yield wide[..., ::2]
    long = torch.zeros(3 * x.shape[0], *x.shape[1:], dtype=x.dtype)
    long[1::3] = x
    yield long[1::3]
    yield x.flip(0).flip(0)
    # A view that PyTorch negates when it is read.
    yield torch.complex(torch.zeros_like(x), -x).conj().imag


@pytest.mark.parametrize("name", SHAPES)
def test_any_strides(name):
    problem = make_problem(0, (3, 5, 4, 7), mask="holes")
    tensors = {n: tensor(array) for n, array in problem.arrays.items()}
    tensors["mask"] = torch.tensor(problem.mask)
    expected, _ = add_gru(**tensors)
    original = tensors[name]
    for layout in layouts(original.double()):
        given = layout.bool() if name == "mask" else layout
        if name == "mask":  # as it comes, and not as a copy
            given = original.T.contiguous().T
        outputs, _ = add_gru(**tensors | {name: given})
        np.testing.assert_array_equal(outputs, expected)


def test_gradients_that_arrive_with_any_strides():
    problem = make_problem(0, SIZES)
    tensors = {n: tensor(array).requires_grad_() for n, array in problem.arrays.items()}

    def gradients(upstream):
        return torch.autograd.grad(add_gru(**tensors)[0], tensors.values(), upstream)

    transposed = tensor(problem.d_outputs).transpose(0, 1).contiguous().transpose(0, 1)
    one = torch.ones((), dtype=torch.float64).expand(*SIZES[:2], SIZES[3])
    for upstream in (transposed, one):
        wanted = gradients(upstream.contiguous())
        for got, other in zip(gradients(upstream), wanted, strict=True):
            np.testing.assert_array_equal(got, other)


def test_masks_of_numbers_and_meta_tensors():
    problem = make_problem(2, SIZES, mask="holes")
    tensors = {n: tensor(a) for n, a in problem.arrays.items()}
    outputs, _ = add_gru(**tensors, mask=tensor(problem.mask.astype("int32"), "int32"))
    assert_close({"o": to_numpy(outputs)}, {"o": problem.expected()["outputs"]}, 1e-12)
    meta = {name: t.to("meta") for name, t in tensors.items()}
    outputs, state = add_gru(**meta)
    assert outputs.shape == (3, 5, 7) and state.shape == (3, 7) and outputs.is_meta


def test_autocast_computes_in_float32():
    problem = make_problem(2, SIZES).as_dtype("bfloat16")
    tensors = {n: tensor(a, "float32") for n, a in problem.arrays.items()}
    tensors["inputs"] = tensors["inputs"].bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs, _ = add_gru(**tensors)
    outputs.sum().backward()
    assert outputs.dtype == torch.float32 and tensors["inputs"].grad.dtype == torch.bfloat16
    assert_close({"o": to_numpy(outputs)}, {"o": problem.expected()["outputs"]}, 1e-5)
    with pytest.raises(TypeError, match="`kernel` must have the dtype of `inputs`, bfloat16"):
        add_gru(**tensors)


def test_second_order_gradient_names_the_remedy():
    tensors = [tensor(a).requires_grad_() for a in make_problem(0, SIZES).arrays.values()]
    outputs, _ = add_gru(*tensors)
    gradients = torch.autograd.grad(outputs.square().sum(), tensors, create_graph=True)
    with pytest.raises(NotImplementedError, match='implementation="composed"'):
        sum(g.square().sum() for g in gradients).backward()


def test_inputs_that_were_changed_since_are_refused():
    tensors = [tensor(a) for a in make_problem(0, SIZES).arrays.values()]
    inputs, kernel, *others = tensors
    outputs, _ = add_gru(inputs, kernel.requires_grad_(), *others)
    inputs.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


def test_nan_stays_visible():
    problem = make_problem(0, (3, 4, 2, 5), state_max=1.5)
    problem.inputs[1, 2, 0] = np.nan
    outputs = run(add_gru, problem, "float32")[0]["outputs"]
    assert np.isnan(outputs[1, 2:]).all() and np.isfinite(np.delete(outputs, 1, axis=0)).all()


def given(**changes):
    tensors = {name: torch.zeros(shape) for name, shape in SHAPES.items()}
    tensors["mask"] = torch.ones(SHAPES["mask"], dtype=torch.bool)
    for name, change in changes.items():
        tensors[name] = torch.zeros(change) if isinstance(change, tuple) else change
    return tensors


@pytest.mark.parametrize(
    "argument, change, error, message",
    [
        ("inputs", (4, 3), ValueError, r"the shape \[batch, time, features\].*\(4, 3\)"),
        ("kernel", (2, 10), ValueError, r"the shape \[3, 10\].*\(2, 10\)"),
        ("recurrent_kernel", (5, 15), ValueError, r"the shape \[5, 10\].*\(5, 15\)"),
        ("recurrent_kernel", (0, 0), ValueError, r"at least one unit.*\(0, 0\)"),
        ("bias", (5,), ValueError, r"the shape \[10\].*\(5,\)"),
        ("initial_state", (1, 5), ValueError, r"the shape \[4, 5\].*\(1, 5\)"),
        ("mask", (6, 4), ValueError, r"the shape \[4, 6\].*\(6, 4\)"),
        ("kernel", None, TypeError, "be a tensor.*None"),
        ("kernel", np.zeros((3, 10)), TypeError, "be a tensor of PyTorch.*ndarray.*as_tensor"),
        ("mask", [[True]], TypeError, "be a tensor of PyTorch.*list"),
        ("inputs", torch.zeros(4, 6, 3, dtype=torch.int32), TypeError, "floating-point.*int32"),
        ("inputs", torch.zeros(4, 6, 3, dtype=torch.complex64), TypeError, "floating-point.*comp"),
        ("kernel", torch.zeros(3, 10).double(), TypeError, "float32.*float64.*Tensor.to"),
        ("initial_state", torch.zeros(4, 5).half(), TypeError, "the dtype of `inputs`.*float16"),
        ("kernel", torch.zeros(3, 10).to_sparse(), ValueError, "be dense.*to_dense"),
        ("activation", "gelu", ValueError, "one of.*'gelu'"),
        ("activation", None, ValueError, "one of.*None"),
        ("state_shift", -1, ValueError, "at least 0"),
        ("state_max", float("nan"), ValueError, "a finite number.*Pass None"),
        ("go_backwards", 1, TypeError, "True or False"),
    ],
)
def test_refuses(argument, change, error, message):
    with pytest.raises(error, match=f"Argument `{argument}` must .*{message}") as refused:
        add_gru(**given(**{argument: change}))
    assert refused.value.argument == argument


def test_refuses_another_device():
    class OnAGpu(torch.Tensor):
        device = torch.device("cuda", 0)

    with pytest.raises(ValueError, match=r"`inputs` must be on a CPU.*cuda:0.*\.cpu\(\)"):
        add_gru(**given(inputs=torch.zeros(SHAPES["inputs"]).as_subclass(OnAGpu)))


@pytest.mark.parametrize("n, error", [(-1, ValueError), (2**31, ValueError), (1.5, TypeError)])
def test_number_of_threads_is_checked(n, error):
    with pytest.raises(error, match="`n` must be an integer"):
        set_num_threads(n)


def test_same_bits_for_any_number_of_threads():
    problem = make_problem(0, (33, 20, 64, 130), mask="holes", activation="tanh", state_max=2.0)
    before, found = num_threads(), []
    try:
        for threads in (1, 2, 3):
            set_num_threads(threads)
            assert num_threads() == threads
            results, gradients = run(add_gru, problem, "float32")
            found.append([*results.values(), *gradients.values()])
    finally:
        set_num_threads(before)
    for others in found[1:]:
        for got, wanted in zip(others, found[0], strict=True):
            np.testing.assert_array_equal(got, wanted)


def run_alone(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)


def test_without_keras_and_tensorflow():
    done = run_alone(ALONE)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("threads", [1, 2])
def test_as_many_threads_as_pytorch_was_told(threads):
    done = run_alone(
        f"import torch; torch.set_num_threads({threads})\n"
        "import addrnn.torch; print(addrnn.torch.num_threads())"
    )
    assert done.stdout.strip() == str(threads), done.stderr[-2000:]


def test_without_the_core():
    done = run_alone(
        "import sys; sys.modules['addrnn._core'] = None\n"
        "import torch, addrnn.torch\n"
        "try: addrnn.torch.add_gru(torch.ones(2, 3, 4), torch.ones(4, 6), torch.ones(3, 6))\n"
        "except RuntimeError as error: print(error)"
    )
    assert "compiled core cannot be loaded" in done.stdout, done.stderr[-2000:]
