"""From logits to texts."""

import keras
import numpy as np

BEAM_WIDTH = 20


def decode(logits, alphabet, strategy="greedy"):
    """The texts that CTC reads from logits.

    Args:
        logits: `float32 [N, steps, C]`; class 0 is the blank.
        alphabet: `pipeline.Alphabet`.
        strategy: `"greedy"`: the best class of each step; or `"beam_search"`: the most likely of
            20 texts that are followed from step to step.

    Returns:
        A list of `N` texts.
    """
    logits = np.asarray(logits)
    options = {} if strategy == "greedy" else {"beam_width": BEAM_WIDTH}
    decoded, _ = keras.ops.ctc_decode(
        logits,
        np.full(len(logits), logits.shape[1], "int32"),
        strategy=strategy,
        mask_index=0,
        **options,
    )
    return alphabet.decode(keras.ops.convert_to_numpy(decoded)[0])
