"""Calls of the raw operators that a program from anywhere could contain; a process of its own.

Prints the name of each call before making it, so that the last line names the one that crashed, and
checks that each is refused.
"""

import sys

import torch

import addrnn.torch  # noqa: F401

OPS = torch.ops.addrnn
B, T, D, H, W = 2, 3, 4, 5, 2
HUGE = 2**50
SEQUENCE, STATE = (B, T, H), (B, H)
FORWARD = {
    "inputs": (B, T, D),
    "kernel": (D, 2 * H),
    "recurrent_kernel": (H, 2 * H),
    "bias": (2 * H,),
    "initial_state": STATE,
    "mask": (B, T),
}
SETTINGS = {
    "activation": "tanh",
    "state_shift": 0.0,
    "state_max": None,
    "go_backwards": False,
    "with_reserve": True,
}
MIN_FORWARD = {
    "inputs": (B, T, D),
    "kernel": (W, D, 2 * H),
    "bias": (2 * H,),
    "initial_state": STATE,
    "mask": (B, T),
    "initial_inputs": (B, W - 1, D),
}
MIN_SETTINGS = {"activation": "tanh", "go_backwards": False, "with_reserve": True}
ARRIVING = {
    "reserve": SEQUENCE,
    "candidates": SEQUENCE,
    "d_outputs": SEQUENCE,
    "d_final_state": STATE,
}
GRAD_SETTINGS = {"activation": "tanh", "go_backwards": False, "with_d_inputs": True}
NOT_IN_GRAD = ("bias", "mask")
CALLS = {
    "add_gru": (FORWARD, SETTINGS),
    "add_gru_grad": (
        {
            **{name: shape for name, shape in FORWARD.items() if name not in NOT_IN_GRAD},
            "outputs": SEQUENCE,
            **ARRIVING,
        },
        GRAD_SETTINGS,
    ),
    "add_gru_step_grad": (dict.fromkeys(ARRIVING, STATE), {"activation": "tanh"}),
    "min_add_gru": (MIN_FORWARD, MIN_SETTINGS),
    "min_add_gru_grad": (
        {**{name: shape for name, shape in MIN_FORWARD.items() if name != "bias"}, **ARRIVING},
        {**GRAD_SETTINGS, "with_d_initial_inputs": True},
    ),
}
DTYPES = {"mask": torch.bool, "reserve": torch.uint8}
REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError, MemoryError)
refused = 0


def make(shapes, dtypes):
    dtypes = DTYPES | dtypes
    return {n: torch.zeros(s, dtype=dtypes.get(n, torch.float32)) for n, s in shapes.items()}


def call(name, shapes=None, dtypes=None, **changes):
    """Calls an operator as in `CALLS`, with changes: shapes, dtypes, and whole arguments."""
    right_shapes, settings = CALLS[name]
    tensors = make(right_shapes | (shapes or {}), dtypes or {})
    return getattr(OPS, name)(**tensors | settings | changes)


def expect_refusal(name, *, shapes=None, dtypes=None, **changes):
    """As `call`, which must be refused; making its tensors may be refused already."""
    global refused
    label = f"{name} {shapes or ''} {dtypes or ''} {[*changes]} {[*changes.values()]}"[:200]
    print(" ".join(label.split()), flush=True)
    try:
        call(name, shapes, dtypes, **changes)
    except REFUSALS:
        refused += 1
        return
    sys.exit(f"{label} was not refused")


def wrong_shapes(shape):
    """Each axis too small, too large and far too large; then every other rank."""
    for axis in range(len(shape)):
        for change in (-1, 1, 1000):
            yield (*shape[:axis], shape[axis] + change, *shape[axis + 1 :])
    for rank in range(6):
        if rank != len(shape):
            yield (2,) * rank


def shapes_and_types():
    for name, (shapes, _) in CALLS.items():
        call(name)  # the unchanged call is fine
        for tensor, shape in shapes.items():
            for wrong in wrong_shapes(shape):
                expect_refusal(name, shapes={tensor: wrong})
            for dtype in (torch.float64, torch.int32, torch.complex64, torch.float16, torch.int8):
                expect_refusal(name, dtypes={tensor: dtype})
            sparse = make({tensor: shape}, {})[tensor].to_sparse()
            expect_refusal(name, **{tensor: sparse})


def settings():
    nan, inf = float("nan"), float("inf")
    for name in CALLS:
        for wrong in ("sigmoid", "", "relu" * 100, None, 3):
            expect_refusal(name, activation=wrong)
    for change in (
        {"state_shift": -1.0},
        {"state_shift": nan},
        {"state_shift": inf},
        {"state_max": nan},
        {"state_max": -inf},
        {"state_max": 0.0},
        {"go_backwards": "perhaps"},
    ):
        expect_refusal("add_gru", **change)


def huge():
    """Sizes of which the inputs have no element, but the outputs would be larger than memory."""
    absent = dict.fromkeys(("bias", "initial_state", "mask"))
    for inputs in [(HUGE, 1, 0), (1, HUGE, 0), (2**31, 2**31, 0), (2**62, 1, 0), (HUGE, 0)]:
        expect_refusal("add_gru", shapes={"inputs": inputs, "kernel": (0, 2 * H)}, **absent)
    for units in [(HUGE, 0), (0, HUGE)]:
        expect_refusal("add_gru", shapes={"recurrent_kernel": units}, **absent)


def garbage():
    """Bits are data: nothing to refuse, nothing to crash."""
    for name, (shapes, _) in CALLS.items():
        if "reserve" in shapes:
            print(name, "of garbage", flush=True)
            call(name, reserve=torch.full(shapes["reserve"], 255, dtype=torch.uint8))


if __name__ == "__main__":
    for part in (shapes_and_types, settings, huge, garbage):
        part()
    print(f"{refused} calls refused")
