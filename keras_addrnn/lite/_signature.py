"""The inputs and outputs of a file: their shapes, types, names and order."""

import collections
import dataclasses
import inspect

import keras

from addrnn import _validation
from keras_addrnn import _keras_private
from keras_addrnn.layers import MinAddGRU
from keras_addrnn.lite._causal_convolution import CausalConvolution


@dataclasses.dataclass
class Signature:
    """The inputs of a file, in order: those of the model, then the states of stateful layers.

    Attributes:
        structure: How the model takes its inputs.
        model_specs: A `tf.TensorSpec` for each of the model's own inputs.
        states: The variables that hold the states of stateful layers.
        state_specs: A `tf.TensorSpec` for each of them.
        input_names: The names of all inputs.
    """

    structure: object
    model_specs: list
    states: list
    state_specs: list
    input_names: list

    @property
    def input_specs(self):
        return [*self.model_specs, *self.state_specs]


def signature_of(model, batch_size, data):
    """The signature of the file of a model.

    The data, if any, tells the shapes and types of the inputs of a subclassed model, which knows at
    most the shapes it was first called with. Raises a `ValueError` where the model's inputs are
    unknown, or fix another batch size.
    """
    import tensorflow as tf

    if getattr(model, "inputs", None):
        # A Sequential has one input and, until it is called, no `input`.
        structure = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
        tensors = model.inputs
        names = _input_names(tensors, structure)
    else:
        structure = _symbolic_inputs(model, data)
        tensors = keras.tree.flatten(structure)
        names = keys(structure) if isinstance(structure, dict) else ["input"] * len(tensors)
    states, state_names = _states(model)
    _check_batch_size(batch_size, tensors, zip(states, state_names, strict=True))
    if states:
        batch_size = states[0].shape[0]
    names = _distinct(names)
    specs = [
        tf.TensorSpec((batch_size or tensor.shape[0], *tensor.shape[1:]), tensor.dtype, name)
        for tensor, name in zip(tensors, names, strict=True)
    ]
    input_names = _distinct([*names, *state_names])
    state_specs = [
        tf.TensorSpec(state.shape, state.dtype, name)
        for state, name in zip(states, input_names[len(names) :], strict=True)
    ]
    return Signature(structure, specs, states, state_specs, input_names)


def output_names(model, outputs, signature):
    """The names of the outputs: those of the model, then the states' of stateful layers.

    The keys of a dict of outputs, or the names of the layers that they come from. A state has the
    name that it has among the inputs; one that a layer returns is named as if the layer kept it.
    """
    if isinstance(outputs, dict):
        names = keys(outputs)
    elif isinstance(model, keras.Sequential):
        names = [model.layers[-1].name] * len(keras.tree.flatten(outputs))
    elif getattr(model, "outputs", None):
        names = [_output_name(tensor) for tensor in model.outputs]
    else:
        names = ["output"] * len(keras.tree.flatten(outputs))
    states = signature.input_names[len(signature.model_specs) :]
    return _distinct([*states, *names])[len(states) :] + states


def _symbolic_inputs(model, data):
    """A `KerasTensor` for each input of a subclassed model, in the structure of its argument."""
    _refuse_more_arguments(model, _required(model.call))
    if data is not None:
        return keras.tree.map_structure(
            lambda array: keras.KerasTensor((None, *array.shape[1:]), array.dtype.name), data
        )
    shapes = _keras_private.first_call_shapes(model)
    if model.built and not shapes and _states(model)[0]:
        raise ValueError(
            f"The inputs of '{model.name}' are unknown: of a subclassed model with a stateful "
            "layer Keras does not keep the shapes that it was called with. Give samples of its "
            "inputs as `representative_data`."
        )
    if not shapes or isinstance(model, keras.Sequential):
        raise ValueError(
            f"The inputs of '{model.name}' are unknown. Start a Sequential model with keras.Input; "
            "call a subclassed one once, or give samples of its inputs as `representative_data`."
        )
    structure = next(iter(shapes.values()))
    _refuse_more_arguments(model, [name.removesuffix("_shape") for name in shapes])
    return keras.tree.map_shape_structure(
        lambda shape: keras.KerasTensor((None, *shape[1:]), model.input_dtype), structure
    )


def _required(call):
    """The names of the arguments that a model cannot be called without."""
    return [
        name
        for name, parameter in inspect.signature(call).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in ("training", "mask")  # which Keras passes
    ]


def _refuse_more_arguments(model, names):
    if len(names) > 1:
        raise ValueError(
            f"Model '{model.name}' takes {len(names)} arguments: {', '.join(names)}. Wrap it in "
            "keras.Model(inputs, model(*inputs)), with a keras.Input for each."
        )


def _check_batch_size(size, tensors, states):
    for tensor in tensors:
        if size is not None and tensor.shape[0] not in (None, size):
            raise _validation.value_error(
                "batch_size",
                f"be {tensor.shape[0]}, to which the model's input '{tensor.name}' fixes it",
                f"batch_size={size}",
                "If nobody chose that size, Keras took it from the first batch: start the model "
                "with keras.Input, and set_weights.",
            )
    for state, name in states:
        if size not in (None, state.shape[0]):
            layer = name.removesuffix("_state").removesuffix("_last_inputs")
            raise _validation.value_error(
                "batch_size",
                f"be {state.shape[0]}, the number of sequences for which the stateful layer "
                f"'{layer}' was built",
                f"batch_size={size}",
            )


def _states(model):
    """The variables with the states of stateful layers, and names for them."""
    states, names = [], []
    for layer in _keras_private.flatten_layers(model):
        if isinstance(layer, (keras.layers.RNN, MinAddGRU)) and layer.stateful:
            variables = keras.tree.flatten(layer.states)
            states += variables
            names += [_state_name(layer, place) for place in range(len(variables))]
    return states, names


def _input_names(inputs, structure):
    """The keys of a dict of inputs, or the names given to `keras.Input`."""
    if isinstance(structure, dict):
        return keys(structure)
    # Not the tensor's own name: where none was given, that is another after saving and loading.
    return [_keras_private.keras_history(tensor)[0].name for tensor in inputs]


def _output_name(tensor):
    layer, _, place = _keras_private.keras_history(tensor)
    is_state = isinstance(layer, (keras.layers.RNN, MinAddGRU, CausalConvolution)) and place > 0
    return _state_name(layer, place - 1) if is_state else layer.name


def _state_name(layer, place):
    if isinstance(layer, CausalConvolution) or (isinstance(layer, MinAddGRU) and place == 1):
        return f"{layer.name}_last_inputs"
    return f"{layer.name}_state"


def keys(structure):
    """A name for each tensor of a dict, made of the keys that lead to it."""
    paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
    return ["_".join(map(str, path)) for path in paths]


def _distinct(names):
    """The names, with a number where one comes again."""
    counts, distinct = collections.Counter(), []
    for name in names:
        candidate = name
        while candidate in distinct or (candidate != name and candidate in names):
            counts[name] += 1
            candidate = f"{name}_{counts[name]}"
        distinct.append(candidate)
    return distinct
