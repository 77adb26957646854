"""The tasks, each a function of the layer and the seed.

    tasks.run("mnist_rows", lambda units, **options: keras.layers.GRU(units, **options), seed=0)

Networks and optimizers are what a user of Keras would write for GRU: Adam at a constant rate, and
neither normalization nor clipping. A task calls `make(units, **options)` for each recurrent layer.
"""

import keras

from benchmarks.swap.tasks import handwriting, images, made_up, series, text

TASKS = {
    task.__name__: task
    for task in (
        images.mnist_rows,
        images.mnist_columns,
        made_up.adding_100,
        made_up.adding_400,
        images.label_columns,
        handwriting.handwriting_digits,
        handwriting.handwriting_fonts,
        text.characters,
        text.text_classification,
        series.forecasting,
        series.japanese_vowels,
        series.plaid,
        made_up.selective_copying,
    )
}


def run(name, make, seed):
    """Trains one task's network.

    Args:
        name: Of the task.
        make: Function of the number of units and of options of Keras' recurrent layers, like
            `return_sequences`; the layer.
        seed: Of the first weights, of the order of the batches, and of batches drawn anew.

    Returns:
        What `learning.learn` gives; adding problems have `solved_at` as well.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    return TASKS[name](make, seed)
