"""The samples from which a quantisation takes its ranges: checked, and cut into batches."""

import keras
import numpy as np

from addrnn import _validation


def as_arrays(data):
    """The data as arrays of LiteRT's types, in the structure that they came in.

    Raises:
        TypeError, ValueError: It is not an array, or a list or dict of arrays, of numbers.
    """
    if data is None:
        return None
    if callable(data) or hasattr(data, "__next__") or type(data).__name__.endswith("Dataset"):
        raise TypeError(
            "Argument `representative_data` must be arrays of samples, as `model.predict` takes "
            f"them. Received: {type(data).__name__}. Put its batches together with np.concatenate."
        )
    return keras.tree.map_structure(_as_array, data)


def _as_array(value):
    try:
        array = np.asarray(keras.ops.convert_to_numpy(value) if _is_tensor(value) else value)
    except ValueError as error:
        raise TypeError(
            f"Argument `representative_data` must hold arrays of numbers ({error})."
        ) from None
    if array.dtype.kind not in "fiub":
        raise TypeError(
            "Argument `representative_data` must hold arrays of numbers. Received: an array of "
            f"dtype {array.dtype}"
        )
    if array.ndim == 0 or len(array) == 0:
        raise ValueError(
            "Argument `representative_data` must hold at least one sample, along the first axis. "
            f"Received: an array of shape {array.shape}"
        )
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("Argument `representative_data` must be finite. Received: NaN or inf")
        array = array.astype("float32")
    return array


def _is_tensor(value):
    return keras.ops.is_tensor(value)


def in_order(data, signature):
    """The arrays in the order of the model's own inputs, of their types.

    Args:
        data: From `as_arrays`: an array, a dict by the inputs' names, or a list in their order.

    Raises:
        ValueError: They do not fit the inputs.
    """
    names = signature.input_names[: len(signature.model_specs)]
    if isinstance(data, dict):
        flat = dict(zip(_paths(data), keras.tree.flatten(data), strict=True))
        if set(flat) != set(names):
            raise ValueError(
                "Argument `representative_data` must have an array for each of the model's inputs "
                f"{sorted(names)}. Received: {sorted(flat)}"
            )
        arrays = [flat[name] for name in names]
    else:
        arrays = keras.tree.flatten(data)
        if len(arrays) != len(names):
            raise ValueError(
                f"Argument `representative_data` must have {len(names)} arrays, for the model's "
                f"inputs {names}. Received: {len(arrays)}"
            )
    if len({len(array) for array in arrays}) > 1:
        raise ValueError(
            "Argument `representative_data` must have as many samples for each input. Received: "
            f"{dict(zip(names, map(len, arrays), strict=True))}"
        )
    return [
        _fitted(array, name, spec)
        for array, name, spec in zip(arrays, names, signature.model_specs, strict=True)
    ]


def _paths(data):
    return ["_".join(map(str, path)) for path, _ in keras.tree.flatten_with_path(data)]


def _fitted(array, name, spec):
    expected, received = tuple(spec.shape[1:]), array.shape[1:]
    if len(expected) != len(received) or any(
        size not in (None, other) for size, other in zip(expected, received, strict=True)
    ):
        raise _validation.value_error(
            "representative_data",
            f"have samples of shape {expected} for the input '{name}', along a first axis",
            f"an array of shape {array.shape}",
        )
    dtype = spec.dtype.as_numpy_dtype
    if array.dtype.kind == "f" and np.dtype(dtype).kind != "f":
        raise ValueError(
            f"Argument `representative_data` must be of dtype {spec.dtype.name} for the input "
            f"'{name}'. Received: {array.dtype}"
        )
    return array.astype(dtype)


def with_states(batches, signature, function):
    """Puts the states beside the batches: zeros, then what came out of the call before.

    Args:
        batches: Arrays `[batches, *shape]` of the model's own inputs.
        function: `Trace.function`.
    """
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
