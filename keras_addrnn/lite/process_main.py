"""TensorFlow's converter as a process of its own, which `process.py` starts and asks.

Reads the paths of folders from its input, converts what is in each, and answers with a line of
JSON. Knows TensorFlow alone: neither Keras nor the rest of this package.
"""

import json
import os
import pathlib
import select
import signal
import sys

# How long to wait for another model before giving the memory back.
_IDLE_SECONDS = 60

_SUPPORTED = {
    "int8": "TFLITE_BUILTINS_INT8",
    "int16x8": "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
}


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks will end this process if need be
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what TensorFlow prints is no answer
    while select.select([sys.stdin], [], [], _IDLE_SECONDS)[0]:
        folder = sys.stdin.readline().rstrip("\n")
        if not folder:
            break
        error = None
        try:
            _convert(pathlib.Path(folder))
        except Exception as problem:  # of whatever type the failing pass raises
            error = str(problem) or type(problem).__name__
        print(json.dumps({"error": error}), file=answers)


def _convert(folder):
    import numpy as np
    import tensorflow as tf

    job = json.loads((folder / "job.json").read_text())
    if job["library"]:
        tf.load_op_library(job["library"])
    graph = tf.compat.v1.GraphDef.FromString((folder / "graph.pb").read_bytes())
    function = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(graph, name=""), []
    )
    inputs, outputs = (
        [function.graph.get_tensor_by_name(name) for name in job[which]]
        for which in ("inputs", "outputs")
    )
    concrete = function.prune(inputs, outputs)
    # Given the Keras model the converter loses the weights, given a tf.Module it shuffles the
    # outputs, and says nothing; so it gets a graph that holds everything.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function)
    supported = _SUPPORTED.get(job["quantize"], "TFLITE_BUILTINS")
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, supported)]
    converter.allow_custom_ops = job["custom_operators"]
    if job["quantize"]:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if job["quantize"] == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if job["quantize"] in _SUPPORTED:
        with np.load(folder / "batches.npz") as file:
            batches = [file[str(place)] for place in range(len(inputs))]
        converter.representative_dataset = lambda: map(list, zip(*batches, strict=True))
    (folder / "model.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
