"""The op in graphs that XLA compiles: calls of the compiled core's handlers for XLA's FFI.

TensorFlow offers no public way to register a handler. So this asks its library for XLA's struct of
functions, and where that is not found, says so: docs/decisions/xla.md.
"""

import ctypes
import dataclasses
import functools
import pathlib
import types
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from addrnn import _compiled_core
from addrnn.tensorflow._stablehlo import Result, Size, call, sizes_of

# `const XLA_FFI_Api* xla::ffi::GetXlaFfiApi()`.
_GET_API = "_ZN3xla3ffi12GetXlaFfiApiEv"


def tracing() -> bool:
    """Whether TensorFlow traces a graph that XLA will compile."""
    return not tf.executing_eagerly() and bool(
        control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
    )


@functools.cache
def problem() -> str | None:
    """Registers the handlers at the first call; the reason and the remedy where that fails."""
    if reason := _compiled_core.problem():
        return reason
    try:
        library = ctypes.CDLL(str(pathlib.Path(tf.__file__).parent / "libtensorflow_cc.so.2"))
        get_api = library[_GET_API]
        get_api.restype = ctypes.c_void_p
        _compiled_core.load().register_xla_handlers(get_api() or 0)
    except (OSError, AttributeError, ValueError) as error:
        return (
            f"XLA cannot call it in TensorFlow {tf.__version__} ({error}). "
            "Use compile(jit_compile=False)."
        )
    return None


@dataclasses.dataclass(frozen=True)
class _Call:
    """A call of the op, as the functions of `_gradient` ask for it."""

    inputs: Sequence[tf.Tensor]
    outputs: Sequence[tf.Tensor]
    attributes: dict[str, Any]

    def get_attr(self, name: str) -> Any:
        return self.attributes[name]


def differentiable(
    op: Callable[..., Any],
    gradient: Callable[..., Any],
    inputs: Sequence[tf.Tensor],
    attributes: dict[str, Any],
) -> tuple[tf.Tensor, tf.Tensor]:
    """Outputs and last state of one of this module's ops, with a gradient of `_gradient`.

    Raises:
        RuntimeError: XLA cannot call it; says why and what to do.
    """
    if reason := problem():
        raise RuntimeError(f"The op cannot be used: {reason}")

    @tf.custom_gradient  # type: ignore[untyped-decorator, unused-ignore]
    def recurrence(*inputs: tf.Tensor) -> Any:
        results = op(*inputs, **attributes)

        def backward(d_outputs: tf.Tensor, d_state: tf.Tensor) -> Any:
            made = _Call(inputs, results, attributes)
            return gradient(OPS, made, d_outputs, d_state, None, None)

        return tuple(results[:2]), backward

    outputs, state = recurrence(*inputs)
    return outputs, state


# The ops, as those of the library are called. Results that a call does not want come last in a
# handler, and are not asked for.


def add_gru(*inputs: tf.Tensor, with_reserve: bool, **attributes: Any) -> list[tf.Tensor]:
    x, _, recurrent_kernel, *_ = inputs
    sequence = [*sizes_of(0, x)[:-1], sizes_of(2, recurrent_kernel)[0]]
    keeps = with_reserve or x.shape.rank == 2
    return _forward("addrnn_add_gru", inputs, sequence, keeps, attributes)


def min_add_gru(*inputs: tf.Tensor, with_reserve: bool, **attributes: Any) -> list[tf.Tensor]:
    x, kernel, *_ = inputs
    sequence = [*sizes_of(0, x)[:-1], kernel.shape[-1] // 2]
    return _forward("addrnn_min_add_gru", inputs, sequence, with_reserve, attributes)


def _forward(
    target: str,
    inputs: Sequence[tf.Tensor],
    sequence: list[Size],
    keeps: bool,
    attributes: dict[str, Any],
) -> list[tf.Tensor]:
    """`[outputs, final state, reserve, candidates]`; those not kept are without elements."""
    dtype = inputs[0].dtype
    results: list[Result] = [(dtype, sequence), (dtype, [sequence[0], sequence[-1]])]
    if keeps:
        results.append((tf.uint8, sequence))
    if keeps and attributes["activation"] == "tanh":
        results.append((dtype, sequence))
    found = call(target, inputs, results, attributes)
    return [*found, *[tf.zeros([0], kind) for kind in (tf.uint8, dtype)][len(found) - 2 :]]


def add_gru_grad(
    *arguments: tf.Tensor, with_d_inputs: bool, **attributes: Any
) -> tuple[tf.Tensor, ...]:
    x, kernel, recurrent_kernel, *_ = arguments
    of_kernel, of_recurrent_kernel = sizes_of(1, kernel), sizes_of(2, recurrent_kernel)
    state = [sizes_of(0, x)[0], of_recurrent_kernel[0]]
    sizes = [of_kernel, of_recurrent_kernel, of_kernel[1:], state]
    return _backward("addrnn_add_gru_grad", arguments, sizes, with_d_inputs, attributes)


def min_add_gru_grad(
    *arguments: tf.Tensor, with_d_inputs: bool, **attributes: Any
) -> tuple[tf.Tensor, ...]:
    x, kernel, _, _, initial_inputs, *_ = arguments
    of_kernel, batch = sizes_of(1, kernel), sizes_of(0, x)[0]
    state = [batch, kernel.shape[-1] // 2]
    sizes = [of_kernel, of_kernel[2:], state, sizes_of(4, initial_inputs)]
    return _backward("addrnn_min_add_gru_grad", arguments, sizes, with_d_inputs, attributes)


def _backward(
    target: str,
    arguments: Sequence[tf.Tensor],
    sizes: Sequence[Sequence[Size]],
    with_d_inputs: bool,
    attributes: dict[str, Any],
) -> tuple[tf.Tensor, ...]:
    """The gradient of the inputs, without elements where it is not wanted, and the others."""
    x = arguments[0]
    of_inputs = [sizes_of(0, x)] if with_d_inputs else []
    results: list[Result] = [(x.dtype, each) for each in (*sizes, *of_inputs)]
    found = call(target, arguments, results, attributes)
    others, d_inputs = found[: len(sizes)], found[len(sizes) :]
    return (d_inputs[0] if d_inputs else tf.zeros([0], x.dtype), *others)


def add_gru_step_grad(*arguments: tf.Tensor, **attributes: Any) -> list[tf.Tensor]:
    _, candidates, d_outputs, _ = arguments
    batch, units = sizes_of(2, d_outputs)
    results: list[Result] = [
        (candidates.dtype, [batch, 2 * d_outputs.shape[1]]),
        (candidates.dtype, [batch, units]),
    ]
    return call("addrnn_add_gru_step_grad", arguments, results, attributes)


OPS = types.SimpleNamespace(
    add_gru=add_gru,
    add_gru_grad=add_gru_grad,
    add_gru_step_grad=add_gru_step_grad,
    min_add_gru=min_add_gru,
    min_add_gru_grad=min_add_gru_grad,
)
