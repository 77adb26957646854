"""A LiteRT file, ready to run on its inputs."""

import numpy as np

import addrnn.lite


class File:
    """`run()` calls it, on one thread; `error` is that of the first output, of its maximum."""

    def __init__(self, content, inputs, expected=None, scale=1):
        self.kilobytes = len(content) / 1000
        interpreter = addrnn.lite.Interpreter(model_content=content, num_threads=1)
        details = interpreter.get_input_details()
        for detail, x in zip(details, inputs, strict=True):
            interpreter.resize_tensor_input(detail["index"], x.shape)
        interpreter.allocate_tensors()
        for detail, x in zip(details, inputs, strict=True):
            interpreter.set_tensor(detail["index"], x.astype(detail["dtype"]))
        self.run = interpreter.invoke
        self.run()
        answer = interpreter.get_tensor(interpreter.get_output_details()[0]["index"]) * scale
        self.error = None
        if expected is not None:
            self.error = np.abs(answer - expected).max() / np.abs(expected).max()
