"""How long does a step of a stream take, whose state stays encrypted?

A network tells which of nine men says "ae", from 7 to 29 steps of 12 numbers (JapaneseVowels).
Some sequences to test with go step by step from a client to a server and back, each as long as it
is. The answer after every step is compared with the integer model, bit for bit. All sequences to
test with go through the integer model in the clear.

    .venv/bin/python -m benchmarks.encrypted_accuracy.training --match vowels
    .venv-fhe/bin/python -m benchmarks.encrypted_stream --run
    .venv/bin/python -m benchmarks.encrypted_stream
"""

import statistics
import tempfile
import time

import numpy as np

import addrnn
from addrnn import fhe
from benchmarks._harness import markdown
from benchmarks._harness.experiment import Experiment
from benchmarks._harness.machine import encryption_conditions
from benchmarks.encrypted_accuracy import plan, vowels
from benchmarks.encrypted_gates.__main__ import GLOBAL_P_ERROR

SEQUENCES = 2


def settings_of_runs():
    return [settings for settings in plan.networks() if settings["task"] == "vowels"]


def run(settings, options, keep):
    models = [addrnn.load(path) for path in plan.paths_of(settings)]
    inputs, labels = vowels.load_test()
    masks = inputs[..., 0] != vowels.PADDING
    inputs = np.where(masks[..., None], inputs, 0)
    answers = [model.run(inputs, masks, executor="reference") for model in models]
    keep(
        settings,
        {
            "right": [int((each.argmax(-1) == labels).sum()) for each in answers],
            "sequences": len(labels),
            **streamed(models[0], settings["steps"], inputs, masks.sum(1)),
        },
    )


def streamed(model, max_timesteps, inputs, lengths):
    """The seconds of each step but the first, for which the keys are expanded."""
    with tempfile.TemporaryDirectory() as directory:
        encrypted = fhe.compile_stream(
            model,
            max_timesteps,
            input_range=vowels.INPUT_RANGE,
            global_p_error=GLOBAL_P_ERROR,
        )
        server = fhe.Server.load(f"{directory}/server.zip", encrypted.save(directory))
        client = fhe.Client.load(f"{directory}/client.zip")
    begin = time.perf_counter()
    keys = client.evaluation_keys()
    made = time.perf_counter() - begin
    evaluation_keys = server.load_keys(keys)
    seconds, processor_seconds, sent = [], [], []
    for sequence, length in zip(inputs[:SEQUENCES], lengths, strict=False):
        stream, state = client.stream(), None
        for t in range(length):
            message = stream.encrypt(sequence[t])
            wall, processor = time.perf_counter(), time.process_time()
            answer, state = server.run_step(message, evaluation_keys, state)
            seconds.append(time.perf_counter() - wall)
            processor_seconds.append(time.process_time() - processor)
            sent.append(len(message))
            expected = model.run(sequence[None, : t + 1], executor="reference")[0]
            np.testing.assert_array_equal(stream.decrypt(answer), expected)
    return {
        "exact": len(seconds),
        "seconds": seconds[1:],
        "processor_seconds": processor_seconds[1:],
        "step_bytes": min(sent),
        "answer_bytes": len(answer),
        "state_bytes": len(state),
        "key_bytes": len(keys),
        "key_seconds": made,
        "pbs": encrypted.circuit.programmable_bootstrap_count,
        "complexity": encrypted.circuit.complexity,
        "form": encrypted.formulation,
    }


def tables(known):
    rows = []
    for line in known.values():
        settings, result = line["settings"], line["result"]
        shares = ", ".join(f"{right / result['sequences']:.1%}" for right in result["right"])
        rows.append(
            (
                settings["gate"],
                settings["units"],
                settings["steps"],
                shares,
                f"{statistics.median(result['processor_seconds']):.2f}",
                f"{statistics.median(result['seconds']):.2f}",
                f"{min(result['seconds']):.2f}",
                result["pbs"],
                result["exact"],
                f"{result['step_bytes'] / 1e3:.0f}, {result['answer_bytes'] / 1e3:.0f}",
                f"{result['key_bytes'] / 1e6:.0f}",
            )
        )
    columns = (
        "gate",
        "units",
        "steps at most",
        "right, by seed",
        "processor seconds of a step",
        "seconds",
        "least",
        "PBS",
        "steps encrypted, exact",
        "kB sent, received",
        "keys, MB",
    )
    return {"encrypted_stream": markdown.table(columns, rows, text=1)}


EXPERIMENT = Experiment(
    __doc__,
    "encrypted_stream",
    settings_of_runs,
    run,
    tables,
    timed=True,
    conditions=encryption_conditions,
)

if __name__ == "__main__":
    EXPERIMENT.main()
