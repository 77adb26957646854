"""The recurrence as Keras layers."""

from keras_addrnn.layers.add_gru import AddGRU as AddGRU
from keras_addrnn.layers.add_gru_cell import AddGRUCell as AddGRUCell
from keras_addrnn.layers.initializers import GateBias as GateBias
from keras_addrnn.layers.initializers import InhibitedOrthogonal as InhibitedOrthogonal
from keras_addrnn.layers.min_add_gru import MinAddGRU as MinAddGRU
