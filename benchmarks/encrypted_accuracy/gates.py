"""The four gates as they are trained: integers on floats that a gradient passes through.

Everything is in units of the state, from 0 to `most`. `u` and `z` are the sums of the update gate
and the candidate, not rounded; `sums` gives those of a step for a state, where they read one.
Rounding has the derivative 1.
"""

import functools

import jax
import jax.numpy as jnp


def through(value, integers):
    """The integers, with the derivative of `value`."""
    return value + jax.lax.stop_gradient(integers - value)


def rounded(value):
    return through(value, jnp.floor(value + 0.5))


def even(value):
    """Rounded as NumPy's `rint`, which the tables of a product use."""
    return through(value, jnp.round(value))


def clip(value, low, high):
    return jnp.minimum(jnp.maximum(value, low), high)


def relu(value):
    return jnp.maximum(value, 0)


def min_add(u, z, h, most):
    """MinAddGRU's."""
    u, c = clip(rounded(u), -most, most), clip(rounded(z), 0, most)
    return jnp.maximum(h - relu(-u), relu(c - relu(u)))


def add(u, z, h, most):
    """AddGRU's."""
    u, c = clip(rounded(u), -most, most), clip(rounded(z), 0, most)
    return jnp.minimum(relu(h - relu(-u)) + relu(c - relu(u)), most)


def multiply(u, z, h, most, parts=2):
    """`c + g (h - c)`, the product as two quarter squares that are rounded ("mul, 4 PBS").

    The update gate is rounded to such parts of the state's unit. Halves are as fine as the sums
    mostly are; whole units let more bits be cut off.
    """
    u = clip(rounded(parts * u) / parts, -most - 1, most + 1 - 1 / parts)
    g = even(most * jax.nn.sigmoid(u * (4 / (most + 1))))
    c = clip(rounded(z), 0, most)
    up, down = g + h - c, g - h + c
    return c + even(up * up / (4 * most)) - even(down * down / (4 * most))


# Beside each gate, whether its sums read the state, and the rates of its update gate and candidate:
# the best on digits to train on, of 1, 2, 4, 8 and 16.
GATES = {
    "MinAddGRU": (min_add, False, (8.0, 2.0)),
    "minGRU": (multiply, False, (8.0, 8.0)),
    "minGRU, coarse": (functools.partial(multiply, parts=1), False, (8.0, 8.0)),
    "AddGRU": (add, True, (8.0, 2.0)),
    "GRU": (multiply, True, (8.0, 8.0)),
}
