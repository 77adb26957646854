"""
Title: Distributed training
Description: AddGRU under tf.distribute: two devices in one process, then two processes.

`MirroredStrategy` splits each batch over the devices of a machine. `MultiWorkerMirroredStrategy`
splits it over machines. Here the devices are two parts of one processor, and the machines are two
processes that talk over the loopback interface.

You will see that both end with the weights of a training without either.

    python examples/distributed.py    # half a minute on two cores

## Setup

The process that you start runs this file twice more, as two workers. `TF_CONFIG` tells a worker
which one it is and where the other one is.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # the only backend that tf.distribute knows
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf

import keras_addrnn as ka

BATCHES = 100
BATCH_SIZE = 32  # of both replicas together
REPLICAS = 2
WORKER_SECONDS = 300

"""
## The training

The task: which of the first four features has the largest sum?

The loop is written out. Under `MultiWorkerMirroredStrategy`, `model.fit` builds the optimizer from
the batch of one replica, which fails. Everything that has variables is made in the strategy's
scope.
"""


def train(strategy):
    """Trains a model under a strategy, prints its losses, and returns its weights."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(BATCHES * BATCH_SIZE, 12, 8)).astype("float32")
    y = x[..., :4].sum(1).argmax(-1)

    with strategy.scope():
        keras.utils.set_random_seed(0)
        # The devices see parts of the first batch, so no scale is taken from it.
        first = ka.AddGRU(16, return_sequences=True, scale_inputs=False)
        layers = [first, ka.AddGRU(16, scale_inputs=False), keras.layers.Dense(4)]
        model = keras.Sequential([keras.Input((12, 8)), *layers])
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        optimizer.build(model.trainable_variables)

    def step(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
            # By the size of the whole batch: Keras adds up the gradients of the replicas.
            loss = tf.reduce_sum(losses) / BATCH_SIZE
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    @tf.function
    def distributed_step(x, y):
        return strategy.reduce("sum", strategy.run(step, (x, y)), axis=None)

    # Each replica gets its part of each batch.
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH_SIZE)
    batches = strategy.experimental_distribute_dataset(batches)
    losses = [float(distributed_step(x, y)) for x, y in batches]
    print(
        f"{strategy.num_replicas_in_sync} replicas, {type(strategy).__name__}: loss "
        f"{losses[0]:.4f} at first, {losses[-1]:.4f} after {len(losses)} batches",
        flush=True,
    )
    return model.get_weights()


"""
## The workers

Each has a free port of the loopback interface. When one fails, the other would wait for it, so
both are ended. The error tells what they printed.
"""


def run_workers(folder):
    """Runs this file once for each worker; returns what each printed.

    Raises:
        RuntimeError: If a worker fails or takes too long.
    """
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(REPLICAS)]
    addresses = ["{}:{}".format(*each.getsockname()) for each in sockets]
    for each in sockets:
        each.close()
    logs, workers = [folder / f"worker{number}.log" for number in range(REPLICAS)], []
    deadline = time.monotonic() + WORKER_SECONDS
    try:
        for number, log in enumerate(logs):
            task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
            command = [sys.executable, __file__, str(folder / f"weights{number}.npz")]
            environment = {**os.environ, "TF_CONFIG": json.dumps(task)}
            with log.open("w") as out:
                workers.append(subprocess.Popen(command, env=environment, stdout=out, stderr=out))
        while None in (codes := [worker.poll() for worker in workers]) or any(codes):
            failed = [f"worker {n} ended with {code}" for n, code in enumerate(codes) if code]
            if time.monotonic() >= deadline:
                failed = [f"the workers have not ended within {WORKER_SECONDS} s"]
            if failed:
                told = [f"worker {n}: {log.read_text()[-2000:]}" for n, log in enumerate(logs)]
                raise RuntimeError("\n".join([failed[0], *map(str.strip, told)]))
            time.sleep(0.1)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return [log.read_text() for log in logs]


"""
## All together

A processor is split into devices before TensorFlow uses it for the first time.
"""


def main():
    if "TF_CONFIG" in os.environ:
        np.savez(sys.argv[1], *train(tf.distribute.MultiWorkerMirroredStrategy()))
        return

    parts = [tf.config.LogicalDeviceConfiguration()] * REPLICAS
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    alone = train(tf.distribute.get_strategy())
    trained = {"two devices": train(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))}
    with tempfile.TemporaryDirectory() as folder:
        print(run_workers(pathlib.Path(folder))[0].strip().splitlines()[-1])
        for number in range(REPLICAS):
            with np.load(pathlib.Path(folder) / f"weights{number}.npz") as weights:
                trained[f"worker {number}"] = list(weights.values())

    for name, weights in trained.items():
        difference = max(abs(a - b).max() for a, b in zip(weights, alone, strict=True))
        print(f"{name}: weights differ from those trained alone by {difference:.1e} at most")


if __name__ == "__main__":
    main()
