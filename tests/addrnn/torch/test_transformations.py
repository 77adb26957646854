"""The operators under PyTorch's own tests, `torch.compile`, `torch.export` and `torch.func`."""

import subprocess
import sys

import numpy as np
import pytest

from tests.addrnn.torch.calls import tensor
from tests.min_problems import make_problem as make_min_problem
from tests.support import make_problem, needs_core

torch = pytest.importorskip("torch")

import addrnn.torch  # noqa: E402

pytestmark = needs_core

SIZES = (3, 5, 4, 7)


def arguments(kind, gradient, activation="tanh"):
    """The arguments of the operator `kind`, of which all float tensors need a gradient or none."""
    if kind == "min_add_gru":
        problem = make_min_problem(0, (*SIZES, 3), mask="holes")
        names = ("inputs", "kernel", "bias", "initial_state", "mask", "initial_inputs")
        settings = (activation, True, gradient)
    else:
        problem = make_problem(0, (3, 1, 4, 7) if kind == "step" else SIZES, mask="holes")
        names = ("inputs", "kernel", "recurrent_kernel", "bias", "initial_state", "mask")
        settings = (activation, 0.25, 1.5, True, gradient)
    tensors = {name: tensor(getattr(problem, name)) for name in names}
    tensors["mask"] = tensors["mask"].bool()
    if kind == "step":
        tensors |= {"inputs": tensors["inputs"][:, 0], "mask": None}
    for each in tensors.values():
        if gradient and each is not None and each.dtype.is_floating_point:
            each.requires_grad_()
    return (*tensors.values(), *settings)


def operator(kind):
    return getattr(torch.ops.addrnn, "add_gru" if kind == "step" else kind).default


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("kind", ["add_gru", "step", "min_add_gru"])
def test_opcheck(kind, gradient):
    torch.library.opcheck(operator(kind), arguments(kind, gradient))
    absent = list(arguments(kind, gradient))
    for index, value in enumerate(absent):
        if index > 2 and isinstance(value, torch.Tensor):
            absent[index] = None
    torch.library.opcheck(operator(kind), tuple(absent))


class Both(torch.nn.Module):
    """Both recurrences, one after the other, and a product around them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = addrnn.torch.AddGRU(4, 7, bidirectional=True, batch_first=True)
        self.second = addrnn.torch.MinAddGRU(14, 5, batch_first=True)
        self.last = torch.nn.Linear(5, 2)

    def forward(self, x):
        return self.last(self.second(self.first(x)[0])[0])


def operators(graph):
    """The names of our operators in a graph."""
    names = (str(node.target) for node in graph.nodes)
    return sorted(name.split(".")[1] for name in names if name.startswith("addrnn."))


def test_torch_compile_keeps_single_operators():
    forward, backward = [], []

    def keep(graphs):
        def compiler(module, _):
            graphs.append(operators(module.graph))
            return module.forward

        return compiler

    from torch._dynamo.backends.common import aot_autograd

    model, x = Both(), torch.randn(3, 6, 4)
    expected = model(x)  # sets the factors of the inputs
    backend = aot_autograd(fw_compiler=keep(forward), bw_compiler=keep(backward))
    outputs = torch.compile(model, fullgraph=True, backend=backend)(x)
    torch.testing.assert_close(outputs, expected)
    outputs.square().sum().backward()
    got = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    model(x).square().sum().backward()
    for one, other in zip(got, model.parameters(), strict=True):
        torch.testing.assert_close(one, other.grad)
    assert forward == [["add_gru", "add_gru", "min_add_gru"]]
    assert backward == [["add_gru_grad", "add_gru_grad", "min_add_gru_grad"]]


@pytest.mark.slow
def test_torch_compile_by_inductor():
    model, x = Both(), torch.randn(3, 6, 4)
    expected = model(x)
    compiled = torch.compile(model, fullgraph=True, dynamic=True)
    torch.testing.assert_close(compiled(x), expected)
    compiled(x).sum().backward()
    for batch, steps in ((1, 1), (2, 13)):
        x = torch.randn(batch, steps, 4)
        torch.testing.assert_close(compiled(x), model(x))


SERVE = """
import sys, torch
import addrnn.torch
program = torch.export.load(sys.argv[1])
print(float(program.module()(torch.ones(2, 9, 4)).sum()))
"""


def test_torch_export(tmp_path):
    model, x = Both().eval(), torch.randn(3, 6, 4)
    steps = torch.export.Dim("steps", min=2)
    program = torch.export.export(model, (x,), dynamic_shapes={"x": {1: steps}})
    assert operators(program.graph) == ["add_gru", "add_gru", "min_add_gru"]
    torch.testing.assert_close(program.module()(x), model(x))
    program = torch.export.export(
        model, (x[:2],), dynamic_shapes={"x": {0: torch.export.Dim("batch"), 1: steps}}
    )
    torch.export.save(program, tmp_path / "program.pt2")
    command = [sys.executable, "-c", SERVE, str(tmp_path / "program.pt2")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) == pytest.approx(model(torch.ones(2, 9, 4)).sum().item(), rel=1e-5)


@pytest.mark.parametrize("dynamic", [False, True])
def test_functions_compile_with_their_settings(dynamic):
    def run(*tensors):
        outputs, _ = addrnn.torch.add_gru(*tensors, state_shift=0.1, state_max=1.5)
        return addrnn.torch.min_add_gru(outputs, torch.ones(1, 7, 4), activation="linear")

    tensors = [tensor(a, "float32") for a in make_problem(0, SIZES).arrays.values()]
    compiled = torch.compile(run, fullgraph=True, backend="eager", dynamic=dynamic)
    torch.testing.assert_close(compiled(*tensors), run(*tensors))


def test_shapes_that_do_not_fit_are_found_in_a_graph():
    compiled = torch.compile(addrnn.torch.add_gru, backend="eager")
    with pytest.raises(ValueError, match="`kernel` must have the shape"):
        compiled(torch.zeros(2, 3, 4), torch.zeros(5, 10), torch.zeros(5, 10))


def test_vmap_of_weights_agrees_with_a_loop():
    problem = make_problem(0, SIZES)
    inputs, kernel, recurrent_kernel, bias, state = (tensor(a) for a in problem.arrays.values())
    kernels = torch.stack([kernel, 2 * kernel, -kernel])

    def outputs(kernel):
        return addrnn.torch.add_gru(inputs, kernel, recurrent_kernel, bias, state)[0]

    wanted = torch.stack([outputs(kernel) for kernel in kernels])
    np.testing.assert_array_equal(torch.vmap(outputs)(kernels), wanted)


@pytest.mark.parametrize("mode", ["real", "fake", "symbolic"])
def test_a_module_in_training_can_be_traced_without_numbers(mode):
    from torch.fx.experimental.proxy_tensor import make_fx

    module, x = addrnn.torch.AddGRU(4, 5), torch.randn(6, 3, 4)
    module(x)
    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}

    def outputs(state, x):
        return torch.func.functional_call(module, state, x)[0]

    graph = make_fx(outputs, tracing_mode=mode)(state, x)
    np.testing.assert_allclose(graph(state, 2 * x).detach(), module(2 * x)[0].detach(), atol=1e-6)


def test_functional_gradients_are_refused():
    tensors = [tensor(a) for a in make_problem(0, SIZES).arrays.values()]
    with pytest.raises(RuntimeError, match="functorch"):
        torch.func.grad(lambda x: addrnn.torch.add_gru(x, *tensors[1:])[0].sum())(tensors[0])


def test_checkpointing_gives_the_same_gradients():
    from torch.utils.checkpoint import checkpoint

    model, x = Both(), torch.randn(3, 6, 4)
    model(x)
    found = []
    for run in (model, lambda x: checkpoint(model, x, use_reentrant=False)):
        model.zero_grad()
        run(x).square().sum().backward()
        found.append([parameter.grad for parameter in model.parameters()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_tangents_are_refused_and_not_taken_for_zeros():
    tensors = {name: tensor(each) for name, each in make_problem(0, (2, 4, 3, 5)).arrays.items()}
    kernel = tensors.pop("kernel")

    def state(kernel):
        return addrnn.torch.add_gru(kernel=kernel, **tensors)[1]

    with pytest.raises(NotImplementedError, match="no forward-mode derivative"):
        torch.func.jvp(state, (kernel,), (kernel,))
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(kernel, kernel)
        with pytest.raises(NotImplementedError, match="no forward-mode derivative"):
            state(dual)
