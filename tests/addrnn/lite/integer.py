"""Integer layers and models in LiteRT."""

import numpy as np

from addrnn import IntegerMinAddGRU
from addrnn.lite import Interpreter, convert_integer
from addrnn.lite._integer_file import IntegerFile
from tests import integer_problems as support
from tests.min_integer_problems import draw_min_layer


def _dtype(layer):
    return np.int8 if layer.input_bits <= 8 else np.int16


def layer_file(
    layer, batch=None, steps=None, *, initial_state=False, mask=False, initial_inputs=False
):
    """A file of one recurrent layer, with its inputs, and both of its outputs."""
    file, given = IntegerFile(), {}
    inputs = file.input("inputs", _dtype(layer), (batch, steps, layer.features))
    if initial_state:
        given["initial_state"] = file.input("initial_state", np.int16, (batch, layer.units))
    if mask:
        given["mask"] = file.input("mask", bool, (batch, steps))
    if initial_inputs:
        shape = (batch, layer.kernel_size - 1, layer.features)
        given["initial_inputs"] = file.input("initial_inputs", _dtype(layer), shape)
    add = file.min_add_gru if isinstance(layer, IntegerMinAddGRU) else file.add_gru
    outputs, state = add(layer, inputs, **given)
    file.output("outputs", outputs)
    file.output("state", state)
    return file.content({})


def dense_file(layer, shape):
    """A file of one `IntegerDense` alone."""
    file = IntegerFile()
    file.output("outputs", file.dense(layer, file.input("inputs", _dtype(layer), shape)))
    return file.content({})


def file_to_edit(kind):
    """The file whose variations `hostile_integer_files` makes: one operator with all its inputs."""
    rng = np.random.default_rng(0)
    if kind == "dense":
        return dense_file(support.draw_dense(rng, 4, 7, 8), (2, 3, 4))
    given = {"batch": 2, "steps": 3, "initial_state": True, "mask": True}
    if kind == "min":
        layer = draw_min_layer(rng, 4, 5, state_bits=12, multiplier=True)
        return layer_file(layer, **given, initial_inputs=True)
    layer = support.draw_layer(rng, 4, 5, state_bits=12, multiplier=True, shifted_state=True)
    return layer_file(layer, **given)


def run_layer(layer, inputs, initial_state=None, mask=None, initial_inputs=None):
    """As `reference.run_min_add_gru`, and `run_layer`: the states of all steps, and the last."""
    optional = {"initial_state": initial_state, "mask": mask, "initial_inputs": initial_inputs}
    given = {name: value for name, value in optional.items() if value is not None}
    answers = run(layer_file(layer, **dict.fromkeys(given, True)), inputs=inputs, **given)
    return answers["outputs"], answers["state"]


def run_model(model, inputs, mask=None):
    """As `model.run`."""
    content = convert_integer(model, batch_size=None, mask=mask is not None)
    given = {"inputs": inputs} if mask is None else {"inputs": inputs, "mask": mask}
    return run(content, **given)["outputs"]


def run(content, num_threads=None, **inputs):
    """What a file answers, by name."""
    interpreter = Interpreter(model_content=content, num_threads=num_threads)
    (signature,) = interpreter.get_signature_list().values()
    assert set(signature["inputs"]) == set(inputs)
    return interpreter.get_signature_runner()(**inputs)
