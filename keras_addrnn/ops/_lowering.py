"""How the recurrence is written while a model is lowered to a LiteRT graph.

`keras_addrnn.lite` alone enters a scope. The ops read it, so that nothing is set on layers.
"""

import contextlib
import contextvars
import dataclasses
from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class Lowering:
    """What the graph may hold; it overrides each layer's own `implementation` and `unroll`.

    Attributes:
        fused_operator: Whether a whole sequence becomes one custom operator, where that has a
            kernel. Single steps are always composed.
        integer_operations: Whether loops are unrolled, and the gate is made of the operations that
            LiteRT has for integers. No gradient may follow: those at the kinks are others.
    """

    fused_operator: bool
    integer_operations: bool


_current: contextvars.ContextVar[Lowering | None] = contextvars.ContextVar("_current", default=None)


@contextlib.contextmanager
def scope(*, fused_operator: bool, integer_operations: bool) -> Iterator[Lowering]:
    """Lowers everything that is traced within, in this thread."""
    token = _current.set(Lowering(fused_operator, integer_operations))
    try:
        yield _current.get()
    finally:
        _current.reset(token)


def current() -> Lowering | None:
    """The scope in force, or None outside of a conversion."""
    return _current.get()
