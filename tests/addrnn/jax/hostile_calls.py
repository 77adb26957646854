"""Calls of the raw targets that a program could contain; run as a process of its own.

Prints the name of each call before making it, so that the last line names the one that crashed, and
checks that each is refused with an error that says what is wrong.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np

from addrnn.jax import _library

assert _library.problem() is None
B, T, D, H, W = 2, 3, 4, 5, 3
SEQUENCE, STATE, F32, U8 = (B, T, H), (B, H), "float32", "uint8"
HUGE = 2**50
TANH = {"activation": "tanh", "go_backwards": False}
GATE = {"state_shift": np.float64(0), "state_max": np.float64(np.inf)}
ADD = {
    "inputs": (B, T, D),
    "kernel": (D, 2 * H),
    "recurrent_kernel": (H, 2 * H),
    "bias": (2 * H,),
    "initial_state": STATE,
    "mask": (B, T),
}
MIN = {
    "inputs": (B, T, D),
    "kernel": (W, D, 2 * H),
    "bias": (2 * H,),
    "initial_state": STATE,
    "mask": (B, T),
    "initial_inputs": (B, W - 1, D),
}
KEPT = {
    "outputs": SEQUENCE,
    "reserve": SEQUENCE,
    "candidates": SEQUENCE,
    "d_outputs": SEQUENCE,
    "d_final_state": STATE,
}
FORWARD_RESULTS = {
    "outputs": SEQUENCE,
    "final_state": STATE,
    "reserve": SEQUENCE,
    "candidates": SEQUENCE,
}


def without(shapes, *names):
    return {name: shape for name, shape in shapes.items() if name not in names}


# Of each target: its name in errors, its arguments, its results, its attributes.
CALLS = {
    "addrnn_add_gru": ("AddGru", ADD, FORWARD_RESULTS, TANH | GATE),
    "addrnn_add_gru_grad": (
        "AddGruGrad",
        without(ADD, "bias", "mask") | KEPT,
        {
            "d_kernel": ADD["kernel"],
            "d_recurrent_kernel": ADD["recurrent_kernel"],
            "d_bias": ADD["bias"],
            "d_initial_state": STATE,
            "d_inputs": ADD["inputs"],
        },
        TANH,
    ),
    "addrnn_add_gru_step_grad": (
        "AddGruStepGrad",
        dict.fromkeys(("reserve", "candidates", "d_outputs", "d_final_state"), STATE),
        {"d_sums": (B, 2 * H), "d_state": STATE},
        {"activation": "tanh"},
    ),
    "addrnn_min_add_gru": ("MinAddGru", MIN, FORWARD_RESULTS, TANH),
    "addrnn_min_add_gru_grad": (
        "MinAddGruGrad",
        without(MIN, "bias") | without(KEPT, "outputs"),
        {
            "d_kernel": MIN["kernel"],
            "d_bias": MIN["bias"],
            "d_initial_state": STATE,
            "d_initial_inputs": MIN["initial_inputs"],
            "d_inputs": MIN["inputs"],
        },
        TANH,
    ),
}
DTYPES = {"mask": "bool", "reserve": U8}
refused = 0


def call(target, arguments, results, attributes, dtypes=None):
    dtypes = DTYPES | (dtypes or {})
    given = [jnp.zeros(shape, dtypes.get(name, F32)) for name, shape in arguments.items()]
    types = [jax.ShapeDtypeStruct(shape, dtypes.get(name, F32)) for name, shape in results.items()]
    found = jax.ffi.ffi_call(target, types)(*given, **attributes)
    return jax.block_until_ready(found)


def expect_refusal(label, target, *given, says=""):
    global refused
    print(target, label[:80], flush=True)
    try:
        call(target, *given)
    except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:
        for text in (f"{CALLS[target][0]}: ", says):
            if text not in str(error):
                sys.exit(f"{target} {label}: the error does not say {text!r}: {error}")
        refused += 1
        return
    sys.exit(f"{target} {label} was not refused")


def wrong_shapes(shape):
    """Each axis too small and too large; then every other rank."""
    for axis in range(len(shape)):
        for change in (-1, 1, 1000):
            yield (*shape[:axis], shape[axis] + change, *shape[axis + 1 :])
    for rank in range(5):
        if rank != len(shape):
            yield (2,) * rank


def shapes(target):
    _, arguments, results, attributes = CALLS[target]
    call(*target_call(target))  # the unchanged call is fine
    for name, shape in arguments.items():
        for wrong in wrong_shapes(shape):
            given = arguments | {name: wrong}
            expect_refusal(f"{name} {wrong}", target, given, results, attributes)
    for name, shape in results.items():
        for wrong in wrong_shapes(shape):
            given = results | {name: wrong}
            says = f"{name} must be of shape"
            expect_refusal(f"-> {name} {wrong}", target, arguments, given, attributes, says=says)


def target_call(target):
    return target, *CALLS[target][1:]


def counts(target):
    _, arguments, results, attributes = CALLS[target]
    more = {"more": (1,)}
    says = "the number of arguments must be"
    for given in ({}, without(arguments, next(iter(arguments))), arguments | more):
        expect_refusal(f"{len(given)} arguments", target, given, results, attributes, says=says)
    for given in (without(results, *list(results)[1:]), results | more):
        label = f"{len(given)} results"
        expect_refusal(label, target, arguments, given, attributes, says="the number of results")


def types(target):
    _, arguments, results, attributes = CALLS[target]
    for name in arguments:
        for dtype in ("float16", "int32", "int8", "complex64", "uint32"):
            given = arguments, results, attributes, {name: dtype}
            expect_refusal(f"{name} {dtype}", target, *given)
    for name in results:
        for dtype in ("float16", "int32", "int8"):
            given = arguments, results, attributes, {name: dtype}
            expect_refusal(f"-> {name} {dtype}", target, *given)
    integers = {name: "int32" for name in (*arguments, *results) if name not in DTYPES}
    given = arguments, results, attributes, integers
    expect_refusal("all int32", target, *given, says="")


def attributes(target):
    _, arguments, results, right = CALLS[target]
    changes = [{"activation": name} for name in ("sigmoid", "", "relu" * 1000, 3, True)]
    if "go_backwards" in right:
        changes += [{"go_backwards": value} for value in ("perhaps", np.float64(1), np.int8(1))]
    if "state_max" in right:
        nan, inf = np.float64("nan"), np.float64("inf")
        changes += [{"state_shift": value} for value in (np.float64(-1), nan, inf, "1")]
        changes += [{"state_max": value} for value in (np.float64(-1), nan, -inf, np.float32(1))]
        changes += [{"state_max": np.array([1.0, 2.0])}]
    for change in changes:
        says, given = next(iter(change)), right | change
        expect_refusal(f"attributes {change}", target, arguments, results, given, says=says)
    for name in right:
        given = without(right, name)
        expect_refusal(f"no {name}", target, arguments, results, given, says="is missing")


def huge():
    """Sizes of which the arguments have no element, but the results would be too large."""
    absent = {"bias": (0,), "initial_state": (0, 0), "mask": (0, 0)}
    two = {"outputs": SEQUENCE, "final_state": STATE}
    attributes = TANH | GATE
    # A shape whose sizes but for those of 0 overflow is one that XLA itself ends the process for.
    for inputs in [(HUGE, 1, 0), (1, HUGE, 0), (2**60, 1, 0)]:
        given = ADD | absent | {"inputs": inputs, "kernel": (0, 2 * H)}
        expect_refusal(f"inputs {inputs}", "addrnn_add_gru", given, two, attributes)
    for units in [(HUGE, 0), (2**60, 0), (0, HUGE)]:
        given = ADD | absent | {"recurrent_kernel": units}
        expect_refusal(f"units {units}", "addrnn_add_gru", given, two, attributes)
    for kernel in [(HUGE, 0, 2 * H), (W, 0, HUGE), (0, D, 2 * H), (HUGE, 2, 0)]:
        given = MIN | absent | {"inputs": (B, T, kernel[1]), "kernel": kernel}
        given |= {"initial_inputs": (0, 0, 0)}
        expect_refusal(f"kernel {kernel}", "addrnn_min_add_gru", given, two, TANH)


def garbage():
    """Bits are data: nothing to refuse, nothing to crash."""
    for target, (_, arguments, results, attributes) in CALLS.items():
        if "reserve" not in arguments:
            continue
        print(target, "reserve of garbage", flush=True)
        given = [
            jnp.full(shape, 255, U8)
            if name == "reserve"
            else jnp.ones(shape, DTYPES.get(name, F32))
            for name, shape in arguments.items()
        ]
        made = [jax.ShapeDtypeStruct(shape, F32) for shape in results.values()]
        for activation in ("relu", "tanh"):
            attributes = attributes | {"activation": activation}
            jax.block_until_ready(jax.ffi.ffi_call(target, made)(*given, **attributes))


if __name__ == "__main__":
    for name in CALLS:
        for part in (shapes, counts, types, attributes):
            part(name)
    huge()
    garbage()
    print(f"{refused} calls refused")
