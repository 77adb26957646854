"""A call of a handler of XLA's FFI, as a StableHLO module in TensorFlow's graph."""

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

_TYPES = {
    tf.float16: "f16",
    tf.bfloat16: "bf16",
    tf.float32: "f32",
    tf.float64: "f64",
    tf.uint8: "ui8",
    tf.bool: "i1",
}

# A size that is known, or the argument and the axis that have it.
Size = int | tuple[int, int]
# Dtype and sizes of a result.
Result = tuple[tf.DType, Sequence[Size]]


def sizes_of(argument: int, tensor: tf.Tensor) -> list[Size]:
    """Its sizes, which XLA knows when it compiles, where TensorFlow does not yet."""
    return [(argument, axis) if size is None else size for axis, size in enumerate(tensor.shape)]


def call(
    target: str,
    arguments: Sequence[tf.Tensor],
    results: Sequence[Result],
    attributes: dict[str, Any],
) -> list[tf.Tensor]:
    """Puts a call of a handler into the graph."""
    from tensorflow.compiler.tf2xla.python import xla

    found = xla.call_module(
        arguments,
        version=9,
        module=_Module(arguments, results).text(target, attributes),
        Tout=[dtype for dtype, _ in results],
        Sout=[[_known(size) for size in sizes] for _, sizes in results],
        platforms=["CPU"],
    )
    return list(found)


def _known(size: Size) -> int | None:
    return size if isinstance(size, int) else None


class _Module:
    """The text of a module with one call.

    A size that is not known yet is `?` in it. XLA finds those of the results from further operands,
    which hold the sizes, and which the handler does not get.
    """

    def __init__(self, arguments: Sequence[tf.Tensor], results: Sequence[Result]):
        self._names = [f"%argument{index}" for index in range(len(arguments))]
        self._types = [_type(each.dtype, each.shape) for each in arguments]
        self._results = results
        self._result_types = [_type(dtype, map(_known, sizes)) for dtype, sizes in results]
        self._lines: list[str] = []

    def text(self, target: str, attributes: dict[str, Any]) -> str:
        """The module. Its function takes the arguments, and returns what the handler makes."""
        config = ", ".join(f"{name} = {_literal(value)}" for name, value in attributes.items())
        settings = ["api_version = 4 : i32", f"backend_config = {{{config}}}"]
        operands, types = list(self._names), list(self._types)
        is_open = any("?" in each for each in (*self._types, *self._result_types))
        if is_open:
            shapes = [self._shape(sizes) for _, sizes in self._results]
            indices = [len(operands) + index for index in range(len(shapes))]
            settings.append(
                f"indices_of_shape_operands = dense<{indices}> : tensor<{len(indices)}xi64>"
            )
            operands += shapes
            types += [f"tensor<{len(sizes)}xi32>" for _, sizes in self._results]
        made = f"({', '.join(self._result_types)})"
        values = self._add(
            f"stablehlo.custom_call @{target}({', '.join(operands)}) {{{', '.join(settings)}}}"
            f" : ({', '.join(types)}) -> {made}",
            len(self._results),
        )
        self._lines.append(f"return {', '.join(values)} : {', '.join(self._result_types)}")
        given = zip(self._names, self._types, strict=True)
        parameters = ", ".join(f"{name}: {kind}" for name, kind in given)
        # TensorFlow fills in sizes where this name says so; it was made for JAX.
        open_sizes = f"jax.uses_shape_polymorphism = {_literal(is_open)}"
        return "\n".join(
            [
                f"module @{target} attributes {{{open_sizes}}} {{",
                f"func.func public @main({parameters}) -> {made} {{",
                *self._lines,
                "}",
                "}",
            ]
        )

    def _shape(self, sizes: Sequence[Size]) -> str:
        """The name of an operand that holds the sizes, `[rank]`."""
        parts = ", ".join(map(self._size, sizes))
        kinds = ", ".join(["tensor<1xi32>"] * len(sizes))
        return self._add(
            f"stablehlo.concatenate {parts}, dim = 0 : ({kinds}) -> tensor<{len(sizes)}xi32>"
        )[0]

    def _size(self, size: Size) -> str:
        """The name of a value that holds the size, `[1]`."""
        if isinstance(size, int):
            return self._add(f"stablehlo.constant dense<{size}> : tensor<1xi32>")[0]
        argument, axis = size
        name, kind = self._names[argument], self._types[argument]
        (scalar,) = self._add(
            f"stablehlo.get_dimension_size {name}, dim = {axis} : ({kind}) -> tensor<i32>"
        )
        return self._add(f"stablehlo.reshape {scalar} : (tensor<i32>) -> tensor<1xi32>")[0]

    def _add(self, operation: str, count: int = 1) -> list[str]:
        """Adds a line; returns the names of its results."""
        name = f"%value{len(self._lines)}"
        self._lines.append(f"{name}:{count} = {operation}")
        return [f"{name}#{index}" for index in range(count)]


def _type(dtype: tf.DType, sizes: Iterable[int | None]) -> str:
    axes = ["?" if size is None else str(size) for size in sizes]
    return f"tensor<{'x'.join([*axes, _TYPES[dtype]])}>"


def _literal(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    # By its bits, as infinity has no other word.
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X} : f64"
