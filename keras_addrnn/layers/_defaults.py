"""Defaults on which training depends, for cell and layer: see docs/explanation/defaults.md."""

from keras_addrnn.layers.initializers import InhibitedOrthogonal

KERNEL_INITIALIZER = "glorot_uniform"
RECURRENT_INITIALIZER = InhibitedOrthogonal  # the class: every layer draws weights of its own
BIAS_INITIALIZER = "zeros"
STATE_MAX = None
