"""From logits to texts, and how far they are from what is written."""

import jiwer
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
    lengths = np.full(len(logits), logits.shape[1], "int32")
    decoded, _ = keras.ops.ctc_decode(
        logits, lengths, strategy=strategy, beam_width=BEAM_WIDTH, mask_index=0
    )
    return alphabet.decode(keras.ops.convert_to_numpy(decoded)[0])


def error_rates(texts, read):
    """The character and the word error rate of what was read, `cer` and `wer`, as fractions.

    That is the number of characters, or words, that were replaced, left out or put in, by the
    number that there are. Where an image holds one word, the word error rate is the fraction of
    images that are not read exactly.

    Args:
        texts: List of what is written, none of it empty.
        read: List of what was read, as long.
    """
    return {"cer": jiwer.cer(texts, read), "wer": jiwer.wer(texts, read)}
