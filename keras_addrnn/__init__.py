"""Addition-gated recurrent layers for Keras 3, with fused ops for TensorFlow, JAX and PyTorch."""

from addrnn import __version__ as __version__
from keras_addrnn import layers as layers
from keras_addrnn import lite as lite
from keras_addrnn import ops as ops
from keras_addrnn import quantization as quantization
from keras_addrnn._info import info as info
from keras_addrnn.layers import AddGRU as AddGRU
from keras_addrnn.layers import AddGRUCell as AddGRUCell
from keras_addrnn.layers import MinAddGRU as MinAddGRU
