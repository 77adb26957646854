"""Compiled circuits: in simulation against the integer model, their cost, and what is refused."""

import numpy as np
import pytest

from addrnn import fhe
from addrnn.fhe import _tracing
from addrnn.fhe._bounds import check_bit_widths
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe


SMALL = models.model(models.recurrent(2, 1, fan_in=1))
SHIFTED = models.model(
    models.recurrent(3, 2, 1, shift=np.array([1, 2, 0, 1], np.uint8)), models.dense(2, 3)
)
STACKED = models.model(
    models.recurrent(
        1,
        1,
        7,
        state_shift=1,
        state_max=2,
        candidate_min=-1,
        candidate_max=2,
        return_sequences=True,
    ),
    models.recurrent(1, 1, 8, input_bits=3, go_backwards=True, return_sequences=True),
)


MINIMAL = models.model(
    models.min_recurrent(2, 2, 1, input_zero_point=-1, return_sequences=True),
    models.min_recurrent(2, 1, 2, input_bits=3, shift=np.array([1, 0], np.uint8)),
    models.dense(1, 2),
    zero_point=-1,
)

ROUNDED = models.model(
    models.min_recurrent(5, 2, 3, kernel_size=1, fan_in=5, shift=np.full(4, 1, np.uint8)),
    models.dense(2, 2),
)


@pytest.mark.parametrize(
    "model, formulation",
    [
        (SHIFTED, "refreshed_state"),
        (STACKED, "shared_relu"),
        (MINIMAL, "refreshed_state"),
        (ROUNDED, "truncated_sums"),
    ],
)
def test_simulation_gives_the_integers_of_the_model(model, formulation):
    compiled = fhe.compile(model, 3, formulation=formulation, global_p_error=1e-6)
    inputs = models.sequences(models.full_range(model), 3, 60)
    outputs = compiled.predict_integers(inputs, fhe="simulate")
    np.testing.assert_array_equal(outputs, model.run(inputs))


def test_a_compiler_that_takes_too_few_bits_is_found_out():
    graph = fhe.compile(SMALL, 2, formulation="shared_relu").circuit.graph
    widest = max(graph.query_nodes(), key=lambda node: node.output.dtype.bit_width)
    widest.output.dtype.bit_width = 1
    with pytest.raises(RuntimeError, match="this version of concrete-python.*Install"):
        check_bit_widths(graph)


def test_the_cheapest_formulation_is_taken():
    compiled = fhe.compile(SHIFTED, 3)
    statistics = compiled.statistics()
    assert set(statistics["costs"]) == set(_tracing.formulations(compiled.model))
    assert statistics["complexity"] == min(statistics["costs"].values())
    assert statistics["costs"][statistics["formulation"]] == statistics["complexity"]


def test_counts_of_the_gate():
    # One unit whose gate takes both signs, with a state at most 1 + 1 after two steps: never
    # saturated, nothing to requantize. The second step is the gate alone: 3 PBS, or 4.
    layer = models.recurrent(
        2,
        1,
        kernel=np.array([[1, 0], [0, 1]], np.int8),
        recurrent_kernel=np.zeros((1, 2), np.int8),
        bias=np.zeros(2, np.int32),
    )
    for formulation, count in (("shared_relu", 3), ("clipped_candidate", 4)):
        statistics = fhe.compile(models.model(layer), 2, formulation=formulation).statistics()
        assert statistics["pbs_per_unit_and_step"] == {"add_gru": count}


def test_counts_of_the_gate_that_reads_inputs_alone():
    # Both sums are at the state's scale: `max(-u, 0)`, `max(c, 0)`, and the maximum.
    layer = models.min_recurrent(
        2,
        1,
        kernel=np.array([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], np.int8),
        bias=np.zeros(2, np.int32),
        state_max=2,
        candidate_max=2,
    )
    statistics = fhe.compile(models.model(layer), 3, formulation="shared_relu").statistics()
    assert statistics["pbs_per_unit_and_step"] == {"min_add_gru": 3}
    # The first step has no state to keep, and the gate makes its candidate's ReLU redundant.
    assert statistics["pbs_per_part"] == {
        "update": 3,
        "candidate": 2,
        "maximum": 2,
        "written": 1,
    }


def test_statistics():
    statistics = fhe.compile(SHIFTED, 3, global_p_error=1e-3).statistics()
    assert statistics["pbs"] == sum(statistics["pbs_per_part"].values()) > 0
    assert statistics["global_p_error"] == 1e-3 and statistics["security_bits"] == 128
    assert 0 < statistics["p_error"] < 1e-3
    assert max(statistics["lookup_bits"]) <= statistics["max_bits"] <= 8
    for name in ("secret_key_bytes", "input_bytes", "output_bytes"):
        assert statistics[name] > 0
    assert 0 < statistics["compressed_evaluation_key_bytes"] < statistics["evaluation_key_bytes"]


def test_the_adder_is_exact_and_refuses_what_it_was_not_compiled_for():
    model = models.adder(3, 63, 4, 7)
    input_range = [0, 0], [3, 1]
    compiled = fhe.compile(model, 20, input_range=np.array(input_range))
    inputs = models.sequences(input_range, 20, 8)
    sums = (inputs[:, :, 0] * inputs[:, :, 1]).sum(1, keepdims=True)
    np.testing.assert_array_equal(compiled.predict_integers(inputs, fhe="simulate"), sums)
    # Its gate is never below zero and the state never full, so a step is a single look-up.
    assert compiled.statistics()["pbs"] == 20
    inputs[0, 7, 1] = 2
    with pytest.raises(
        ValueError, match="from 0 to 1 in feature 1.*Received: 2 at step 7.*`input_range`"
    ):
        compiled.predict_integers(inputs, fhe="simulate")
    with pytest.raises(ValueError, match=r"shape \(20, 2\).*Received.*other `timesteps`"):
        compiled.spec.check_input(inputs[0, :19])


def test_real_numbers():
    model = SHIFTED
    compiled = fhe.compile(model, 2, formulation="shared_relu", global_p_error=1e-6)
    inputs = np.random.uniform(-1, 1, (4, 2, 3))
    for mode in ("disable", "simulate"):
        np.testing.assert_array_equal(compiled.predict(inputs, fhe=mode), model.predict(inputs))


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(timesteps=0), "`timesteps` must be an integer from 1"),
        (dict(formulation="best"), "`formulation` must be one of .*clipped_candidate"),
        (dict(global_p_error=0.0), "`global_p_error` must be between 0 and 1"),
        (dict(input_range=(0, 2)), "stay within -2 to 1"),
        (dict(input_range=(1, 0)), "must rise from low"),
        (dict(input_range=(0.0, 1.0)), "each an integer"),
        (dict(input_range=([0, 0, 0], 1)), "each an integer or 2 integers"),
    ],
)
def test_bad_arguments(change, message):
    arguments = dict(timesteps=2) | change
    with pytest.raises(ValueError, match=message):
        fhe.compile(SMALL, **arguments)


def test_bad_inputs():
    with pytest.raises(TypeError, match="`model` must be an IntegerModel"):
        fhe.compile("model", 2)
    compiled = fhe.compile(SMALL, 2, formulation="shared_relu")
    with pytest.raises(ValueError, match="`fhe` must be one of .*disable.*simulate.*execute"):
        compiled.predict(np.zeros((1, 2, 2)), fhe="yes")
    with pytest.raises(ValueError, match=r"shape \[B, T, D\]"):
        compiled.predict_integers(np.zeros((2, 2), int))
    with pytest.raises(ValueError, match=r"the shape \(2, 2\) that the circuit"):
        compiled.predict_integers(np.zeros((1, 3, 2), int))
    with pytest.raises(TypeError, match="`inputs` must hold integers"):
        compiled.encrypt(np.zeros((2, 2)))
