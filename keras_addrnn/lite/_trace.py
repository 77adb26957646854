"""Keras model to a frozen TensorFlow graph, the input of the converter."""

import dataclasses

import keras

from keras_addrnn.lite import _signature, _unrolled
from keras_addrnn.ops import _lowering

INTEGERS = ("int8", "int16x8")


@dataclasses.dataclass
class Trace:
    """A frozen graph, the names of its input and output tensors, and those of the outputs.

    Attributes:
        function: The traced function of tensors.
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

    Raises a `ValueError` where the model changes a variable of its own at each call.
    """
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants

    integers = quantize in INTEGERS
    # A loop ends the converter's process, when it has to compute in integers.
    layers = _unrolled.unrolled(model) if integers else model
    names = []

    @tf.function(input_signature=signature.input_specs, autograph=False)
    def serve(*tensors):
        own = tensors[: len(signature.model_specs)]
        states = list(zip(signature.states, tensors[len(own) :], strict=True))
        inputs = keras.tree.pack_sequence_as(signature.structure, own)
        # The inputs give the states; the outputs take the values assigned to them.
        with keras.StatelessScope(state_mapping=states) as scope:
            outputs = layers(inputs, training=False)
        _refuse_changes(model, signature.states, scope)
        names[:] = _signature.output_names(model, outputs, signature)
        new_states = [scope.get_current_value(state) for state in signature.states]
        return [*keras.tree.flatten(outputs), *new_states]

    with _lowering.scope(fused_operator=ops == "fused", integer_operations=integers):
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
