"""Error rates, by jiwer."""

import jiwer


def error_rates(texts, read):
    """The character and the word error rate of what was read, both as fractions.

    That is the number of characters, or words, that were replaced, left out or put in, by the
    number that there are. Where an image holds one word, the word error rate is the fraction of
    images that are not read exactly.

    Args:
        texts: List of what is written, none of it empty.
        read: List of what was read, as long.
    """
    return jiwer.cer(texts, read), jiwer.wer(texts, read)
