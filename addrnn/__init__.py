"""Addition-gated recurrence without Keras: quantized models that run on NumPy alone.

The op for a framework, LiteRT and encryption are subpackages, imported by name:
`addrnn.tensorflow`, `addrnn.lite`, `addrnn.fhe`.
"""

from addrnn._version import __version__ as __version__
from addrnn.layers import IntegerAddGRU as IntegerAddGRU
from addrnn.layers import IntegerDense as IntegerDense
from addrnn.layers import IntegerMinAddGRU as IntegerMinAddGRU
from addrnn.model import IntegerModel as IntegerModel
from addrnn.model import load as load
from addrnn.quantization import Quantization as Quantization
