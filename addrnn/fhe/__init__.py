"""An integer model on encrypted numbers: TFHE, by concrete-python.

`compile` makes the circuit of an `IntegerModel`; `Client` and `Server` are the two sides of what is
saved of it. concrete-python is imported when it is first used: it does not live with TensorFlow in
one process.
"""

from addrnn.fhe._client import Client as Client
from addrnn.fhe._compiler import compile as compile
from addrnn.fhe._model import EncryptedModel as EncryptedModel
from addrnn.fhe._server import Server as Server
