"""What LiteRT answers, and what it should."""

import ai_edge_litert.interpreter
import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema

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


def operators(content):
    """The names of the operators of a file, in its order."""
    file = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    codes = [
        code.customCode.decode() if code.customCode else names[code.builtinCode]
        for code in file.operatorCodes
    ]
    return [codes[node.opcodeIndex] for graph in file.subgraphs for node in graph.operators]
