"""`RNN(AddGRUCell)` beside `RNN(GRUCell)`: one training step, forward and backward, one thread.

Run: python -m benchmarks.cells. Prints milliseconds: medians of calls made strictly in turn.
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf

import keras_addrnn as ka

SHAPES = [
    (64, 28, 28, 128),
    (64, 32, 64, 128),
    (32, 200, 256, 512),
    (1, 100, 40, 128),
    (1, 100, 256, 512),
]
SECONDS = 8  # for each shape


def training_step(layer, shape):
    inputs = tf.random.stateless_normal(shape, (0, 0))
    layer(inputs)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(inputs, training=True))
        # Sums, as the gradients are to be used and not to be copied out.
        return [tf.reduce_sum(g) for g in tape.gradient(loss, layer.trainable_variables)]

    step()
    return step


def milliseconds(call):
    begun = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - begun)


def main():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print("B, T, D, H           RNN(GRUCell)  RNN(AddGRUCell)  AddGRU  GRUCell / AddGRUCell")
    for *shape, units in SHAPES:
        steps = [
            training_step(layer, shape)
            for layer in (
                keras.layers.RNN(keras.layers.GRUCell(units)),
                keras.layers.RNN(ka.AddGRUCell(units)),
                ka.AddGRU(units),
            )
        ]
        rounds = []
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end or len(rounds) < 3:
            rounds.append([milliseconds(step) for step in steps])
        gru, cell, layer = (statistics.median(times) for times in zip(*rounds, strict=True))
        sizes = ", ".join(map(str, (*shape, units)))
        print(f"{sizes:20} {gru:12.2f} {cell:16.2f} {layer:7.2f} {gru / cell:21.2f}", flush=True)


if __name__ == "__main__":
    main()
