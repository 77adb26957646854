"""Training AddGRU with tf.distribute: one process with two devices, or two processes.

`MirroredStrategy` splits each batch over two logical CPU devices of this process;
`MultiWorkerMirroredStrategy` over two processes, which talk over the loopback interface as machines
would over a network. Trains the same model on the same batches without either, too, and says how
many replicas there were, and how far the weights differ afterwards.

    python examples/distributed.py                  # both
    python examples/distributed.py --strategy multi-worker
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import command_line
import numpy as np

STRATEGIES = ("mirrored", "multi-worker")
REPLICAS = 2
STEPS, FEATURES, CLASSES = 12, 8, 4
BATCH_SIZE = 32  # of all replicas together
WORKER_SECONDS = 300


def batches(count, seed):
    """Sequences `[count, 32, 12, 8]` and their classes `[count, 32]`: which feature is largest."""
    generator = np.random.default_rng(seed)
    sequences = generator.normal(size=(count, BATCH_SIZE, STEPS, FEATURES)).astype("float32")
    return sequences, sequences[..., :CLASSES].sum(2).argmax(-1).astype("int32")


def build(seed):
    """The model, with the same weights for the same seed."""
    import keras

    import keras_addrnn as ka

    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((STEPS, FEATURES)),
            ka.AddGRU(16, return_sequences=True),
            ka.AddGRU(16),
            keras.layers.Dense(CLASSES),
        ]
    )


def train(strategy, count, seed):
    """Trains under a strategy.

    A loop of its own instead of `model.fit`: under `MultiWorkerMirroredStrategy` Keras builds the
    optimizer from a batch of one replica, which fails.

    Args:
        strategy: A `tf.distribute.Strategy`.
        count: Number of batches.
        seed: Of the weights and of the batches.

    Returns:
        The weights, the loss of each batch, and how many replicas trained together.
    """
    import keras
    import tensorflow as tf

    sequences, classes = batches(count, seed)
    with strategy.scope():
        model = build(seed)
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        # Slots are variables too: made here, for all replicas, not inside of a step.
        optimizer.build(model.trainable_variables)

    def step(x, y):
        with tf.GradientTape() as tape:
            # The sum by the size of the whole batch: what the replicas have then adds up to its
            # mean.
            losses = keras.losses.sparse_categorical_crossentropy(
                y, model(x, training=True), from_logits=True
            )
            loss = tf.reduce_sum(losses) / BATCH_SIZE
        gradients = tape.gradient(loss, model.trainable_variables)
        # Keras' optimizer adds up the gradients of all replicas by itself.
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    @tf.function
    def distributed(x, y):
        return strategy.reduce("sum", strategy.run(step, (x, y)), axis=None)

    def share(context):
        """This process' part of the batches."""
        part = BATCH_SIZE // context.num_input_pipelines
        mine = slice(context.input_pipeline_id * part, (context.input_pipeline_id + 1) * part)
        dataset = tf.data.Dataset.from_tensor_slices((sequences[:, mine], classes[:, mine]))
        per_replica = context.get_per_replica_batch_size(BATCH_SIZE)
        return dataset.unbatch().batch(per_replica, drop_remainder=True)

    data = strategy.distribute_datasets_from_function(share)
    losses = [float(distributed(x, y)) for x, y in data]
    return model.get_weights(), losses, strategy.num_replicas_in_sync


def single(count, seed):
    """Without a strategy that distributes anything."""
    import tensorflow as tf

    return train(tf.distribute.get_strategy(), count, seed)


def mirrored(count, seed):
    """On two logical CPU devices. Nothing of TensorFlow may have run in this process before."""
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")[:1]
    logical = [tf.config.LogicalDeviceConfiguration() for _ in range(REPLICAS)]
    tf.config.set_logical_device_configuration(cpu, logical)
    devices = [f"CPU:{number}" for number in range(REPLICAS)]
    return train(tf.distribute.MirroredStrategy(devices), count, seed)


def worker(count, seed):
    """One of several processes, of which the environment variable TF_CONFIG tells."""
    import tensorflow as tf

    # Before anything else of TensorFlow: it starts the servers.
    return train(tf.distribute.MultiWorkerMirroredStrategy(), count, seed)


def multi_worker(count, seed):
    """Starts the workers and returns what the first of them has trained.

    Raises:
        RuntimeError: if a worker fails, or one takes too long; with the end of what it said.
    """
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(REPLICAS)]
    with tempfile.TemporaryDirectory() as directory:
        files = [pathlib.Path(directory) / f"worker{n}.npz" for n in range(REPLICAS)]
        logs = [file.with_suffix(".log") for file in files]
        workers = []
        try:
            for number, file in enumerate(files):
                task = {
                    "cluster": {"worker": addresses},
                    "task": {"type": "worker", "index": number},
                }
                # A file for what it says: a pipe that nobody reads would stop it.
                with logs[number].open("w") as log:
                    workers.append(
                        subprocess.Popen(
                            [sys.executable, __file__, "--worker", file]
                            + ["--batches", str(count), "--seed", str(seed)],
                            env={**os.environ, "TF_CONFIG": json.dumps(task)},
                            stdout=log,
                            stderr=subprocess.STDOUT,
                        )
                    )
            _wait(workers, logs)
        finally:
            for process in workers:
                process.kill()
                process.wait()
        first, *others = [load(file) for file in files]
    for other in others:
        if largest_difference(first[0], other[0]):
            raise RuntimeError("the workers ended with different weights")
    return first


def _wait(workers, logs):
    """Returns when all workers have ended well; raises `multi_worker`'s errors."""

    def end(number):
        return logs[number].read_text().strip()[-2000:]

    deadline = time.monotonic() + WORKER_SECONDS
    # All in turn: while one waits for another that is gone, only the other can say why.
    while True:
        codes = [process.poll() for process in workers]
        for number, code in enumerate(codes):
            if code:
                raise RuntimeError(f"worker {number} ended with {code}: {end(number)}")
        if None not in codes:
            return
        if time.monotonic() >= deadline:
            said = "".join(f"\nworker {number}: {end(number)}" for number in range(len(workers)))
            raise RuntimeError(f"the workers have not ended within {WORKER_SECONDS} s{said}")
        time.sleep(0.1)


def _free_ports(count):
    """Ports that nobody listens on; all are held until all are chosen."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def save(path, trained):
    """Writes what `train` returns."""
    weights, losses, replicas = trained
    names = {f"weight{n:02}": w for n, w in enumerate(weights)}
    np.savez(path, losses=losses, replicas=replicas, **names)


def load(path):
    """Reads what `save` wrote."""
    with np.load(path) as arrays:
        weights = [arrays[name] for name in sorted(arrays.files) if name.startswith("weight")]
        return weights, arrays["losses"].tolist(), int(arrays["replicas"])


def largest_difference(weights, others):
    """The largest difference between two lists of weights."""
    return max(float(np.abs(one - other).max()) for one, other in zip(weights, others, strict=True))


def main(arguments=None):
    parser = command_line.Parser(__doc__)
    add, integer = parser.add_argument, command_line.integer
    add("--strategy", choices=(*STRATEGIES, "both"), default="both", help="what to run (both)")
    add("--batches", type=integer(1), default=100, metavar="N", help="to train on (100)")
    add("--seed", type=integer(0, 2**32 - 1), default=0, metavar="N", help="random seed (0)")
    add("--worker", type=pathlib.Path, metavar="FILE", help="used to start the workers")
    flags = parser.parse_args(arguments)
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        parser.error(
            f"tf.distribute needs KERAS_BACKEND=tensorflow, got '{os.environ['KERAS_BACKEND']}'"
        )
    if flags.worker is not None:
        save(flags.worker, worker(flags.batches, flags.seed))
        return
    # The devices first: a process cannot split its CPU once it has used it.
    trained = {}
    if flags.strategy != "multi-worker":
        trained["mirrored"] = mirrored(flags.batches, flags.seed)
    if flags.strategy != "mirrored":
        try:
            trained["multi-worker"] = multi_worker(flags.batches, flags.seed)
        except RuntimeError as error:
            parser.fail(error)
    expected, losses, replicas = single(flags.batches, flags.seed)
    print(
        f"alone         replicas {replicas}, loss {losses[0]:.4f} at first, {losses[-1]:.4f} after "
        f"{len(losses)} batches of {BATCH_SIZE}"
    )
    for name, (weights, losses, replicas) in trained.items():
        print(
            f"{name:13} replicas {replicas}, loss {losses[0]:.4f} at first, {losses[-1]:.4f} at "
            f"last; weights differ by {largest_difference(weights, expected):.1e} at most"
        )


if __name__ == "__main__":
    command_line.run(main)
