"""Keras model to a frozen TensorFlow graph: what goes to the converter."""

import contextlib
import dataclasses
import threading

import keras

from keras_addrnn.lite import _signature as signatures
from keras_addrnn.ops import _lowering

# While a model is traced, its layers are set to what the file wants of them.
_tracing = threading.Lock()


@dataclasses.dataclass
class Trace:
    """A frozen graph, the names of its input and output tensors, and those of the outputs.

    Attributes:
        function: What was traced, as a function of tensors.
    """

    function: object
    graph: object
    inputs: list
    outputs: list
    output_names: list

    def has_loop(self):
        nodes = [*self.graph.node]
        for function in self.graph.library.function:
            nodes.extend(function.node_def)
        return any(node.op in ("While", "StatelessWhile") for node in nodes)


def trace(model, signature, ops, quantize):
    """Traces the model in inference.

    Args:
        signature: What `signature.of` gives.
        ops, quantize: As for `keras_addrnn.lite.convert`.

    Raises:
        ValueError: The model changes a variable of its own at each call.
    """
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants

    names = []

    @tf.function(input_signature=signature.input_specs, autograph=False)
    def serve(*tensors):
        own = tensors[: len(signature.model_specs)]
        states = list(zip(signature.states, tensors[len(own) :], strict=True))
        inputs = keras.tree.pack_sequence_as(signature.structure, own)
        # States are read from the inputs, and what is assigned to them goes to the outputs.
        with keras.StatelessScope(state_mapping=states) as scope:
            outputs = model(inputs, training=False)
        _refuse_changes(model, signature.states, scope)
        names[:] = signatures.output_names(model, outputs, signature)
        new_states = [scope.get_current_value(state) for state in signature.states]
        return [*keras.tree.flatten(outputs), *new_states]

    lowering = _lowering.scope(
        fused_operator=ops == "fused", integer_operations=quantize in ("int8", "int16x8")
    )
    with _tracing, _unrolled(model, quantize), lowering:
        concrete = serve.get_concrete_function()
    frozen, graph = convert_to_constants.convert_variables_to_constants_v2_as_graph(
        concrete, lower_control_flow=False
    )
    return Trace(
        serve.python_function,
        graph,
        [tensor.name for tensor in frozen.inputs],
        [tensor.name for tensor in frozen.outputs],
        names,
    )


def _refuse_changes(model, states, scope):
    known = {id(state) for state in states}
    for variable in model.variables:
        if id(variable) not in known and scope.get_current_value(variable) is not None:
            raise ValueError(
                f"Model '{model.name}' changes its variable '{variable.path}' at each call, but a "
                "LiteRT file keeps no state. Make it an input and an output of the model."
            )


@contextlib.contextmanager
def _unrolled(model, quantize):
    """Has Keras' own recurrent layers write their steps out.

    A loop ends the converter's process, when it has to compute in integers.
    """
    loops = []
    if quantize in ("int8", "int16x8"):
        loops = [part for part in model._flatten_layers() if isinstance(part, keras.layers.RNN)]
    before = [(part, part.unroll) for part in loops]
    try:
        for part in loops:
            part.unroll = True
        yield
    finally:
        for part, unroll in before:
            part.unroll = unroll
