"""The op on JAX with its gradient, for programs with and without Keras.

Importing this imports JAX; nothing here uses Keras. The op runs on CPUs, eagerly and in `jax.jit`:
XLA calls the compiled core.
"""

from addrnn._compiled_core import num_threads as num_threads
from addrnn._compiled_core import set_num_threads as set_num_threads
from addrnn.jax._min_op import min_add_gru as min_add_gru
from addrnn.jax._op import add_gru as add_gru
