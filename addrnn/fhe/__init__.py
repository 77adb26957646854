"""An integer model on encrypted numbers: TFHE, by concrete-python.

`compile` makes a circuit of an `IntegerModel`, `compile_stream` one of a single step. `Client` and
`Server` load the two archives that `EncryptedModel.save` writes. concrete-python is imported at its
first use, since it does not work in a process with TensorFlow.
"""

from addrnn.fhe._circuit_spec import CircuitSpec as CircuitSpec
from addrnn.fhe._client import Client as Client
from addrnn.fhe._client_stream import ClientStream as ClientStream
from addrnn.fhe._compiler import compile as compile
from addrnn.fhe._compiler import compile_stream as compile_stream
from addrnn.fhe._encrypted_model import EncryptedModel as EncryptedModel
from addrnn.fhe._encrypted_stream import EncryptedStream as EncryptedStream
from addrnn.fhe._server import EvaluationKeys as EvaluationKeys
from addrnn.fhe._server import Server as Server
