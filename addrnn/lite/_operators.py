"""The custom operators of this project: their names, and the bytes of their options.

The C++ side reads the same layouts: cc_ops/lite/options.h for `AddGru` and `MinAddGru`,
cc_ops/lite/options_int.h for `AddGruInt`, `MinAddGruInt` and `AddGruIntDense`. Both headers have
the table of the bytes.
"""

import struct

from addrnn.gate import ACTIVATIONS
from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU

ADD_GRU, MIN_ADD_GRU = "AddGru", "MinAddGru"
ADD_GRU_INT, MIN_ADD_GRU_INT, ADD_GRU_INT_DENSE = "AddGruInt", "MinAddGruInt", "AddGruIntDense"
ALL = ADD_GRU, MIN_ADD_GRU, ADD_GRU_INT, MIN_ADD_GRU_INT, ADD_GRU_INT_DENSE
# The index of an optional input that is not given.
ABSENT = -1

_VERSION = 1
_MIN_FLOAT = struct.Struct("<4sIBBH")
_FLOAT = struct.Struct("<4sIBBHff")
_INTEGER = struct.Struct("<4sIBBhhhhH")


def add_gru_options(
    activation: str, state_shift: float, state_max: float, go_backwards: bool
) -> bytes:
    """The options of an `AddGru`; `state_max` is infinity for no bound."""
    code = ACTIVATIONS.index(activation)
    return _FLOAT.pack(b"AGRU", _VERSION, code, go_backwards, 0, state_shift, state_max)


def min_add_gru_options(activation: str, go_backwards: bool) -> bytes:
    """The options of a `MinAddGru`."""
    return _MIN_FLOAT.pack(b"MGRU", _VERSION, ACTIVATIONS.index(activation), go_backwards, 0)


def add_gru_int_options(layer: IntegerAddGRU) -> bytes:
    """The options of an `AddGruInt`."""
    gate = layer.state_shift, layer.state_max, layer.candidate_min, layer.candidate_max
    backwards = bool(layer.go_backwards)
    return _INTEGER.pack(b"AGRI", _VERSION, layer.input_bits, backwards, *gate, 0)


def min_add_gru_int_options(layer: IntegerMinAddGRU) -> bytes:
    """The options of a `MinAddGruInt`."""
    gate = layer.input_zero_point, layer.state_max, 0, layer.candidate_max
    backwards = bool(layer.go_backwards)
    return _INTEGER.pack(b"MGRI", _VERSION, layer.input_bits, backwards, *gate, 0)


def add_gru_int_dense_options(layer: IntegerDense) -> bytes:
    """The options of an `AddGruIntDense`."""
    return _INTEGER.pack(b"AGRD", _VERSION, layer.input_bits, 0, 0, 0, 0, 0, 0)
