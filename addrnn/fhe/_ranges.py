"""Encrypted values whose ranges are proven, and how the compiler is told.

concrete-python takes as many bits for a value as the samples shown to it needed, and a value that
leaves them later gives a wrong result without an error. So every value of a circuit is a `Ranged`
here: its range follows from those of its operands, and replaces what the samples have shown.
"""

import numpy as np

from addrnn.fhe._library import concrete

MAX_TABLE_BITS = 8

_PROVEN = "keras_addrnn.range"


class Ranged:
    """An encrypted array and, for each of its elements, the least and the greatest value.

    Args:
        tracer: The array as concrete-python traces it.
        low, high: int64 arrays that broadcast to its shape.
    """

    def __init__(self, tracer, low, high):
        self.tracer = tracer
        self.low = np.broadcast_to(np.asarray(low, np.int64), tracer.shape)
        self.high = np.broadcast_to(np.asarray(high, np.int64), tracer.shape)
        properties = tracer.computation.properties
        least, greatest = int(self.low.min()), int(self.high.max())
        if _PROVEN in properties:  # of a value under two names both proofs hold
            known = properties[_PROVEN]
            least, greatest = max(least, known[0]), min(greatest, known[1])
        properties[_PROVEN] = least, greatest

    def __add__(self, other):
        if isinstance(other, Ranged):
            return Ranged(self.tracer + other.tracer, self.low + other.low, self.high + other.high)
        if not np.any(other):
            return self
        return Ranged(self.tracer + other, self.low + other, self.high + other)

    def __sub__(self, other):
        if isinstance(other, Ranged):
            return Ranged(self.tracer - other.tracer, self.low - other.high, self.high - other.low)
        return self + -other

    def __matmul__(self, weights):
        """The product with a matrix of integers in the clear, `[F] @ [F, C]`."""
        ends = weights * self.low[:, None], weights * self.high[:, None]
        return Ranged(self.tracer @ weights, np.minimum(*ends).sum(0), np.maximum(*ends).sum(0))

    def __getitem__(self, index):
        return Ranged(self.tracer[index], self.low[index], self.high[index])

    def within(self, low, high):
        """The same value in a narrower range, which the caller has proven."""
        return Ranged(self.tracer, np.maximum(self.low, low), np.minimum(self.high, high))

    def table(self, function, what):
        """A look-up of `function`, a programmable bootstrap for each element.

        Args:
            function: Takes and returns an int64 array of this shape, element by element.
            what: What is looked up, for the error.

        Returns:
            A `Ranged`; this one, if the function changes nothing in its range.

        Raises:
            ValueError: The range needs a wider table than there is.
        """
        if self._unchanged_by(function):
            return self
        return self.refreshed(function, what)

    def refreshed(self, function, what):
        """Like `table`, but also where the function changes nothing."""
        # Tables are indexed by signed numbers; what is far from zero is first brought around it.
        offset = np.where(self.low < 0, (self.low + self.high + 1) >> 1, 0)
        if _bits(self.low, self.high) <= _bits(self.low - offset, self.high - offset):
            offset = np.zeros_like(offset)
        index = self - offset
        bits = _bits(index.low, index.high)
        if bits > MAX_TABLE_BITS:
            widest = (self.high - self.low).argmax()
            raise ValueError(
                f"{what} takes a look-up of {bits} bits, and {MAX_TABLE_BITS} are the most: number "
                f"{widest} goes from {self.low.flat[widest]} to {self.high.flat[widest]}. Use "
                "fewer bits for inputs, weights or state, or fewer weights that are not zero in a "
                "column."
            )

        def look_up(value):
            return function(np.clip(value, index.low, index.high) + offset)

        low, high = self._image(function)
        return Ranged(concrete().univariate(look_up)(index.tracer), low, high)

    def _unchanged_by(self, function):
        return all((function(value) == value).all() for value in self._values())

    def _image(self, function):
        """The least and the greatest value of `function` over the range of each element."""
        low = high = function(self.low)
        for value in self._values():
            low, high = np.minimum(low, function(value)), np.maximum(high, function(value))
        return low, high

    def _values(self):
        """All values that the elements can have, array by array; at most those of a table."""
        longest = min(int((self.high - self.low).max()), 2**MAX_TABLE_BITS)
        for distance in range(longest + 1):
            yield np.minimum(self.low + distance, self.high)


def _bits(low, high):
    """How many bits hold the numbers from the least to the greatest."""
    low, high = int(np.min(low)), int(np.max(high))
    if low >= 0:
        return max(high.bit_length(), 1)
    return max((-low - 1).bit_length(), max(high, 0).bit_length()) + 1


def processor():
    """What gives the compiler the proven ranges: one of its `additional_pre_processors`."""
    fhe_representation = concrete().representation

    class ProvenRanges(fhe_representation.GraphProcessor):
        def apply(self, graph):
            bounds = {}
            for node in graph.query_nodes(ordered=True):
                if node.operation == fhe_representation.Operation.Constant:
                    continue
                if _PROVEN not in node.properties:
                    raise RuntimeError(f"No range is proven for {node.properties}")
                low, high = node.properties[_PROVEN]
                seen = node.bounds
                if seen is not None and not low <= seen[0] <= seen[1] <= high:
                    raise RuntimeError(f"Seen {seen} outside of the proven range {low} to {high}")
                bounds[node] = {"min": np.int64(low), "max": np.int64(high)}
            graph.update_with_bounds(bounds)

    return ProvenRanges()


def check_widths(graph):
    """Looks whether the compiler has given each value the bits that its proven range needs.

    Raises:
        RuntimeError: It has not.
    """
    for node in graph.query_nodes(ordered=True):
        if _PROVEN not in node.properties:
            continue
        low, high = node.properties[_PROVEN]
        dtype = node.output.dtype
        if dtype.bit_width < _bits(low, high) or (low < 0) > dtype.is_signed:
            raise RuntimeError(
                f"The compiler gives {dtype} to a value from {low} to {high}; this version of "
                "concrete-python cannot be used."
            )


def table_bits(graph):
    """The bits of what is looked up in a graph, as a set."""
    bits = set()
    for node in graph.query_nodes(ordered=True):
        if node.converted_to_table_lookup:
            (index,) = graph.ordered_preds_of(node)
            bits.add(_bits(*index.properties[_PROVEN]))
    return bits
