"""The compiled core against the plain Python reference, bit for bit."""

import gc
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import addrnn
from addrnn import _compiled_core, executor, reference
from tests import integer_problems as support
from tests.support import needs_core

pytestmark = needs_core


@settings(deadline=None, max_examples=300)
@given(call=support.layer_calls((0, 5), (0, 4), (1, 7), (1, 9)))
def test_layer_agrees_with_the_reference(call):
    layer, inputs, state, mask = call
    outputs, last = executor.run_layer(layer, inputs, state, mask)
    expected, expected_last = support.expected_layer(layer, inputs, state, mask)
    assert outputs.dtype == last.dtype == np.int16
    np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_array_equal(last, expected_last)


@pytest.mark.parametrize("units", [64, 127, 130])
@pytest.mark.parametrize("kind", support.KINDS)
def test_layer_of_many_units_agrees_with_the_reference(units, kind):
    rng = np.random.default_rng(units)
    layer = support.draw_layer(rng, 33, units, kind=kind, state_bits=12)
    for batch in (1, 6, 37):
        inputs = support.draw_inputs(rng, batch, 11, 33, 8, kind)
        state = support.draw_state(rng, batch, layer, kind)
        mask = rng.random((batch, 11)) < 0.7
        expected = reference.run_layer(layer, inputs, state, mask)
        for answer, value in zip(
            executor.run_layer(layer, inputs, state, mask), expected, strict=True
        ):
            np.testing.assert_array_equal(answer, value)


@settings(deadline=None, max_examples=100)
@given(
    seed=st.integers(0, 2**32 - 1),
    lead=st.lists(st.integers(0, 3), max_size=3).map(tuple),
    sizes=st.tuples(st.integers(1, 40), st.integers(1, 70)),
    bits=st.tuples(st.integers(1, 16), st.integers(2, 8)),
)
def test_dense_agrees_with_the_reference(seed, lead, sizes, bits):
    rng = np.random.default_rng(seed)
    layer = support.draw_dense(rng, *sizes, *bits)
    inputs = support.draw_inputs(rng, 1, int(np.prod(lead)), sizes[0], bits[0])
    inputs = inputs.reshape(*lead, sizes[0])
    outputs = executor.run_dense(layer, inputs)
    assert outputs.dtype == np.int32
    np.testing.assert_array_equal(outputs, reference.run_dense(layer, inputs))


def model():
    return support.draw_model(
        np.random.default_rng(0), 5, (7, 6), classes=3, input_bits=8, sequences=True
    )


def test_model_runs_on_either_executor():
    network = model()
    reals = np.random.default_rng(1).normal(0, 0.5, (4, 6, 5))
    mask = np.random.default_rng(2).random((4, 6)) < 0.7
    expected = network.predict(reals, mask, executor="reference")
    assert np.unique(expected).size > 10
    for name in ("compiled", "auto"):
        np.testing.assert_array_equal(network.predict(reals, mask, executor=name), expected)


def test_auto_is_the_core_where_it_is_compiled(monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("the reference was asked")

    monkeypatch.setattr(reference, "run_layer", forbidden)
    model().run(np.zeros((1, 2, 5), np.int8))


def test_without_the_core_auto_is_the_reference_and_compiled_says_what_to_do(monkeypatch):
    network, inputs = model(), np.ones((1, 2, 5), np.int8)
    expected = network.run(inputs)
    monkeypatch.delattr(addrnn, "_core", raising=False)
    monkeypatch.setitem(sys.modules, "addrnn._core", None)
    _compiled_core.problem.cache_clear()
    try:
        np.testing.assert_array_equal(network.run(inputs), expected)
        with pytest.raises(RuntimeError, match="compiled core cannot be loaded.*(make setup|Rein)"):
            model().run(inputs, executor="compiled")
    finally:
        _compiled_core.problem.cache_clear()


def test_unknown_executor():
    with pytest.raises(ValueError, match="`executor` must be.*executor='numpy'"):
        model().run(np.zeros((1, 2, 5), np.int8), executor="numpy")


def test_bad_input_is_refused():
    layer = support.draw_layer(np.random.default_rng(0), 3, 4, input_bits=6, state_bits=10)
    inputs = np.zeros((2, 5, 3), np.int8)
    with pytest.raises(
        ValueError, match="`inputs` must hold values from -32 to 31. Received: from 0 to 32"
    ):
        executor.run_layer(layer, inputs + 32 * (np.arange(3) == 1))
    with pytest.raises(ValueError, match="`initial_state` must hold values from 0 to"):
        executor.run_layer(layer, inputs, np.full((2, 4), -1))
    for wrong in (inputs[0], inputs[..., :2]):
        with pytest.raises(ValueError, match="inputs must be of shape"):
            executor.run_layer(layer, wrong)
    with pytest.raises(ValueError, match=r"initial_state must be of shape \[2, 4\]"):
        executor.run_layer(layer, inputs, np.zeros((1, 4), np.int16))
    with pytest.raises(ValueError, match=r"mask must be of shape \[2, 5\]"):
        executor.run_layer(layer, inputs, mask=np.ones((2, 4), bool))
    dense = support.draw_dense(np.random.default_rng(0), 3, 4, 6)
    with pytest.raises(ValueError, match=r"inputs must be of shape \[2, 3\]"):
        executor.run_dense(dense, np.zeros((2, 4), np.int8))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kernel": np.zeros((3, 7), np.int8)}, "kernel must be of shape"),
        ({"recurrent_kernel": np.zeros((3, 8), np.int8)}, "recurrent_kernel must be of shape"),
        ({"bias": np.zeros(7, np.int32)}, "bias must be of shape"),
        ({"shift": np.full(8, 32, np.uint8)}, "shift must be from 0 to 31, received 32"),
        ({"bias": np.full(8, 2**31 - 1, np.int32)}, "more than 32 bits hold"),
        ({"state_max": 40_000}, "state_max must be from 0 to 32767"),
    ],
)
def test_bindings_check_again(change, says):
    from addrnn import _core

    arguments = {
        "kernel": np.ones((3, 8), np.int8),
        "recurrent_kernel": np.ones((4, 8), np.int8),
        "bias": np.zeros(8, np.int32),
        **{name: np.zeros(8, np.uint8) for name in ("kernel_shift", "recurrent_shift", "shift")},
        "multiplier": None,
        "input_bits": 8,
        "state_shift": 0,
        "state_max": 100,
        "candidate_min": 0,
        "candidate_max": 100,
        "go_backwards": False,
    }
    layer = _core.IntegerAddGru(**arguments)
    with pytest.raises(ValueError, match=says):
        _core.IntegerAddGru(**{**arguments, **change})
    with pytest.raises(ValueError, match="C-contiguous array of int8 or int16"):
        layer.run(np.zeros((1, 2, 3), np.int32))
    with pytest.raises(ValueError, match="C-contiguous array of int8 or int16"):
        layer.run(np.zeros((1, 2, 6), np.int8)[..., ::2])


def test_prepared_weights_live_as_long_as_the_layer():
    layer = support.draw_layer(np.random.default_rng(0), 3, 4)
    executor.run_layer(layer, np.zeros((1, 2, 3), np.int8))
    reference = weakref.ref(layer)
    gc.collect()  # what other tests have left
    before = len(executor._prepared)
    del layer
    gc.collect()
    assert reference() is None
    assert len(executor._prepared) == before - 1


def test_threads_may_share_a_layer():
    rng = np.random.default_rng(3)
    layer = support.draw_layer(rng, 9, 65)
    given = [support.draw_inputs(rng, batch, 20, 9, 8) for batch in (1, 2, 9, 33)]
    expected = [reference.run_layer(layer, inputs)[0] for inputs in given]
    wrong = []

    def work(index):
        for _ in range(50):
            if not np.array_equal(executor.run_layer(layer, given[index])[0], expected[index]):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_needs_neither_keras_nor_tensorflow():
    code = (
        "import sys, numpy as np\n"
        "from tests.integer_problems import draw_layer\n"
        "from addrnn import executor\n"
        "layer = draw_layer(np.random.default_rng(0), 2, 3)\n"
        "executor.run_layer(layer, np.zeros((1, 2, 2), np.int8))\n"
        "print(*sorted({'keras', 'tensorflow'} & set(sys.modules)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
