"""Runs a LiteRT file on one example after the other."""

import numpy as np

import addrnn.lite


def function(content):
    """A function from one input to one output of a LiteRT file, `bytes`, on one thread."""
    interpreter = addrnn.lite.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    input_index = interpreter.get_input_details()[0]["index"]
    output_index = interpreter.get_output_details()[0]["index"]

    def run(example):
        interpreter.set_tensor(input_index, example[np.newaxis])
        interpreter.invoke()
        return interpreter.get_tensor(output_index)[0]

    return run
