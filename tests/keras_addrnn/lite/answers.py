"""What LiteRT answers, and what it should."""

import ai_edge_litert.interpreter
import keras
import numpy as np

from keras_addrnn.ops import _lowering


def run(content, *inputs, interpreter=ai_edge_litert.interpreter.Interpreter):
    """What LiteRT answers, with inputs and outputs in the order of the file."""
    interpreter = interpreter(model_content=content, num_threads=1)
    details = interpreter.get_input_details()
    assert len(details) == len(inputs)
    for detail, value in zip(details, inputs, strict=True):
        interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()
    for detail, value in zip(details, inputs, strict=True):
        assert detail["dtype"] == value.dtype
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def assert_same(model, content, *inputs, **kwargs):
    """LiteRT answers as Keras does, with its own operations: nothing that is of this project."""
    with _lowering.scope(fused_operator=False, integer_operations=False):
        expected = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
    expected = [keras.ops.convert_to_numpy(value) for value in keras.tree.flatten(expected)]
    answers = run(content, *inputs, **kwargs)
    assert len(answers) == len(expected)
    for answer, value in zip(answers, expected, strict=True):
        assert answer.shape == value.shape
        np.testing.assert_allclose(answer, value, rtol=1e-5, atol=1e-6)
