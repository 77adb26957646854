"""The op in graphs that XLA compiles: calls of the compiled core's handlers for XLA's FFI.

TensorFlow offers no public way to register a handler. So this asks its library for XLA's struct of
functions, and where that is not found, says so: docs/decisions/xla.md.
"""

import ctypes
import dataclasses
import functools
import itertools
import pathlib
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from addrnn import _compiled_core

# `const XLA_FFI_Api* xla::ffi::GetXlaFfiApi()`.
_GET_API = "_ZN3xla3ffi12GetXlaFfiApiEv"
_MLIR_TYPES = {
    tf.float16: "f16",
    tf.bfloat16: "bf16",
    tf.float32: "f32",
    tf.float64: "f64",
    tf.uint8: "ui8",
    tf.bool: "i1",
    tf.int32: "i32",
}

# A size that is known, or the argument and the axis that have it.
Size = int | tuple[int, int]
# Dtype and sizes of a result.
Result = tuple[tf.DType, Sequence[Size]]


def tracing() -> bool:
    """Whether TensorFlow traces a graph that XLA will compile."""
    from tensorflow.python.ops import control_flow_util

    return not tf.executing_eagerly() and bool(
        control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
    )


@functools.cache
def problem() -> str | None:
    """Registers the handlers at the first call; the reason and the remedy where that fails."""
    if reason := _compiled_core.problem():
        return reason
    core = _compiled_core.load()
    try:
        library = ctypes.CDLL(str(pathlib.Path(tf.__file__).parent / "libtensorflow_cc.so.2"))
        get_api = library[_GET_API]
        get_api.restype = ctypes.c_void_p
        core.register_xla_handlers(get_api() or 0)
    except (OSError, AttributeError, ValueError) as error:
        return (
            f"XLA cannot call it in TensorFlow {tf.__version__} ({error}). "
            "Use compile(jit_compile=False)."
        )
    core.set_num_threads(tf.config.threading.get_intra_op_parallelism_threads())
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
    def call(*inputs: tf.Tensor) -> Any:
        results = op(*inputs, **attributes)

        def backward(d_outputs: tf.Tensor, d_state: tf.Tensor) -> Any:
            made = _Call(inputs, results, attributes)
            return gradient(sys.modules[__name__], made, d_outputs, d_state, None, None)

        return tuple(results[:2]), backward

    outputs, state = call(*inputs)
    return outputs, state


# The ops, as those of the library are called. Results that a call does not want come last in a
# handler, and are not asked for.


def add_gru(*inputs: tf.Tensor, with_reserve: bool, **attributes: Any) -> list[tf.Tensor]:
    x, _, recurrent_kernel, *_ = inputs
    units = recurrent_kernel.shape[0]
    sequence = [*_sizes(0, x)[:-1], units]
    keeps = with_reserve or x.shape.rank == 2
    return _forward("addrnn_add_gru", inputs, sequence, keeps, attributes)


def min_add_gru(*inputs: tf.Tensor, with_reserve: bool, **attributes: Any) -> list[tf.Tensor]:
    x, kernel, *_ = inputs
    sequence = [*_sizes(0, x)[:-1], kernel.shape[-1] // 2]
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
    found = _call(target, inputs, results, attributes)
    return [*found, *[tf.zeros([0], kind) for kind in (tf.uint8, dtype)][len(found) - 2 :]]


def add_gru_grad(
    *arguments: tf.Tensor, with_d_inputs: bool, **attributes: Any
) -> tuple[tf.Tensor, ...]:
    x, kernel, recurrent_kernel, *_ = arguments
    state = [_sizes(0, x)[0], recurrent_kernel.shape[0]]
    sizes = [kernel.shape, recurrent_kernel.shape, kernel.shape[1:], state]
    return _backward("addrnn_add_gru_grad", arguments, sizes, with_d_inputs, attributes)


def min_add_gru_grad(
    *arguments: tf.Tensor, with_d_inputs: bool, **attributes: Any
) -> tuple[tf.Tensor, ...]:
    x, kernel, _, _, initial_inputs, *_ = arguments
    state = [_sizes(0, x)[0], kernel.shape[-1] // 2]
    sizes = [kernel.shape, kernel.shape[2:], state, _sizes(4, initial_inputs)]
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
    of_inputs = [_sizes(0, x)] if with_d_inputs else []
    results: list[Result] = [(x.dtype, each) for each in (*sizes, *of_inputs)]
    found = _call(target, arguments, results, attributes)
    others, d_inputs = found[: len(sizes)], found[len(sizes) :]
    return (d_inputs[0] if d_inputs else tf.zeros([0], x.dtype), *others)


def add_gru_step_grad(*arguments: tf.Tensor, **attributes: Any) -> list[tf.Tensor]:
    _, candidates, d_outputs, _ = arguments
    batch, units = _sizes(2, d_outputs)
    results: list[Result] = [
        (candidates.dtype, [batch, 2 * d_outputs.shape[1]]),
        (candidates.dtype, [batch, units]),
    ]
    return _call("addrnn_add_gru_step_grad", arguments, results, attributes)


def _sizes(argument: int, tensor: tf.Tensor) -> list[Size]:
    """Its sizes, which XLA knows when it compiles, where TensorFlow does not yet."""
    return [(argument, axis) if size is None else size for axis, size in enumerate(tensor.shape)]


def _call(
    target: str,
    arguments: Sequence[tf.Tensor],
    results: Sequence[Result],
    attributes: dict[str, Any],
) -> list[tf.Tensor]:
    """Puts a call of a handler into the graph."""
    from tensorflow.compiler.tf2xla.python import xla

    shapes = [[_known(size) for size in sizes] for _, sizes in results]
    found = xla.call_module(
        arguments,
        version=9,
        module=_module(target, arguments, results, attributes),
        Tout=[dtype for dtype, _ in results],
        Sout=shapes,
        platforms=["CPU"],
    )
    return list(found)


def _known(size: Size) -> int | None:
    return size if isinstance(size, int) else None


def _module(
    target: str,
    arguments: Sequence[tf.Tensor],
    results: Sequence[Result],
    attributes: dict[str, Any],
) -> str:
    """The text of a StableHLO module of that call.

    A size that is not known yet is `?` in it. XLA finds those of the results from further operands,
    which hold the sizes, and which the handler does not get.
    """
    names = [f"%a{index}" for index in range(len(arguments))]
    types = [_type(each.dtype, each.shape) for each in arguments]
    made = [_type(dtype, map(_known, sizes)) for dtype, sizes in results]
    lines, operands, operand_types = [], list(names), list(types)
    config = [f"{name} = {_literal(value)}" for name, value in attributes.items()]
    settings = ["api_version = 4 : i32", f"backend_config = {{{', '.join(config)}}}"]
    is_open = any("?" in each for each in (*types, *made))
    if is_open:
        fresh = (f"%s{index}" for index in itertools.count())
        for _, sizes in results:
            parts = []
            for size in sizes:
                part = next(fresh)
                if isinstance(size, int):
                    lines.append(f"{part} = stablehlo.constant dense<{size}> : tensor<1xi32>")
                else:
                    argument, axis = size
                    scalar = next(fresh)
                    lines.append(
                        f"{scalar} = stablehlo.get_dimension_size {names[argument]}, dim = {axis}"
                        f" : ({types[argument]}) -> tensor<i32>"
                    )
                    lines.append(
                        f"{part} = stablehlo.reshape {scalar} : (tensor<i32>) -> tensor<1xi32>"
                    )
                parts.append(part)
            joined = next(fresh)
            inner = ", ".join(["tensor<1xi32>"] * len(parts))
            lines.append(
                f"{joined} = stablehlo.concatenate {', '.join(parts)}, dim = 0"
                f" : ({inner}) -> tensor<{len(parts)}xi32>"
            )
            operands.append(joined)
            operand_types.append(f"tensor<{len(parts)}xi32>")
        indices = list(range(len(names), len(operands)))
        settings.append(
            f"indices_of_shape_operands = dense<{indices}> : tensor<{len(indices)}xi64>"
        )
    parameters = ", ".join(f"{name}: {kind}" for name, kind in zip(names, types, strict=True))
    signature = f"({', '.join(operand_types)}) -> ({', '.join(made)})"
    lines.append(
        f"%r:{len(made)} = stablehlo.custom_call @{target}({', '.join(operands)}) "
        f"{{{', '.join(settings)}}} : {signature}"
    )
    returned = ", ".join(f"%r#{index}" for index in range(len(made)))
    lines.append(f"return {returned} : {', '.join(made)}")
    polymorphic = "attributes {jax.uses_shape_polymorphism = true} " if is_open else ""
    body = "\n    ".join(lines)
    return (
        f"module @{target} {polymorphic}{{\n"
        f"  func.func public @main({parameters}) -> ({', '.join(made)}) {{\n    {body}\n  }}\n}}\n"
    )


def _type(dtype: tf.DType, sizes: Any) -> str:
    axes = ["?" if size is None else str(size) for size in sizes]
    return f"tensor<{'x'.join([*axes, _MLIR_TYPES[dtype]])}>"


def _literal(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    # By its bits, as infinity has no other word.
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X} : f64"
