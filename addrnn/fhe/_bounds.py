"""Tracers of concrete-python with proven bounds, and how the compiler learns the bounds.

concrete-python takes the bit width of a value from the samples that it sees. A value outside of
them gives a wrong result later, without an error. So here each value of a circuit is a
`BoundedTracer`: its bounds follow from those of its operands, and replace those of the samples.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn.fhe._concrete import concrete

IntArray = npt.NDArray[np.int64]
Elementwise = Callable[[IntArray], IntArray]

MAX_LOOKUP_BITS = 8
TRUNCATED_BITS = 4  # what is left of an index whose low bits are cut off, at least

BOUNDS = "addrnn.bounds"  # a property of the nodes of a graph


class BoundedTracer:
    """An encrypted array, with bounds for each of its elements.

    Args:
        tracer: The array as concrete-python traces it.
        low, high: The bounds: int64 arrays that broadcast to its shape.
    """

    def __init__(self, tracer: Any, low: npt.ArrayLike, high: npt.ArrayLike):
        self.tracer = tracer
        self.low = np.broadcast_to(np.asarray(low, np.int64), tracer.shape)
        self.high = np.broadcast_to(np.asarray(high, np.int64), tracer.shape)
        properties = tracer.computation.properties
        lowest, highest = int(self.low.min()), int(self.high.max())
        if BOUNDS in properties:  # two proofs for one value: both hold
            known = properties[BOUNDS]
            lowest, highest = max(lowest, known[0]), min(highest, known[1])
        properties[BOUNDS] = lowest, highest

    def __add__(self, other: "BoundedTracer | IntArray | int") -> "BoundedTracer":
        if isinstance(other, BoundedTracer):
            return BoundedTracer(
                self.tracer + other.tracer, self.low + other.low, self.high + other.high
            )
        if not np.any(other):
            return self
        return BoundedTracer(self.tracer + other, self.low + other, self.high + other)

    def __sub__(self, other: "BoundedTracer | IntArray | int") -> "BoundedTracer":
        if isinstance(other, BoundedTracer):
            return BoundedTracer(
                self.tracer - other.tracer, self.low - other.high, self.high - other.low
            )
        return self + -other

    def __matmul__(self, weights: IntArray) -> "BoundedTracer":
        """The product with a matrix of integers in the clear, `[F] @ [F, C]`."""
        ends = weights * self.low[:, None], weights * self.high[:, None]
        low, high = np.minimum(*ends).sum(0), np.maximum(*ends).sum(0)
        return BoundedTracer(self.tracer @ weights, low, high)

    def __getitem__(self, index: int) -> "BoundedTracer":
        return BoundedTracer(self.tracer[index], self.low[index], self.high[index])

    def within(self, low: npt.ArrayLike, high: npt.ArrayLike) -> "BoundedTracer":
        """The same value with narrower bounds, which the caller has proven."""
        return BoundedTracer(self.tracer, np.maximum(self.low, low), np.minimum(self.high, high))

    def lookup(
        self, function: Elementwise, name: str, *, truncate: bool = False
    ) -> "BoundedTracer":
        """Looks `function` up in a table: one programmable bootstrap (PBS) for each element.

        The function maps int64 arrays, element by element. If it changes no value in bounds, this
        tracer is returned, without a PBS. `name` is the name of the value, for the `ValueError`
        where the bounds need a wider table than concrete-python has.

        With `truncate`, low bits that make no difference to the function are cut off first, by a
        PBS of one bit each. For a wide index these and a narrow table are cheaper than a wide one.
        """
        if self._is_identity(function):
            return self
        return self.bootstrap(function, name, truncate=truncate)

    def bootstrap(
        self, function: Elementwise, name: str, *, truncate: bool = False
    ) -> "BoundedTracer":
        """As `lookup`, but with a PBS even if the function changes no value."""
        # Tables take signed indices. An offset centers values that are far from zero.
        offset = np.where(self.low < 0, (self.low + self.high + 1) >> 1, 0)
        bits = _bits(self.low, self.high)
        if bits <= _bits(self.low - offset, self.high - offset):
            offset = np.zeros_like(offset)
        cut = 0
        if truncate and bits > TRUNCATED_BITS:
            cut, begin = self._blocks(function, bits - TRUNCATED_BITS)
            nearest = offset - begin + (1 << cut >> 1) >> cut << cut
            offset = begin + nearest  # where a block begins
        index = self - offset
        bits = _bits(index.low, index.high)
        if bits > MAX_LOOKUP_BITS:
            element = (self.high - self.low).argmax()
            raise ValueError(
                f"{name} takes a look-up table of {bits} bits, and {MAX_LOOKUP_BITS} are the most: "
                f"its element {element} goes from {self.low.flat[element]} to "
                f"{self.high.flat[element]}. "
                "Use fewer bits for inputs, weights or state, or fewer weights that are not zero "
                "in a column."
            )

        def table(value: IntArray) -> IntArray:
            return function(np.clip(value, index.low, index.high) + offset)

        low, high = self._image(function)
        if cut:
            index = index._truncated(cut)
        return BoundedTracer(concrete().univariate(table)(index.tracer), low, high)

    def _truncated(self, bits: int) -> "BoundedTracer":
        """The values with so many low bits 0: rounded down."""
        tracer = concrete().truncate_bit_pattern(self.tracer, lsbs_to_remove=bits)
        return BoundedTracer(tracer, self.low >> bits << bits, self.high >> bits << bits)

    def _blocks(self, function: Elementwise, most: int) -> tuple[int, IntArray]:
        """How many low bits, up to `most`, make no difference to `function` in any element.

        It is constant on blocks of `2**bits` values; also returns where one begins, per element.
        """
        values = np.stack(list(self._values()))
        outputs = np.stack([function(value) for value in values])
        changes = outputs[1:] != outputs[:-1]
        for bits in range(most, 0, -1):
            begins = np.where(changes, values[1:] % 2**bits, -1)
            begin = begins.max(0, initial=-1)
            if ((begins == begin) | ~changes).all():
                return bits, np.maximum(begin, 0)
        return 0, np.zeros_like(self.low)

    def _is_identity(self, function: Elementwise) -> bool:
        return all((function(value) == value).all() for value in self._values())

    def _image(self, function: Elementwise) -> tuple[IntArray, IntArray]:
        """The least and the greatest value of `function` within the bounds of each element."""
        low = high = function(self.low)
        for value in self._values():
            low, high = np.minimum(low, function(value)), np.maximum(high, function(value))
        return low, high

    def _values(self) -> Iterator[IntArray]:
        """All values that the elements can have, array by array; at most those of a table."""
        longest = min(int((self.high - self.low).max()), 2**MAX_LOOKUP_BITS)
        for distance in range(longest + 1):
            yield np.minimum(self.low + distance, self.high)


def _bits(low: npt.ArrayLike, high: npt.ArrayLike) -> int:
    """The bit width of the integers from the least to the greatest."""
    lowest, highest = int(np.min(low)), int(np.max(high))
    if lowest >= 0:
        return max(highest.bit_length(), 1)
    return max((-lowest - 1).bit_length(), max(highest, 0).bit_length()) + 1


def graph_processor() -> Any:
    """Gives the proven bounds to the compiler, as one of its `additional_pre_processors`."""
    representation = concrete().representation

    class ProvenBounds(representation.GraphProcessor):  # type: ignore[name-defined,misc]
        def apply(self, graph: Any) -> None:
            bounds = {}
            for node in graph.query_nodes(ordered=True):
                if node.operation == representation.Operation.Constant:
                    continue
                if BOUNDS not in node.properties:
                    raise RuntimeError(f"No bounds are proven for {node.properties}")
                low, high = node.properties[BOUNDS]
                seen = node.bounds
                if seen is not None and not low <= seen[0] <= seen[1] <= high:
                    raise RuntimeError(f"Seen {seen} outside of the proven bounds {low} to {high}")
                bounds[node] = {"min": np.int64(low), "max": np.int64(high)}
            graph.update_with_bounds(bounds)

    return ProvenBounds()


def check_bit_widths(graph: Any) -> None:
    """Raises a `RuntimeError` unless the compiler gave each value the bits that its bounds need."""
    for node in graph.query_nodes(ordered=True):
        if BOUNDS not in node.properties:
            continue
        low, high = node.properties[BOUNDS]
        dtype = node.output.dtype
        if dtype.bit_width < _bits(low, high) or (low < 0) > dtype.is_signed:
            raise RuntimeError(
                f"The compiler gives {dtype} to a value from {low} to {high}; this version of "
                "concrete-python cannot be used. Install the one that keras_addrnn[fhe] asks for."
            )


def lookup_bits(graph: Any) -> set[int]:
    """The bit widths of the look-up tables of a graph, without those that cut off a bit."""
    bits = set()
    for node in graph.query_nodes(ordered=True):
        if node.converted_to_table_lookup and node.properties["name"] != "truncate_bit_pattern":
            (index,) = graph.ordered_preds_of(node)
            cut = index.properties.get("kwargs", {}).get("lsbs_to_remove", 0)
            bits.add(_bits(*index.properties[BOUNDS]) - cut)
    return bits
