"""Real encryption: what is decrypted is what the integer model computes, bit for bit."""

import pathlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

import addrnn
from addrnn import fhe
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe

EXAMPLE = pathlib.Path(__file__).parents[3] / "examples" / "encrypted_digits"
DIGITS = EXAMPLE / "digits.safetensors"


def check(model, timesteps, inputs, **arguments):
    compiled = fhe.compile(model, timesteps, global_p_error=1e-6, **arguments)
    outputs = compiled.predict_integers(inputs, fhe="execute")
    np.testing.assert_array_equal(outputs, model.run(inputs))


def test_gate():
    # All pairs of an update gate and a candidate behind a state of 2: u, c in -2..1.
    layer = models.recurrent(
        2,
        1,
        kernel=np.array([[1, 0], [0, 1]], np.int8),
        recurrent_kernel=np.zeros((1, 2), np.int8),
        bias=np.array([0, 1], np.int32),
    )
    model = models.model(layer)
    pairs = np.stack(np.meshgrid(np.arange(-2, 2), np.arange(-2, 2)), -1).reshape(-1, 1, 2)
    inputs = np.concatenate([np.broadcast_to([[0, 1]], (16, 1, 2)), pairs], 1)
    check(model, 2, inputs, formulation="shared_relu")


def test_gate_that_reads_inputs_alone():
    # As above; the window reads nothing but the last input.
    layer = models.min_recurrent(
        2,
        1,
        kernel=np.array([[[1, 0], [0, 1]]], np.int8),
        bias=np.array([0, 1], np.int32),
    )
    model = models.model(layer)
    pairs = np.stack(np.meshgrid(np.arange(-2, 2), np.arange(-2, 2)), -1).reshape(-1, 1, 2)
    inputs = np.concatenate([np.broadcast_to([[0, 1]], (16, 1, 2)), pairs], 1)
    check(model, 2, inputs, formulation="shared_relu")


def test_truncated_sums():
    layer = models.min_recurrent(
        12, 2, kernel_size=1, fan_in=9, shift=np.full(4, 2, np.uint8), state_max=3
    )
    model = models.model(layer, models.dense(2, 2))
    inputs = models.sequences(models.full_range(model), 2, 6)
    check(model, 2, inputs, formulation="truncated_sums")


def test_adder_over_20_steps():
    input_range = np.array([[0, 0], [3, 1]])
    inputs = models.sequences(input_range, 20, 1)
    check(models.adder(3, 63, 4, 7), 20, inputs, input_range=input_range)


def test_inputs_in_another_order_of_memory():
    """concrete-python reads what it is given as rows, whatever its strides are."""
    model = models.model(models.recurrent(2, 2, shift=np.array([1, 0, 1, 0], np.uint8)))
    inputs = models.sequences(models.full_range(model), 4, 8)
    columns = np.ascontiguousarray(inputs.swapaxes(1, 2)).swapaxes(1, 2)
    compiled = fhe.compile(model, 4, formulation="shared_relu")
    for fhe_mode in ("simulate", "execute"):
        outputs = compiled.predict_integers(columns[:3], fhe=fhe_mode)
        np.testing.assert_array_equal(outputs, model.run(inputs[:3]))


@pytest.mark.slow
def test_tracing():
    model = models.model(
        models.recurrent(3, 4, 1, shift=np.array([1, 2, 0, 1] * 2, np.uint8)), models.dense(4, 3)
    )
    inputs = models.sequences(models.full_range(model), 4, 6)
    for formulation in ("shared_relu", "refreshed_state", "accumulator_lookup"):
        check(model, 4, inputs, formulation=formulation)


@pytest.mark.slow
def test_shifted_state_and_sequences():
    model = models.model(
        models.recurrent(
            2,
            2,
            state_shift=1,
            state_max=2,
            candidate_min=-1,
            candidate_max=1,
            return_sequences=True,
            go_backwards=True,
        )
    )
    check(model, 4, models.sequences(models.full_range(model), 4, 6))


@pytest.mark.slow
@pytest.mark.skipif(not DIGITS.exists(), reason=f"no {DIGITS.name}: run {EXAMPLE.name}/train.py")
def test_digits():
    model = addrnn.load(DIGITS)
    # Four columns of the picture are a step, as train.py has it.
    images = load_digits().images[[0, 7, 1234]].swapaxes(1, 2).reshape(-1, 2, 32) / 16
    input_range = tuple(int(model.inputs.quantize(end)) for end in (0.0, 1.0))
    check(model, 2, model.inputs.quantize(images), input_range=input_range)


@pytest.mark.slow
def test_keys_are_random():
    # A library that takes a fixed seed where none is given would make the same keys each time.
    compiled = fhe.compile(models.adder(3, 63, 4, 7), 1, formulation="shared_relu")
    keys = []
    for _ in range(2):
        compiled.circuit.keygen(force=True)
        keys.append(compiled.circuit.keys.serialize())
    assert keys[0] != keys[1]
