"""The recurrences for PyTorch: operators with their gradients, and modules used like `nn.GRU`.

Importing this imports PyTorch, and makes the operators known to it. Nothing here uses Keras.
"""

from addrnn.torch._add_gru_module import AddGRU as AddGRU
from addrnn.torch._library import num_threads as num_threads
from addrnn.torch._library import set_num_threads as set_num_threads
from addrnn.torch._min_add_gru_module import MinAddGRU as MinAddGRU
from addrnn.torch._min_op import min_add_gru as min_add_gru
from addrnn.torch._op import add_gru as add_gru
