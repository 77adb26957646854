"""The settings of the gate: which are allowed, and what an error says."""

import dataclasses

import numpy as np
import pytest

from addrnn.gate import Gate


def test_settings_are_rounded_to_float32_and_stay():
    gate = Gate("tanh", 0.1, 0.3)
    assert (gate.state_shift, gate.state_max) == (float(np.float32(0.1)), float(np.float32(0.3)))
    assert gate.upper_bound == gate.state_max and Gate().upper_bound == np.inf
    with pytest.raises(dataclasses.FrozenInstanceError):
        gate.state_max = 1.0


@pytest.mark.parametrize(
    "settings, error, argument, message",
    [
        ({"activation": "gelu"}, ValueError, "activation", "one of"),
        ({"state_shift": -1}, ValueError, "state_shift", "at least 0"),
        ({"state_shift": "1"}, TypeError, "state_shift", "a number"),
        ({"state_max": np.inf}, ValueError, "state_max", "finite.*Pass None"),
        ({"state_max": 0.0}, ValueError, "state_max", "above.*state_max=0.0, state_shift=0"),
        ({"state_shift": 1, "state_max": -1}, ValueError, "state_max", "state_max=-1"),
        # The kernels take a subnormal number for 0.
        ({"state_max": 1e-45}, ValueError, "state_max", "state_max=1e-45, state_shift=0"),
        ({"state_shift": 1e-45, "state_max": 0.0}, ValueError, "state_max", "state_shift=1e-45"),
    ],
)
def test_refuses(settings, error, argument, message):
    with pytest.raises(error, match=f"`{argument}` must be .*{message}") as raised:
        Gate(**settings)
    assert raised.value.argument == argument


def test_the_least_bound_that_is_one():
    assert Gate(state_max=2.0**-126).state_max == 2.0**-126
