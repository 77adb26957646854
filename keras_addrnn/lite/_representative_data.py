"""The argument `representative_data`: checked, ordered as the inputs, split into batches."""

import keras
import numpy as np

from addrnn import _validation
from keras_addrnn.lite._signature import keys

_NAME = "representative_data"


def as_arrays(data):
    """The data as arrays of LiteRT's types, in the structure of the argument."""
    if data is None:
        return None
    if callable(data) or hasattr(data, "__next__") or type(data).__name__.endswith("Dataset"):
        raise _validation.type_error(
            _NAME,
            "be arrays of samples, as `model.predict` takes them",
            type(data).__name__,
            "Put its batches together with np.concatenate.",
        )
    return keras.tree.map_structure(_as_array, data)


def _as_array(value):
    try:
        if keras.ops.is_tensor(value):
            value = keras.ops.convert_to_numpy(value)
        array = np.asarray(value)
    except ValueError as error:
        raise _validation.type_error(_NAME, "hold arrays of numbers", error) from None
    if array.dtype.kind not in "fiub":
        received = f"an array of dtype {array.dtype}"
        raise _validation.type_error(_NAME, "hold arrays of numbers", received)
    if array.ndim == 0 or len(array) == 0:
        raise _validation.value_error(
            _NAME,
            "hold at least one sample, along the first axis",
            f"an array of shape {array.shape}",
        )
    if array.dtype.kind == "f":
        _validation.check_finite(_NAME, array, "Leave such samples out.")
        array = array.astype("float32")
    return array


def in_order(data, signature):
    """The arrays in the order of the model's own inputs, of their types.

    They come as `as_arrays` returns them: an array, a dict by the inputs' names, or a list.
    """
    names = signature.input_names[: len(signature.model_specs)]
    if isinstance(data, dict):
        flat = dict(zip(keys(data), keras.tree.flatten(data), strict=True))
        if set(flat) != set(names):
            requirement = f"have an array for each of the model's inputs {sorted(names)}"
            raise _validation.value_error(_NAME, requirement, sorted(flat))
        arrays = [flat[name] for name in names]
    else:
        arrays = keras.tree.flatten(data)
        if len(arrays) != len(names):
            requirement = f"have {len(names)} arrays, for the model's inputs {names}"
            raise _validation.value_error(_NAME, requirement, len(arrays))
    if len({len(array) for array in arrays}) > 1:
        counts = dict(zip(names, map(len, arrays), strict=True))
        raise _validation.value_error(_NAME, "have as many samples for each input", counts)
    return [
        _fitted(array, name, spec)
        for array, name, spec in zip(arrays, names, signature.model_specs, strict=True)
    ]


def _fitted(array, name, spec):
    expected, received = tuple(spec.shape[1:]), array.shape[1:]
    if not _validation.shape_fits(received, expected):
        raise _validation.value_error(
            _NAME,
            f"have samples of shape {expected} for the input '{name}', along a first axis",
            f"an array of shape {array.shape}",
        )
    dtype = spec.dtype.as_numpy_dtype
    if array.dtype.kind == "f" and np.dtype(dtype).kind != "f":
        requirement = f"be of dtype {spec.dtype.name} for the input '{name}'"
        raise _validation.value_error(_NAME, requirement, array.dtype)
    return array.astype(dtype)


def with_states(batches, signature, function):
    """Adds the states to the batches: zeros, then the states that the call before returned."""
    import tensorflow as tf

    states, given = [tf.zeros(spec.shape, spec.dtype) for spec in signature.state_specs], []
    for batch in zip(*batches, strict=True):
        given.append([state.numpy() for state in states])
        outputs = function(*map(tf.constant, batch), *states)
        states = outputs[len(outputs) - len(states) :]
    return [*batches, *map(np.stack, zip(*given, strict=True))]


def batches(array, size):
    """`[samples, ...]` to `[batches, size, ...]`; the last one is filled up from the beginning."""
    count = -(-len(array) // size)
    return array[np.arange(count * size) % len(array)].reshape(count, size, *array.shape[1:])
