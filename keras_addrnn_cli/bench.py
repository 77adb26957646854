"""How fast AddGRU is on this machine, beside Keras' GRU and LSTM."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def burst(function: Callable[[], Any], seconds: float = 0.02) -> list[float]:
    """The times of some calls in a row, in milliseconds.

    Three times as long before that, calls do not count: they pay for what somebody else has left in
    the caches, for a processor that was asleep, and for threads that wake on one and the same.
    """
    times = []
    for counted, share in ((False, 3), (True, 1)):
        begin = start = time.perf_counter()
        while start < begin + share * seconds:
            function()
            now = time.perf_counter()
            if counted:
                times.append(1e3 * (now - start))
            start = now
    return times


def in_turn(functions: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The median time of a call of each function, in milliseconds, by name.

    The functions return when their result is there. They are called in bursts, in turn, so that a
    machine which is busy now and then is so for each; until the time is up, and three times at
    least.
    """
    times = {name: [] for name in functions}
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < 3 or time.perf_counter() < end:
        rounds += 1
        for name, function in functions.items():
            times[name] += burst(function)
    return {name: statistics.median(values) for name, values in times.items()}


def forward(layer: Any, x: Any, jit_compile: bool = False) -> Callable[[], Any]:
    """A function that calls a built Keras layer on `x`, compiled by TensorFlow."""
    import tensorflow as tf

    call = tf.function(lambda x: layer(x), jit_compile=jit_compile).get_concrete_function(x)
    return lambda: call(x)


def gradients(layer: Any, x: Any, jit_compile: bool = False) -> Callable[[], Any]:
    """A function for the gradients of a built Keras layer's weights, forward pass included."""
    import tensorflow as tf

    @tf.function(jit_compile=jit_compile)
    def call(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, training=True))
        return tape.gradient(loss, layer.trainable_variables)

    call = call.get_concrete_function(x)
    return lambda: call(x)


def compare(
    batch: int, steps: int, features: int, units: int, seconds: float
) -> dict[str, tuple[float, float]]:
    """AddGRU's, GRU's and LSTM's times on one shape, in `seconds` in all.

    Returns:
        Dict from the layer's name to `(forward, forward and backward)`, medians in milliseconds.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"The benchmark runs on TensorFlow, but Keras runs on '{keras.backend.backend()}'. "
            "Set the environment variable KERAS_BACKEND to tensorflow."
        )
    import tensorflow as tf

    try:
        return _compare((batch, steps, features), units, seconds)
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise ValueError(
            f"The layers do not fit into memory. Received: batch={batch}, steps={steps}, "
            f"features={features}, units={units}. Use a smaller shape."
        ) from error


def _compare(
    shape: tuple[int, int, int], units: int, seconds: float
) -> dict[str, tuple[float, float]]:
    import keras

    from keras_addrnn.layers import AddGRU

    x = keras.random.normal(shape, seed=0)
    layers = {cls.__name__: cls(units) for cls in (AddGRU, keras.layers.GRU, keras.layers.LSTM)}
    for layer in layers.values():
        layer.build(x.shape)
    both = [
        in_turn({name: make(layer, x) for name, layer in layers.items()}, seconds / 2)
        for make in (forward, gradients)
    ]
    return {name: (both[0][name], both[1][name]) for name in layers}
