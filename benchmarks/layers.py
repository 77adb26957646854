"""AddGRU beside Keras' GRU and LSTM inside a tf.function: forward, and forward with gradients.

All in one process, in turn, so that a busy machine is as busy for each; medians, and the ratio to
GRU.

    python benchmarks/layers.py            # two short shapes
    python benchmarks/layers.py --all      # the standard shapes, among them long and wide ones
    python benchmarks/layers.py --threads 1
"""

import argparse
import datetime
import os
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from machine import processor

import keras_addrnn as ka

# (batch, time, inputs, units)
SHORT = [(64, 28, 28, 128), (1, 100, 40, 128)]
ALL = [
    (64, 28, 28, 128),
    (64, 32, 64, 128),
    (32, 200, 256, 512),
    (1, 100, 40, 128),
    (1, 100, 256, 512),
]
SECONDS_PER_SHAPE = 6


def layers(units):
    return {
        "AddGRU": ka.AddGRU(units, return_sequences=True),
        "AddGRU composed": ka.AddGRU(units, return_sequences=True, implementation="composed"),
        "GRU": keras.layers.GRU(units, return_sequences=True),
        "LSTM": keras.layers.LSTM(units, return_sequences=True),
    }


def forward(layer, x):
    return tf.function(lambda x: layer(x)).get_concrete_function(x)


def train(layer, x):
    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, training=True))
        return tape.gradient(loss, layer.trainable_variables)

    return gradients.get_concrete_function(x)


def medians(functions, x):
    """Milliseconds of each function, called in turn until the time is up."""
    times = {name: [] for name in functions}
    for function in functions.values():
        function(x)
    end = time.perf_counter() + SECONDS_PER_SHAPE
    while time.perf_counter() < end or min(map(len, times.values())) < 5:
        for name, function in functions.items():
            start = time.perf_counter()
            tf.nest.map_structure(lambda tensor: tensor.numpy(), function(x))
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def measure(shape):
    batch, steps, inputs, units = shape
    x = tf.random.stateless_normal((batch, steps, inputs), (0, 1))
    made = layers(units)
    for layer in made.values():
        layer.build(x.shape)
    both = [
        medians({name: make(layer, x) for name, layer in made.items()}, x)
        for make in (forward, train)
    ]
    for name in made:
        cells = [f"{ms[name]:9.2f} ({ms['GRU'] / ms[name]:4.1f} x)" for ms in both]
        print(f"| {str(shape):20} | {name:15} | {cells[0]} | {cells[1]} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="all standard shapes (minutes)")
    parser.add_argument("--threads", type=int, help="as many as processors unless given")
    options = parser.parse_args()
    if options.threads:
        tf.config.threading.set_intra_op_parallelism_threads(options.threads)

    info = ka.info()
    print(
        f"{datetime.date.today()}, {processor()}, {options.threads or os.cpu_count()} threads, "
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}, keras_addrnn {info['version']} "
        f"({info['instruction_set']}). Medians in ms; in brackets: times as fast as GRU.\n"
    )
    print(f"| {'(B, T, D, H)':20} | {'layer':15} | {'forward':18} | {'forward + backward':18} |")
    print("|---|---|---|---|")
    for shape in ALL if options.all else SHORT:
        measure(shape)


if __name__ == "__main__":
    main()
