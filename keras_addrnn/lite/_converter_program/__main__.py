"""The process that `_converter_process.py` starts.

It reads the paths of folders from its standard input, one a line. Each folder holds a graph to
convert, or a file to run. The answer to each is a line of JSON.
"""

import json
import os
import pathlib
import select
import signal
import sys

from array_files import read_arrays, write_arrays

# How long to wait for another model before giving the memory back.
_IDLE_SECONDS = 60

_INTEGERS = {
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
            _do(pathlib.Path(folder))
        except Exception as problem:  # of whatever type the failing pass raises
            error = str(problem) or type(problem).__name__
        print(json.dumps({"error": error}), file=answers)


def _do(folder):
    job = json.loads((folder / "job.json").read_text())
    if "quantize" in job:
        _convert(folder, job)
    else:
        content, inputs = (folder / "model.tflite").read_bytes(), read_arrays(folder / "inputs.npz")
        write_arrays(folder / "outputs.npz", _run(content, inputs, job["delegate"]))


def _convert(folder, job):
    import tensorflow as tf

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
    supported = _INTEGERS.get(job["quantize"], "TFLITE_BUILTINS")
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, supported)]
    converter.allow_custom_ops = job["custom_operators"]
    if job["quantize"]:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if job["quantize"] == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if job["quantize"] not in _INTEGERS:
        content = converter.convert()
    else:
        batches = read_arrays(folder / "inputs.npz")
        converter.representative_dataset = lambda: map(list, zip(*batches, strict=True))
        content = _to_integers(converter, job["quantize"])
        _run(content, [batch[0] for batch in batches])
    (folder / "model.tflite").write_bytes(content)


def _run(content, inputs, delegate=None):
    """The outputs of a file. If LiteRT crashes on it, then here and not on the phone."""
    import tensorflow as tf

    delegates = [] if delegate is None else [tf.lite.experimental.load_delegate(delegate)]
    interpreter = tf.lite.Interpreter(model_content=content, experimental_delegates=delegates)
    details = interpreter.get_input_details()
    for detail, value in zip(details, inputs, strict=True):
        interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()
    for detail, value in zip(details, inputs, strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def _to_integers(converter, kind):
    """Converts in the converter's own three stages, to get at the ranges between the last two."""
    import calibration_ranges
    import tensorflow as tf
    from flatbuffers import Builder
    from tensorflow.lite.python import convert
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.python.optimize import calibrator

    converter._experimental_calibrate_only = True
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(converter.convert(), 0))
    calibration_ranges.share_ranges(model)
    calibration_ranges.separate_biases(model)
    calibration_ranges.fill_zero_summands(model)
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    calibrated = bytes(builder.Output())
    if kind == "int8":
        return convert.mlir_quantize(calibrated)
    # Not with floats where there is no int16: LiteRT aborts on some of such files.
    quantizer = calibrator.Calibrator(calibrated)
    return quantizer.calibrate_and_quantize(
        lambda: iter(()), tf.float32, tf.float32, False, tf.int16, tf.int64
    )


if __name__ == "__main__":
    main()
