"""The TensorFlow op with its gradient, for programs with and without Keras.

Importing this imports TensorFlow, which imports Keras where that is installed. Nothing here uses
Keras. The library of the op is loaded at its first use.
"""

from addrnn.tensorflow._library import load_library as load_library
from addrnn.tensorflow._library import num_threads as num_threads
from addrnn.tensorflow._library import set_num_threads as set_num_threads
from addrnn.tensorflow._min_op import min_add_gru as min_add_gru
from addrnn.tensorflow._op import add_gru as add_gru
