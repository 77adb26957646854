"""The recurrence as functions of tensors."""

from keras_addrnn.ops.add_gru import add_gru as add_gru
from keras_addrnn.ops.add_gru import add_gru_step as add_gru_step
from keras_addrnn.ops.min_add_gru import min_add_gru as min_add_gru
