"""The recurrent part of the network for handwriting alone: a training step of each layer.

python -m benchmarks.handwriting_recurrent
"""

import keras

from benchmarks._harness import machine, markdown, page
from benchmarks._tasks import recurrent_stack
from keras_addrnn_cli import bench

BATCH = 64


def rows(seconds):
    shape = (BATCH, recurrent_stack.STEPS, recurrent_stack.FEATURES)
    steps = keras.random.normal(shape, seed=0)
    stacks = {name: recurrent_stack.build(layer) for name, layer in recurrent_stack.LAYERS.items()}
    functions = {name: bench.gradients(stack, steps) for name, stack in stacks.items()}
    times = bench.in_turn(functions, seconds)
    for name, milliseconds in times.items():
        yield name, f"{milliseconds:.1f}", f"{milliseconds / times['AddGRU']:.1f}"


def main(arguments=None):
    options = page.parser(__doc__, seconds=30).parse_args(arguments)
    machine.use_threads(1)
    about = (
        f"The two bidirectional layers alone, forward and backward, a batch of {BATCH}, one "
        f"thread, layers in turn. {machine.description()}."
    )
    table = markdown.lines(("layer", "median, ms", "/ AddGRU"), rows(options.seconds), text=1)
    page.publish("handwriting_recurrent", options, about, table)


if __name__ == "__main__":
    main()
