"""The core's functions on DLPack capsules: what they compute, and what they refuse."""

import ctypes
import itertools

import numpy as np
import pytest

from tests import min_problems
from tests.agreement import TOLERANCE, assert_close
from tests.support import ACTIVATIONS, MASKS, capsule, make_problem, needs_core, run_core

pytestmark = needs_core

B, T, D, H, W = 2, 3, 4, 5, 2
SEQUENCE, STATE = (B, T, H), (B, H)
KEPT = {"reserve": SEQUENCE, "candidates": SEQUENCE}
SHAPES = {
    "add_gru": {
        "inputs": (B, T, D),
        "kernel": (D, 2 * H),
        "recurrent_kernel": (H, 2 * H),
        "bias": (2 * H,),
        "initial_state": STATE,
        "mask": (B, T),
        "outputs": SEQUENCE,
        "final_state": STATE,
        **KEPT,
    },
    "add_gru_grad": {
        "inputs": (B, T, D),
        "kernel": (D, 2 * H),
        "recurrent_kernel": (H, 2 * H),
        "initial_state": STATE,
        "outputs": SEQUENCE,
        **KEPT,
        "d_outputs": SEQUENCE,
        "d_final_state": STATE,
        "d_inputs": (B, T, D),
        "d_kernel": (D, 2 * H),
        "d_recurrent_kernel": (H, 2 * H),
        "d_bias": (2 * H,),
        "d_initial_state": STATE,
    },
    "add_gru_step_grad": {
        "reserve": STATE,
        "candidates": STATE,
        "d_outputs": STATE,
        "d_final_state": STATE,
        "d_sums": (B, 2 * H),
        "d_state": STATE,
    },
    "min_add_gru": {
        "inputs": (B, T, D),
        "kernel": (W, D, 2 * H),
        "bias": (2 * H,),
        "initial_state": STATE,
        "mask": (B, T),
        "initial_inputs": (B, W - 1, D),
        "outputs": SEQUENCE,
        "final_state": STATE,
        **KEPT,
    },
    "min_add_gru_grad": {
        "inputs": (B, T, D),
        "kernel": (W, D, 2 * H),
        "initial_state": STATE,
        "mask": (B, T),
        "initial_inputs": (B, W - 1, D),
        **KEPT,
        "d_outputs": SEQUENCE,
        "d_final_state": STATE,
        "d_inputs": (B, T, D),
        "d_kernel": (W, D, 2 * H),
        "d_bias": (2 * H,),
        "d_initial_state": STATE,
        "d_initial_inputs": (B, W - 1, D),
    },
}
SETTINGS = {
    "add_gru": {"activation": "tanh", "state_shift": 0.0, "state_max": None, "go_backwards": False},
    "add_gru_grad": {"activation": "tanh", "go_backwards": False},
    "add_gru_step_grad": {"activation": "tanh"},
    "min_add_gru": {"activation": "tanh", "go_backwards": False},
    "min_add_gru_grad": {"activation": "tanh", "go_backwards": False},
}
DTYPES = {"mask": "bool", "reserve": "uint8"}
OPTIONAL = {
    "add_gru": {"bias", "initial_state", "mask", "reserve"},
    "add_gru_grad": {"initial_state", "d_inputs"},
    "add_gru_step_grad": set(),
    "min_add_gru": {"bias", "initial_state", "mask", "initial_inputs", "reserve"},
    "min_add_gru_grad": {"initial_state", "mask", "initial_inputs", "d_inputs", "d_initial_inputs"},
}
EVERY_TENSOR = [(function, name) for function, shapes in SHAPES.items() for name in shapes]


def zeros(function, shapes=None):
    shapes = SHAPES[function] | (shapes or {})
    return {n: np.zeros(shape, DTYPES.get(n, "float32")) for n, shape in shapes.items()}


def call(function, arrays=None, settings=None, **capsules):
    """Calls the core on zeros; `arrays` take their place, and `capsules` that of their capsules."""
    from addrnn import _core

    arguments = {n: capsule(a) for n, a in (zeros(function) | (arrays or {})).items()} | capsules
    getattr(_core, function)(**arguments, **SETTINGS[function] | (settings or {}))


def wrong_shapes(shape):
    """Each axis too small and too large, and other ranks."""
    for axis, change in itertools.product(range(len(shape)), (-1, 1, 1000)):
        yield (*shape[:axis], shape[axis] + change, *shape[axis + 1 :])
    yield from ((2,) * rank for rank in range(6) if rank != len(shape))


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_add_gru_agrees_with_the_reference(dtype):
    for seed, (mask, activation) in enumerate(zip(MASKS, ACTIVATIONS * 2, strict=False)):
        problem = make_problem(seed, (3, 5, 4, 7), mask=mask, activation=activation)
        problem = problem.as_dtype("float32")
        assert_close(run_core(problem, dtype), problem.expected(), TOLERANCE[dtype], mask)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_min_add_gru_agrees_with_the_reference(dtype):
    problem = min_problems.make_problem(4, (5, 13, 17, 16, 3), mask="left").as_dtype("float32")
    arrays = {name: np.array(array, dtype) for name, array in problem.arrays.items()}
    results = {"outputs": problem.d_outputs, "final_state": problem.d_state}
    results = {name: np.empty_like(array, dtype) for name, array in results.items()}
    absent = dict.fromkeys(("reserve", "candidates"))
    mask = np.array(problem.mask, order="C")
    call("min_add_gru", arrays | results | absent | {"mask": mask}, problem.settings)
    got = {"outputs": results["outputs"], "state": results["final_state"]}
    assert_close(got, problem.expected(), TOLERANCE[dtype])


@pytest.mark.parametrize("function", SHAPES)
def test_no_optional_tensor_need_be_there(function):
    call(function)
    call(function, dict.fromkeys(OPTIONAL[function]))


@pytest.mark.parametrize("function, name", EVERY_TENSOR)
def test_every_other_tensor_must_be_there(function, name):
    if name not in OPTIONAL[function]:
        with pytest.raises(TypeError, match=f"{name} must be a tensor, received None"):
            call(function, {name: None})


@pytest.mark.parametrize("function, name", EVERY_TENSOR)
def test_shapes_are_checked(function, name):
    for wrong in wrong_shapes(SHAPES[function][name]):
        if function == "add_gru" and name == "inputs" and len(wrong) == 2:
            continue  # one step, whose mask has another shape: refused as that
        with pytest.raises(ValueError, match="must be of shape"):
            call(function, zeros(function, {name: wrong}))


@pytest.mark.parametrize("function, name", EVERY_TENSOR)
def test_types_are_checked(function, name):
    for dtype in {"float32", "float64", "int32", "bool", "uint8", "complex64"}:
        if dtype != DTYPES.get(name, "float32"):
            with pytest.raises(TypeError, match="must hold"):
                call(function, {name: np.zeros(SHAPES[function][name], dtype)})


@pytest.mark.parametrize("function, name", EVERY_TENSOR)
def test_tensors_must_be_dense(function, name):
    shape = SHAPES[function][name]
    apart = np.zeros((*shape[:-1], 2 * shape[-1]), DTYPES.get(name, "float32"))[..., ::2]
    backwards = np.zeros(shape, apart.dtype)[..., ::-1]
    with pytest.raises(ValueError, match=f"{name} must be dense"):
        call(function, {name: apart})
    if shape[-1] > 1:
        with pytest.raises(ValueError, match=f"{name} must be dense"):
            call(function, {name: backwards})


@pytest.mark.parametrize("function, name", EVERY_TENSOR)
def test_results_must_be_writable(function, name):
    array = np.zeros(SHAPES[function][name], DTYPES.get(name, "float32"))
    array.setflags(write=False)
    forward = not function.endswith("grad")
    written = name.startswith("d_") and name not in ("d_outputs", "d_final_state")
    if written or (forward and name in ("outputs", "final_state", "reserve", "candidates")):
        with pytest.raises(ValueError, match=f"{name} is written to, and must not be read-only"):
            call(function, {name: array})
    else:
        call(function, {name: array})


@pytest.mark.parametrize("function", SHAPES)
@pytest.mark.parametrize("value", ["x", 3, np.zeros((2, 3, 4), "float32"), object()])
def test_other_objects_are_no_tensors(function, value):
    with pytest.raises(TypeError):
        call(function, **{next(iter(SHAPES[function])): value})


@pytest.mark.parametrize(
    "function, settings",
    [
        *((function, {"activation": "sigmoid"}) for function in SHAPES),
        ("add_gru", {"state_shift": -1.0}),
        ("add_gru", {"state_shift": float("nan")}),
        ("add_gru", {"state_max": -1.0}),
        ("add_gru", {"state_max": float("nan")}),
        ("add_gru", {"state_max": 1e-45}),
    ],
)
def test_settings_are_checked(function, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        call(function, settings=settings)


def test_a_step_has_no_time():
    problem = make_problem(0, (3, 1, 4, 7))
    step = {
        "inputs": problem.inputs[:, 0],
        "kernel": problem.kernel,
        "recurrent_kernel": problem.recurrent_kernel,
        "bias": problem.bias,
        "initial_state": problem.initial_state,
        "mask": None,
    }
    outputs, state = np.empty((3, 7)), np.empty((3, 7))
    kept = dict.fromkeys(("reserve", "candidates"))
    call(
        "add_gru",
        {**step, "outputs": outputs, "final_state": state, **kept},
        {"activation": "relu"},
    )
    np.testing.assert_array_equal(outputs, state)
    assert_close({"state": state}, {"state": problem.expected()["state"]}, 1e-12)


def test_bits_of_garbage_are_data():
    for function, shapes in SHAPES.items():
        if "d_outputs" in shapes:
            call(function, {"reserve": np.full(shapes["reserve"], 255, "uint8")})


# Capsules as no framework should make them.


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", DLTensor),
    ]


class Legacy(ctypes.Structure):
    _fields_ = [
        ("tensor", DLTensor),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    ]


NAMES = {Versioned: b"dltensor_versioned", Legacy: b"dltensor"}


class Forged:
    """A capsule of a float32 tensor of zeros, with changes; keeps alive what it points to."""

    def __init__(self, axes, kind=Versioned, major=1, strides=None, sizes=None, **changes):
        self.memory = np.zeros(1 + int(np.prod(axes)), "float32")
        self.shape = (ctypes.c_int64 * len(axes))(*(sizes or axes))
        self.strides = None if strides is None else (ctypes.c_int64 * len(axes))(*strides)
        self.managed = kind()
        if kind is Versioned:
            self.managed.major = major
        tensor = self.managed.tensor
        tensor.data, tensor.device_type, tensor.ndim = self.memory.ctypes.data, 1, len(axes)
        tensor.code, tensor.bits, tensor.lanes, tensor.shape = 2, 32, 1, self.shape
        if self.strides is not None:
            tensor.strides = self.strides
        for name, value in changes.items():
            setattr(tensor, name, value)
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = (
            ctypes.py_object,
            [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
        )
        self.capsule = new(ctypes.addressof(self.managed), NAMES[kind], None)


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("strides", [None, (T * D, D, 1)])
def test_both_capsules_are_read(kind, strides):
    forged = Forged((B, T, D), kind, strides=strides)
    call("add_gru", inputs=forged.capsule)
    moved = Forged((B, T, D), kind, byte_offset=4)
    call("add_gru", inputs=moved.capsule)


def test_axes_of_one_element_may_have_any_stride():
    forged = Forged((2 * H,), strides=(1,))
    call("add_gru", bias=forged.capsule)
    initial = Forged((B, 1, D), strides=(D, 12345, 1))
    call("min_add_gru", initial_inputs=initial.capsule)


@pytest.mark.parametrize(
    "changes, error, says",
    [
        ({"device_type": 2}, ValueError, "inputs must be on the CPU, received device type 2"),
        ({"code": 0}, TypeError, "inputs must hold"),
        ({"bits": 8}, TypeError, "inputs must hold"),
        ({"lanes": 4}, TypeError, "inputs must hold"),
        ({"lanes": 0}, TypeError, "inputs must hold"),
        ({"ndim": -1}, ValueError, "inputs must have at most"),
        ({"ndim": 2**31 - 1}, ValueError, "inputs must have at most"),
        ({"shape": None}, ValueError, "inputs must have at most"),
        ({"data": None}, ValueError, "inputs has no memory"),
        ({"byte_offset": 2}, ValueError, "inputs must be aligned"),
        ({"strides": (1, B, B * T)}, ValueError, "inputs must be dense"),
        ({"strides": (0, 0, 0)}, ValueError, "inputs must be dense"),
        ({"sizes": (-B, T, D)}, ValueError, "must not be negative"),
        ({"sizes": (2**62, 2**62, D)}, ValueError, "sizes too large"),
        ({"sizes": (2**40, 2**40, D)}, ValueError, "sizes too large"),
        ({"major": 0}, ValueError, "DLPack 0, expected DLPack 1"),
        ({"major": 2}, ValueError, "DLPack 2, expected DLPack 1"),
    ],
)
def test_forged_capsules_are_refused(changes, error, says):
    for function in ("add_gru", "min_add_gru"):
        forged = Forged((B, T, D), **changes)
        with pytest.raises(error, match=says):
            call(function, inputs=forged.capsule)


def test_a_capsule_that_was_taken_over_is_no_tensor():
    array = np.zeros((B, T, D), "float32")
    taken = capsule(array)
    ctypes.pythonapi.PyCapsule_SetName.argtypes = [ctypes.py_object, ctypes.c_char_p]
    name = b"used_dltensor_versioned"
    ctypes.pythonapi.PyCapsule_SetName(taken, name)
    with pytest.raises(TypeError):
        call("add_gru", inputs=taken)


def test_capsules_stay_the_callers():
    array = np.zeros((B, T, D), "float32")
    held = capsule(array)
    for _ in range(3):
        call("add_gru", inputs=held)
    assert array.sum() == 0
