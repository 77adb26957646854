"""Circuits as they are traced, against the integer model: the same integers, all within the ranges
that were proven. Nothing is compiled here, so many inputs and every formulation can be tried.
"""

import numpy as np
import pytest

from addrnn.fhe import _tracing
from addrnn.fhe._bounds import BOUNDS, lookup_bits
from addrnn.fhe._concrete import concrete
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe


def columns(update, candidate):
    return np.array([*update, *candidate], np.uint8)


MODELS = {
    "relu, nothing to shift": models.model(models.recurrent(2, 3)),
    "rounding shifts of their own": models.model(
        models.recurrent(3, 2, 1, fan_in=3, shift=columns((1, 2), (0, 1))), models.dense(2, 3)
    ),
    "shifts to the left": models.model(
        models.recurrent(
            2,
            2,
            2,
            kernel_shift=columns((1, 0), (2, 1)),
            recurrent_shift=columns((0, 1), (1, 1)),
            shift=columns((2, 1), (2, 1)),
        )
    ),
    "multipliers": models.model(
        models.recurrent(
            2,
            2,
            3,
            multiplier=np.array([3, 5, 7, 1], np.int32),
            shift=columns((2, 3), (3, 0)),
        )
    ),
    "linear, shifted state": models.model(
        models.recurrent(2, 3, 4, state_shift=2, state_max=1, candidate_min=-2, candidate_max=1)
    ),
    "hard_tanh, shifted state": models.model(
        models.recurrent(
            2,
            2,
            5,
            state_shift=1,
            state_max=2,
            candidate_min=-1,
            candidate_max=1,
            shift=columns((1, 0), (1, 1)),
        )
    ),
    "backwards, sequences, dense": models.model(
        models.recurrent(2, 2, 6, go_backwards=True, return_sequences=True), models.dense(2, 2)
    ),
    "two layers": models.model(
        models.recurrent(1, 2, 7, return_sequences=True),
        models.recurrent(2, 1, 8, input_bits=3, shift=columns((1,), (1,))),
    ),
    "MinAddGRU, nothing to shift": models.model(models.min_recurrent(2, 3)),
    "MinAddGRU, wide sums": models.model(models.min_recurrent(3, 2, 1, kernel_size=3, fan_in=9)),
    "MinAddGRU, shifts, zero point, dense": models.model(
        models.min_recurrent(
            2, 2, 2, kernel_size=3, fan_in=4, input_zero_point=-2, shift=columns((1, 2), (0, 1))
        ),
        models.dense(2, 3),
        zero_point=-2,
    ),
    "MinAddGRU, multipliers, hard_tanh": models.model(
        models.min_recurrent(
            2,
            2,
            3,
            multiplier=np.array([3, 5, 7, 1], np.int32),
            shift=columns((2, 3), (3, 0)),
            candidate_max=1,
        )
    ),
    "MinAddGRU, a window longer than the sequence, backwards, sequences": models.model(
        models.min_recurrent(
            1, 2, 4, kernel_size=5, fan_in=3, go_backwards=True, return_sequences=True
        )
    ),
    "MinAddGRU behind AddGRU": models.model(
        models.recurrent(1, 2, 7, return_sequences=True),
        models.min_recurrent(2, 2, 8, input_bits=3, shift=columns((1, 0), (1, 0))),
    ),
    "AddGRU behind MinAddGRU behind MinAddGRU": models.model(
        models.min_recurrent(1, 2, 9, return_sequences=True),
        models.min_recurrent(2, 2, 10, input_bits=3, return_sequences=True),
        models.recurrent(2, 1, 11, input_bits=3, shift=columns((1,), (1,))),
    ),
    "a single unit without weights": models.model(
        models.recurrent(1, 1, 9, recurrent_kernel=np.zeros((1, 2), np.int8))
    ),
}


def traced(model, timesteps, formulation, input_range):
    def circuit(inputs):
        return _tracing.trace(model, inputs, input_range, formulation)

    sample = np.broadcast_to(input_range[0], (timesteps, model.features))
    return concrete().Compiler(circuit, {"inputs": "encrypted"}).trace([np.array(sample)])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("timesteps", (1, 4))
def test_every_formulation_gives_the_integers_of_the_model(name, timesteps):
    model = MODELS[name]
    input_range = models.full_range(model)
    inputs = models.sequences(input_range, timesteps, 60)
    expected = model.run(inputs)
    for formulation in _tracing.formulations(model):
        graph = traced(model, timesteps, formulation, input_range)
        for sequence, output in zip(inputs, expected, strict=True):
            values = graph.evaluate(sequence)
            for node, value in values.items():
                if BOUNDS in node.properties:  # constants have none
                    low, high = node.properties[BOUNDS]
                    assert low <= np.min(value) and np.max(value) <= high, (
                        formulation,
                        node.properties,
                    )
            result = [values[node] for node in graph.ordered_outputs()]
            np.testing.assert_array_equal(np.reshape(result, output.shape), output, formulation)


def test_ranges_are_those_of_the_model_and_not_of_samples():
    # The one sample that concrete-python is shown is the lower end of the inputs, and there the
    # sums are at an end. By hand: x in -2..1, weights 1 and 1, then 1 and -1.
    model = models.model(
        models.recurrent(
            2,
            1,
            kernel=np.array([[1, 1], [1, -1]], np.int8),
            recurrent_kernel=np.zeros((1, 2), np.int8),
            bias=np.array([1, 1], np.int32),
        )
    )
    graph = traced(model, 1, "clipped_candidate", models.full_range(model))
    ranges = {node.properties.get(BOUNDS) for node in graph.query_nodes()}
    assert {(-4, 2), (-3, 3)} <= ranges


def test_a_common_factor_of_the_weights_costs_no_bits():
    # Weights of 3 alone, shifted to the left besides: the sum is taken over 12.
    arguments = dict(
        kernel=np.array([[3, -3]], np.int8),
        recurrent_kernel=np.zeros((1, 2), np.int8),
        kernel_shift=np.array([2, 2], np.uint8),
        shift=np.array([3, 3], np.uint8),
        weight_bits=3,
    )
    model = models.model(models.recurrent(1, 1, **arguments))
    graph = traced(model, 1, "shared_relu", models.full_range(model))
    ranges = [node.properties.get(BOUNDS) for node in graph.query_nodes()]
    assert (-2, 1) in ranges and all(low > -8 and high < 8 for low, high in filter(None, ranges))


def test_formulations():
    assert _tracing.formulations(MODELS["relu, nothing to shift"]) == (
        "shared_relu",
        "clipped_candidate",
        "refreshed_state",
    )
    assert _tracing.formulations(MODELS["multipliers"]) == (
        "shared_relu",
        "accumulator_lookup",
        "refreshed_state",
    )
    assert _tracing.formulations(models.adder(3, 63, 4, 7)) == ("shared_relu", "clipped_candidate")
    narrow = models.min_recurrent(2, 1, bias=np.zeros(2, np.int32), fan_in=1)
    always = "shared_relu", "refreshed_state"
    assert _tracing.formulations(models.model(narrow)) == always
    assert _tracing.formulations(MODELS["MinAddGRU, multipliers, hard_tanh"]) == always
    wide = "shared_relu", "accumulator_lookup", "refreshed_state"
    assert _tracing.formulations(MODELS["MinAddGRU, wide sums"]) == wide
    for name in ("rounding shifts of their own", "MinAddGRU, shifts, zero point, dense"):
        assert _tracing.formulations(MODELS[name])[-1] == "truncated_sums"


def test_bits_that_make_no_difference_are_cut_off():
    # By hand: sums of 10 features from -2 to 1, rounded to multiples of 4, half goes up.
    arguments = dict(
        kernel=np.ones((1, 10, 2), np.int8),
        bias=np.array([3, 1], np.int32),
        shift=np.array([2, 2], np.uint8),
        state_max=7,
        candidate_max=7,
        state_bits=4,
    )
    model = models.model(models.min_recurrent(10, 1, kernel_size=1, **arguments))
    graph = traced(model, 2, "truncated_sums", models.full_range(model))
    cut = [
        node.properties["kwargs"]["lsbs_to_remove"]
        for node in graph.query_nodes()
        if node.properties.get("name") == "truncate_bit_pattern"
    ]
    assert cut == [2] * 4  # from -20 to 10: of 6 bits, 4 are left
    assert max(lookup_bits(graph)) == 4
    wide = traced(model, 2, "refreshed_state", models.full_range(model))
    assert max(lookup_bits(wide)) == 5


def test_the_gate_is_left_out_where_its_sign_is_known():
    # Both update gates read one input from -2 to 1: one is never above 0, one never below.
    for bias, parts in ((-1, {"candidate", "maximum"}), (2, {"update", "candidate", "maximum"})):
        layer = models.min_recurrent(
            2,
            1,
            kernel=np.array([[[1, 0], [0, 1]]], np.int8),
            bias=np.array([bias, 0], np.int32),
        )
        model = models.model(layer)
        graph = traced(model, 2, "shared_relu", models.full_range(model))
        found = {
            node.tag.rpartition(".")[2]
            for node in graph.query_nodes()
            if node.converted_to_table_lookup and node.tag.startswith("0.1")
        }
        assert found == parts - {"update"}


def test_too_wide_a_look_up_names_the_layer():
    settings = dict(fan_in=100, state_bits=8, state_max=100, candidate_max=100, name="reader")
    for layer in (models.recurrent(100, 2, **settings), models.min_recurrent(50, 2, **settings)):
        model = models.model(layer)
        with pytest.raises(
            ValueError,
            match="Layer 'reader': the (update gate|candidate).* 9 bits.*its element.*Use fewer",
        ):
            traced(model, 2, "shared_relu", models.full_range(model))
