"""A model whose recurrent layers write their steps out, beside one whose layers loop."""

import copy

import keras

from keras_addrnn import _keras_private
from keras_addrnn.layers import AddGRU


def unrolled(model):
    """The model with `unroll=True` in Keras' own recurrent layers; `model` stays as it is.

    The layers on the way to a recurrent layer are copied one by one. Weights, states and all other
    layers are shared. So it takes every model: `keras.models.clone_model` takes no subclassed one,
    and only layers whose `get_config()` tells all. AddGRU layers are left to `ops._lowering`.
    """
    return _copied(model, {})


def _copied(layer, copies):
    if id(layer) in copies:
        return copies[id(layer)]
    if not any(map(_loops, _keras_private.flatten_layers(layer))):
        return layer
    copies[id(layer)] = new = object.__new__(type(layer))
    # Past `__setattr__`, which would track in lists that both share.
    attributes = vars(new)
    attributes.update(vars(layer))
    if _loops(layer):
        attributes["unroll"] = True
        return new
    for name, value in vars(layer).items():
        attributes[name] = _with_copies(value, copies)
    for nodes in _keras_private.nodes_by_depth(new).values():
        nodes[:] = [_node(node, copies) for node in nodes]
    return new


def _loops(layer):
    return isinstance(layer, keras.layers.RNN) and not isinstance(layer, AddGRU)


def _with_copies(value, copies):
    """The value, with copies of the layers in it."""
    if isinstance(value, keras.layers.Layer):
        return _copied(value, copies)
    if isinstance(value, dict):
        return {key: _with_copies(item, copies) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_copies(item, copies) for item in value]
    if isinstance(value, (set, frozenset)):
        return {_with_copies(item, copies) for item in value}
    if isinstance(value, tuple):  # TensorFlow's wrapper of one too
        items = [_with_copies(item, copies) for item in value]
        return value._make(items) if hasattr(value, "_make") else tuple(items)
    return value


def _node(node, copies):
    node = copy.copy(node)
    node.operation = _with_copies(node.operation, copies)
    return node
