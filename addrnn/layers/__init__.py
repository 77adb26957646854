"""The layers of an integer model: their weights, and the proof that no sum overflows."""

from addrnn.layers._add_gru import IntegerAddGRU as IntegerAddGRU
from addrnn.layers._dense import IntegerDense as IntegerDense
from addrnn.layers._min_add_gru import IntegerMinAddGRU as IntegerMinAddGRU

RecurrentLayer = IntegerAddGRU | IntegerMinAddGRU
Layer = RecurrentLayer | IntegerDense
