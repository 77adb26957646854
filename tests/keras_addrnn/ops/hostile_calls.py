"""Calls of the raw ops that a graph from anywhere could contain; run as a process of its own.

Prints the name of each call before making it, so that the last line names the one that crashed, and
checks that each is refused with an error that says what is wrong.
"""

import sys

import numpy as np
import tensorflow as tf

from addrnn.tensorflow import _library

OPS = _library.load().ops
B, T, D, H = 2, 3, 4, 5
FORWARD = {
    "inputs": (B, T, D),
    "kernel": (D, 2 * H),
    "recurrent_kernel": (H, 2 * H),
    "bias": (2 * H,),
    "initial_state": (B, H),
    "mask": (B, T),
}
HUGE = 2**50
refused = 0


def tensors(shapes, dtypes):
    return {name: tf.zeros(shape, dtypes.get(name, "float32")) for name, shape in shapes.items()}


def unknown_shapes(op, arguments, attributes):
    """The op in a graph that knows no shapes, so that only the kernel can refuse them."""
    specs = [tf.TensorSpec(None, tensor.dtype) for tensor in arguments.values()]
    names = list(arguments)

    @tf.function(input_signature=specs)
    def run(*values):
        return op(**dict(zip(names, values, strict=True)), **attributes)

    return run(*arguments.values())


def expect_refusal(name, op, make, says="", **attributes):
    """`make()` builds the op's inputs; building them may already be refused."""
    global refused
    for mode in ("eager", "graph"):
        print(name, mode, flush=True)
        try:
            arguments = make()
            if mode == "eager":
                op(**arguments, **attributes)
            else:
                unknown_shapes(op, arguments, attributes)
        except (tf.errors.OpError, ValueError, TypeError, OverflowError, MemoryError) as error:
            if says not in str(error):
                sys.exit(f"{name} ({mode}): the error does not say {says!r}: {error}")
            refused += 1
            continue
        sys.exit(f"{name} ({mode}) was not refused")


def forward(**changes):
    return lambda: tensors(FORWARD | changes, {"mask": "bool"})


def ranks_and_sizes():
    for name, shape in FORWARD.items():
        for rank in range(6):
            optional_as_empty = rank == len(shape)
            # Inputs without a time axis are one step, and then it is the mask that does not fit.
            if optional_as_empty or (name == "inputs" and rank == 2):
                continue
            wrong = (2,) * rank
            expect_refusal(
                f"{name} {wrong}", OPS.add_gru, forward(**{name: wrong}), f"{name} must be of shape"
            )
        for axis in range(len(shape)):
            for change in (-1, 1, 1000):
                wrong = list(shape)
                wrong[axis] += change
                expect_refusal(f"{name} {wrong}", OPS.add_gru, forward(**{name: wrong}), "must be")


def types():
    def of(**dtypes):
        return lambda: tensors(FORWARD, {"mask": "bool"} | dtypes)

    for name in FORWARD:
        for dtype in ("float64", "int32", "string", "complex64", "qint8"):
            expect_refusal(f"{name} {dtype}", OPS.add_gru, of(**{name: dtype}))
    integers = {name: "int32" for name in FORWARD if name != "mask"}
    expect_refusal("all int32", OPS.add_gru, of(**integers))


def attributes():
    nan, inf = float("nan"), float("inf")
    for change in (
        {"activation": "sigmoid"},
        {"activation": ""},
        {"activation": "relu" * 100},
        {"activation": 3},
        {"state_shift": -1.0},
        {"state_shift": nan},
        {"state_shift": inf},
        {"state_max": nan},
        {"state_max": -inf},
        {"state_max": 0.0},
        {"state_shift": 1.0, "state_max": -1.0},
        {"go_backwards": "perhaps"},
    ):
        says = next(iter(change)) if len(change) == 1 else "state_max"
        expect_refusal(f"attributes {change}", OPS.add_gru, forward(), says, **change)
    # Shown as it is, not as 0.
    says = "received 1.40129846e-45 with state_shift 0"
    expect_refusal("smallest state_max", OPS.add_gru, forward(), says, state_max=1e-45)


def huge():
    """Sizes of which the inputs have no element, but the outputs would be larger than memory."""
    absent = {"bias": (0,), "initial_state": (0, 0), "mask": (0, 0)}
    no_input = {"kernel": (0, 2 * H)} | absent
    for inputs in [(HUGE, 1, 0), (1, HUGE, 0), (2**31, 2**31, 0), (2**62, 1, 0), (2**40, 2**40, 0)]:
        for with_reserve in (False, True):
            expect_refusal(
                f"inputs {inputs}",
                OPS.add_gru,
                forward(inputs=inputs, **no_input),
                with_reserve=with_reserve,
            )
    expect_refusal("huge batch", OPS.add_gru, forward(inputs=(HUGE, 0, D), **absent))
    expect_refusal("huge batch of steps", OPS.add_gru, forward(inputs=(HUGE, 0), **no_input))
    expect_refusal("huge units", OPS.add_gru, forward(recurrent_kernel=(HUGE, 0), **absent))
    expect_refusal("huge gates", OPS.add_gru, forward(recurrent_kernel=(0, HUGE), **absent))


def gradient():
    shapes = {name: shape for name, shape in FORWARD.items() if name not in ("bias", "mask")}
    shapes |= {name: (B, T, H) for name in ("outputs", "reserve", "candidates", "d_outputs")}
    shapes["d_final_state"] = (B, H)

    def backward(dtypes=None, **changes):
        return lambda: tensors(shapes | changes, {"reserve": "uint8"} | (dtypes or {}))

    OPS.add_gru_grad(**backward()(), activation="tanh")  # the unchanged call is fine
    for name, shape in shapes.items():
        says = "AddGruGrad: "  # not AddGru
        for axis in range(len(shape)):
            for change in (-1, 1, 1000):
                wrong = list(shape)
                wrong[axis] += change
                make = backward(**{name: wrong})
                expect_refusal(f"d {name} {wrong}", OPS.add_gru_grad, make, says, activation="tanh")
        for rank in range(6):
            if rank == len(shape) or (name == "inputs" and rank == 2):
                continue
            make = backward(**{name: (2,) * rank})
            expect_refusal(f"d {name} rank {rank}", OPS.add_gru_grad, make, says, activation="tanh")
    for name in ("outputs", "reserve", "candidates"):  # as a forward pass without a reserve has it
        make = backward(**{name: (0,)})
        expect_refusal(f"d {name} absent", OPS.add_gru_grad, make, name, activation="tanh")
    for dtype in ("float32", "int8", "bool"):
        expect_refusal(f"d reserve {dtype}", OPS.add_gru_grad, backward({"reserve": dtype}))
    for size in (HUGE, 2**62):
        make = backward(inputs=(size, 0, D), initial_state=(0, 0))
        expect_refusal(f"d inputs ({size}, 0, {D})", OPS.add_gru_grad, make)

    print("reserve of garbage", flush=True)  # bits are data: nothing to refuse, nothing to crash
    garbage = backward()() | {"reserve": tf.fill((B, T, H), np.uint8(255))}
    for activation in ("relu", "tanh"):
        OPS.add_gru_grad(**garbage, activation=activation)


def step_gradient():
    shapes = {name: (B, H) for name in ("reserve", "candidates", "d_outputs", "d_final_state")}

    def backward(dtypes=None, **changes):
        return lambda: tensors(shapes | changes, {"reserve": "uint8"} | (dtypes or {}))

    OPS.add_gru_step_grad(**backward()(), activation="tanh")  # the unchanged call is fine
    for name in shapes:
        for wrong in [(B + 1, H), (B, H + 1), (B, H - 1), (0, H), (B, 0), (H,), (B, T, H), ()]:
            make = backward(**{name: wrong})
            expect_refusal(
                f"step d {name} {wrong}",
                OPS.add_gru_step_grad,
                make,
                "AddGruStepGrad: ",
                activation="tanh",
            )
    for huge in [(0, HUGE), (0, 2**62), (HUGE, 0)]:
        make = backward(**dict.fromkeys(shapes, huge))
        expect_refusal(f"step d {huge}", OPS.add_gru_step_grad, make, activation="tanh")
    for dtype in ("float32", "int8", "bool"):
        make = backward({"reserve": dtype})
        expect_refusal(f"step d reserve {dtype}", OPS.add_gru_step_grad, make)
    garbage = backward()() | {"reserve": tf.fill((B, H), np.uint8(255))}
    for activation in ("relu", "tanh"):
        OPS.add_gru_step_grad(**garbage, activation=activation)


def nothing_to_compute():
    """Sizes of 0 are no error: shapes come out right, gradients too."""
    long = 2**30  # steps that nothing happens in; TensorFlow makes no gradients for more
    sizes = [(0, T, D, H), (B, 0, D, H), (B, T, 0, H), (B, T, D, 0), (0, 0, 0, 0)]
    for b, t, d, h in [*sizes, (0, long, D, H), (B, long, 0, 0)]:
        for activation in ("relu", "tanh"):
            print("sizes", (b, t, d, h), activation, flush=True)
            shapes = {
                "inputs": (b, t, d),
                "kernel": (d, 2 * h),
                "recurrent_kernel": (h, 2 * h),
                "bias": (2 * h,),
                "initial_state": (b, h),
                "mask": (b, t),
            }
            arguments = tensors(shapes, {"mask": "bool"})
            with tf.GradientTape() as tape:
                tape.watch([tensor for tensor in arguments.values() if tensor.dtype != tf.bool])
                outputs, state, _, _ = OPS.add_gru(
                    **arguments, activation=activation, with_reserve=True
                )
            assert outputs.shape == (b, t, h) and state.shape == (b, h)
            assert not np.any(outputs) and not np.any(state)
            sources = {name: arguments[name] for name in FORWARD if name != "mask"}
            for name, gradient in tape.gradient(outputs, sources).items():
                assert gradient.shape == sources[name].shape
                # A mask of zeros passes the gradient on to the initial state, and nowhere else.
                assert name == "initial_state" or not np.any(gradient)
    print("no rows of many steps", flush=True)
    empty = forward(inputs=(0, HUGE, D), initial_state=(0, H), mask=(0, HUGE))()
    outputs, _, _, _ = OPS.add_gru(**empty)
    assert outputs.shape == (0, HUGE, H)


if __name__ == "__main__":
    parts = (ranks_and_sizes, types, attributes, huge, gradient, step_gradient, nothing_to_compute)
    for part in parts:
        part()
    print(f"{refused} calls refused")
