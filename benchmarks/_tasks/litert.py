"""LiteRT files, ready to run on their inputs, and compared in turn."""

import keras
import numpy as np

import addrnn.lite
from keras_addrnn_cli import bench

SHAPES = [(1, 28, 28, 128), (1, 100, 40, 128), (1, 100, 256, 512)]  # batch, time, inputs, units


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


def make_all(makers):
    """What each of the dict `makers` makes, and the reason for each that cannot be had."""
    made, reasons = {}, {}
    for name, make in makers.items():
        keras.utils.set_random_seed(0)
        try:
            made[name] = make()
        except Exception as error:  # whatever a conversion fails with
            reasons[name] = str(error)
    return made, reasons


def compare(makers, seconds):
    """What `make_all` gives, and the milliseconds of each that is made, in turn."""
    made, reasons = make_all(makers)
    times = bench.in_turn({name: each.run for name, each in made.items()}, seconds)
    return made, times, reasons
