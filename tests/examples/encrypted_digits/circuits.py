"""Networks that read 8 by 8 pixels and cost next to nothing under encryption."""

import contextlib
import io

import numpy as np

from addrnn import IntegerAddGRU, IntegerDense, IntegerModel, Quantization, fhe


def _counter(chooses):
    """Counts the ink in features 3 and 4: of the steps with ink in feature 0, or of all steps.

    In the first case the update gate is 2 where there is none, which keeps the count, and else 0.
    """
    kernel = np.zeros((8, 2), np.int8)
    kernel[0, 0], kernel[3:5, 1] = -2 * chooses, 1
    zeros = np.zeros(2, np.uint8)
    recurrent = IntegerAddGRU(
        kernel=kernel,
        recurrent_kernel=np.zeros((1, 2), np.int8),
        bias=np.array([2 * chooses, 0], np.int32),
        kernel_shift=zeros,
        recurrent_shift=zeros,
        shift=zeros,
        state_max=16,
        candidate_min=0,
        candidate_max=16,
        input_bits=2,
        weight_bits=3,
        state_bits=6,
        state_scale=1.0,
    )
    # Class 0 has the count, class 1 what is missing of 9, class 9 a constant.
    dense = IntegerDense(
        kernel=np.array([[1, -1] + [0] * 8], np.int8),
        bias=np.array([0, 9, -1, -2, -3, -4, -5, -6, -7, 1], np.int32),
        input_bits=6,
        weight_bits=2,
        scale=1.0,
    )
    return IntegerModel(Quantization(2, 1.0), [recurrent, dense])


# 8 programmable bootstraps; and none, hence no keys to speak of: what does not need them is quick.
CHOOSING, COUNTING = _counter(True), _counter(False)


def scores(model, steps):
    """By hand: what the network gives for integers 0 or 1."""
    count = sum(int(step[3] + step[4]) for step in steps if step[0] or model is COUNTING)
    return [count, 9 - count, -1, -2, -3, -4, -5, -6, -7, 1]


def compiled(directory, model):
    """The directory, with `client.zip` and `server.zip`."""
    with contextlib.redirect_stdout(io.StringIO()):  # as for a file: the bar is another otherwise
        encrypted = fhe.compile(
            model,
            timesteps=8,
            input_range=(0, 1),
            formulation="shared_relu",
            global_p_error=1e-6,
            show_progress=True,
        )
    encrypted.save(directory)
    return directory
