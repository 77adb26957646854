"""The delegate takes weights of float16 and int8 for the numbers that they stand for."""

import copy

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)
pytest.importorskip("ai_edge_litert.interpreter")

from tests.addrnn.lite import small_weights
from tests.addrnn.lite.hostile_files import File

pytestmark = pytest.mark.fused


@pytest.fixture(scope="module")
def base():
    """A file of one AddGRU of 17 units that takes any number of rows and steps."""
    model = keras.Sequential(
        [keras.Input((None, 3)), ka.AddGRU(17, return_sequences=True, bias_initializer="ones")]
    )
    return File(ka.lite.convert(model, ops="fused", batch_size=None))


FORMS = {
    "float16": small_weights.as_float16,
    "int8_by_column": small_weights.as_int8,
    "int8": lambda file, name: small_weights.as_int8(file, name, by_column=False),
    "float32": lambda file, name: small_weights.values_of(file, name),
}
SHAPES = [(1, 1), (1, 60), (9, 4), (64, 1), (2, 5), (1, 7), (9, 3)]


def answers(file, shapes):
    """What one interpreter answers to each shape in turn, called twice."""
    interpreter = addrnn.lite.Interpreter(model_content=file.content())
    (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()
    generator = np.random.default_rng(0)
    found = []
    for batch, time in shapes:
        interpreter.resize_tensor_input(given["index"], (batch, time, 3))
        interpreter.allocate_tensors()
        inputs = generator.normal(0, 1, (batch, time, 3)).astype("float32")
        for _ in range(2):
            interpreter.set_tensor(given["index"], inputs)
            interpreter.invoke()
            found.append(interpreter.get_tensor(wanted["index"]))
    return found


@pytest.mark.parametrize("kernel", FORMS)
@pytest.mark.parametrize("recurrent_kernel", FORMS)
def test_values_are_what_they_stand_for(base, kernel, recurrent_kernel):
    small, wide = copy.deepcopy(base), copy.deepcopy(base)
    for name, form in (("kernel", kernel), ("recurrent_kernel", recurrent_kernel)):
        small_weights.set_values(wide, name, FORMS[form](small, name))
    for ours, expected in zip(answers(small, SHAPES), answers(wide, SHAPES), strict=True):
        assert np.any(expected != 0)
        np.testing.assert_array_equal(ours, expected)
