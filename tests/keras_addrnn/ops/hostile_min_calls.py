"""As `hostile_calls`, of the raw ops of MinAddGRU; run as a process of its own."""

import numpy as np
import tensorflow as tf

from tests.keras_addrnn.ops import hostile_calls
from tests.keras_addrnn.ops.hostile_calls import HUGE, OPS, B, D, H, T, expect_refusal, tensors

W = 3
FORWARD = {
    "inputs": (B, T, D),
    "kernel": (W, D, 2 * H),
    "bias": (2 * H,),
    "initial_state": (B, H),
    "mask": (B, T),
    "initial_inputs": (B, W - 1, D),
}
BACKWARD = {
    **{name: shape for name, shape in FORWARD.items() if name != "bias"},
    **dict.fromkeys(("reserve", "candidates", "d_outputs"), (B, T, H)),
    "d_final_state": (B, H),
}
DTYPES = {"mask": "bool", "reserve": "uint8"}
ABSENT = {"bias": (0,), "initial_state": (0, 0), "mask": (0, 0), "initial_inputs": (0, 0, 0)}


def forward(**changes):
    return lambda: tensors(FORWARD | changes, DTYPES)


def backward(dtypes=None, **changes):
    return lambda: tensors(BACKWARD | changes, DTYPES | (dtypes or {}))


def wrong_shapes(shape):
    """Each axis too small, too large and far too large; then every other rank."""
    for axis in range(len(shape)):
        for change in (-1, 1, 1000):
            yield (*shape[:axis], shape[axis] + change, *shape[axis + 1 :])
    for rank in range(6):
        if rank != len(shape):
            yield (2,) * rank


def shapes():
    OPS.min_add_gru(**forward()())  # the unchanged calls are fine
    OPS.min_add_gru_grad(**backward()(), activation="tanh")
    for name, shape in FORWARD.items():
        for wrong in wrong_shapes(shape):
            expect_refusal(
                f"{name} {wrong}", OPS.min_add_gru, forward(**{name: wrong}), "MinAddGru: "
            )
    for name, shape in BACKWARD.items():
        for wrong in wrong_shapes(shape):
            make = backward(**{name: wrong})
            expect_refusal(
                f"d {name} {wrong}",
                OPS.min_add_gru_grad,
                make,
                "MinAddGruGrad: ",
                activation="tanh",
            )
    for name in ("reserve", "candidates"):  # as a forward pass without a reserve has it
        make = backward(**{name: (0,)})
        expect_refusal(f"d {name} absent", OPS.min_add_gru_grad, make, name, activation="tanh")


def types():
    for name in FORWARD:
        for dtype in ("float64", "int32", "string", "complex64"):
            make = lambda name=name, dtype=dtype: tensors(FORWARD, DTYPES | {name: dtype})  # noqa: E731
            expect_refusal(f"{name} {dtype}", OPS.min_add_gru, make)
    for dtype in ("float32", "int8", "bool"):
        expect_refusal(f"d reserve {dtype}", OPS.min_add_gru_grad, backward({"reserve": dtype}))
    for change in ({"activation": "sigmoid"}, {"activation": 3}, {"go_backwards": "perhaps"}):
        says = next(iter(change))
        expect_refusal(f"attributes {change}", OPS.min_add_gru, forward(), says, **change)


def huge():
    """Sizes of which the inputs have no element, but the outputs would be larger than memory."""
    no_input = {"kernel": (W, 0, 2 * H)} | ABSENT
    for inputs in [(HUGE, 1, 0), (1, HUGE, 0), (2**31, 2**31, 0), (2**62, 1, 0), (2**40, 2**40, 0)]:
        for with_reserve in (False, True):
            make = forward(inputs=inputs, **no_input)
            expect_refusal(f"{inputs}", OPS.min_add_gru, make, with_reserve=with_reserve)
    expect_refusal("huge batch", OPS.min_add_gru, forward(inputs=(HUGE, 0, D), **ABSENT))
    for kernel in [(HUGE, 0, 2), (2**62, 0, 2), (2, 0, HUGE), (0, 0, HUGE), (HUGE, D, 0)]:
        make = forward(inputs=(B, T, kernel[1]), kernel=kernel, **ABSENT)
        expect_refusal(f"kernel {kernel}", OPS.min_add_gru, make)


def garbage():
    """Bits are data: nothing to refuse, nothing to crash."""
    arguments = backward()() | {"reserve": tf.fill((B, T, H), np.uint8(255))}
    for activation in ("relu", "tanh"):
        OPS.min_add_gru_grad(**arguments, activation=activation)


def nothing_to_compute():
    """Sizes of 0 are no error: shapes come out right, gradients too."""
    long = 2**30  # steps that nothing happens in
    sizes = [(0, T, D, H), (B, 0, D, H), (B, T, 0, H), (B, T, D, 0), (0, 0, 0, 0)]
    for b, t, d, h in [*sizes, (0, long, D, H), (B, long, 0, 0)]:
        for window in (1, W):
            print("sizes", (b, t, d, h, window), flush=True)
            arguments = tensors(
                {
                    "inputs": (b, t, d),
                    "kernel": (window, d, 2 * h),
                    "bias": (2 * h,),
                    "initial_state": (b, h),
                    "mask": (b, t),
                    "initial_inputs": (b, window - 1, d),
                },
                DTYPES,
            )
            sources = {name: arguments[name] for name in FORWARD if name != "mask"}
            with tf.GradientTape() as tape:
                tape.watch(list(sources.values()))
                outputs, state, _, _ = OPS.min_add_gru(**arguments, with_reserve=True)
            assert outputs.shape == (b, t, h) and state.shape == (b, h)
            assert not np.any(outputs) and not np.any(state)
            for name, gradient in tape.gradient(outputs, sources).items():
                assert gradient.shape == sources[name].shape, name
                assert not np.any(gradient), name


if __name__ == "__main__":
    for part in (shapes, types, huge, garbage, nothing_to_compute):
        part()
    print(f"{hostile_calls.refused} calls refused")
